//! What a wrong setting, a closed door or a silent broker does to the start of a service (K1, N1, N7), and that nobody
//! is told a secret. Each service is a process of its own, which writes down all it logs.

mod broker;
mod place;
mod service;
mod settings;
mod topology;

#[cfg(all(feature = "http", feature = "logs"))]
pub use broker::Office;
use service::Told;

/// The password, as it stands in a URL, and a piece of it that must never be seen.
const PASSWORD: &str = "c4n4ry%3aone";
const CANARY: &str = "c4n4ry";

/// The start ended by itself, with an error of all these words, and told no secret.
#[track_caller]
fn assert_refused(told: &Told, words: &[&str]) {
    assert_eq!(told.code, Some(1), "the start went on: {}", told.text);
    assert_tells(told, words);
}

#[track_caller]
fn assert_tells(told: &Told, words: &[&str]) {
    for word in words {
        assert!(told.text.contains(word), "`{word}` is not told: {}", told.text);
    }
    let spelt = spellings().into_iter().find(|secret| told.text.contains(secret));
    assert_eq!(spelt, None, "a secret is told: {}", told.text);
}

/// How a secret could stand in a log: as text, as a list of bytes (so lapin prints them), as hex.
fn spellings() -> [String; 3] {
    let bytes = format!("{:?}", CANARY.as_bytes());
    let hex = CANARY.bytes().map(|byte| format!("{byte:02x}")).collect();
    [CANARY.to_owned(), bytes.trim_matches(['[', ']']).to_owned(), hex]
}
