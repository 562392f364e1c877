//! A file of settings, in TOML: each key with the line it stands on.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

use super::{
    given::{Given, Source, Value},
    key::Row,
};

/// The largest file, in bytes.
const LARGEST: u64 = 1024 * 1024;
/// The section that is the user's own.
const APP: &str = "app";

/// A file of settings, with what it is called in errors.
pub(crate) struct File {
    name: String,
    text: String,
}

impl File {
    pub(crate) fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// Reads a file.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut text = String::new();
        fs::File::open(path)?.take(LARGEST + 1).read_to_string(&mut text)?;
        if text.len() as u64 > LARGEST {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {LARGEST} bytes")));
        }
        Ok(Self::new(path.to_string_lossy(), text))
    }

    /// Every key but the user's own.
    ///
    /// # Errors
    /// It is no TOML. What stands there is not shown: it may be secret.
    pub(super) fn given(&self, rows: &[Row]) -> Result<Vec<(String, Given)>, Vec<String>> {
        let mut flat = Flat { file: self, rows, found: Vec::new() };
        flat.table("", self.parse()?.get_ref());
        Ok(flat.found)
    }

    /// The user's own keys.
    ///
    /// # Errors
    /// They are not what `T` has; the text tells the key, its line, and what is wrong, as `tell` has it.
    pub(crate) fn app<T: DeserializeOwned>(&self, tell: fn(&str) -> String) -> Result<T, String> {
        let table = self.parse().map_err(|wrong| wrong.join("\n"))?;
        let Some((_, app)) = table.get_ref().iter().find(|(key, _)| *key.get_ref() == APP) else {
            return without_app(&format!("{} has no section `[app]`", self.name), tell);
        };
        T::deserialize(ValueDeserializer::from(app.clone())).map_err(|error| {
            let at = error.span().map_or(app.span().start, |span| span.start);
            format!("`{}` ({}): {}", path_at(app, at), self.at(at), tell(error.message()))
        })
    }

    fn parse(&self) -> Result<Spanned<DeTable<'_>>, Vec<String>> {
        DeTable::parse(&self.text).map_err(|error| {
            let at = self.at(error.span().map_or(0, |span| span.start));
            vec![format!("{at} is no TOML: {}", error.message().lines().next().unwrap_or_default())]
        })
    }

    fn at(&self, byte: usize) -> Source {
        let before = self.text.as_bytes().iter().take(byte);
        Source::File(self.name.clone(), 1 + before.filter(|byte| **byte == b'\n').count())
    }
}

/// The user's own keys where there are none: the defaults of `T`.
///
/// # Errors
/// One has no default; the text begins with `why` there are none.
pub(crate) fn without_app<T: DeserializeOwned>(why: &str, tell: fn(&str) -> String) -> Result<T, String> {
    let nothing = Spanned::new(0..0, DeValue::Table(DeTable::new()));
    T::deserialize(ValueDeserializer::from(nothing)).map_err(|error| format!("{why}: {}", tell(error.message())))
}

/// Tables in tables become keys with dots.
struct Flat<'a> {
    file: &'a File,
    rows: &'a [Row],
    found: Vec<(String, Given)>,
}

impl Flat<'_> {
    fn table(&mut self, path: &str, table: &DeTable<'_>) {
        for (key, value) in table.iter().filter(|(key, _)| !(path.is_empty() && *key.get_ref() == APP)) {
            let name = key.get_ref().as_ref();
            // A dot within quotes parts nothing.
            let name = if name.contains('.') { format!("\"{name}\"") } else { name.to_owned() };
            let path = if path.is_empty() { name } else { format!("{path}.{name}") };
            let below = format!("{path}.");
            let is_section = self.rows.iter().any(|row| row.path.starts_with(&below));
            match value.get_ref() {
                DeValue::Table(table) if is_section || !table.is_empty() => self.table(&path, table),
                value => self.found.push((path, Given::new(self.file.at(key.span().start), plain(value)))),
            }
        }
    }
}

fn plain(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Value::Number(number.as_str().to_owned()),
        DeValue::Integer(number) => Value::Number(
            u64::from_str_radix(number.as_str(), number.radix())
                .map_or_else(|_| number.to_string(), |number| number.to_string()),
        ),
        DeValue::Float(number) => Value::Number(number.as_str().to_owned()),
        DeValue::Boolean(truth) => Value::Switch(*truth),
        DeValue::Array(values) => Value::List(values.iter().map(|value| plain(value.get_ref())).collect()),
        DeValue::Datetime(_) => Value::Other("a date"),
        DeValue::Table(_) => Value::Other("a table"),
    }
}

/// The innermost key of the user's own that stands around this byte.
fn path_at(app: &Spanned<DeValue<'_>>, byte: usize) -> String {
    let below = inside(app.get_ref(), byte).unwrap_or_default();
    [APP.to_owned()].into_iter().chain(below.into_iter().rev()).collect::<Vec<_>>().join(".")
}

/// Its parts, the last one first. A table that is opened by a header stands around its header alone.
fn inside(value: &DeValue<'_>, byte: usize) -> Option<Vec<String>> {
    let DeValue::Table(table) = value else { return None };
    table.iter().find_map(|(key, value)| {
        let is_here = key.span().contains(&byte) || value.span().contains(&byte);
        let mut path = inside(value.get_ref(), byte).or_else(|| is_here.then(Vec::new))?;
        path.push(key.get_ref().escape_debug().to_string());
        Some(path)
    })
}
