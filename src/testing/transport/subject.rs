//! The transport under test, as the suite meets it: connections to one broker, and faults to put upon it.

use std::{future::Future, sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::transport::{Memory, Outgoing, Transport, TransportError, TransportErrorKind};

/// The longest that a publish takes: its deadline and a second (P3).
pub(super) const PUBLISH: Duration = Duration::from_secs(11);

/// A transport under test, with the broker behind it.
///
/// An async closure that makes a transport is one; its connections must share a broker. Implement the trait for
/// a type of your own to offer faults, or time that can be paused.
#[async_trait]
pub trait Subject: Send + Sync + 'static {
    /// Opens one more connection to the broker.
    ///
    /// # Errors
    /// The broker cannot be reached.
    async fn connect(&self) -> Result<Arc<dyn Transport>, TransportError>;

    /// Which time the transport lives by. Default: real time.
    fn pace(&self) -> Pace {
        Pace::Real
    }

    /// How many messages are many for the broker; cases round it up to whole hundreds. Default: 1,000.
    fn many(&self) -> usize {
        1_000
    }

    /// Puts a fault upon the broker. Default: none can be.
    async fn inject(&self, _fault: Fault) -> Injected {
        Injected::Cannot
    }

    /// Takes a fault away again.
    async fn lift(&self, _fault: Fault) {}

    /// Where another process finds this very broker, for cases in which one of ours dies. Default: nowhere.
    async fn address(&self) -> Option<String> {
        None
    }

    /// Opens a connection to the broker of another process, which gave its [`address`](Self::address).
    ///
    /// # Errors
    /// The broker cannot be reached.
    async fn connect_to(&self, address: &str) -> Result<Arc<dyn Transport>, TransportError> {
        Err(TransportError::new(TransportErrorKind::Unreachable, format!("nobody knows the way to `{address}`")))
    }

    /// Puts a message into a queue past the transport, with something nested beside its attributes, as a foreign
    /// producer could. Default: none can.
    async fn put_nested(&self, _queue: &str, _message: &Outgoing, _nest: Nest) -> Injected {
        Injected::Cannot
    }
}

/// A value in a value in a value, where a broker has such attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nest {
    /// So many lists.
    Lists(usize),
    /// So many tables.
    Tables(usize),
}

/// The time that a transport lives by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Sockets and servers: as long as it takes.
    Real,
    /// tokio's clock and nothing else: it is paused, and waiting costs no time.
    Virtual,
}

/// What can go wrong with a broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Dead-letter queues take nothing.
    DeadLettersDown,
    /// The broker is killed, and started again when the fault is lifted.
    Killed,
    /// The broker accepts and answers nothing.
    Frozen,
    /// Every connection is cut, once.
    Cut,
    /// One consumer's channel is closed, once; the connection and its other channels stay.
    ChannelClosed,
    /// The broker takes no publishes, and lets them wait; all else goes on.
    Blocked,
    /// The broker refuses every request: too many of them, or credentials that are no longer good.
    Refusing,
    /// What the subject itself calls so, for cases of your own: it begins, happens and is over while it is injected.
    Own(&'static str),
}

impl Fault {
    /// What a subject needs that can bring it about.
    pub(super) fn needs(self) -> &'static str {
        match self {
            Self::DeadLettersDown => "dead-letter queues that can be taken away",
            Self::Killed => "a broker that can be killed",
            Self::Frozen => "a broker that can be frozen",
            Self::Cut => "connections that can be cut",
            Self::ChannelClosed => "a channel that can be closed",
            Self::Blocked => "a broker that can be blocked",
            Self::Refusing => "a broker that can be told to refuse",
            Self::Own(name) => name,
        }
    }
}

/// Did a fault happen?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Injected {
    /// It did.
    Done,
    /// This subject cannot make it happen.
    Cannot,
}

#[async_trait]
impl<F, Fut, T> Subject for F
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<T, TransportError>> + Send,
    T: Transport,
{
    async fn connect(&self) -> Result<Arc<dyn Transport>, TransportError> {
        Ok(Arc::new(self().await?))
    }
}

#[async_trait]
impl Subject for Memory {
    async fn connect(&self) -> Result<Arc<dyn Transport>, TransportError> {
        Ok(Arc::new(self.clone()))
    }

    fn pace(&self) -> Pace {
        Pace::Virtual
    }

    async fn inject(&self, fault: Fault) -> Injected {
        match fault {
            Fault::DeadLettersDown => self.close_dead_letters(),
            _ => return Injected::Cannot,
        }
        Injected::Done
    }

    async fn lift(&self, fault: Fault) {
        if fault == Fault::DeadLettersDown {
            self.open_dead_letters();
        }
    }
}
