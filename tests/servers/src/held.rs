//! What one test has for itself: an instance's folder, with a lock in it and a mark while something is wrong there.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    net::{Ipv4Addr, TcpStream},
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
    /// Takes one of these, once one is free, by its folder; but none whose port a server of another folder has.
    ///
    /// # Panics
    /// Others have them all.
    pub(crate) fn one_of<T: Copy>(
        all: &[T],
        folder: impl Fn(T) -> PathBuf,
        is_anothers: impl Fn(T) -> bool,
    ) -> (T, Self) {
        let mut ours = all.to_vec();
        while !ours.is_empty() {
            let free = ours.iter().enumerate().find_map(|(place, one)| Some((place, *one, Self::of(&folder(*one))?)));
            match free {
                Some((_, one, held)) if !is_anothers(one) => return (one, held),
                Some((place, ..)) => drop(ours.remove(place)),
                None => std::thread::sleep(LOOK),
            }
        }
        let folder = services();
        panic!("servers of another SERVICES_DIR than {} have every port: end them there", folder.display())
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

/// Is somebody at this port, and not the server whose process stands in this file, and has this word in that list of
/// `/proc`?
pub(crate) fn is_anothers(port: u16, pid: &Path, (list, word): (&str, &OsStr)) -> bool {
    let is_ours = || {
        let pid = fs::read_to_string(pid).ok()?;
        let words = fs::read(format!("/proc/{}/{list}", pid.lines().next()?)).ok()?;
        words.split(|byte| *byte == 0).any(|one| one == word.as_encoded_bytes()).then_some(())
    };
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() && is_ours().is_none()
}

/// The same of a server whose home is this folder.
pub(crate) fn is_anothers_home(port: u16, folder: &Path, pid: &str) -> bool {
    let mut home = OsString::from("HOME=");
    home.push(folder);
    is_anothers(port, &folder.join(pid), ("environ", &home))
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
