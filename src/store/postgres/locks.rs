//! What an append waits for: locks that end with its transaction.
//!
//! Decisions are compared with what others record at the same time. So each append holds a lock for each tag and each type
//! of its events, together with others, and one with a condition holds those of what it asks for alone: by a tag where it
//! names one, by types where it names no tag, and the lock on the whole store where it names nothing. A lock on the
//! stream has its versions without gaps.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};
use sqlx::PgConnection;

use crate::store::{Append, Criterion, entry::Entry};

/// The most locks of one append; what needs more takes the whole store for itself.
const MOST: usize = 48;
/// One after the other, in their order.
const TAKE: &str = "SELECT CASE WHEN alone THEN pg_advisory_xact_lock(lock)::text \
                    ELSE pg_advisory_xact_lock_shared(lock)::text END FROM unnest($1::bigint[], $2::bool[]) l (lock, alone)";

/// The locks of one append: their numbers, and whether it has them alone. That on the store comes first.
#[derive(Debug, PartialEq)]
pub(super) struct Locks {
    store: (i64, bool),
    others: BTreeMap<i64, bool>,
}

impl Locks {
    pub(super) fn of(schema: &str, append: &Append) -> Self {
        let mut locks = Self { store: (number(schema, &[]), false), others: BTreeMap::new() };
        // What many events have is asked for once.
        let events: BTreeSet<_> = append.entries.iter().map(Entry::name).collect();
        let tags: BTreeSet<_> = append.entries.iter().flat_map(Entry::marks).collect();
        events.iter().for_each(|event| locks.add(number(schema, &["event", event]), false));
        tags.iter().for_each(|(name, value)| locks.add(number(schema, &["tag", name, value]), false));
        if let Some(unless) = &append.unless {
            locks.store.1 = unless.query.criteria().is_empty();
            unless.query.criteria().iter().for_each(|criterion| locks.add_criterion(schema, criterion));
        }
        if locks.others.len() >= MOST {
            locks.others.clear();
            locks.store.1 = true;
        }
        locks.add(number(schema, &["stream", append.stream.as_str()]), true);
        locks
    }

    /// What meets the criterion has its first tag, or is of one of its types.
    fn add_criterion(&mut self, schema: &str, criterion: &Criterion) {
        if let Some(tag) = criterion.tags().first() {
            return self.add(number(schema, &["tag", tag.name(), tag.value()]), true);
        }
        self.store.1 |= criterion.events().next().is_none();
        criterion.events().for_each(|event| self.add(number(schema, &["event", event]), true));
    }

    fn add(&mut self, lock: i64, alone: bool) {
        *self.others.entry(lock).or_default() |= alone;
    }

    /// Waits for them, as long as the transaction allows.
    pub(super) async fn take(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let all = || std::iter::once(self.store).chain(self.others.iter().map(|(lock, alone)| (*lock, *alone)));
        let (locks, alone): (Vec<i64>, Vec<bool>) = all().unzip();
        sqlx::query(TAKE).bind(locks).bind(alone).execute(connection).await.map(drop)
    }
}

/// The number that PostgreSQL knows a lock by. Two that have the same one only wait for each other more often.
pub(crate) fn number(schema: &str, what: &[&str]) -> i64 {
    let mut digest = Sha256::new_with_prefix("tegami store");
    for part in std::iter::once(&schema).chain(what) {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    let bytes: [u8; 32] = digest.finalize().into();
    i64::from_be_bytes(bytes[..8].try_into().expect("there are eight of them"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        store::{Position, Query, StreamId},
        testing::transport::LetterPosted,
    };

    fn letters(boxes: usize) -> Append {
        let append = Append::to(StreamId::new("letters").expect("a good name"));
        (0..boxes).fold(append, |append, n| {
            append.event(&LetterPosted::builder().r#box(format!("box-{n}")).number(1).build()).expect("it is valid")
        })
    }

    /// Do two appends wait for each other?
    fn meet(one: &Locks, other: &Locks) -> bool {
        let alone = |lock: &i64, alone: bool| other.others.get(lock).is_some_and(|other| alone || *other);
        one.store.1 || other.store.1 || one.others.iter().any(|(lock, is_alone)| alone(lock, *is_alone))
    }

    /// Whatever an append records, who decides over it waits for it; who decides over something else does not.
    #[test]
    fn decisions_wait_for_what_they_are_about() {
        let of = |append: &Append| Locks::of("tegami", append);
        let elsewhere = |query: Query| {
            let stream = Append::to(StreamId::new("decided").expect("a good name"));
            of(&stream.unless(query, Position::START))
        };
        let posted = Criterion::of::<LetterPosted>;
        for boxes in [1, 2, 100] {
            let letters = of(&letters(boxes));
            for query in [
                Query::all(),
                posted().into(),
                posted().tagged("box", "box-0").into(),
                Criterion::any().tagged("box", "box-0").into(),
                Query::any_of([Criterion::any().named("other"), Criterion::any()]),
                Query::any_of([Criterion::any().named("other"), posted().tagged("number", 1)]),
            ] {
                assert!(meet(&letters, &elsewhere(query.clone())), "{boxes} boxes, {query:?}");
            }
        }
        for query in [Criterion::any().named("other").into(), Query::from(posted().tagged("box", "box-7"))] {
            assert!(!meet(&of(&letters(2)), &elsewhere(query.clone())), "{query:?}");
        }
        let other = Append { stream: StreamId::new("others").expect("a good name"), ..letters(2) };
        assert!(meet(&of(&letters(2)), &of(&letters(2))), "one stream");
        assert!(!meet(&of(&letters(2)), &of(&other)), "two streams");
    }
}
