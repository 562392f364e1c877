//! What is fuzzed: for each target a function that takes any bytes, hands them to the library as a stranger would, and
//! holds what comes of them against what must hold of it.
//!
//! `scripts/fuzz` runs them under libFuzzer; `tests/fuzz` runs them with what is in `fuzz/corpus`, in the workspace's own
//! build. So they use nothing but what both have.

mod amqp;
mod aws;
mod contracts;
mod envelopes;
mod http;
mod logs;
mod names;
mod schedules;
mod schemas;
mod settings;
mod traces;

use std::borrow::Cow;

/// A target: its name, which is that of its folder in `fuzz/corpus`, and what is done with the bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All there are.
pub const ALL: [Target; 15] = [
    ("envelope-json", envelopes::json),
    ("envelope-protobuf", envelopes::protobuf),
    ("packed", envelopes::packed),
    ("sns", aws::notification),
    ("dead-letter", aws::dead_letter),
    ("amqp", amqp::stream),
    ("names", names::derived),
    ("trace", traces::read),
    ("schema", schemas::checked),
    ("contract", contracts::compiled),
    ("cron", schedules::cron),
    ("path", http::path),
    ("forwarded", http::forwarded),
    ("log", logs::lines),
    ("config", settings::config),
];

/// The bytes as text; what is none is replaced.
fn text(data: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(data)
}

/// Texts that follow each other, a NUL between them; so many, whatever is there.
fn texts<const N: usize>(text: &str) -> [&str; N] {
    let mut parts = text.splitn(N, '\0');
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// It can stand in a line of a log or a terminal.
fn assert_plain(told: &str) {
    assert!(!told.contains(char::is_control), "control characters: {told:?}");
}
