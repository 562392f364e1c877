//! A letter as it is kept in the outbox, and as the model knows it.

use std::time::Duration;

use tegami::outbox::{Due, Row};

use crate::{
    happened::{Kept, Post},
    wire,
};

/// The number of the letter.
pub fn number(row: &Row) -> u64 {
    wire::number(&row.outgoing.sealed.attributes, "number")
}

/// How long it is delayed.
pub fn delay(row: &Row) -> Option<Duration> {
    match row.due {
        Some(Due::In(delay, _)) => Some(delay),
        Some(_) => panic!("nobody here asks for a time of day"),
        None => None,
    }
}

/// What the model is told of it.
pub fn kept(row: &Row, due: Option<Duration>) -> Kept {
    let message = &row.outgoing;
    let key = message.key.clone().expect("every letter has its key");
    let (by, delay, within) = ("the outbox".to_owned(), Duration::ZERO, Duration::MAX);
    let post = Post { number: number(row), by, key, ordered: message.ordered, delay, within };
    Kept { post, id: message.id.to_string(), due }
}
