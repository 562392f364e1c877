//! What stands in for a transport that this build leaves out: an error that says how to have it.

use super::{TransportError, TransportErrorKind};

/// Stands in for RabbitMQ.
#[cfg(not(feature = "amqp"))]
pub(crate) fn amqp(_: &str) -> Result<super::Memory, TransportError> {
    Err(absent("amqp"))
}

/// Stands in for SNS and SQS.
#[cfg(not(feature = "aws"))]
pub(crate) fn aws(_: &str) -> Result<super::Memory, TransportError> {
    Err(absent("aws"))
}

fn absent(feature: &str) -> TransportError {
    let text = format!("this build of tegami has no `{feature}`: switch on its feature of that name in Cargo.toml");
    TransportError::new(TransportErrorKind::Unsupported, text)
}
