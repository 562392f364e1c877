//! What a URL says behind its `?`.

use std::{path::PathBuf, time::Duration};

use super::{setting, url};
use crate::transport::{TransportError, query};

const KNOWN: [&str; 6] = ["exchange", "queue_type", "heartbeat", "ca", "plaintext", "compat"];

/// What a URL says beyond the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::transport::amqp) struct Parameters {
    /// `exchange`: the topic exchange that messages are published to.
    pub(in crate::transport::amqp) exchange: String,
    /// `queue_type`: how queues are declared.
    pub(in crate::transport::amqp) queue_type: QueueType,
    /// `heartbeat`: how often a sign of life is asked for, in seconds.
    pub(in crate::transport::amqp) heartbeat: Duration,
    /// `ca`: a PEM file with the authorities to trust, instead of the platform's.
    pub(in crate::transport::amqp) ca: Option<PathBuf>,
    /// `plaintext`: where a connection may go unencrypted.
    pub(in crate::transport::amqp) plaintext: Plaintext,
    /// `compat`: whose queues they are.
    pub(in crate::transport::amqp) compat: Compat,
}

/// How queues are declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::transport::amqp) enum QueueType {
    /// Kept by a majority of the broker's nodes.
    Quorum,
    /// Kept by one node.
    Classic,
}

/// Where a connection may go unencrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::transport::amqp) enum Plaintext {
    /// To this machine only.
    Loopback,
    /// To any host.
    Anywhere,
}

/// Whose queues they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::transport::amqp) enum Compat {
    /// Our own.
    Tegami,
    /// Declared as tomodachi declares them.
    Tomodachi,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            exchange: "amq.topic".to_owned(),
            queue_type: QueueType::Quorum,
            heartbeat: Duration::from_secs(10),
            ca: None,
            plaintext: Plaintext::Loopback,
            compat: Compat::Tegami,
        }
    }
}

impl Parameters {
    /// Reads `name=value&name=value`; each name at most once.
    pub(super) fn parse(query: &str) -> Result<Self, TransportError> {
        let mut parameters = Self::default();
        for (name, value) in query::pairs(query).map_err(|name| stray(name, "stands there twice"))? {
            parameters.set(name, &url::decode(name, value)?)?;
        }
        Ok(parameters)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), TransportError> {
        let wrong = |allowed| setting(format!("`{name}` is `{value}`: {allowed}"));
        match (name, value) {
            ("exchange", "") => return Err(wrong("give an exchange's name")),
            ("exchange", _) if value.len() > url::SHORT => return Err(wrong("at most 255 bytes are allowed")),
            ("exchange", _) => self.exchange = value.to_owned(),
            ("queue_type", "quorum") => self.queue_type = QueueType::Quorum,
            ("queue_type", "classic") => self.queue_type = QueueType::Classic,
            ("queue_type", _) => return Err(wrong("choose `quorum` or `classic`")),
            ("heartbeat", _) => self.heartbeat = seconds(value).ok_or_else(|| wrong("give whole seconds, 1 to 60"))?,
            ("ca", "") => return Err(wrong("give the path of a PEM file")),
            ("ca", _) => self.ca = Some(PathBuf::from(value)),
            ("plaintext", "allow") => self.plaintext = Plaintext::Anywhere,
            ("plaintext", _) => return Err(wrong("there is `allow`")),
            ("compat", "tomodachi") => self.compat = Compat::Tomodachi,
            ("compat", _) => return Err(wrong("there is `tomodachi`")),
            _ => return Err(stray(name, "is no parameter")),
        }
        Ok(())
    }
}

/// A broker that is never asked for a sign of life would be missed by nobody: 0 is refused.
fn seconds(value: &str) -> Option<Duration> {
    let digits = value.bytes().all(|byte| byte.is_ascii_digit()).then_some(value)?;
    digits.parse().ok().filter(|seconds| (1..=60).contains(seconds)).map(Duration::from_secs)
}

fn stray(name: &str, why: &str) -> TransportError {
    setting(format!("`{name}` {why}; there are, each at most once, {}", KNOWN.join(", ")))
}
