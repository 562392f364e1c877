//! A tomodachi service as a child process: `peer.py`, run by tomodachi's own command.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use crate::WAIT;

/// What the bodies of messages are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Json,
    Protobuf,
}

impl Kind {
    /// As `peer.py` calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Protobuf => "protobuf",
        }
    }
}

/// A message as tomodachi hands it to a handler.
#[derive(Debug, Deserialize)]
pub struct Read {
    pub data: Value,
    pub metadata: Value,
    pub service: Value,
    pub id: String,
    /// What stood beside the body, as the transport has it.
    pub beside: Map<String, Value>,
    /// When the handler had it, in seconds since 1970.
    pub at: f64,
}

impl Read {
    /// The number of the letter that it is. (Protobuf's JSON has 64-bit numbers as text, and leaves out a 0.)
    pub fn number(&self) -> u64 {
        match &self.data["number"] {
            Value::Null => 0,
            Value::String(text) => text.parse().expect("a number"),
            number => number.as_u64().expect("a number"),
        }
    }
}

/// A running tomodachi service. It ends when this is dropped.
pub struct Peer {
    _child: Child,
    commands: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    /// Starts one with these settings, and waits until it reads.
    pub async fn start(settings: &Value) -> Self {
        let mut command = Command::new(tomodachi());
        command.args(["run", "--production", "--log-level", "warning", "peer.py"]);
        // tomodachi looks for services from where it is started.
        command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop"));
        command.env("PEER", settings.to_string()).env("PYTHONDONTWRITEBYTECODE", "1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("tomodachi can be started");
        let commands = child.stdin.take().expect("it is piped");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let mut peer = Self { _child: child, commands, lines };
        assert_eq!(peer.line().await, json!({ "ready": true }));
        peer
    }

    /// Has it send a message.
    pub async fn send(&mut self, message: Value) {
        self.commands.write_all(format!("{message}\n").as_bytes()).await.expect("tomodachi lives");
    }

    /// The next message that it read.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn read(&mut self) -> Read {
        serde_json::from_value(self.line().await).expect("what peer.py writes")
    }

    async fn line(&mut self) -> Value {
        let line = timeout(WAIT, self.lines.next_line()).await.expect("tomodachi has something to tell");
        let line = line.expect("it can be read").expect("tomodachi lives");
        serde_json::from_str(&line).expect("a line of JSON")
    }
}

/// tomodachi's command, in the environment that `scripts/wire-peers` makes.
fn tomodachi() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tomodachi");
    let venv = std::env::var_os("WIRE_PYTHON").map_or_else(default, PathBuf::from);
    let command = venv.join("bin/tomodachi");
    assert!(command.exists(), "there is no {}: run scripts/wire-peers --install", command.display());
    command
}
