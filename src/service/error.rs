//! Why a service could not start, or did not end well.

use crate::error::{Failure, Kind};

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
    /// The transport could not be reached or prepared.
    Transport,
    /// A lifecycle hook failed.
    Hook,
    /// A publish of a test failed.
    Publish,
}

impl Kind for ErrorKind {
    fn is_transient(self) -> bool {
        matches!(self, Self::Transport)
    }
}

impl From<crate::transport::TransportError> for Error {
    fn from(error: crate::transport::TransportError) -> Self {
        Error::new(ErrorKind::Transport, "the transport is not ready").caused_by(error)
    }
}

impl From<crate::transport::PublishError> for Error {
    fn from(error: crate::transport::PublishError) -> Self {
        Error::new(ErrorKind::Publish, "an event was not published").caused_by(error)
    }
}
