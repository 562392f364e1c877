//! RabbitMQ for one test: started on first use, mended if an earlier run left it broken, never stopped.
//!
//! Each release has a few instances, and a test holds one alone for as long as it has its [`Rabbit`]: it may kill,
//! freeze and block it. `scripts/services/all stop` ends them all.

mod faults;
mod instance;

use std::{fs, path::PathBuf};

use instance::Instance;

use crate::held::{Held, blocking};

/// Instances of each release: as many tests can run at once.
const INSTANCES: u16 = 3;

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
    held: Held,
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
        let instances: Vec<_> = (0..INSTANCES).map(|number| Instance { release, number }).collect();
        let (instance, held) = Held::one_of(&instances, Instance::folder, Instance::is_anothers);
        Self { instance, held }.mended()
    }

    /// One that an earlier test left broken begins anew, without a queue; so does one that did not run.
    fn mended(self) -> Self {
        if self.held.is_broken() || !self.instance.answers() {
            self.instance.script(&["kill9"]);
            // Where there is none yet, there is nothing to forget.
            let _ = fs::remove_dir_all(self.instance.folder().join("data"));
            self.instance.script(&["start"]);
            self.held.whole();
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

    async fn script(&self, arguments: &[&str]) -> String {
        let (instance, arguments) = (self.instance, arguments.iter().map(ToString::to_string).collect::<Vec<_>>());
        blocking(move || instance.script(&arguments.iter().map(String::as_str).collect::<Vec<_>>())).await
    }
}
