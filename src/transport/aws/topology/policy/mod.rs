//! Who may write into a queue: SNS, from the topics it is fed by. What others said there stays as they said it.

mod sources;
mod statement;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

pub(super) use self::sources::Sources;

/// The most that SQS takes, in bytes and in statements:
/// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html
const BYTES: usize = 8_192;
const STATEMENTS: usize = 20;
const VERSION: &str = "2012-10-17";

/// A queue's policy as it should be.
#[derive(Debug, PartialEq)]
pub(super) struct Merged {
    /// The whole document.
    pub(super) text: String,
    /// Whom our statement lets in.
    pub(super) sources: Sources,
}

/// What this policy should become for these topics to reach the queue; nothing, if they do. All are ARNs.
///
/// # Errors
/// It cannot be read, or there is no room in it; the text goes on after its name.
pub(super) fn merged(existing: &str, queue: &str, topics: &[String]) -> Result<Option<Merged>, String> {
    let document = Document::parse(existing)?;
    let known: Sources = document.ours.iter().flat_map(|ours| statement::sources(ours)).collect();
    let wanted = known.with(topics);
    match &document.ours[..] {
        [ours] if known == wanted && statement::is_whole(ours, queue) => Ok(None),
        [] if document.lets_in(queue, topics) => Ok(None),
        _ => document.with(queue, wanted).map(Some),
    }
}

/// Does it let anybody in for another reason than ours? What cannot be read may.
pub(super) fn lets_others_in(existing: &str) -> bool {
    Document::parse(existing).map_or(true, |document| !document.foreign.is_empty())
}

/// A policy in parts. What is not ours stays as text, letter by letter.
struct Document {
    around: BTreeMap<String, Box<RawValue>>,
    foreign: Vec<Box<RawValue>>,
    ours: Vec<Box<RawValue>>,
}

impl Document {
    fn parse(text: &str) -> Result<Self, String> {
        let mut around: BTreeMap<String, Box<RawValue>> = match text.trim() {
            // What others wrote without a version has an older meaning than with this one.
            "" => BTreeMap::from([("Version".to_owned(), raw(&VERSION))]),
            text => serde_json::from_str(text).map_err(|error| format!("is no JSON object ({error})"))?,
        };
        let statements = around.remove("Statement").map_or_else(Vec::new, listed);
        let (ours, foreign) = statements.into_iter().partition(|statement| statement::is_ours(statement));
        Ok(Self { around, foreign, ours })
    }

    /// Do others let in all of these already? tomodachi, which shares a queue with us, takes out what is not its own
    /// whenever it starts; whoever then starts has nothing to mend.
    fn lets_in(&self, queue: &str, topics: &[String]) -> bool {
        let letting = self.foreign.iter().filter(|statement| statement::lets_in(statement, queue));
        let sources = letting.flat_map(|statement| statement::sources(statement));
        // AWS compares ARNs part by part: a `*` is in the name, or its meaning is not ours to guess.
        let sources: Sources = sources.filter(|source| source.matches(':').count() == 5).collect();
        sources == sources.with(topics)
    }

    /// The same with one statement of ours. It names each topic or, where that takes too much room, how they begin.
    fn with(&self, queue: &str, sources: Sources) -> Result<Merged, String> {
        let count = self.foreign.len() + 1;
        if count > STATEMENTS {
            return Err(format!("would have {count} statements, {STATEMENTS} are allowed"));
        }
        let text = self.written(queue, &sources);
        if text.len() <= BYTES {
            return Ok(Merged { text, sources });
        }
        let sources = sources.by_beginning();
        let text = self.written(queue, &sources);
        match text.len() <= BYTES {
            true => Ok(Merged { text, sources }),
            false => Err(format!("would have {} bytes, {BYTES} are allowed", text.len())),
        }
    }

    fn written(&self, queue: &str, sources: &Sources) -> String {
        let ours = raw(&statement::ours(queue, sources));
        let statements: Vec<_> = self.foreign.iter().chain([&ours]).collect();
        let mut document = self.around.clone();
        document.insert("Statement".to_owned(), raw(&statements));
        serde_json::to_string(&document).expect("its keys are texts")
    }
}

/// One statement may stand without a list around it.
fn listed(statements: Box<RawValue>) -> Vec<Box<RawValue>> {
    serde_json::from_str(statements.get()).unwrap_or_else(|_| vec![statements])
}

fn raw(value: &impl Serialize) -> Box<RawValue> {
    to_raw_value(value).expect("its keys are texts")
}
