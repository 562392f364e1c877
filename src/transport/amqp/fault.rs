//! What the broker's and the client's errors mean to tegami, and the time that an answer may take.

use std::{fmt::Display, future::Future, io, time::Duration};

use lapin::{Error, ErrorKind};

use super::address::Address;
use crate::transport::{TransportError, TransportErrorKind};

/// How long the broker has to answer a request (N3).
pub(super) const ANSWER_TIME: Duration = Duration::from_secs(10);

/// Waits for the broker's answer, for a while.
pub(super) async fn answer<T>(
    to: impl Display,
    asked: impl Future<Output = lapin::Result<T>>,
) -> Result<T, TransportError> {
    match tokio::time::timeout(ANSWER_TIME, asked).await {
        Ok(answer) => answer.map_err(|error| told(to, error)),
        Err(_) => Err(TransportError::new(
            TransportErrorKind::Unreachable,
            format!("RabbitMQ does not answer within {ANSWER_TIME:?}: {to}"),
        )),
    }
}

/// The error, with what was asked for.
pub(super) fn told(asked: impl Display, error: Error) -> TransportError {
    let refusal = match error.kind() {
        ErrorKind::ProtocolError(refusal) => Some(refusal.clone()),
        _ => None,
    };
    match refusal {
        Some(refusal) => {
            // What the broker says names the thing, the value it has and the one it was given.
            let text = format!("{asked}: RabbitMQ says: {}", refusal.get_message());
            TransportError::new(meaning(refusal.get_id()), text)
        }
        None => TransportError::new(TransportErrorKind::Unreachable, format!("{asked}: the connection failed"))
            .caused_by(error),
    }
}

/// The error of a login. Who says something else than AMQP is no broker, and will be none later.
pub(super) fn turned_away(address: &Address, error: Error) -> TransportError {
    let is_stranger = match error.kind() {
        ErrorKind::IOError(error) => error.kind() == io::ErrorKind::InvalidData,
        ErrorKind::InvalidProtocolVersion(_) | ErrorKind::ParsingError(_) => true,
        _ => false,
    };
    if !is_stranger {
        // RabbitMQ says of it: "vhost  not found".
        let hint =
            if address.virtual_host().is_empty() { " (its `/` at the end names the virtual host ``)" } else { "" };
        return told(format_args!("cannot log in to {address}{hint}"), error);
    }
    let hint = if address.is_tls() { "" } else { "; is it the port for `amqps://`?" };
    let text = format!("{address} answers, but not AMQP 0-9-1{hint}");
    TransportError::new(TransportErrorKind::Refused, text).caused_by(error)
}

/// The reply codes of AMQP 0-9-1, 1.1, and of RabbitMQ.
fn meaning(code: u16) -> TransportErrorKind {
    match code {
        403 | 530 => TransportErrorKind::Refused,
        404 => TransportErrorKind::Missing,
        405 | 406 => TransportErrorKind::Mismatch,
        540 => TransportErrorKind::Unsupported,
        _ => TransportErrorKind::Unreachable,
    }
}
