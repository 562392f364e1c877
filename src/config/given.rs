//! A value as it was given, and what it can be read as.

use std::{fmt, time::Duration};

/// The most of a value that an error shows, in characters.
const SHOWN: usize = 64;
/// The longest time that can be set, in seconds: a year.
pub(crate) const LONGEST: u64 = 366 * 24 * 60 * 60;

/// A value, and where it stood.
#[derive(Clone)]
pub(crate) struct Given {
    pub(crate) source: Source,
    pub(crate) value: Value,
}

impl Given {
    pub(crate) fn new(source: Source, value: Value) -> Self {
        Self { source, value }
    }
}

/// Where a value stood.
#[derive(Clone, PartialEq)]
pub(crate) enum Source {
    /// In this file, on this line.
    File(String, usize),
    /// In this variable.
    Variable(String),
    /// In the program.
    Code,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::File(path, line) => write!(f, "{}:{line}", path.escape_debug()),
            Source::Variable(name) => f.write_str(name),
            Source::Code => f.write_str("in code"),
        }
    }
}

/// A value. A file knows what kind it is; a variable does not.
#[derive(Clone)]
pub(crate) enum Value {
    Loose(String),
    Text(String),
    Number(String),
    Switch(bool),
    List(Vec<Value>),
    /// What no key takes: a table, a date.
    Other(&'static str),
}

impl Value {
    /// What was given, for an error: in one line, and not too long.
    pub(super) fn shown(&self) -> String {
        let cut = |text: &str| {
            let shown: String = text.chars().take(SHOWN).collect::<String>().escape_debug().to_string();
            if text.chars().count() > SHOWN { format!("{shown}…") } else { shown }
        };
        match self {
            Value::Loose(text) | Value::Number(text) => format!("`{}`", cut(text)),
            Value::Text(text) => format!("`\"{}\"`", cut(text)),
            Value::Switch(truth) => format!("`{truth}`"),
            Value::List(_) => "a list".to_owned(),
            Value::Other(what) => (*what).to_owned(),
        }
    }

    fn number(&self) -> Option<&str> {
        match self {
            Value::Loose(text) | Value::Number(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Value::Loose(text) | Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// A type that settings have.
pub(crate) trait Setting: Sized + 'static {
    /// What the table of keys says of it.
    const KIND: &'static str;
    /// What to give instead of what is none.
    const EXPECTED: &'static str;

    fn read(value: &Value) -> Option<Self>;
    fn shown(&self) -> String;
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn whole<T: std::str::FromStr>(value: &Value) -> Option<T> {
    value.number().filter(|text| is_digits(text)).and_then(|text| text.parse().ok())
}

macro_rules! whole_numbers {
    ($($number:ty: $expected:literal)*) => {$(
        impl Setting for $number {
            const KIND: &'static str = "number";
            const EXPECTED: &'static str = $expected;

            fn read(value: &Value) -> Option<Self> {
                whole(value)
            }

            fn shown(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

whole_numbers! {
    u32: "give a whole number, 0 to 4294967295"
    u64: "give a whole number"
    usize: "give a whole number"
}

impl Setting for bool {
    const KIND: &'static str = "`true` or `false`";
    const EXPECTED: &'static str = "choose `true` or `false`";

    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Switch(truth) => Some(*truth),
            Value::Loose(text) => text.parse().ok(),
            _ => None,
        }
    }

    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Setting for Duration {
    const KIND: &'static str = "seconds";
    const EXPECTED: &'static str = "give seconds, 0 to 31622400, with three decimals at most";

    fn read(value: &Value) -> Option<Self> {
        let (seconds, part) = match value.number()?.split_once('.') {
            Some((seconds, part)) if is_digits(part) && part.len() <= 3 => (seconds, format!("{part:0<3}")),
            Some(_) => return None,
            None => (value.number()?, "000".to_owned()),
        };
        let seconds = Some(seconds).filter(|text| is_digits(text))?.parse().ok()?;
        let time = Duration::from_secs(seconds).checked_add(Duration::from_millis(part.parse().ok()?))?;
        (time <= Duration::from_secs(LONGEST)).then_some(time)
    }

    fn shown(&self) -> String {
        self.as_secs_f64().to_string()
    }
}

impl Setting for String {
    const KIND: &'static str = "text";
    const EXPECTED: &'static str = "give text";

    fn read(value: &Value) -> Option<Self> {
        value.text().map(str::to_owned)
    }

    fn shown(&self) -> String {
        self.clone()
    }
}

impl Setting for Vec<String> {
    const KIND: &'static str = "list of text";
    const EXPECTED: &'static str = "give a list of text; in a variable, commas stand between";

    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::List(values) => values.iter().map(|value| value.text().map(str::to_owned)).collect(),
            Value::Loose(text) => Some(text.split(',').map(|part| part.trim().to_owned()).collect()),
            _ => None,
        }
    }

    fn shown(&self) -> String {
        self.join(", ")
    }
}
