//! Many at once.

use std::{collections::BTreeMap, sync::Arc};

use tokio::task::JoinSet;

use super::{
    Done, Trial,
    trial::{all, letter, letters, stream, versions},
};
use crate::{
    store::{Append, Conflict, Criterion, Expected, Position, Query, Store, StoreErrorKind, Undecided, Version},
    testing::{at_length, transport::LetterPosted},
};

/// How many append at once, and how often; and how often where there is time.
const WRITERS: u64 = 50;
const ROUNDS: usize = 40;
const MANY_ROUNDS: usize = 1_000;

/// E1: of appends that expect the same version one wins, and the others learn where the stream is.
pub async fn e_01_append_race(trial: &Trial) -> Done {
    let stores = Arc::new([trial.store().await, trial.store().await]);
    let (stream, rounds) = (stream("race"), at_length(ROUNDS, MANY_ROUNDS) as u64);
    for round in 0..rounds {
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            let append = letters(&stream, [round * WRITERS + writer], Expected::Exactly(Version::new(round)));
            let stores = stores.clone();
            writers.spawn(async move { stores[(writer % 2) as usize].append(append).await });
        }
        let mut won = 0;
        for appended in writers.join_all().await {
            match appended.map_err(|error| error.kind()) {
                Ok(appended) => {
                    won += 1;
                    assert_eq!(appended.version.number(), round + 1, "the version of the one that won");
                }
                Err(StoreErrorKind::Conflict(Conflict::Version { found, .. })) => {
                    assert_eq!(found.number(), round + 1, "where the stream is found");
                }
                Err(other) => panic!("an append that came too late is {other:?}"),
            }
        }
        assert_eq!(won, 1, "how many of {WRITERS} have won");
    }
    assert_eq!(versions(&stores[0], &stream).await, (1..=rounds).collect::<Vec<_>>());
    println!("{rounds} rounds of {WRITERS} writers at one version: one won each, versions 1 to {rounds}");
    Done::Kept
}

/// E3: whoever reads while others append sees every event once and in order, from any start, however often it begins
/// anew where it was.
pub async fn e_03_no_gap(trial: &Trial) -> Done {
    const APPENDS: u64 = 60;
    let mut writers = JoinSet::new();
    let total = (0..8).map(|writer| APPENDS * (1 + writer % 3)).sum::<u64>() as usize;
    let mut readers = JoinSet::new();
    for often in [1, 3, usize::MAX] {
        readers.spawn(follow(trial.store().await, often, total));
    }
    for writer in 0..8 {
        let store = trial.store().await;
        writers.spawn(async move {
            let stream = stream(&format!("writer/{writer}"));
            for n in 0..APPENDS {
                let numbers = n * (1 + writer % 3)..(n + 1) * (1 + writer % 3);
                store.append(letters(&stream, numbers, Expected::Any)).await.expect("it is appended");
            }
        });
    }
    writers.join_all().await;
    let whole = all(&trial.store().await, Position::START).await;
    assert_eq!(whole.len(), total, "all that was appended is found afterwards");
    for seen in readers.join_all().await {
        let expected: Vec<_> = whole.iter().map(|recorded| recorded.position).collect();
        assert_eq!(seen, expected, "what a reader saw beside the writers");
    }
    let middle = whole[total / 2].position;
    let rest = all(&trial.store().await, middle).await;
    assert!(rest == whole[total / 2 + 1..], "from the middle on, the rest is read");
    Done::Kept
}

/// The positions of so many events as they come, by a reader that begins anew after each so often.
async fn follow(store: Store, often: usize, total: usize) -> Vec<Position> {
    let (mut seen, mut next) = (Vec::new(), BTreeMap::<String, u64>::new());
    let mut after = Position::START;
    let mut letters = store.follow::<LetterPosted>(Query::all(), after);
    for read in 1.. {
        let found = letters.next().await.expect("the store can be read");
        for stored in found.events {
            let expected = next.entry(stored.stream.to_string()).or_default();
            assert_eq!(stored.event.number, *expected, "the next of stream `{}`", stored.stream);
            *expected += 1;
            seen.push(stored.position);
        }
        after = after.max(found.next);
        if seen.len() >= total {
            break;
        }
        if read % often == 0 {
            letters = store.follow(Query::all(), after);
        }
    }
    seen
}

/// Of decisions made from the same events one is recorded, and the others are made anew; those from others do not care.
pub async fn e_08_decided_once(trial: &Trial) -> Done {
    let mut taken = JoinSet::new();
    for who in 0..20 {
        let store = trial.store().await;
        taken.spawn(async move {
            let seat = format!("seat-{}", who % 2);
            let of_seat = Criterion::of::<LetterPosted>().tagged("box", &seat);
            let decided = store.decide::<LetterPosted, _>(of_seat, |known| {
                if !known.events.is_empty() {
                    return Err(Undecided::Refused(()));
                }
                Ok(Some(Append::to(stream(&format!("who/{who}"))).event(&letter(&seat, who))?))
            });
            match decided.await {
                Ok(_) => 1,
                Err(Undecided::Refused(())) => 0,
                Err(Undecided::Store(error)) => panic!("a decision was not recorded: {error:?}"),
            }
        });
    }
    assert_eq!(taken.join_all().await.into_iter().sum::<i32>(), 2, "each of two seats is taken once");
    let store = trial.store().await;
    let before = all(&store, Position::START).await[0].position;
    let of_other = Query::from(Criterion::of::<LetterPosted>().tagged("box", "seat-7"));
    let append = letters(&stream("other"), [1], Expected::Any);
    store.append(append.clone().unless(of_other, before)).await.expect("nothing of that seat is there");
    let refused =
        store.append(append.unless(Query::all(), before)).await.expect_err("of some seat, there is something");
    assert!(matches!(refused.kind(), StoreErrorKind::Conflict(Conflict::Query { .. })), "{refused:?}");
    Done::Kept
}
