//! The fields of a cron expression: their bounds, their names, and the numbers that stand in them.

use std::collections::BTreeSet;

use super::error::Wrong;

/// One field, the same in each dialect.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) low: u16,
    pub(super) high: u16,
    /// Words for the numbers from `low` on.
    pub(super) words: &'static [&'static str],
}

const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// All fields, in their order.
pub(super) const FIELDS: [Field; 7] = [
    Field { name: "second", low: 0, high: 59, words: &[] },
    Field { name: "minute", low: 0, high: 59, words: &[] },
    Field { name: "hour", low: 0, high: 23, words: &[] },
    Field { name: "day", low: 1, high: 31, words: &[] },
    Field { name: "month", low: 1, high: 12, words: MONTHS },
    Field { name: "weekday", low: 0, high: 7, words: WEEKDAYS },
    Field { name: "year", low: 1970, high: 2099, words: &[] },
];
/// Where days and weekdays stand among them.
pub(super) const DAY: usize = 3;
pub(super) const WEEKDAY: usize = 5;

/// A part of an expression, and its first character, from 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

impl<'a> Part<'a> {
    /// The parts between these characters.
    pub(super) fn split(self, between: impl Fn(char) -> bool) -> Vec<Part<'a>> {
        let (mut parts, mut from, mut at) = (Vec::new(), 0, self.at);
        let mut here = at;
        for (place, character) in self.text.char_indices() {
            here += 1;
            if between(character) {
                parts.push(Part { text: &self.text[from..place], at });
                (from, at) = (place + character.len_utf8(), here);
            }
        }
        parts.push(Part { text: &self.text[from..], at });
        parts
    }

    /// What comes before and after the first such character.
    pub(super) fn halves(self, between: char) -> Option<(Part<'a>, Part<'a>)> {
        let (before, after) = self.text.split_once(between)?;
        let at = self.at + before.chars().count() + 1;
        Some((Part { text: before, at: self.at }, Part { text: after, at }))
    }

    /// As an error tells it.
    fn stands(self) -> String {
        if self.text.is_empty() { "nothing".to_owned() } else { format!("`{}`", self.text.escape_debug()) }
    }

    /// Without its last character, if that is this letter, of either case.
    pub(super) fn without_last(self, letter: char) -> Option<Part<'a>> {
        let text = self.text.strip_suffix([letter, letter.to_ascii_lowercase()])?;
        Some(Part { text, ..self })
    }
}

impl Field {
    /// The number that stands there, as such or as a word.
    pub(super) fn number(&self, part: Part<'_>) -> Result<u16, Wrong> {
        let word = self.words.iter().position(|word| part.text.eq_ignore_ascii_case(word));
        let number = word.and_then(|place| u16::try_from(place).ok()).map(|place| self.low + place);
        let number = number.or_else(|| digits(part.text));
        number.filter(|number| (self.low..=self.high).contains(number)).ok_or_else(|| self.wrong(part))
    }

    /// The step that stands there.
    pub(super) fn step(&self, part: Part<'_>) -> Result<u16, Wrong> {
        let most = self.high - self.low;
        digits(part.text).filter(|step| (1..=most).contains(step)).ok_or_else(|| {
            let stands = part.stands();
            let once = if digits(part.text).is_some_and(|step| step > most) { " (more would match once)" } else { "" };
            Wrong::new(part.at, format!("{stands} is no step of the {}; expected 1 to {most}{once}", self.name))
        })
    }

    /// What stands there is nothing of this field.
    pub(super) fn wrong(&self, part: Part<'_>) -> Wrong {
        let (name, stands) = (self.name, part.stands());
        Wrong::new(part.at, format!("{stands} is no {name}; expected {}{}", self.expected(), hint(self, part.text)))
    }

    fn expected(&self) -> String {
        let words = match self.words {
            [first, .., last] => format!(" or {first} to {last}"),
            _ => String::new(),
        };
        format!("{} to {}{words}", self.low, self.high)
    }
}

/// What somebody may have meant who wrote this.
fn hint(field: &Field, text: &str) -> String {
    let text = text.to_ascii_lowercase();
    let begins = |word: &&&str| text.len() > 3 && text.starts_with(**word);
    match (text.as_str(), field.words.iter().find(begins)) {
        (_, Some(word)) => format!(" (write `{word}`)"),
        ("24", _) if field.name == "hour" => " (midnight is 0)".to_owned(),
        ("60", _) if field.high == 59 => " (the full one is 0)".to_owned(),
        ("0", _) if field.low == 1 => format!(" (the first {} is 1)", field.name),
        ("h", _) => " (there is no `H`; use `.jitter(…)`)".to_owned(),
        _ if text.starts_with('-') => " (numbers have no sign)".to_owned(),
        _ => String::new(),
    }
}

/// The number, if there are digits only, and few.
fn digits(text: &str) -> Option<u16> {
    let plain = (1..=4).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// What one field asks for.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// Nothing: it is `*`.
    pub(super) any: bool,
    pub(super) numbers: BTreeSet<u16>,
    pub(super) marks: Vec<Mark>,
}

/// Days that no number says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// The last day of the month.
    LastDay,
    /// The last day of the month from Monday to Friday.
    LastWorkday,
    /// The day from Monday to Friday that is nearest to this one.
    Nearest(u16),
    /// The last such weekday of the month.
    Last(u16),
    /// The first, second, … such weekday of the month.
    Nth(u16, u16),
}

impl Values {
    /// A field that says nothing.
    pub(super) fn any() -> Self {
        Self { any: true, ..Self::default() }
    }

    /// A field that says this number.
    pub(super) fn only(number: u16) -> Self {
        Self { numbers: BTreeSet::from([number]), ..Self::default() }
    }
}
