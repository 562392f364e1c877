//! SNS and SQS for one test: started on first use, mended if an earlier run left them broken, never stopped.
//!
//! Each kind has a few instances, and a test holds one alone for as long as it has its [`Emulator`]: it may kill and
//! freeze it. What earlier tests made may still be there, so every test takes names of its own. `scripts/services/all
//! stop` ends them all.

mod caller;
mod http;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

pub use caller::{Caller, Refused, inside};

use crate::held::{self, Held, blocking, services};

/// Instances of each kind: as many tests can run at once.
const INSTANCES: u16 = 3;
/// With more queues than this, one begins anew.
const MANY: usize = 500;

/// A program that does as SNS and SQS do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The one that is nearest to AWS.
    LocalStack,
    /// The quick one.
    MiniStack,
}

impl Kind {
    /// Its name for the script.
    fn name(self) -> &'static str {
        match self {
            Self::LocalStack => "localstack",
            Self::MiniStack => "ministack",
        }
    }

    /// The first port of its instances.
    fn base(self) -> u16 {
        match self {
            Self::LocalStack => 17_692,
            Self::MiniStack => 17_696,
        }
    }
}

/// An instance by its number: a folder and a port of its own.
#[derive(Debug, Clone, Copy)]
struct Instance {
    kind: Kind,
    number: u16,
}

impl Instance {
    fn name(self) -> String {
        format!("aws-test-{}-{}", self.kind.name(), self.number)
    }

    fn port(self) -> u16 {
        self.kind.base() + self.number
    }

    fn folder(self) -> PathBuf {
        services().join(self.name())
    }

    /// Has a server of another folder its port?
    fn is_anothers(self) -> bool {
        held::is_anothers_home(self.port(), &self.folder(), "emulator.pid")
    }

    /// Runs a command of the script.
    fn script(self, command: &str) {
        let mut script = held::script("aws.sh");
        script.arg(command).env("AWS_EMULATOR", self.kind.name()).env("AWS_NAME", self.name());
        held::run(script.env("AWS_PORT", self.port().to_string()));
    }
}

/// A running emulator that nobody else uses.
#[derive(Debug)]
pub struct Emulator {
    instance: Instance,
    held: Held,
}

impl Emulator {
    /// Takes an instance of this kind, once one is free, and has it running.
    ///
    /// # Panics
    /// It cannot be started; the text says what to do.
    pub async fn take(kind: Kind) -> Self {
        blocking(move || {
            let instances: Vec<_> = (0..INSTANCES).map(|number| Instance { kind, number }).collect();
            let (instance, held) = Held::one_of(&instances, Instance::folder, Instance::is_anothers);
            Self { instance, held }.mended()
        })
        .await
    }

    /// One that an earlier test left broken begins anew; so does one that did not run, and one that has seen a lot.
    fn mended(self) -> Self {
        let is_fit = || self.caller().list("").is_ok_and(|queues| queues.len() <= MANY);
        if self.held.is_broken() || !is_fit() {
            self.instance.script("kill9");
            self.instance.script("start");
            self.held.whole();
        }
        self
    }

    /// Which it is.
    pub fn kind(&self) -> Kind {
        self.instance.kind
    }

    /// Where it is on loopback.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.instance.port()).into()
    }

    /// Where it is, for a client of this machine.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Calls it by hand.
    pub fn caller(&self) -> Caller {
        Caller::new(self.address())
    }

    /// Ends it as a power cut would; all queues, topics and messages are gone for good.
    ///
    /// # Panics
    /// It does not end.
    pub async fn kill9(&self) {
        self.held.broken();
        self.script("kill9").await;
    }

    /// Starts it, and waits until it answers.
    ///
    /// # Panics
    /// It does not start.
    pub async fn start(&self) {
        self.script("start").await;
        self.held.whole();
    }

    /// Lets it hang: connections stay open, nothing moves.
    ///
    /// # Panics
    /// It did not run.
    pub async fn freeze(&self) {
        self.held.broken();
        self.script("freeze").await;
    }

    /// Lets it go on.
    ///
    /// # Panics
    /// It does not run.
    pub async fn thaw(&self) {
        self.script("thaw").await;
        self.held.whole();
    }

    async fn script(&self, command: &'static str) {
        let instance = self.instance;
        blocking(move || instance.script(command)).await;
    }
}
