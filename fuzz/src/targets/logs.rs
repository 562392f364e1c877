//! Lines of the log: one each, with nothing in it that a terminal obeys, and no password.

use std::cell::RefCell;

use tegami::{Config, logs};
use tracing::{Dispatch, dispatcher::with_default};

use super::text;

/// What must not be told.
const PASSWORD: &str = "s3cr3t-c4n4ry";
/// Where long texts are cut, in characters.
const LONGEST: usize = 8 * 1024;

thread_local! {
    static LINE: RefCell<String> = const { RefCell::new(String::new()) };
    static CONSOLE: Dispatch = subscriber("console");
    static JSON: Dispatch = subscriber("json");
}

fn subscriber(format: &str) -> Dispatch {
    let config = Config::new().set("log.format", format).expect("it is a format");
    Dispatch::new(logs::subscriber(&config, |line| LINE.with_borrow_mut(|text| text.push_str(line))))
}

/// The line that a message makes, which also has it in a field.
fn line(log: &'static std::thread::LocalKey<Dispatch>, message: &str) -> String {
    LINE.take();
    log.with(|log| with_default(log, || tracing::warn!(target: "tegami", field = message, "{message}")));
    LINE.take()
}

/// Two bytes say how much stands before the rest, so that the end of what is told may fall anywhere.
pub fn lines(data: &[u8]) {
    let (pad, data) = data.split_at(data.len().min(2));
    let data = text(data);
    one_line(&line(&CONSOLE, &data));
    let json = line(&JSON, &data);
    one_line(&json);
    let told = message(&json);
    if data.chars().count() <= LONGEST {
        assert_eq!(message(&line(&JSON, &told)), told, "what is clean stays as it is");
    }
    assert!(told.chars().count() <= data.chars().count().min(LONGEST) * 2 + 16);
    let pad = pad.iter().fold(0, |sum, byte| sum * 256 + usize::from(*byte)) % (LONGEST + 64);
    let (before, after) = data.split_at(data.floor_char_boundary(data.len() / 2));
    let secret = format!("{}{before}://user:{PASSWORD}@host{after}", "x".repeat(pad));
    for log in [&CONSOLE, &JSON] {
        let told = line(log, &secret);
        one_line(&told);
        assert!(data.contains(&PASSWORD[..4]) || !told.contains(&PASSWORD[..4]), "{told}");
    }
}

fn one_line(line: &str) {
    let told = line.strip_suffix('\n').expect("a line has its end");
    let obeyed = |sign: char| {
        sign.is_control() || matches!(sign, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!told.contains(obeyed), "{told:?}");
}

/// The message of a line of JSON; the field says the same.
fn message(line: &str) -> String {
    let read: serde_json::Value = serde_json::from_str(line).expect("it is JSON");
    assert_eq!(read["message"], read["field"]);
    read["message"].as_str().expect("it is text").to_owned()
}
