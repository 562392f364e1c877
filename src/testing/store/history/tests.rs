//! Each rule with a history, made by hand, that breaks it.

use std::time::SystemTime;

use super::*;
use crate::{
    store::{Conflict, Criterion, Entry, Expected},
    testing::{
        store::trial::{letter, stream},
        transport::LetterPosted,
    },
};

const B: usize = 1;
const LATE: usize = 2;
const DECIDED: usize = 3;

/// What such a letter is recorded as.
fn entry(r#box: &str, id: &str) -> Entry {
    let mut entry = Entry::of(&letter(r#box, 1)).expect("it is valid");
    let head = &mut entry.message.head;
    (head.id, head.time) = (MessageId::parse(id), Some(SystemTime::UNIX_EPOCH));
    entry
}

fn append(name: &str, ids: &[&str], expected: Expected) -> Append {
    let append = Append::to(stream(name)).expecting(expected);
    ids.iter().fold(append, |append, id| append.entry(entry("in", id)))
}

fn event(position: u64, name: &str, version: u64, id: &str) -> Recorded {
    Recorded::new(Position::new(position), stream(name), Version::new(version), entry("in", id))
}

fn asked(append: Append, [began, ended]: [Moment; 2], answer: Answer) -> Asked {
    Asked { append, since: began, began, ended, answer }
}

fn at(position: u64, version: u64) -> Answer {
    Answer::Recorded(Appended::new(Position::new(position), Version::new(version)))
}

fn elsewhere(expected: Expected, found: u64) -> Answer {
    Answer::Refused(StoreErrorKind::Conflict(Conflict::Version { expected, found: Version::new(found) }))
}

fn boxed() -> Criterion {
    Criterion::of::<LetterPosted>().tagged("box", "in")
}

/// Two letters, one behind them, one that came too late for that, and one that was decided from the three.
fn honest() -> History {
    let behind = Expected::Exactly(Version::new(2));
    let decided = append("t", &["d"], Expected::Any).unless(boxed(), Position::new(3));
    let events = vec![event(1, "s", 1, "a"), event(2, "s", 2, "aa"), event(4, "s", 3, "b"), event(7, "t", 1, "d")];
    let looked = |after, next, seen: &[Recorded], ended| Looked {
        query: boxed().into(),
        after: Position::new(after),
        next: Position::new(next),
        seen: seen.to_vec(),
        ended,
    };
    let mut history = History {
        appends: vec![
            asked(append("s", &["a", "aa"], Expected::None), [1, 2], at(2, 2)),
            asked(append("s", &["b"], behind), [5, 7], at(4, 3)),
            asked(append("s", &["late"], behind), [6, 8], elsewhere(behind, 3)),
            asked(decided, [11, 12], at(7, 1)),
        ],
        pages: vec![looked(0, 2, &events[..2], 4), looked(2, 9, &events[2..], 14)],
        streams: vec![Read { stream: stream("s"), seen: events[..3].to_vec(), began: 9, ended: 10 }],
        events,
    };
    knows(&mut history, 4);
    history
}

/// The decision was made from what is up to there.
fn knows(history: &mut History, position: u64) {
    let unless = history.appends[DECIDED].append.unless.as_mut().expect("it is a decision");
    unless.after = Position::new(position);
}

/// The history, once this was done to it, is refused in these words.
fn caught(words: &str, plant: impl FnOnce(&mut History)) {
    let mut history = honest();
    plant(&mut history);
    let offences = history.offences();
    assert!(offences.iter().any(|offence| offence.contains(words)), "`{words}` is not told: {offences:#?}");
}

#[test]
fn what_a_good_store_answers_is_no_offence() {
    assert_eq!(honest().offences(), [""; 0]);
    let mut unknown = honest();
    unknown.appends[B].answer = Answer::Unknown;
    unknown.appends.push(asked(append("s", &["never"], Expected::Any), [13, Moment::MAX], Answer::Unknown));
    unknown.appends.push(asked(append("s", &["undone"], Expected::Any), [13, 14], Answer::Undone));
    assert_eq!(unknown.offences(), [""; 0]);
}

#[test]
fn e2_an_answered_append_that_is_not_there_is_found() {
    caught("`d` is not there", |history| drop(history.events.pop()));
    caught("`b` is there 2 times", |history| history.events.push(event(9, "s", 4, "b")));
    caught("`b` is not as it was given", |history| history.events[2].entry = entry("out", "b"));
    caught("`b` is version 3 of `s`, and 4 was answered", |history| history.appends[B].answer = at(4, 4));
    caught("was answered as position 5, and is at 4", |history| history.appends[B].answer = at(5, 3));
}

#[test]
fn e1_a_refused_append_that_is_there_is_found() {
    caught("`late` to stream `s` was refused", |history| history.events.push(event(9, "s", 4, "late")));
    caught("is there in part", |history| {
        history.appends.push(asked(append("u", &["e", "f"], Expected::Any), [13, 14], Answer::Unknown));
        history.events.push(event(9, "u", 1, "e"));
    });
    caught("`d` to stream `t` was undone", |history| history.appends[DECIDED].answer = Answer::Undone);
    caught("nobody has appended `x`", |history| history.events.push(event(9, "u", 1, "x")));
}

#[test]
fn e1_a_gap_between_versions_is_found() {
    caught("stream `s` has version 4 behind 2", |history| history.events[2].version = Version::new(4));
    caught("position 7 comes behind 7", |history| history.events.push(event(7, "u", 1, "x")));
}

#[test]
fn e1_a_version_that_was_not_as_expected_is_found() {
    caught("expected version 2, and was recorded behind version 3", |history| {
        history.appends[LATE].answer = at(8, 4);
        history.events.push(event(8, "s", 4, "late"));
    });
    caught("expected no events", |history| history.appends[B].append.expected = Expected::None);
}

#[test]
fn e1_a_refusal_without_a_reason_is_found() {
    let behind = Expected::Exactly(Version::new(2));
    caught("version 2 is what it expected", |history| history.appends[LATE].answer = elsewhere(behind, 2));
    caught("version 0 was past, for 2 was answered", |history| history.appends[LATE].answer = elsewhere(behind, 0));
    caught("never at version 5", |history| history.appends[LATE].answer = elsewhere(behind, 5));
    caught("never at version 3 until then", |history| history.appends[LATE].ended = 5);
    let found = |position| {
        let found = Position::new(position);
        Answer::Refused(StoreErrorKind::Conflict(Conflict::Query { found }))
    };
    let again = |position| {
        let decided = append("t", &["again"], Expected::Any).unless(boxed(), Position::new(4));
        asked(decided, [15, 16], found(position))
    };
    let mut history = honest();
    history.appends.push(again(7));
    assert_eq!(history.offences(), [""; 0]);
    for position in [4, 5] {
        caught(&format!("did not know was at position {position}"), |history| history.appends.push(again(position)));
    }
}

#[test]
fn e3_an_event_that_appears_below_what_was_read_is_found() {
    caught("a read from 2 to 9 has not seen `b` at position 4", |history| drop(history.pages[1].seen.remove(0)));
    caught("a read from 2 to 9 has not seen `d` at position 7", |history| drop(history.pages[1].seen.pop()));
    caught("has seen `x` at position 9, and that is not so", |history| {
        history.pages[1].seen.push(event(9, "u", 1, "x"));
    });
    caught("a read from 2 to 9 has seen `d` before it was appended", |history| history.pages[1].ended = 10);
}

#[test]
fn e3_a_read_of_a_stream_without_what_was_answered_is_found() {
    caught("has ended at 2, and 3 was answered before", |history| drop(history.streams[0].seen.pop()));
    caught("has seen what is not so", |history| drop(history.streams[0].seen.remove(1)));
    caught("stream `s` has `b` before it was appended", |history| {
        (history.streams[0].began, history.streams[0].ended) = (3, 4);
    });
}

#[test]
fn e3_an_append_below_one_that_was_answered_before_is_found() {
    caught("is at 7, and began after the append of `b` to stream `s` was answered as 8", |history| {
        history.events[2].position = Position::new(8);
        history.appends[B].answer = at(8, 3);
    });
}

#[test]
fn e1_a_decision_that_did_not_know_an_event_is_found() {
    caught("decided without `b` at position 4", |history| knows(history, 2));
    let mut history = honest();
    knows(&mut history, 2);
    let unless = history.appends[DECIDED].append.unless.as_mut().expect("it is a decision");
    unless.known.push(Position::new(4));
    assert_eq!(history.offences(), [""; 0], "it had read ahead");
    // It has drawn its position before, in a transaction that goes on beside the decision.
    knows(&mut history, 2);
    let unless = history.appends[DECIDED].append.unless.as_mut().expect("it is a decision");
    unless.known.clear();
    (history.appends[B].since, history.appends[B].ended) = (4, 13);
    assert_eq!(history.offences().iter().filter(|offence| offence.contains("decided without")).count(), 0);
}
