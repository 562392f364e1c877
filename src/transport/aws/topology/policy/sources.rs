//! The topics that a queue takes messages from, each by its ARN, or many by how their ARNs begin.

use std::{collections::BTreeSet, fmt};

use serde::Serialize;

/// A set of ARNs and of beginnings of ARNs, which end in `*`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(in super::super) struct Sources(BTreeSet<String>);

impl FromIterator<String> for Sources {
    fn from_iter<T: IntoIterator<Item = String>>(sources: T) -> Self {
        Self(sources.into_iter().collect())
    }
}

impl Sources {
    /// These too; what is in by its beginning is not named again.
    pub(super) fn with(&self, topics: &[String]) -> Self {
        let more = topics.iter().filter(|topic| !self.let_in(topic));
        self.0.iter().chain(more).cloned().collect()
    }

    /// Is each of them one topic?
    pub(in super::super) fn are_exact(&self) -> bool {
        self.0.iter().all(|source| beginning(source).is_none())
    }

    /// One beginning for all that are of one account in one region: what their names have in common.
    pub(super) fn by_beginning(&self) -> Self {
        let homes: BTreeSet<&str> = self.0.iter().map(|source| home(source)).collect();
        homes.into_iter().map(|at| shared(self.0.iter().filter(|source| home(source) == at))).collect()
    }

    fn let_in(&self, topic: &str) -> bool {
        let begins = |source: &String| beginning(source).is_some_and(|beginning| topic.starts_with(beginning));
        self.0.contains(topic) || self.0.iter().any(begins)
    }
}

impl fmt::Display for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sources: Vec<&str> = self.0.iter().map(String::as_str).collect();
        f.write_str(&sources.join(", "))
    }
}

fn beginning(source: &str) -> Option<&str> {
    source.strip_suffix('*')
}

/// All but the name: `arn:partition:sns:region:account:`.
fn home(source: &str) -> &str {
    source.rfind(':').map_or("", |colon| &source[..=colon])
}

/// How all of these begin; a single one stays as it is.
fn shared<'a>(sources: impl Iterator<Item = &'a String>) -> String {
    let common = |one: &'a str, other: &'a str| {
        let pairs = one.char_indices().zip(other.chars());
        &one[..pairs.take_while(|((_, a), b)| a == b).map(|((at, a), _)| at + a.len_utf8()).last().unwrap_or(0)]
    };
    let sources: Vec<&str> = sources.map(String::as_str).collect();
    match &sources[..] {
        [one] => (*one).to_owned(),
        more => {
            format!("{}*", more.iter().map(|source| beginning(source).unwrap_or(source)).reduce(common).unwrap_or(""))
        }
    }
}
