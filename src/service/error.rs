//! Why a service could not start, or did not end well.

use crate::{
    error::{Failure, Kind},
    transport::{PublishError, TransportError, TransportErrorKind},
};

/// Why a service could not start, or did not end well.
pub type Error = Failure<ErrorKind>;

/// The causes of an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting is wrong; the text names it.
    Setting,
    /// Two subscriptions cannot both be had, or one asks for what the transport cannot promise.
    Subscription,
    /// The transport does not answer. A start waits for it.
    Unreachable,
    /// The transport does not let the service in, or lacks what the service needs; the cause names it.
    Transport,
    /// HTTP cannot listen on its address; the text names it, the cause says why.
    Http,
    /// A lifecycle hook failed.
    Hook,
    /// A schedule is wrong; the text names it, and what was expected.
    Schedule,
    /// A publish of a test failed.
    Publish,
}

impl Kind for ErrorKind {
    fn is_transient(self) -> bool {
        matches!(self, Self::Unreachable)
    }
}

impl From<TransportError> for Error {
    fn from(error: TransportError) -> Self {
        match error.kind() {
            TransportErrorKind::Setting => error.of_kind(ErrorKind::Setting),
            TransportErrorKind::Unreachable => {
                Error::new(ErrorKind::Unreachable, "the transport is away").caused_by(error)
            }
            _ => Error::new(ErrorKind::Transport, "the transport is not ready").caused_by(error),
        }
    }
}

impl From<PublishError> for Error {
    fn from(error: PublishError) -> Self {
        Error::new(ErrorKind::Publish, "an event was not published").caused_by(error)
    }
}
