//! One instance of RabbitMQ as `scripts/services/rabbitmq.sh` runs it.

use std::{
    env,
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use super::Release;

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

    /// Who signed the certificate of all instances.
    pub(super) fn authority(self) -> PathBuf {
        services().join("tls/ca.pem")
    }

    /// Runs a command of the script.
    ///
    /// # Panics
    /// It fails; the text says what to do.
    pub(super) fn script(self, arguments: &[&str]) -> String {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/services/rabbitmq.sh");
        let mut command = Command::new(script);
        command.args(arguments).stdin(Stdio::null()).env("SERVICES_DIR", services());
        command.env("RABBITMQ_RELEASE", self.release.debian()).env("RABBITMQ_NAME", self.name());
        command.env("RABBITMQ_BASE", self.port().to_string()).env_remove("RABBITMQ_PLUGINS");
        let done = command.output().unwrap_or_else(|error| panic!("{script} cannot run: {error}"));
        let [out, told] = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        assert!(done.status.success(), "this test needs RabbitMQ {:?}: {arguments:?}: {told}{out}", self.release);
        out
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

/// Where servers live: as the scripts have it.
fn services() -> PathBuf {
    let named = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = || {
        let ours = || named("XDG_CACHE_HOME").or_else(|| named("HOME").map(|home| home.join(".cache")));
        named("CHECK_CACHE").or_else(|| ours().map(|cache| cache.join("tegami"))).expect("there is a home")
    };
    named("SERVICES_DIR").unwrap_or_else(|| cache().join("services"))
}
