//! What a contract asks of values, asked one field at a time.
//!
//! Generated code implements [`Rules`] for each type that has a rule in it; [`Check`] keeps the path and the
//! violations. The words of the violations are here and nowhere else.

use std::{
    collections::{BTreeMap, HashSet},
    fmt::Display,
    sync::OnceLock,
};

use regex_lite::Regex;
use serde::Serialize;

use super::{Invalid, Value, well_formed};

/// A type whose contract asks something of its values.
pub trait Rules {
    /// Asks about each field that has a rule.
    fn check(&self, check: &mut Check);
}

impl<R: Rules + ?Sized> Rules for Box<R> {
    fn check(&self, check: &mut Check) {
        R::check(self, check);
    }
}

/// Collects violations field by field.
#[derive(Debug, Default)]
pub struct Check {
    /// Each with its path from the value at hand on; whoever asks about that value puts its name before.
    violations: Vec<(String, String)>,
}

impl Check {
    /// Asks a value about everything its contract asks.
    ///
    /// # Errors
    /// At least one rule did not hold.
    pub fn run(rules: &impl Rules) -> Result<(), Invalid> {
        let mut check = Self::default();
        rules.check(&mut check);
        if check.violations.is_empty() { Ok(()) } else { Err(Invalid(check.violations)) }
    }

    /// Asks about a field.
    pub fn value<T: ?Sized>(&mut self, field: &str, value: &T, ask: impl FnOnce(&T, &mut Self)) {
        self.within(field, |check| ask(value, check));
    }

    /// Asks about what is at this place, whose name is written only where something is violated.
    fn within(&mut self, place: impl Display, ask: impl FnOnce(&mut Self)) {
        let known = self.violations.len();
        ask(self);
        for (path, _) in &mut self.violations[known..] {
            *path = if path.is_empty() { place.to_string() } else { format!("{place}.{path}") };
        }
    }

    /// Asks about a field if it is there.
    pub fn optional<T>(&mut self, field: &str, value: &Option<T>, ask: impl FnOnce(&T, &mut Self)) {
        if let Some(value) = value {
            self.value(field, value, ask);
        }
    }

    /// Asks about a field that must be there.
    pub fn present<T>(&mut self, field: &str, value: &Option<T>, ask: impl FnOnce(&T, &mut Self)) {
        self.value(field, value, |value, check| match value {
            Some(value) => ask(value, check),
            None => check.that(false, || "is missing".to_owned()),
        });
    }

    /// Notes a violation of the field at hand unless the rule holds. The reason tells no value: it may be private.
    pub fn that(&mut self, holds: bool, reason: impl FnOnce() -> String) {
        if !holds {
            self.violations.push((String::new(), reason()));
        }
    }

    /// The value must have something in it.
    pub fn not_empty(&mut self, value: &impl Length) {
        self.that(value.length() > 0, || "is empty".to_owned());
    }

    /// An enum must have a value other than its first.
    pub fn not_zero(&mut self, number: i32) {
        self.that(number != 0, || "is not set".to_owned());
    }

    /// Characters of text, bytes of bytes, items of a list or map.
    pub fn length(&mut self, value: &impl Length, min: Option<usize>, max: Option<usize>) {
        let length = value.length();
        if let Some(min) = min {
            self.that(length >= min, || format!("is shorter than {min}"));
        }
        if let Some(max) = max {
            self.that(length <= max, || format!("is longer than {max}"));
        }
    }

    /// The pattern must match somewhere in the text.
    pub fn pattern(&mut self, text: &str, pattern: &Pattern) {
        self.that(pattern.matches(text), || format!("does not match `{}`", pattern.text));
    }

    /// The number must be this or more.
    pub fn at_least(&mut self, number: impl Into<Value>, bound: f64) {
        self.that(float(number) >= bound, || format!("is less than {bound}"));
    }

    /// The number must be this or less.
    pub fn at_most(&mut self, number: impl Into<Value>, bound: f64) {
        self.that(float(number) <= bound, || format!("is more than {bound}"));
    }

    /// The number must be more than this.
    pub fn above(&mut self, number: impl Into<Value>, bound: f64) {
        self.that(float(number) > bound, || format!("is not more than {bound}"));
    }

    /// The number must be less than this.
    pub fn below(&mut self, number: impl Into<Value>, bound: f64) {
        self.that(float(number) < bound, || format!("is not less than {bound}"));
    }

    /// No two items may be equal. They are compared as JSON, so that a long list takes no longer than it should; what
    /// JSON cannot say is refused where it is written.
    pub fn unique<T: Serialize>(&mut self, items: &[T]) {
        let mut seen = HashSet::with_capacity(items.len());
        let unique = items.iter().all(|item| serde_json::to_vec(item).map_or(true, |text| seen.insert(text)));
        self.that(unique, || "has an item twice".to_owned());
    }

    /// Asks about each item of a list.
    pub fn items<T>(&mut self, items: &[T], ask: impl Fn(&T, &mut Self)) {
        for (n, item) in items.iter().enumerate() {
            self.within(n, |check| ask(item, check));
        }
    }

    /// Asks about each value of a map.
    pub fn entries<K, T>(&mut self, entries: &BTreeMap<K, T>, ask: impl Fn(&T, &mut Self)) {
        for (n, item) in entries.values().enumerate() {
            self.within(n, |check| ask(item, check));
        }
    }

    /// The text must be a date: `2026-02-28`.
    pub fn date(&mut self, text: &str) {
        self.that(well_formed::is_date(text), || "is not a date".to_owned());
    }

    /// The text must be an e-mail address.
    pub fn email(&mut self, text: &str) {
        self.that(well_formed::is_email(text), || "is not an e-mail address".to_owned());
    }

    /// The text must be an absolute URI.
    pub fn uri(&mut self, text: &str) {
        self.that(well_formed::is_uri(text), || "is not a URI".to_owned());
    }

    /// Asks each item of a list.
    pub fn each(&mut self, items: &[impl Rules]) {
        for (n, item) in items.iter().enumerate() {
            self.within(n, |check| item.check(check));
        }
    }

    /// Asks each value of a map.
    pub fn each_entry<K>(&mut self, entries: &BTreeMap<K, impl Rules>) {
        for (n, item) in entries.values().enumerate() {
            self.within(n, |check| item.check(check));
        }
    }
}

/// NaN is within no bounds.
fn float(number: impl Into<Value>) -> f64 {
    match number.into() {
        Value::Integer(number) => number as f64,
        Value::Float(number) => number,
        Value::Text(_) | Value::Bool(_) => f64::NAN,
    }
}

/// A regular expression of a contract, compiled when it is first asked.
#[derive(Debug)]
pub struct Pattern {
    text: &'static str,
    regex: OnceLock<Regex>,
}

impl Pattern {
    /// The expression as the contract writes it.
    pub const fn new(text: &'static str) -> Self {
        Self { text, regex: OnceLock::new() }
    }

    fn matches(&self, text: &str) -> bool {
        let compile = || Regex::new(self.text).expect("the contract was refused if this is no regular expression");
        self.regex.get_or_init(compile).is_match(text)
    }
}

/// What has a length.
pub trait Length {
    /// Characters, bytes, items.
    fn length(&self) -> usize;
}

impl Length for String {
    fn length(&self) -> usize {
        self.chars().count()
    }
}

impl<T> Length for Vec<T> {
    fn length(&self) -> usize {
        self.len()
    }
}

impl<K, V> Length for BTreeMap<K, V> {
    fn length(&self) -> usize {
        self.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Numbers(Vec<i64>);

    impl Rules for Numbers {
        fn check(&self, check: &mut Check) {
            check.value("numbers", &self.0, |numbers, check| check.unique(numbers));
        }
    }

    #[test]
    fn an_item_that_comes_twice_is_found_in_a_list_of_any_length() {
        let mut numbers: Vec<i64> = (0..200_000).collect();
        assert!(Check::run(&Numbers(numbers.clone())).is_ok());
        numbers.push(0);
        let invalid = Check::run(&Numbers(numbers)).expect_err("0 comes twice");
        assert_eq!(invalid.to_string(), "`numbers` has an item twice");
    }
}
