//! What must be true of every history, one function per rule.

use std::collections::BTreeMap;

use super::{Answer, Asked, History, Looked};
use crate::{
    envelope::MessageId,
    store::{Appended, Conflict, Entry, Position, Recorded, StoreErrorKind, StreamId, Unless, Version},
};

/// The rules.
const RULES: [fn(&Known<'_>, &mut Vec<String>); 9] =
    [answered, asked_for, versions, expected, refused, pages, streams, order, decisions];

/// How many offences against one rule are told.
const TOLD: usize = 5;

pub(super) fn offences(history: &History) -> Vec<String> {
    let known = Known::of(history);
    let against = |rule: &fn(&Known<'_>, &mut Vec<String>)| {
        let mut found = Vec::new();
        rule(&known, &mut found);
        let more = found.len().saturating_sub(TOLD);
        found.truncate(TOLD);
        found.extend((more > 0).then(|| format!("and {more} more of the kind")));
        found
    };
    RULES.iter().flat_map(against).collect()
}

/// A history, with what is where in it.
struct Known<'a> {
    history: &'a History,
    events: BTreeMap<&'a str, Vec<&'a Recorded>>,
    appends: BTreeMap<&'a str, &'a Asked>,
}

impl<'a> Known<'a> {
    fn of(history: &'a History) -> Self {
        let mut events: BTreeMap<_, Vec<_>> = BTreeMap::new();
        history.events.iter().for_each(|event| events.entry(id(event)).or_default().push(event));
        let appends = history.appends.iter().flat_map(|asked| asked.ids().map(move |id| (id, asked))).collect();
        Self { history, events, appends }
    }

    /// Where the event of this id is.
    fn places(&self, id: &str) -> &[&'a Recorded] {
        self.events.get(id).map_or(&[], Vec::as_slice)
    }

    /// Who appended this event.
    fn whose(&self, event: &Recorded) -> Option<&'a Asked> {
        self.appends.get(id(event)).copied()
    }

    /// The version that a stream certainly had before this moment.
    fn floor(&self, stream: &StreamId, moment: super::Moment) -> Version {
        let before = self.history.appends.iter().filter(|asked| asked.append.stream == *stream && asked.ended < moment);
        before.filter_map(|asked| Some(asked.recorded()?.version)).max().unwrap_or(Version::START)
    }
}

fn id(event: &Recorded) -> &str {
    event.entry.message.head.id.as_ref().map_or("", MessageId::as_str)
}

/// E1, E2: what was answered is there, once, where the answer says and as it was given; of what was refused there is nothing,
/// and of what nobody knows, all or nothing.
fn answered(known: &Known<'_>, offences: &mut Vec<String>) {
    for asked in &known.history.appends {
        let there = asked.ids().filter(|id| !known.places(id).is_empty()).count();
        let all = asked.append.entries.len();
        match asked.answer {
            Answer::Recorded(appended) => offences.extend(placed(known, asked, appended)),
            Answer::Refused(kind) if there > 0 => {
                offences.push(format!("{asked} was refused as {kind:?}, and is there"))
            }
            Answer::Undone if there > 0 => offences.push(format!("{asked} was undone, and is there")),
            Answer::Unknown if there > 0 && there < all => offences.push(format!("{asked} is there in part")),
            _ => {}
        }
    }
}

/// What is wrong with the places of what was recorded.
fn placed(known: &Known<'_>, asked: &Asked, appended: Appended) -> Vec<String> {
    let (stream, before) = (&asked.append.stream, asked.found(appended).number());
    let wrong = |(n, (id, entry)): (u64, (&str, &Entry))| match known.places(id) {
        [] => Some(format!("{asked} was answered, and `{id}` is not there")),
        [one] if one.entry != *entry => Some(format!("{asked}: `{id}` is not as it was given")),
        [one] if one.stream != *stream || one.version.number() != before + n => Some(format!(
            "{asked}: `{id}` is version {} of `{}`, and {} was answered",
            one.version,
            one.stream,
            before + n
        )),
        [_] => None,
        many => Some(format!("{asked}: `{id}` is there {} times", many.len())),
    };
    let mut found: Vec<_> = (1..).zip(asked.ids().zip(&asked.append.entries)).filter_map(wrong).collect();
    let last = asked.ids().last().and_then(|id| known.places(id).first()).map(|last| last.position);
    if let Some(last) = last.filter(|last| *last != appended.position) {
        found.push(format!("{asked} was answered as position {}, and is at {last}", appended.position));
    }
    found
}

/// E1: nothing is there that nobody appended.
fn asked_for(known: &Known<'_>, offences: &mut Vec<String>) {
    for event in known.history.events.iter().filter(|event| known.whose(event).is_none()) {
        offences.push(format!("nobody has appended `{}`, which is at position {}", id(event), event.position));
    }
}

/// E1, E3: positions grow, and with them the versions of each stream, without gaps.
fn versions(known: &Known<'_>, offences: &mut Vec<String>) {
    let (mut last, mut at) = (BTreeMap::new(), Position::START);
    for event in &known.history.events {
        let before = last.insert(&event.stream, event.version).unwrap_or(Version::START);
        if event.version.number() != before.number() + 1 {
            offences.push(format!("stream `{}` has version {} behind {before}", event.stream, event.version));
        }
        if event.position <= at {
            offences.push(format!("position {} comes behind {at}", event.position));
        }
        at = event.position;
    }
}

/// E1: the stream was where the append expected it.
fn expected(known: &Known<'_>, offences: &mut Vec<String>) {
    for asked in &known.history.appends {
        let found = asked.recorded().map(|appended| asked.found(appended));
        if let Some(found) = found.filter(|found| !asked.append.expected.holds(*found)) {
            offences
                .push(format!("{asked} expected {}, and was recorded behind version {found}", asked.append.expected));
        }
    }
}

/// E1: what an append was refused for was so.
fn refused(known: &Known<'_>, offences: &mut Vec<String>) {
    for asked in &known.history.appends {
        let Answer::Refused(StoreErrorKind::Conflict(conflict)) = asked.answer else { continue };
        let wrong = match conflict {
            Conflict::Version { found, .. } => wrong_version(known, asked, found),
            Conflict::Query { found } => wrong_find(known, asked, found),
        };
        offences.extend(wrong.map(|why| format!("{asked} was refused: {why}")));
    }
}

fn wrong_version(known: &Known<'_>, asked: &Asked, found: Version) -> Option<String> {
    let (stream, floor) = (&asked.append.stream, known.floor(&asked.append.stream, asked.began));
    if asked.append.expected.holds(found) {
        return Some(format!("version {found} is what it expected"));
    }
    if found < floor {
        return Some(format!("version {found} was past, for {floor} was answered before"));
    }
    let mut behind = known.history.appends.iter().filter(|other| other.append.stream == *stream);
    let is_end = |other: &Asked| match other.answer {
        Answer::Recorded(appended) => appended.version == found,
        Answer::Unknown => true,
        _ => false,
    };
    let was_there = found == Version::START || behind.any(|other| other.began < asked.ended && is_end(other));
    (!was_there).then(|| format!("the stream was never at version {found} until then"))
}

fn wrong_find(known: &Known<'_>, asked: &Asked, found: Position) -> Option<String> {
    let event = known.history.events.iter().find(|event| event.position == found);
    let was_there = event.and_then(|event| known.whose(event)).is_some_and(|other| other.began < asked.ended);
    let is_new = |unless: &Unless| event.is_some_and(|event| is_new(unless, event));
    let counts = asked.append.unless.as_ref().is_some_and(is_new);
    (!was_there || !counts).then(|| format!("nothing that it did not know was at position {found} until then"))
}

/// Does this event refuse the append?
fn is_new(unless: &Unless, event: &Recorded) -> bool {
    let is_known = event.position <= unless.after || unless.known.contains(&event.position);
    !is_known && unless.query.matches(&event.entry)
}

/// E3: who has read up to a position has seen all that is below it, and so nothing appears there any more; what was answered
/// before is among it. And nothing is seen before it was appended.
fn pages(known: &Known<'_>, offences: &mut Vec<String>) {
    for page in &known.history.pages {
        let Looked { query, after, next, seen, ended } = page;
        let below = |event: &&Recorded| event.position > *after && event.position <= *next;
        let mut all = known.history.events.iter().filter(below).filter(|event| query.matches(&event.entry));
        let mut shown = seen.iter();
        let mut pairs = std::iter::from_fn(|| Some((all.next(), shown.next())).filter(|pair| *pair != (None, None)));
        let first = pairs.find(|(is, shown)| is != shown);
        let whose = format!("a read from {after} to {next}");
        offences.extend(match first {
            Some((Some(is), shown)) if shown.is_none_or(|shown| shown.position > is.position) => {
                Some(format!("{whose} has not seen `{}` at position {}", id(is), is.position))
            }
            Some((_, shown)) => {
                let (id, position) = shown.map_or(("", Position::START), |shown| (id(shown), shown.position));
                Some(format!("{whose} has seen `{id}` at position {position}, and that is not so"))
            }
            None => None,
        });
        let early = seen.iter().find(|event| known.whose(event).is_some_and(|asked| asked.began > *ended));
        offences.extend(early.map(|event| format!("{whose} has seen `{}` before it was appended", id(event))));
    }
}

/// E1, E3: who reads a stream sees it from its begin, without gaps, with all that was answered before.
fn streams(known: &Known<'_>, offences: &mut Vec<String>) {
    for read in &known.history.streams {
        let stream = &read.stream;
        let all = known.history.events.iter().filter(|event| event.stream == *stream);
        if !all.take(read.seen.len()).eq(&read.seen) {
            offences.push(format!("a read of stream `{stream}` has seen what is not so"));
        }
        let (floor, last) = (known.floor(stream, read.began), read.seen.last());
        let last = last.map_or(Version::START, |last| last.version);
        if last < floor {
            offences.push(format!("a read of stream `{stream}` has ended at {last}, and {floor} was answered before"));
        }
        let early = read.seen.iter().find(|event| known.whose(event).is_some_and(|asked| asked.began > read.ended));
        offences.extend(early.map(|event| format!("stream `{stream}` has `{}` before it was appended", id(event))));
    }
}

/// E3: what begins after another was answered comes behind it.
fn order(known: &Known<'_>, offences: &mut Vec<String>) {
    let recorded = || known.history.appends.iter().filter_map(|asked| Some((asked, asked.recorded()?)));
    for (asked, _) in recorded() {
        let Some(first) = asked.ids().find_map(|id| known.places(id).first()) else { continue };
        let late = recorded().find(|(other, at)| other.ended < asked.since && at.position >= first.position);
        if let Some((other, at)) = late {
            let (is, was) = (first.position, at.position);
            offences.push(format!("{asked} is at {is}, and began after {other} was answered as {was}"));
        }
    }
}

/// E1: between the read of a decision and its append nothing appeared that it was to know.
///
/// What is a part of a transaction may have drawn its position before the decision, and be recorded after it: of that only
/// what was over before counts.
fn decisions(known: &Known<'_>, offences: &mut Vec<String>) {
    for asked in &known.history.appends {
        let (Some(unless), Some(at)) = (&asked.append.unless, asked.recorded()) else { continue };
        for event in known.history.events.iter().filter(|event| is_new(unless, event)) {
            let Some(other) = known.whose(event).filter(|other| !std::ptr::eq(*other, asked)) else { continue };
            let was_below = other.is_alone() && event.position < at.position;
            if was_below || other.ended < asked.began {
                let position = event.position;
                offences.push(format!("{asked} was decided without `{}` at position {position}", id(event)));
            }
        }
    }
}
