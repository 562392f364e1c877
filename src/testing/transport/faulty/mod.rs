//! Faults for a transport that has none of its own: a broker that is killed, frozen or full of refusals.
//!
//! A `Line` is one connection as its user sees it; it outlives what happens to the `Wire`s behind it, which are real
//! connections to the subject: one to ask and publish on, and one for each consumer. Cutting a wire closes it, so what
//! it had been handed comes back by the transport's own promise.

mod line;
mod wire;

use std::sync::{Arc, Mutex, Weak};

use async_trait::async_trait;
use tokio::sync::watch;

use super::{Fault, Injected, Nest, Pace, Subject, trial::held};
use crate::transport::{Outgoing, Transport, TransportError, TransportErrorKind};
use line::Line;
use wire::Wire;

/// A subject with faults: its connections can be cut, its broker killed and frozen, and so on.
///
/// What the broker stored it keeps. A publish that a frozen broker got is stored, and only its answer is missing.
///
/// ```
/// # #[cfg(test)]
/// mod faulty_memory {
///     use tegami::{testing::transport::Faulty, transport::Memory};
///
///     tegami::transport_suite!(Faulty::new(Memory::new()));
/// }
/// ```
pub struct Faulty(Arc<Broker>);

/// The broker with what is wrong with it, and all connections to it.
struct Broker {
    subject: Box<dyn Subject>,
    wrong: watch::Sender<Vec<Fault>>,
    lines: Mutex<Vec<Weak<Line>>>,
}

impl Faulty {
    /// This subject, without a fault until one is injected.
    pub fn new(subject: impl Subject) -> Self {
        let wrong = watch::Sender::new(Vec::new());
        Self(Arc::new(Broker { subject: Box::new(subject), wrong, lines: Mutex::default() }))
    }

    async fn line(&self, address: Option<&str>) -> Result<Arc<dyn Transport>, TransportError> {
        let line = Arc::new(Line::open(self.0.clone(), address).await?);
        held(&self.0.lines).push(Arc::downgrade(&line));
        Ok(line)
    }
}

#[async_trait]
impl Subject for Faulty {
    async fn connect(&self) -> Result<Arc<dyn Transport>, TransportError> {
        self.line(None).await
    }

    fn pace(&self) -> Pace {
        self.0.subject.pace()
    }

    fn many(&self) -> usize {
        self.0.subject.many()
    }

    async fn address(&self) -> Option<String> {
        self.0.subject.address().await
    }

    async fn connect_to(&self, address: &str) -> Result<Arc<dyn Transport>, TransportError> {
        self.line(Some(address)).await
    }

    async fn put_nested(&self, queue: &str, message: &Outgoing, nest: Nest) -> Injected {
        self.0.subject.put_nested(queue, message, nest).await
    }

    async fn inject(&self, fault: Fault) -> Injected {
        if matches!(fault, Fault::Own(_)) {
            return Injected::Cannot;
        }
        let wires = self.0.wires();
        let cut = match fault {
            Fault::Killed | Fault::Cut => wires,
            Fault::ChannelClosed => wires.into_iter().find(|wire| wire.is_read()).into_iter().collect(),
            _ => Vec::new(),
        };
        if !matches!(fault, Fault::Cut | Fault::ChannelClosed) {
            self.0.wrong.send_modify(|wrong| wrong.push(fault));
        }
        for wire in cut {
            wire.cut().await;
        }
        Injected::Done
    }

    async fn lift(&self, fault: Fault) {
        self.0.wrong.send_modify(|wrong| wrong.retain(|other| *other != fault));
    }
}

impl Broker {
    fn wires(&self) -> Vec<Arc<Wire>> {
        held(&self.lines).iter().filter_map(Weak::upgrade).flat_map(|line| line.wires()).collect()
    }

    /// Is this wrong with it?
    fn is(&self, fault: Fault) -> bool {
        self.wrong.borrow().contains(&fault)
    }

    /// Waits until this is wrong with it.
    async fn until(&self, fault: Fault) {
        self.when(|wrong| wrong.contains(&fault)).await;
    }

    /// Waits until this is wrong with it no longer.
    async fn without(&self, fault: Fault) {
        self.when(|wrong| !wrong.contains(&fault)).await;
    }

    async fn when(&self, holds: impl Fn(&[Fault]) -> bool) {
        let mut wrong = self.wrong.subscribe();
        wrong.wait_for(|wrong| holds(wrong)).await.expect("the broker holds the sender");
    }

    /// Does it take requests at all?
    fn takes(&self) -> Result<(), TransportError> {
        match self.is(Fault::Killed) || self.is(Fault::Refusing) {
            true => Err(away()),
            false => Ok(()),
        }
    }
}

fn away() -> TransportError {
    TransportError::new(TransportErrorKind::Unreachable, "the broker is away")
}

fn closed() -> TransportError {
    TransportError::new(TransportErrorKind::Closed, "the transport was closed")
}
