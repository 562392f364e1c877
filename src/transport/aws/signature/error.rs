//! Why a message is not taken for one of SNS.

use crate::error::{Failure, Kind};

/// Why a message is not taken for one of SNS.
pub type SignatureError = Failure<SignatureErrorKind>;

/// The causes of a [`SignatureError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureErrorKind {
    /// It is not what SNS sends.
    Malformed,
    /// It tells a time that is more than an hour away.
    Stale,
    /// It comes from a topic that is not on the list.
    Topic,
    /// An address in it is not one of SNS in the topic's region.
    Address,
    /// The certificate could not be fetched.
    Unreachable,
    /// The certificate is not one of SNS, or is not valid now.
    Certificate,
    /// The signature is not that of the certificate's key over this message.
    Forged,
}

impl Kind for SignatureErrorKind {
    fn is_transient(self) -> bool {
        matches!(self, Self::Unreachable)
    }
}

/// A refusal for this cause.
pub(super) fn refused(kind: SignatureErrorKind, text: &str) -> SignatureError {
    SignatureError::new(kind, text)
}
