//! A line for people: `2026-01-01T00:00:00.000000Z [info     ] what happened   [logger] field=value …`.

use super::{colour::Colour, fields::Value, lines::Line};
use crate::secret::clean::{is_hostile, push_spelled_out};

/// What ends a colour.
const PLAIN: &str = "\u{1b}[0m";
const DIM: &str = "\u{1b}[2m";
const BOLD: &str = "\u{1b}[1m";
const CYAN: &str = "\u{1b}[36m";
/// How much room a message has, before what follows is no longer aligned.
const MESSAGE: usize = 30;

pub(super) fn render(line: &Line<'_>, colour: Colour, text: &mut String) {
    let paint = |text: &mut String, colour_of: &str, what: &str| match colour {
        Colour::Always => text.extend([colour_of, what, PLAIN]),
        Colour::Never => text.push_str(what),
    };
    paint(text, DIM, &line.timestamp);
    text.push_str(" [");
    paint(text, of(line.level), &format!("{:9}", line.level));
    text.push_str("] ");
    let mut message = String::new();
    push_spelled_out(&mut message, &line.fields.message);
    paint(text, BOLD, &format!("{message:MESSAGE$}"));
    text.push_str(" [");
    paint(text, DIM, line.logger);
    text.push(']');
    for (name, value) in &line.fields.others {
        text.push(' ');
        paint(text, CYAN, name);
        text.push('=');
        push_value(text, value);
    }
    text.push('\n');
}

fn push_value(text: &mut String, value: &Value) {
    match value {
        Value::Plain(told) => text.push_str(told),
        Value::Text(told) if is_word(told) => text.push_str(told),
        Value::Text(told) => {
            // A quote within would end the value for whoever reads it.
            let told = told.replace('\\', "\\\\").replace('"', "\\\"");
            text.push('"');
            push_spelled_out(text, &told);
            text.push('"');
        }
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || is_hostile(c) || "\"=\\".contains(c))
}

fn of(level: &str) -> &'static str {
    match level {
        "error" => "\u{1b}[31m",
        "warning" => "\u{1b}[33m",
        "info" => "\u{1b}[32m",
        _ => "\u{1b}[34m",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::fields::Fields;

    fn line(message: &str) -> Line<'static> {
        let others = vec![
            ("queue", Value::Text("billing".to_owned())),
            ("error", Value::Text("a \"b\"\n\u{1b}[31m\u{9b}c\u{202e}".to_owned())),
            ("attempt", Value::Plain("2".to_owned())),
            ("empty", Value::Text(String::new())),
        ];
        let fields = Fields { message: message.to_owned(), others };
        Line {
            timestamp: "2026-01-01T00:00:00.000000Z".to_owned(),
            logger: "tegami::pipeline",
            level: "warning",
            fields,
        }
    }

    #[test]
    fn a_line_is_one_and_nothing_in_it_is_taken_for_more() {
        let mut text = String::new();
        render(&line("attempt\r\nfailed"), Colour::Never, &mut text);
        assert_eq!(
            text,
            "2026-01-01T00:00:00.000000Z [warning  ] attempt\\r\\nfailed              [tegami::pipeline] queue=billing \
             error=\"a \\\"b\\\"\\n\\u{1b}[31m\\u{9b}c\\u{202e}\" attempt=2 empty=\"\"\n"
        );
    }

    #[test]
    fn colours_are_the_only_signs_of_a_terminal() {
        let mut text = String::new();
        render(&line("failed"), Colour::Always, &mut text);
        assert!(text.contains("\u{1b}[33mwarning  \u{1b}[0m") && !text.contains("\u{1b}[31m"), "{text:?}");
        let bare =
            text.split('\u{1b}').map(|part| part.split_once('m').map_or(part, |(_, rest)| rest)).collect::<String>();
        assert!(!bare.trim_end_matches('\n').contains(is_hostile), "{bare:?}");
    }
}
