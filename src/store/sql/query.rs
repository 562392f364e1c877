//! A query as a statement.
//!
//! Table `t0` is the one that a part of the statement begins with: that of the events, or that of their tags.

use std::{borrow::Cow, collections::BTreeSet};

use crate::store::{Criterion, Query};

/// How many types of events are looked up one by one in the index; beyond that, all events are looked through.
const TYPES: usize = 50;

/// What differs from database to database.
pub(in crate::store) struct Dialect {
    /// The table of the events.
    pub(in crate::store) events: String,
    /// The table of their tags.
    pub(in crate::store) tags: String,
    /// The columns of a position.
    pub(in crate::store) place: &'static [&'static str],
    /// What stands before the number of a value.
    pub(in crate::store) sign: char,
    /// Stands before a column whose index would bring too much.
    pub(in crate::store) unindexed: &'static str,
    /// A tag's name or value as the table has it.
    pub(in crate::store) tag: fn(&str) -> Cow<'_, str>,
}

/// Among which events it is looked, and how many of them are wanted.
pub(in crate::store) struct Among {
    /// The condition that they meet.
    pub(in crate::store) which: &'static str,
    /// The value of the limit.
    pub(in crate::store) limit: &'static str,
    /// How many values the condition and the limit have.
    pub(in crate::store) values: usize,
}

/// A statement that is being made, and the texts that follow the values of `among`.
pub(in crate::store) struct Asked<'a> {
    dialect: &'a Dialect,
    among: &'a Among,
    pub(in crate::store) texts: Vec<String>,
}

impl<'a> Asked<'a> {
    pub(in crate::store) fn new(dialect: &'a Dialect, among: &'a Among) -> Self {
        Self { dialect, among, texts: Vec::new() }
    }

    /// The statement for these columns of the events that match, in order.
    pub(in crate::store) fn events(&mut self, columns: &str, query: &Query) -> String {
        let (events, place, limit) = (&self.dialect.events, self.place("t0"), self.among.limit);
        let which = match self.positions(query) {
            None => self.among.which.to_owned(),
            Some(found) => format!("({place}) IN ({found})"),
        };
        format!("SELECT {columns} FROM {events} t0 WHERE {which} ORDER BY {place} LIMIT {limit}")
    }

    /// The statement for the positions of what matches, in order.
    pub(in crate::store) fn places(&mut self, query: &Query) -> String {
        let columns = self.dialect.place.join(", ");
        let Some(found) = self.positions(query) else { return self.events(&columns, query) };
        format!("SELECT {columns} FROM ({found}) found ORDER BY {columns} LIMIT {}", self.among.limit)
    }

    /// The positions of what matches, in no order; none, if everything does.
    fn positions(&mut self, query: &Query) -> Option<String> {
        let everything = |criterion: &Criterion| criterion.tags().is_empty() && criterion.events().next().is_none();
        if query.criteria().is_empty() || query.criteria().iter().any(everything) {
            return None;
        }
        let (tagged, typed): (Vec<_>, Vec<_>) =
            query.criteria().iter().partition(|criterion| !criterion.tags().is_empty());
        let names: BTreeSet<&str> = typed.into_iter().flat_map(Criterion::events).collect();
        let mut found = self.of_types(&names);
        found.extend(tagged.into_iter().map(|criterion| self.of_tags(criterion)));
        // Each part is cut by itself: a whole one is as long as the store.
        let (columns, place, limit) = (self.dialect.place.join(", "), self.place("t0"), self.among.limit);
        let cut = |part: &String| format!("SELECT {columns} FROM ({part} ORDER BY {place} LIMIT {limit}) part");
        Some(found.iter().map(cut).collect::<Vec<_>>().join(" UNION "))
    }

    fn of_types(&mut self, names: &BTreeSet<&str>) -> Vec<String> {
        let Dialect { events, unindexed, .. } = self.dialect;
        let start = format!("SELECT {} FROM {events} t0 WHERE {} AND", self.place("t0"), self.among.which);
        if names.len() > TYPES {
            return vec![format!("{start} {unindexed}t0.event IN ({})", self.values(names.iter().copied()))];
        }
        names.iter().map(|name| format!("{start} t0.event = {}", self.value((*name).to_owned()))).collect()
    }

    fn of_tags(&mut self, criterion: &Criterion) -> String {
        let Dialect { events, tags, tag: written, unindexed, .. } = self.dialect;
        let place = self.place("t0");
        let mut sql = format!("SELECT {place} FROM {tags} t0");
        let mut first = String::new();
        for (n, tag) in criterion.tags().iter().enumerate() {
            let [name, value] = [tag.name(), tag.value()].map(|text| self.value(written(text).into_owned()));
            let meets = format!("t{n}.name = {name} AND t{n}.value = {value}");
            match n {
                0 => first = meets,
                _ => sql += &format!(" JOIN {tags} t{n} ON ({}) = ({place}) AND {meets}", self.place(&format!("t{n}"))),
            }
        }
        if criterion.events().next().is_some() {
            let names = self.values(criterion.events());
            sql +=
                &format!(" JOIN {events} e ON ({}) = ({place}) AND {unindexed}e.event IN ({names})", self.place("e"));
        }
        format!("{sql} WHERE {first} AND {}", self.among.which)
    }

    /// The columns of a position in the table of this name.
    fn place(&self, table: &str) -> String {
        self.dialect.place.iter().map(|column| format!("{table}.{column}")).collect::<Vec<_>>().join(", ")
    }

    /// The place in the statement where this text stands.
    fn value(&mut self, text: String) -> String {
        self.texts.push(text);
        format!("{}{}", self.dialect.sign, self.among.values + self.texts.len())
    }

    fn values<'b>(&mut self, texts: impl Iterator<Item = &'b str>) -> String {
        texts.map(|text| self.value(text.to_owned())).collect::<Vec<_>>().join(", ")
    }
}
