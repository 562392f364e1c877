//! A line for machines: one object, with tomodachi's keys in tomodachi's order.

use std::fmt::Write;

use super::{fields::Value, lines::Line};
use crate::secret::clean::is_hostile;

/// Keys that a line has by itself; a field of such a name gets a `_` behind it.
const OWN: [&str; 4] = ["timestamp", "logger", "level", "message"];

pub(super) fn render(line: &Line<'_>, text: &mut String) {
    let own = [&*line.timestamp, line.logger, line.level, &*line.fields.message];
    text.push('{');
    for (n, (key, value)) in OWN.into_iter().zip(own).enumerate() {
        push_key(text, n, key);
        push_text(text, value);
    }
    for (name, value) in &line.fields.others {
        let name = if OWN.contains(name) { format!("{name}_") } else { (*name).to_owned() };
        push_key(text, OWN.len(), &name);
        match value {
            Value::Plain(told) => text.push_str(told),
            Value::Text(told) => push_text(text, told),
        }
    }
    text.push_str("}\n");
}

fn push_key(text: &mut String, place: usize, key: &str) {
    if place > 0 {
        text.push_str(", ");
    }
    push_text(text, key);
    text.push_str(": ");
}

/// JSON leaves some signs as they are that a terminal does not.
fn push_text(text: &mut String, told: &str) {
    text.push('"');
    for sign in told.chars() {
        match sign {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            // All of them are of the first plane.
            sign if is_hostile(sign) => write!(text, "\\u{:04x}", u32::from(sign)).expect("a string takes all"),
            sign => text.push(sign),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::fields::Fields;

    #[test]
    fn keys_stand_in_their_order_and_text_comes_back() {
        let hostile = "\u{0}\u{1b}[31m\"\\\n\r\t\u{7f}\u{9b}\u{2028}é😀";
        let others = vec![
            ("level", Value::Text("mine".to_owned())),
            ("attempt", Value::Plain("2".to_owned())),
            ("error", Value::Text(hostile.to_owned())),
        ];
        let fields = Fields { message: hostile.to_owned(), others };
        let line = Line { timestamp: "now".to_owned(), logger: "tegami", level: "info", fields };
        let mut text = String::new();
        render(&line, &mut text);
        assert!(
            text.starts_with(r#"{"timestamp": "now", "logger": "tegami", "level": "info", "message": ""#),
            "{text}"
        );
        assert!(text.contains(r#", "level_": "mine", "attempt": 2, "error": ""#), "{text}");
        assert!(!text.trim_end_matches('\n').contains(is_hostile), "{text:?}");
        let read: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        assert_eq!((read["message"].as_str(), read["error"].as_str()), (Some(hostile), Some(hostile)));
    }
}
