//! A disk that is full soon: a test runs again as a process that has a small one, which nobody else sees.

use std::{
    env,
    fs::{self, File},
    io::Write,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
};

/// Tells that process where its disk is.
const DISK: &str = "SMALL_DISK";
/// Mounts a disk of so many MiB on a folder and becomes the command behind it.
const MOUNT: &str = r#"mount -t tmpfs -o size="$0"m small "$1" && shift && exec "$@""#;
const MIB: usize = 1 << 20;
/// How many seconds such a test may take.
const LONGEST: &str = "300";

/// A disk of a few MiB, in memory. It goes with the process, and so does whatever that has started.
#[derive(Debug)]
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// The disk of this process, if it is the one that has it. Else the test of this name runs again as such a process.
    /// Where no disk may be mounted, that is told and nothing else done: a test without one has to stand for it.
    ///
    /// # Panics
    /// The test has failed there.
    pub fn of(mib: usize, test: &str) -> Option<Self> {
        if let Some(path) = env::var_os(DISK) {
            return Some(Self(path.into()));
        }
        let folder = env::temp_dir().join(format!("tegami-disk-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder can be made");
        let tried = alone(mib, &folder).arg("true").output();
        let may = tried.as_ref().is_ok_and(|tried| tried.status.success());
        let went_well = may.then(|| {
            let mut command = alone(mib, &folder);
            command.arg(env::current_exe().expect("this binary")).args([test, "--exact", "--nocapture"]);
            command.env(DISK, &folder).env("SERVICES_DIR", &folder).status().expect("it was tried").success()
        });
        let _ = fs::remove_dir(&folder);
        match went_well {
            Some(went_well) => assert!(went_well, "`{test}` has failed on a disk of {mib} MiB: see above"),
            None => println!("NO DISK: `{test}` is not tried, for none may be mounted here: {tried:?}"),
        }
        None
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Takes so many MiB of it, or, if there are none, all that is left.
    ///
    /// # Panics
    /// There is less.
    pub fn take(&self, mib: Option<usize>) {
        let mut file = File::create(self.ballast()).expect("a file can be made");
        let mut written = (0..mib.unwrap_or(usize::MAX)).map(|_| file.write_all(&[7; MIB]));
        assert!(written.all(|written| written.is_ok()) || mib.is_none(), "the disk is smaller");
    }

    /// Gives back what was taken.
    ///
    /// # Panics
    /// Nothing was.
    pub fn give_back(&self) {
        fs::remove_file(self.ballast()).expect("it was taken");
    }

    /// One more disk, in a folder of this one, which belongs to this user.
    ///
    /// # Panics
    /// It cannot be mounted.
    pub fn another(&self, mib: usize, user: &str) -> Self {
        let path = self.0.join("another");
        fs::create_dir(&path).expect("a folder can be made");
        mount(&format!("size={mib}m,mode=700,uid={user}"), &path);
        Self(path)
    }

    /// Has it be of so many MiB from now on.
    ///
    /// # Panics
    /// It cannot be.
    pub fn grow(&self, mib: usize) {
        mount(&format!("remount,size={mib}m"), &self.0);
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

/// May this process do whatever it likes on this machine?
pub fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// The beginning of a command that runs with a disk, and ends with all that it has started when whoever runs it ends.
fn alone(mib: usize, folder: &Path) -> Command {
    // Who is killed ends nobody: whatever was started ends after a while.
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", LONGEST, "unshare"]);
    if !is_root() {
        command.arg("--map-root-user");
    }
    command.args(["--mount", "--pid", "--mount-proc", "--fork", "--kill-child", "--", "sh", "-c", MOUNT]);
    command.arg(mib.to_string()).arg(folder);
    command
}

fn mount(options: &str, path: &Path) {
    let mut command = Command::new("mount");
    let done = command.args(["-t", "tmpfs", "-o", options, "small"]).arg(path).status().expect("there is `mount`");
    assert!(done.success(), "{command:?}");
}
