//! One instance of RabbitMQ as `scripts/services/rabbitmq.sh` runs it.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    path::PathBuf,
    time::Duration,
};

use super::Release;
use crate::held::{self, services};

/// How long a broker that lives takes to answer.
const ANSWER: Duration = Duration::from_secs(2);
/// What a client says first, for a server that speaks AMQP 0-9-1.
const HELLO: &[u8; 8] = b"AMQP\x00\x00\x09\x01";

/// An instance by its number: a folder and ports of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Instance {
    pub(super) release: Release,
    pub(super) number: u16,
}

impl Instance {
    pub(super) fn name(self) -> String {
        format!("rabbitmq-test-{}{}", self.release.name(), self.number)
    }

    /// The port for AMQP, the first of four.
    pub(super) fn port(self) -> u16 {
        self.release.base() + 4 * self.number
    }

    /// What only its holder may touch.
    pub(super) fn folder(self) -> PathBuf {
        services().join(self.name())
    }

    /// Has a server of another folder its port?
    pub(super) fn is_anothers(self) -> bool {
        held::is_anothers_home(self.port(), &self.folder(), "broker.pid")
    }

    /// Who signed the certificate of all instances.
    pub(super) fn authority(self) -> PathBuf {
        services().join("tls/ca.pem")
    }

    /// Runs a command of the script.
    ///
    /// # Panics
    /// It fails; the text says what to do.
    pub(super) fn script(self, arguments: &[&str]) -> String {
        let mut command = held::script("rabbitmq.sh");
        command.args(arguments).env("RABBITMQ_RELEASE", self.release.debian()).env("RABBITMQ_NAME", self.name());
        command.env("RABBITMQ_BASE", self.port().to_string()).env_remove("RABBITMQ_PLUGINS");
        held::run(&mut command)
    }

    /// Does it answer a client?
    pub(super) fn answers(self) -> bool {
        let answer = || {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port()))?;
            stream.set_read_timeout(Some(ANSWER))?;
            stream.write_all(HELLO)?;
            let mut first = [0];
            stream.read_exact(&mut first)
        };
        answer().is_ok()
    }
}
