//! Errors of reading, as they may be told: the place and the names of things, never a value (X6).
//!
//! serde quotes what it found. A dead letter, a log and whoever reads them would then know a part of the payload.

use serde::de::Error as _;
use serde_json::{Error, error::Category};

/// The same error without the value that it quotes.
pub(super) fn discreet(error: Error) -> Error {
    match error.classify() {
        Category::Data => Error::custom(without_value(&error.to_string())),
        Category::Io | Category::Syntax | Category::Eof => error,
    }
}

/// The same text without the value that it quotes.
pub(crate) fn without_value(told: &str) -> String {
    let quoted = if let Some(place) = told.strip_prefix("unknown variant ") {
        variant(place).map(|value| (told.len() - place.len(), value))
    } else if told.starts_with("invalid type: ") || told.starts_with("invalid value: ") {
        // What was expected is not quoted from the payload.
        let quote = told.find(['"', '`']).filter(|place| told.find(", expected ").is_none_or(|end| *place < end));
        quote.map(|place| (place, found(&told[place..])))
    } else {
        None
    };
    match quoted {
        Some((place, length)) => format!("{}{}", told[..place].trim_end(), &told[place + length..]),
        None => told.to_owned(),
    }
}

/// How long the name is that no variant has. It stands unescaped, so only what follows it last is its end.
fn variant(told: &str) -> Option<usize> {
    let ends = ["`, expected ", "`, there are no variants"];
    ends.iter().filter_map(|end| told.rfind(end)).max().map(|end| end + 1)
}

/// How long the value is: text with its quotes escaped, or a number or the like between backticks.
fn found(told: &str) -> usize {
    let quote = told.as_bytes()[0];
    let mut bytes = told.bytes().enumerate().skip(1);
    while let Some((place, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            _ if byte == quote => return place + 1,
            _ => {}
        }
    }
    told.len()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::from_slice;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Order {
        id: String,
        count: u8,
        colour: Colour,
    }

    #[derive(Debug, Deserialize)]
    enum Colour {
        Red,
        Green,
    }

    #[test]
    fn x6_an_error_tells_place_and_names_but_no_value() {
        for (text, told) in [
            (r#"{"count": "a\"b`, expected c"}"#, "invalid type: string, expected u8 at line 1 column 29"),
            (r#"{"count": 4111}"#, "invalid value: integer, expected u8 at line 1 column 14"),
            (r#"{"count": 1.5}"#, "invalid type: floating point, expected u8 at line 1 column 13"),
            (r#"{"id": true}"#, "invalid type: boolean, expected a string at line 1 column 11"),
            (r#"{"id": [1]}"#, "invalid type: sequence, expected a string at line 1 column 7"),
            (r#"{"colour": "a`, expected `b"}"#, "unknown variant, expected `Red` or `Green` at line 1 column 28"),
            (r#"{"id": "a"}"#, "missing field `count` at line 1 column 11"),
            (r#"{"idd": "a"}"#, "unknown field `idd`, expected one of `id`, `count`, `colour` at line 1 column 6"),
            (r#"{"id" "a"}"#, "expected `:` at line 1 column 7"),
        ] {
            assert_eq!(from_slice::<Order>(text.as_bytes()).unwrap_err().to_string(), told, "{text}");
        }
    }
}
