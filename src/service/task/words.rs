//! Which task it is: words, and where a task takes more than a name, one JSON object behind the first.

use std::str::FromStr;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::transport::{DeadLetter, Prune};

/// What `run` does.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Task {
    /// Serves, until it is told to stop.
    #[default]
    Serve,
    /// Tells what the service reads, handles and publishes, without connecting to anything.
    Describe,
    /// Tells the same as an AsyncAPI document, with contracts.
    AsyncApi,
    /// Tells samples of every event, as this build writes them.
    Samples,
    /// Compares what the brokers have with what the service needs.
    Verify,
    /// Creates what is missing on the brokers.
    Provision,
    /// Deletes what only earlier plans have, which stand on standard input, or tells it.
    Prune(Prune),
    /// Tells the topology in the brokers' own words.
    Export,
    /// Tells the dead letters, of all queues or of one.
    DeadLetters(Option<String>),
    /// Puts dead letters of a queue back into it.
    Redrive(Choice),
    /// Deletes dead letters of a queue.
    Drop(Choice),
    /// Publishes the event of this name that stands on standard input.
    Publish(String),
    /// Tells what waits in a queue.
    Peek(Peek),
    /// Tells what flows, of an event or into a queue, until it is stopped.
    Tail(String),
    /// Does this one, which shows messages, with what is personal in them.
    Reveal(Box<Task>),
}

impl FromStr for Task {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (task, rest) = text.trim().split_once(char::is_whitespace).unwrap_or((text.trim(), ""));
        let rest = rest.trim();
        Ok(match (task, rest) {
            ("serve", "") => Self::Serve,
            ("describe", "") => Self::Describe,
            ("async-api", "") => Self::AsyncApi,
            ("samples", "") => Self::Samples,
            ("export", "") => Self::Export,
            ("verify", "") => Self::Verify,
            ("provision", "") => Self::Provision,
            ("prune", "") => Self::Prune(Prune::Look),
            ("prune", "delete") => Self::Prune(Prune::Delete),
            ("dead-letters", "") => Self::DeadLetters(None),
            ("dead-letters", queue) => Self::DeadLetters(Some(name(queue)?)),
            ("redrive", rest) => Self::Redrive(choice(rest)?),
            ("drop", rest) => Self::Drop(choice(rest)?.explicit()?),
            ("publish", event) => Self::Publish(name(event)?),
            ("peek", rest) => Self::Peek(more(rest, |queue| Peek { queue, ..Peek::default() })?),
            ("tail", what) => Self::Tail(name(what)?),
            ("reveal", rest) => Self::Reveal(Box::new(rest.parse::<Self>()?.showing()?)),
            _ => return Err(WORDS.to_owned()),
        })
    }
}

impl Task {
    /// It shows messages, and there is something to reveal.
    fn showing(self) -> Result<Self, String> {
        match self {
            Self::DeadLetters(_)
            | Self::Redrive(_)
            | Self::Drop(_)
            | Self::Publish(_)
            | Self::Peek(_)
            | Self::Tail(_) => Ok(self),
            _ => Err("`reveal` stands before a task that shows messages: `reveal peek <queue>`".to_owned()),
        }
    }
}

/// The words there are.
const WORDS: &str = "give `serve`, `describe`, `async-api`, `samples`, `export`, `verify`, `provision`, \
                     `prune`, `prune delete`, `dead-letters`, `dead-letters <queue>`, `redrive <queue>`, `redrive {…}`, `drop {…}`, `publish <event>`, \
                     `peek <queue>`, `peek {…}` or `tail <event or queue>`; before those that show messages, `reveal` \
                     shows what is personal too";

/// One word, which is a name.
fn name(rest: &str) -> Result<String, String> {
    match rest.is_empty() || rest.contains(char::is_whitespace) {
        true => Err(WORDS.to_owned()),
        false => Ok(rest.to_owned()),
    }
}

/// A name alone, or an object with more.
fn more<T: DeserializeOwned>(rest: &str, named: impl FnOnce(String) -> T) -> Result<T, String> {
    match rest.starts_with('{') {
        true => serde_json::from_str(rest).map_err(|error| format!("the object of the task is wrong: {error}")),
        false => name(rest).map(named),
    }
}

fn choice(rest: &str) -> Result<Choice, String> {
    let choice = more(rest, |queue| Choice { queue, ..Choice::default() })?;
    if choice.reason.as_ref().is_some_and(|reason| reason.trim().is_empty()) {
        // It would be in every error.
        return Err("`reason` is empty: give a kind of reason, or a text of the error".to_owned());
    }
    match choice.rate.is_none_or(|rate| rate.is_finite() && (SLOWEST..=FASTEST).contains(&rate)) {
        true => Ok(choice),
        false => Err(format!("`rate` is in dead letters a second: give {SLOWEST} to {FASTEST}")),
    }
}

/// The bounds of a rate, a second.
const SLOWEST: f64 = 0.01;
const FASTEST: f64 = 1e6;

/// Which dead letters of a queue: those that all of this is true of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Choice {
    /// The queue that they were given up on in.
    pub queue: String,
    /// Those with one of these ids; empty, those with any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    /// Those with this kind of reason, or with this text in their error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Only those that a handler of today would get.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub readable: bool,
    /// All of the queue, said so: nothing is dropped without a choice.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// So many of them: the oldest, but on SQS, from a queue without order, any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// So many a second at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Only tells which.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

impl Choice {
    fn explicit(self) -> Result<Self, String> {
        match self.all || !self.ids.is_empty() || self.reason.is_some() {
            true => Ok(self),
            false => Err("say which to drop: `ids`, `reason`, or `all`".to_owned()),
        }
    }

    /// Is it meant, whether it can be read or not?
    pub(super) fn names(&self, letter: &DeadLetter) -> bool {
        let id = letter.id().map(|id| id.as_str());
        let by_id = self.ids.is_empty() || self.ids.iter().any(|wanted| Some(&**wanted) == id);
        let by_reason = |wanted: &String| letter.reason().as_str() == wanted || letter.error().contains(&**wanted);
        by_id && self.reason.as_ref().is_none_or(by_reason)
    }
}

/// What of a queue is looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Peek {
    /// The queue.
    pub queue: String,
    /// How many messages at most.
    pub limit: usize,
}

impl Default for Peek {
    fn default() -> Self {
        Self { queue: String::new(), limit: 10 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k1_a_task_is_words_or_a_word_and_an_object() {
        assert_eq!("redrive q".parse(), Ok(Task::Redrive(Choice { queue: "q".into(), ..Choice::default() })));
        let choice = Choice { queue: "q".into(), ids: vec!["a b".into()], rate: Some(5.0), ..Choice::default() };
        let text = format!("redrive {}", serde_json::to_string(&choice).unwrap());
        assert_eq!(text, r#"redrive {"queue":"q","ids":["a b"],"rate":5.0}"#);
        assert_eq!(text.parse(), Ok(Task::Redrive(choice)));
        assert_eq!(" peek  q ".parse(), Ok(Task::Peek(Peek { queue: "q".into(), limit: 10 })));
        let peek = Task::Peek(Peek { queue: "q".into(), limit: 10 });
        assert_eq!("reveal peek q".parse(), Ok(Task::Reveal(Box::new(peek))));
        for (wrong, words) in [
            ("redrive", "`redrive <queue>`"),
            ("redrive a b", "`redrive <queue>`"),
            ("serve q", "`serve`"),
            (r#"redrive {"queue":"q","idz":[]}"#, "`idz`"),
            (r#"redrive {"queue":"q","rate":0}"#, "`rate`"),
            ("reveal describe", "`reveal peek <queue>`"),
            ("reveal reveal peek q", "`reveal peek <queue>`"),
            (r#"redrive {"queue":"q","reason":""}"#, "`reason` is empty"),
            (r#"drop {"queue":"q","reason":" \n"}"#, "`reason` is empty"),
            ("drop q", "`ids`, `reason`, or `all`"),
            (r#"drop {"queue":"q","readable":true}"#, "`ids`, `reason`, or `all`"),
        ] {
            let error = wrong.parse::<Task>().unwrap_err();
            assert!(error.contains(words), "{wrong}: {error}");
        }
    }
}
