//! What can go wrong between tegami and a transport.

use std::error::Error as _;

use crate::error::{Failure, Kind};

/// Why a message was not published, or may not have been.
pub type PublishError = Failure<PublishErrorKind>;

/// The causes of a [`PublishError`]. All but `Unknown` mean: certainly not stored (P2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublishErrorKind {
    /// The event breaks its contract, or cannot be encoded, or is nested deeper than readers go.
    Invalid,
    /// The service says what it publishes, and this is not of it.
    Undeclared,
    /// No queue is bound for this event.
    Unroutable,
    /// Larger than the transport takes, or than readers take once it is decompressed.
    TooLarge,
    /// More is in flight than allowed, up to the deadline.
    Backpressure,
    /// The broker refused it.
    Refused,
    /// The broker could not be reached, up to the deadline.
    Unreachable,
    /// The transport asked for something it cannot promise.
    Unsupported,
    /// The service has not started, or has stopped.
    Closed,
    /// It may have been stored: the answer never came.
    Unknown,
}

impl Kind for PublishErrorKind {
    fn is_transient(self) -> bool {
        !matches!(self, Self::Invalid | Self::Undeclared | Self::TooLarge | Self::Unsupported)
    }
}

impl PublishError {
    /// Does it say nothing about the message? What a queue refused does, though another one may have stored it.
    pub(crate) fn is_away(&self) -> bool {
        use PublishErrorKind::{Backpressure, Closed, Refused, Unknown, Unreachable};
        let cause = self.source().and_then(|cause| cause.downcast_ref::<Self>());
        match self.kind() {
            Unknown => cause.is_none_or(|cause| cause.kind() != Refused),
            kind => matches!(kind, Backpressure | Closed | Unreachable),
        }
    }
}

/// Why an outcome could not be told to the transport. The delivery comes back.
pub type SettleError = Failure<SettleErrorKind>;

/// The causes of a [`SettleError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettleErrorKind {
    /// The lease had run out; somebody else may have the delivery.
    Lost,
    /// The copy to the dead-letter or retry queue was not taken; the original stays (X4).
    CopyRefused,
    /// The transport is gone.
    Closed,
}

impl Kind for SettleErrorKind {
    fn is_transient(self) -> bool {
        matches!(self, Self::CopyRefused)
    }
}

/// Why a transport could not be set up or read from.
pub type TransportError = Failure<TransportErrorKind>;

/// The causes of a [`TransportError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// A setting is wrong; the text names it.
    Setting,
    /// It does not answer.
    Unreachable,
    /// It is there and does not let us in: its certificate, the password, the virtual host, a permission.
    Refused,
    /// A topic or queue is not there.
    Missing,
    /// A topic or queue is there and differs from the plan.
    Mismatch,
    /// The plan asks for something this transport cannot promise.
    Unsupported,
    /// It was closed.
    Closed,
}

impl Kind for TransportErrorKind {
    fn is_transient(self) -> bool {
        matches!(self, Self::Unreachable)
    }
}

impl TransportErrorKind {
    /// Does the broker have something else than the plan asks for?
    pub(crate) const fn is_difference(self) -> bool {
        matches!(self, Self::Missing | Self::Mismatch)
    }
}

/// All that differs as one error, of the kind of the first; no error, if nothing does.
pub(crate) fn in_one(differences: Vec<TransportError>) -> Result<(), TransportError> {
    match <[TransportError; 1]>::try_from(differences) {
        Ok([only]) => Err(only),
        Err(none) if none.is_empty() => Ok(()),
        Err(several) => {
            let told: Vec<String> = several.iter().map(ToString::to_string).collect();
            Err(TransportError::new(several[0].kind(), told.join("; ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t4_what_a_queue_refused_is_about_the_message_also_where_another_may_have_stored_it() {
        use PublishErrorKind::{Backpressure, Refused, Unknown, Unreachable, Unroutable};
        for (kind, cause, away) in [
            (Unknown, None, true),
            (Unknown, Some(Unreachable), true),
            (Unknown, Some(Refused), false),
            (Unreachable, Some(Refused), true),
            (Backpressure, None, true),
            (Refused, None, false),
            (Unroutable, None, false),
        ] {
            let told = PublishError::new(kind, "not published");
            let told = match cause {
                Some(cause) => told.caused_by(PublishError::new(cause, "no")),
                None => told,
            };
            assert_eq!(told.is_away(), away, "{kind:?} by {cause:?}");
        }
    }
}
