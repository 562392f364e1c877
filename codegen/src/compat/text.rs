//! What a contract says, as people read it in a finding. Contracts may hold anything, terminals should not.

use serde_json::Value;

use crate::lock::{self, Field};

/// A field: `string = 4, optional, max_length 10`.
pub(super) fn field(field: &Field) -> String {
    let Value::Object(members) = lock::field(field) else { return String::new() };
    let mut text = field.ty.to_string();
    if let Some(number) = field.number {
        text.push_str(&format!(" = {number}"));
    }
    for (name, value) in members.iter().filter(|(name, _)| !["type", "number"].contains(&name.as_str())) {
        text.push_str(", ");
        match value {
            Value::Bool(_) => text.push_str(name),
            value => text.push_str(&format!("{name} {value}")),
        }
    }
    text
}

/// The text without characters that steer a terminal or turn the direction of writing.
pub fn clean(text: &str) -> String {
    let is_harmful = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let letters = text.chars().map(|letter| match is_harmful(letter) {
        true => letter.escape_unicode().to_string(),
        false => letter.to_string(),
    });
    letters.collect()
}
