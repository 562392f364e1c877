//! K-03 on any transport: a service with a secret wherever it takes anything, in a process of its own that logs all there
//! is; and whether one of the secrets is in what it told.
//!
//! The tests of each transport bring a test that [lives](live), and start it by its name as a [`Life`].

mod life;
mod others;
mod persons;
mod wrong;

use std::process::Command;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use tokio::task::spawn_blocking;

pub use life::live;

/// How each secret begins.
const BEGINNING: &str = "canary-";
/// One that is a number.
const NUMBER: i64 = 4_111_111_111_111_111;
/// Tells a process that it is to live, and on which transport; one that has none only tells what is wrong.
const URL: &str = "CANARIES_ON";
/// URLs of transports that refuse it, a line each.
const REFUSED: &str = "CANARIES_REFUSED_BY";
/// How it writes its log.
const FORMAT: &str = "CANARIES_FORMAT";

/// The secret of this number. Those below 30, and from 40 on, are in every life.
pub fn canary(number: usize) -> String {
    format!("{BEGINNING}{number}-end")
}

/// A process that lives.
pub struct Life(Command);

impl Life {
    /// It is the test of this name, and logs in this format.
    pub fn of(test: &str, format: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this binary"));
        command.args([test, "--exact", "--nocapture"]).env(FORMAT, format).env(URL, "").env(REFUSED, "");
        command.env("OTEL_EXPORTER_OTLP_HEADERS", format!("authorization=Bearer%20{}", canary(40)));
        Self(command)
    }

    /// It lives on the transport at this URL.
    pub fn on(self, url: &str) -> Self {
        self.with(URL, url)
    }

    /// It is refused by the transports at these.
    #[allow(dead_code, reason = "memory refuses nobody")]
    pub fn refused_by(self, urls: &[String]) -> Self {
        self.with(REFUSED, &urls.join("\n"))
    }

    /// It has this variable.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    /// It has no such variable.
    #[allow(dead_code, reason = "only AWS reads the environment")]
    pub fn without(mut self, name: &str) -> Self {
        self.0.env_remove(name);
        self
    }

    /// All that it told until its end, if there is no secret in it, and all of these words.
    ///
    /// # Panics
    /// It is not so.
    pub async fn tells(mut self, words: &[&str]) {
        let ended = spawn_blocking(move || self.0.output().expect("this binary runs")).await.expect("no panic");
        let told = [ended.stdout, ended.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        let lines: Vec<&str> =
            told.lines().filter(|line| spellings().iter().any(|secret| line.contains(secret))).collect();
        assert!(lines.is_empty(), "{} lines tell a secret:\n{}", lines.len(), lines.join("\n"));
        assert!(ended.status.success(), "it did not live to its end:\n{told}");
        for word in words {
            assert!(told.contains(word), "the story lacks `{word}`:\n{told}");
        }
    }
}

/// What a canary could be seen by: as text, in a URL, as a list of bytes, as hex, as base64 wherever it begins.
fn spellings() -> Vec<String> {
    let bytes = format!("{:?}", BEGINNING.as_bytes()).trim_matches(['[', ']']).to_owned();
    let hex: String = BEGINNING.bytes().map(|byte| format!("{byte:02x}")).collect();
    // Of three bytes come four signs; those at both ends have bits of what stands beside.
    let base64 = ["", "x", "xx"].map(|before| {
        let signs = STANDARD_NO_PAD.encode(format!("{before}{BEGINNING}"));
        signs[if before.is_empty() { 0 } else { 4 }..signs.len() - 2].to_owned()
    });
    [vec![BEGINNING.to_owned(), "canary%2".to_owned(), NUMBER.to_string(), bytes, hex], base64.to_vec()].concat()
}
