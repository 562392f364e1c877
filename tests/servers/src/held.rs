//! What one test has for itself: an instance's folder, with a lock in it and a mark while something is wrong there.

use std::{
    env,
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use tokio::task::spawn_blocking;

/// How long until what is taken is asked for again.
const LOOK: Duration = Duration::from_millis(50);

/// A folder that nobody else has, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Held {
    /// It has bytes in it while something is wrong.
    lock: File,
}

impl Held {
    /// Takes one of these, once one is free, by its folder.
    pub(crate) fn one_of<T: Copy>(all: &[T], folder: impl Fn(T) -> PathBuf) -> (T, Self) {
        loop {
            if let Some(taken) = all.iter().find_map(|one| Some((*one, Self::of(&folder(*one))?))) {
                return taken;
            }
            std::thread::sleep(LOOK);
        }
    }

    fn of(folder: &Path) -> Option<Self> {
        fs::create_dir_all(folder).expect("the folder for servers can be written");
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(folder.join("taken"));
        let lock = open.expect("the folder for servers can be written");
        match lock.try_lock() {
            Ok(()) => Some(Self { lock }),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Error(error)) => panic!("{} cannot be locked: {error}", folder.display()),
        }
    }

    /// Notes that something is wrong until it is [whole](Self::whole) again, whoever has it then.
    pub(crate) fn broken(&self) {
        (&self.lock).write_all(b"!").expect("the lock file can be written");
    }

    pub(crate) fn whole(&self) {
        let rewound = (&self.lock).rewind().and_then(|()| self.lock.set_len(0));
        rewound.expect("the lock file can be written");
    }

    pub(crate) fn is_broken(&self) -> bool {
        (&self.lock).read(&mut [0]).expect("the lock file can be read") > 0
    }
}

/// Where servers live: as the scripts have it.
pub(crate) fn services() -> PathBuf {
    let named = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = || {
        let ours = || named("XDG_CACHE_HOME").or_else(|| named("HOME").map(|home| home.join(".cache")));
        named("CHECK_CACHE").or_else(|| ours().map(|cache| cache.join("tegami"))).expect("there is a home")
    };
    named("SERVICES_DIR").unwrap_or_else(|| cache().join("services"))
}

/// A script of `scripts/services`, for servers that live there.
pub(crate) fn script(name: &str) -> Command {
    let mut command =
        Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/services").to_owned() + "/" + name);
    command.stdin(Stdio::null()).env("SERVICES_DIR", services());
    command
}

/// Runs a script; what it prints.
///
/// # Panics
/// It fails; the text says what to do.
pub(crate) fn run(command: &mut Command) -> String {
    let done = command.output().unwrap_or_else(|error| panic!("{command:?} cannot run: {error}"));
    let [out, told] = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(done.status.success(), "this test needs a server: {command:?}: {told}{out}");
    out
}

/// Runs what blocks; a panic in it goes on here.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_blocking(work).await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}
