//! How one part is, and why; the one place where reasons are made fit to be shown.

use serde::Serialize;

use crate::{
    error::{BoxError, told},
    secret::without_passwords,
};

/// The longest reason, in characters.
const LONGEST: usize = 300;

/// How a part is, from well to badly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum State {
    /// It does what it is for.
    Up,
    /// It does, but not all of it or not as it should.
    Degraded,
    /// It does not.
    Down,
    /// It does not yet.
    Starting,
    /// It takes no new work, and finishes what it has.
    Draining,
}

/// How a part is, and why it is so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    pub(super) state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
}

impl Status {
    /// It does what it is for.
    pub fn up() -> Self {
        Self { state: State::Up, reason: None }
    }

    /// It does what it is for, but not all of it or not as it should; the service stays ready.
    ///
    /// The reason is for people, and whoever may ask reads it: put no secret into it. It is cut to 300 characters,
    /// and the password of a URL is left out.
    pub fn degraded(reason: impl Into<String>) -> Self {
        Self::because(State::Degraded, &reason.into())
    }

    /// It does not do what it is for; the service is not ready. For the reason, see [`degraded`](Self::degraded).
    pub fn down(reason: impl Into<String>) -> Self {
        Self::because(State::Down, &reason.into())
    }

    pub(crate) fn starting(reason: impl Into<String>) -> Self {
        Self::because(State::Starting, &reason.into())
    }

    /// How it is.
    pub fn state(&self) -> State {
        self.state
    }

    /// Why, where there is something to tell.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The same reason in another state.
    pub(super) fn but(self, state: State) -> Self {
        Self { state, ..self }
    }

    pub(crate) fn because(state: State, reason: &str) -> Self {
        Self { state, reason: Some(fit(reason)) }
    }
}

/// `Ok` is up; an error is down, with its text and those of its causes.
impl<E: Into<BoxError>> From<Result<(), E>> for Status {
    fn from(result: Result<(), E>) -> Self {
        match result {
            Ok(()) => Self::up(),
            Err(error) => Self::down(told(&*error.into())),
        }
    }
}

/// One line of a bounded length, without the password of a URL.
fn fit(reason: &str) -> String {
    let line = without_passwords(&reason.split_whitespace().collect::<Vec<_>>().join(" "));
    let shown: String = line.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(LONGEST).collect();
    if line.chars().count() > LONGEST { shown + "…" } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k3_a_reason_is_one_short_line_and_has_no_password() {
        let down = |reason: &str| Status::down(reason).reason().expect("it has one").to_owned();
        assert_eq!(down("cannot reach amqp://me:se@cret@host:1/v now"), "cannot reach amqp://me:***@host:1/v now");
        assert_eq!(down("  a\r\nb\u{1b}[31m \t c"), "a b\u{fffd}[31m c");
        assert_eq!(down(&"é".repeat(300)), "é".repeat(300));
        assert_eq!(down(&"é".repeat(301)), "é".repeat(300) + "…");
    }

    #[test]
    fn an_error_is_told_with_its_causes() {
        let error = crate::Error::new(crate::ErrorKind::Hook, "outer").caused_by("inner");
        assert_eq!(Status::from(Err::<(), _>(error)).reason(), Some("outer: inner"));
        assert_eq!(Status::from(Ok::<(), crate::Error>(())), Status::up());
    }
}
