//! RabbitMQ for one test: started on first use, mended if an earlier run left it broken, never stopped.
//!
//! Each release has a few instances, and a test holds one alone for as long as it has its [`Rabbit`]: it may kill,
//! freeze and block it. `scripts/services/all stop` ends them all.

mod faults;
mod instance;

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    path::PathBuf,
    time::Duration,
};

use instance::Instance;
use tokio::task::spawn_blocking;

/// Instances of each release: as many tests can run at once.
const INSTANCES: u16 = 3;
/// How long until a taken instance is asked for again.
const LOOK: Duration = Duration::from_millis(50);

/// A release of RabbitMQ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// 3.10, of Debian bookworm.
    V3,
    /// 4.0, of Debian trixie.
    V4,
}

impl Release {
    /// Begins the name of an instance.
    fn name(self) -> &'static str {
        match self {
            Self::V3 => "3-",
            Self::V4 => "4-",
        }
    }

    /// The Debian release that it is taken from; none for this machine's own.
    fn debian(self) -> &'static str {
        match self {
            Self::V3 => "",
            Self::V4 => "trixie",
        }
    }

    /// The first port of its instances.
    fn base(self) -> u16 {
        match self {
            Self::V3 => 17_700,
            Self::V4 => 17_720,
        }
    }
}

/// A running RabbitMQ that nobody else uses.
#[derive(Debug)]
pub struct Rabbit {
    instance: Instance,
    /// Holds the instance. It has bytes in it while something is wrong with the broker.
    lock: File,
}

impl Rabbit {
    /// Takes an instance of this release, once one is free, and has it running.
    ///
    /// # Panics
    /// It cannot be started; the text says what to do.
    pub async fn take(release: Release) -> Self {
        blocking(move || Self::take_blocking(release)).await
    }

    fn take_blocking(release: Release) -> Self {
        loop {
            let instances = (0..INSTANCES).map(|number| Instance { release, number });
            if let Some(rabbit) = instances.filter_map(Self::try_take).next() {
                return rabbit.mended();
            }
            std::thread::sleep(LOOK);
        }
    }

    fn try_take(instance: Instance) -> Option<Self> {
        let folder = instance.folder();
        fs::create_dir_all(&folder).expect("the folder for servers can be written");
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(folder.join("taken"));
        let lock = open.expect("the folder for servers can be written");
        match lock.try_lock() {
            Ok(()) => Some(Self { instance, lock }),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Error(error)) => panic!("{} cannot be locked: {error}", folder.display()),
        }
    }

    /// One that an earlier test left broken begins anew, without a queue; so does one that did not run.
    fn mended(self) -> Self {
        if self.is_broken() || !self.instance.answers() {
            self.instance.script(&["kill9"]);
            // Where there is none yet, there is nothing to forget.
            let _ = fs::remove_dir_all(self.instance.folder().join("data"));
            self.instance.script(&["start"]);
            self.whole();
        }
        self
    }

    /// Where it is, for a client of this machine.
    pub fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.port())
    }

    /// Its port on loopback.
    pub fn port(&self) -> u16 {
        self.instance.port()
    }

    /// Its port for TLS on loopback; the certificate is for `localhost` and `127.0.0.1`.
    pub fn tls_port(&self) -> u16 {
        self.port() + 1
    }

    /// The PEM file of the authority that its certificate is from.
    pub fn authority(&self) -> PathBuf {
        self.instance.authority()
    }

    /// Notes that something is wrong with the broker until it is [whole](Self::whole) again.
    fn broken(&self) {
        (&self.lock).write_all(b"!").expect("the lock file can be written");
    }

    fn whole(&self) {
        let rewound = (&self.lock).rewind().and_then(|()| self.lock.set_len(0));
        rewound.expect("the lock file can be written");
    }

    fn is_broken(&self) -> bool {
        (&self.lock).read(&mut [0]).expect("the lock file can be read") > 0
    }

    async fn script(&self, arguments: &[&str]) -> String {
        let (instance, arguments) = (self.instance, arguments.iter().map(ToString::to_string).collect::<Vec<_>>());
        blocking(move || instance.script(&arguments.iter().map(String::as_str).collect::<Vec<_>>())).await
    }
}

/// Runs what blocks; a panic in it goes on here.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_blocking(work).await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}
