//! What `scripts/soak chaos` asks for.

use std::{env, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

/// Where it stands, as JSON.
const ASKED: &str = "CHAOS";

/// A run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Asked {
    /// It decides on all: on faults, their order, and what becomes of each message.
    pub seed: u64,
    /// The transports, each a phase.
    pub phases: Vec<Phase>,
    /// Whose services.
    pub whose: Whose,
    /// How many processes are killed, in quick succession, in place of all else that goes wrong.
    pub kills: Option<usize>,
    /// Messages a second; none: 70 % of what is held without faults.
    pub rate: Option<u32>,
    /// Where ledgers and logs go.
    pub folder: PathBuf,
    /// Where the figures go, as JSON.
    pub figures: PathBuf,
    /// What is wrong with the consumers, to see that it is found.
    pub broken: Option<Broken>,
    /// What tells this run again.
    pub replay: String,
}

/// A phase: one transport, and how long things go wrong with it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Phase {
    pub way: Way,
    /// Seconds from the first fault to the begin of the last.
    pub seconds: u64,
    /// How many faults there are at most.
    pub faults: usize,
}

impl Phase {
    /// How long faults begin.
    pub fn time(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

/// A transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    Amqp,
    Aws,
}

impl Way {
    pub fn name(self) -> &'static str {
        match self {
            Self::Amqp => "amqp",
            Self::Aws => "aws",
        }
    }
}

/// Who handles and publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Whose {
    /// tegami, with plain handlers and a transactional one.
    Tegami,
    /// tegami with plain handlers only, to be put beside tomodachi.
    Plain,
    /// Python's tomodachi.
    Tomodachi,
}

/// What a broken consumer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Broken {
    /// It acks before the handler has done its work.
    AckFirst,
    /// It leaves its effect beside the transaction.
    EffectBeside,
    /// It publishes at once what belongs to the transaction.
    PublishBeside,
}

impl Asked {
    /// # Panics
    /// Nobody asked.
    pub fn given() -> Self {
        let text = env::var(ASKED).expect("CHAOS says what is asked: run scripts/soak chaos");
        serde_json::from_str(&text).expect("it was written by scripts/soak")
    }
}
