//! A queue's state, whatever becomes of transactions and of who has it.

use super::*;
use crate::{
    codec::Payload,
    envelope::{Head, Message},
    event::Encoding,
    store::{Entry, StreamId, Version},
    transport::{Reason, ReasonKind},
};

const EVENTS: u64 = 60;
const KEYS: u64 = 4;
/// How often an event may be begun.
const LIMIT: u32 = 3;

/// What a database has of the queue.
#[derive(Default)]
struct Database {
    mark: Position,
    rows: BTreeMap<Position, Kept>,
}

impl Database {
    fn take(&mut self, batch: &Batch) {
        batch.done.iter().for_each(|position| drop(self.rows.remove(position)));
        self.rows.extend(batch.kept.iter().map(|kept| (kept.position, kept.clone())));
        assert!(batch.to >= self.mark, "the mark never goes back");
        self.mark = batch.to;
        let last = self.rows.last_key_value().map(|(position, _)| *position);
        assert!(last.is_none_or(|last| last <= self.mark), "a row is behind the mark");
    }

    fn waiting(&self) -> Vec<Kept> {
        let waits = |kept: &&Kept| matches!(kept.standing, Standing::Waits | Standing::Begun);
        self.rows.values().filter(waits).cloned().collect()
    }

    fn dead(&self) -> BTreeSet<u64> {
        let dead = self.rows.values().filter(|kept| matches!(kept.standing, Standing::Dead(_)));
        dead.map(|kept| kept.position.number()).collect()
    }
}

fn event(number: u64) -> Recorded {
    let payload = Payload { encoding: Encoding::Json, bytes: "{}".into() };
    let head = Head::new().event("e").key(format!("k-{}", number % KEYS));
    let (stream, entry) = (StreamId::new("s").expect("a name"), Entry::new(Message::new(head, payload), 1, None));
    Recorded::new(Position::new(number), stream, Version::new(number), entry)
}

fn rules(ordered: bool) -> Rules {
    Rules { ordered, limit: Some(LIMIT) }
}

fn until() -> Instant {
    Instant::now() + NEVER
}

/// What happened to each event, over all readers.
#[derive(Default)]
struct Told {
    acked: BTreeSet<u64>,
    dead: BTreeSet<u64>,
    attempts: BTreeMap<u64, u32>,
}

/// One reader after the other reads a queue; transactions fail, and readers end, at any moment.
async fn walk(seed: u64, ordered: bool) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let clock = Clock::system();
    let (mut database, mut told) = (Database::default(), Told::default());
    let mut state = State::new(rules(ordered), clock);
    state.begin(until(), (Position::START, Position::START), Vec::new());
    let mut out: Vec<(u64, u64)> = Vec::new();
    for step in 0.. {
        assert!(step < 100_000, "it comes to an end");
        tokio::time::advance(Duration::from_millis(rng.u64(0..400))).await;
        match rng.u32(0..10) {
            0 if state.has_room() => {
                let (from, to) = (state.looked.number() + 1, (state.looked.number() + rng.u64(1..8)).min(EVENTS));
                state.arrive((from..=to).map(event).collect(), Position::new(to.max(from - 1)));
            }
            1..4 => {
                let (taken, begin) = state.take(rng.usize(1..5));
                if let Effect::After(..) = begin {
                    let batch = state.batch(false);
                    if rng.u8(0..4) == 0 {
                        state.not_noted(batch);
                        taken.iter().rev().for_each(|taken| state.untake(taken.position));
                        continue;
                    }
                    database.take(&batch);
                    state.noted(&batch);
                }
                for Taken { position, is_over, .. } in taken {
                    if rng.u8(0..10) == 0 {
                        state.untake(position);
                        continue;
                    }
                    let handed = state.hand_out(position).expect("it is this reader's");
                    if is_over {
                        assert!(handed.attempt >= LIMIT, "it was begun so often");
                        let reason = Reason::new(ReasonKind::DeliveryLimit, "", LIMIT, clock.now());
                        assert!(state.settle(position, handed.tag, Settlement::DeadLetter(reason)).is_ok());
                        continue;
                    }
                    let number = position.number();
                    assert!(!told.dead.contains(&number), "{number} was given up on, and that was noted");
                    let before = told.attempts.insert(number, handed.attempt).unwrap_or(1);
                    assert!((1..=before + 1).contains(&handed.attempt), "attempts are counted");
                    let same = |(other, _): &(u64, u64)| ordered && other % KEYS == number % KEYS;
                    assert!(!out.iter().any(same), "one of a key is out");
                    out.push((number, handed.tag));
                }
            }
            4..8 if !out.is_empty() => {
                let (number, tag) = out.swap_remove(rng.usize(0..out.len()));
                let settlement = match rng.u8(0..8) {
                    0 | 1 => Settlement::Retry { after: Duration::from_millis(rng.u64(0..3000)) },
                    2 => Settlement::Release,
                    3 => Settlement::DeadLetter(Reason::new(ReasonKind::Permanent, "", 1, clock.now())),
                    _ => {
                        told.acked.insert(number);
                        Settlement::Ack
                    }
                };
                assert!(state.settle(Position::new(number), tag, settlement).is_ok());
                let again = state.settle(Position::new(number), tag, Settlement::Ack);
                assert!(again.is_err(), "settled once");
            }
            8 => {
                let batch = state.batch(false);
                match rng.u8(0..4) {
                    0 => state.not_noted(batch),
                    // Noted, and the answer was lost.
                    1 => {
                        database.take(&batch);
                        state.not_noted(batch);
                    }
                    _ => {
                        database.take(&batch);
                        state.noted(&batch);
                    }
                }
                told.dead.extend(database.dead());
            }
            9 if rng.u8(0..12) == 0 => {
                state.lose();
                for (number, tag) in out.drain(..) {
                    let late = state.settle(Position::new(number), tag, Settlement::Ack);
                    assert!(late.is_err(), "it is somebody else's");
                }
                let seen_before = [Position::START, Position::new(EVENTS)][rng.usize(0..2)];
                state.begin(until(), (database.mark, seen_before), database.waiting());
            }
            _ => {}
        }
        if database.mark == Position::new(EVENTS) && database.waiting().is_empty() && !state.is_dirty() {
            break;
        }
    }
    let all: BTreeSet<u64> = told.acked.union(&told.dead).copied().collect();
    assert_eq!(all, (1..=EVENTS).collect(), "seed {seed}: each is done or dead");
}

#[tokio::test(start_paused = true)]
async fn d1_d4_whatever_fails_each_event_is_done_or_dead_and_what_has_a_row_is_behind_the_mark() {
    for seed in 0..150 {
        walk(seed, seed % 2 == 0).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_that_takes_long_gets_a_row_so_that_the_mark_goes_on() {
    let mut state = State::new(rules(false), Clock::system());
    state.begin(until(), (Position::START, Position::START), Vec::new());
    state.arrive((1..=3).map(event).collect(), Position::new(3));
    let taken = state.take(3).0.into_iter();
    let tags: Vec<u64> = taken.map(|taken| state.hand_out(taken.position).expect("ours").tag).collect();
    for number in [2, 3] {
        assert!(state.settle(Position::new(number), tags[number as usize - 1], Settlement::Ack).is_ok());
    }
    assert!(!state.is_dirty(), "the first may be done soon");
    tokio::time::advance(PATIENCE).await;
    assert!(state.is_dirty());
    let batch = state.batch(false);
    assert_eq!((batch.to, batch.kept.len(), batch.kept[0].position), (Position::new(3), 1, Position::new(1)));
    state.noted(&batch);
    assert!(state.settle(Position::new(1), tags[0], Settlement::Ack).is_ok());
    assert_eq!(state.batch(false).done, [Position::new(1)]);
}

/// What becomes of the queue in one process, which ends when it has the killer in hand; did it?
fn ends_by(killer: u64, state: &mut State, database: &mut Database, runs: &mut BTreeMap<u64, u32>) -> bool {
    state.begin(until(), (database.mark, Position::new(EVENTS)), database.waiting());
    loop {
        if state.has_room() && state.looked < Position::new(EVENTS) {
            state.arrive((state.looked.number() + 1..=EVENTS).map(event).collect(), Position::new(EVENTS));
        }
        let (taken, begin) = state.take(5);
        if let Effect::After(..) = begin {
            let batch = state.batch(false);
            database.take(&batch);
            state.noted(&batch);
        }
        let mut out = Vec::new();
        for Taken { position, is_over, .. } in taken {
            let tag = state.hand_out(position).expect("it is this reader's").tag;
            if is_over {
                let reason = Reason::new(ReasonKind::DeliveryLimit, "", LIMIT, Clock::system().now());
                assert!(state.settle(position, tag, Settlement::DeadLetter(reason)).is_ok());
            } else {
                *runs.entry(position.number()).or_default() += 1;
                out.push((position, tag));
            }
        }
        if out.iter().any(|(position, _)| position.number() == killer) {
            return true;
        }
        if out.is_empty() && !state.is_dirty() {
            return false;
        }
        for (position, tag) in out {
            assert!(state.settle(position, tag, Settlement::Ack).is_ok());
        }
        if state.is_dirty() && state.ready.is_empty() && state.turns.is_empty() {
            let batch = state.batch(false);
            database.take(&batch);
            state.noted(&batch);
        }
    }
}

/// X6: those beside it are handled, and tried once more at most than it took to know which one it is.
#[tokio::test(start_paused = true)]
async fn x6_an_event_that_ends_each_process_is_given_up_on_and_those_beside_it_are_handled() {
    for (killer, ordered) in [(1, false), (7, true), (30, false), (EVENTS, true)] {
        let (mut database, mut runs) = (Database::default(), BTreeMap::new());
        let mut lives = 0;
        while ends_by(killer, &mut State::new(rules(ordered), Clock::system()), &mut database, &mut runs) {
            lives += 1;
            assert!(lives < 20, "it ends every process");
        }
        assert_eq!(lives, LIMIT + 1, "it was counted from the second process on");
        assert_eq!((database.dead(), database.waiting()), (BTreeSet::from([killer]), Vec::new()));
        assert_eq!(database.mark, Position::new(EVENTS));
        runs.remove(&killer);
        assert_eq!(runs.len() as u64, EVENTS - 1, "each other one was handled");
        assert!(runs.values().all(|runs| *runs <= 2), "{runs:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn x6_what_may_have_ended_a_process_is_alone_for_a_while_and_does_not_keep_others_for_long() {
    let mut state = State::new(rules(false), Clock::system());
    let begun = |number, standing| Kept { standing, ..Kept::new(Position::new(number), 1) };
    let kept = vec![begun(1, Standing::Waits), begun(2, Standing::Begun), begun(3, Standing::Begun)];
    state.begin(until(), (Position::new(3), Position::START), kept);
    let next = |state: &mut State| {
        let (taken, begin) = state.take(9);
        if let Effect::After(..) = begin {
            let batch = state.batch(false);
            state.noted(&batch);
        }
        let taken = taken.into_iter().map(|taken| taken.position);
        taken.map(|at| (at.number(), state.hand_out(at).expect("ours").tag)).collect::<Vec<_>>()
    };
    let second = next(&mut state);
    assert_eq!((second.len(), second[0].0), (1, 2), "alone");
    assert!(next(&mut state).is_empty());
    assert_eq!(state.earliest(), Some(Instant::now() + TURN));
    assert!(state.settle(Position::new(2), second[0].1, Settlement::Release).is_ok());
    let second = next(&mut state);
    assert_eq!(second[0].0, 2, "it comes again, as the attempt that it was");
    let row = state.batch(false);
    assert!(row.kept.is_empty(), "it was noted before it was handed out");
    tokio::time::advance(TURN).await;
    assert_eq!(next(&mut state)[0].0, 3, "one that takes long keeps the next no longer");
    tokio::time::advance(TURN).await;
    assert_eq!(next(&mut state)[0].0, 1, "and then all others");
    assert!(state.settle(Position::new(2), second[0].1, Settlement::Retry { after: TURN }).is_ok());
    let failed = state.batch(false).kept;
    assert_eq!((failed[0].attempt, &failed[0].standing), (2, &Standing::Waits), "it lived to say that it failed");
}

#[tokio::test(start_paused = true)]
async fn d4_what_had_a_row_before_it_was_handed_out_says_that_it_comes_again() {
    for (seen_before, again) in [(Position::new(2), true), (Position::START, false)] {
        let mut state = State::new(rules(true), Clock::system());
        state.begin(until(), (Position::new(2), seen_before), vec![Kept::new(Position::new(1), 1)]);
        let (taken, _) = state.take(1);
        let redelivered = taken.iter().map(|taken| state.hand_out(taken.position).expect("ours").redelivered);
        assert_eq!(redelivered.collect::<Vec<_>>(), [again], "{seen_before}");
    }
}

#[tokio::test(start_paused = true)]
async fn d4_who_ends_before_it_has_come_to_what_another_may_have_seen_knows_of_it() {
    let mut state = State::new(rules(false), Clock::system());
    state.begin(until(), (Position::START, Position::new(2)), Vec::new());
    assert!(state.knows_of_more(), "nothing is read yet");
    state.arrive(vec![event(1), event(2)], Position::new(2));
    for left in [true, false] {
        assert!(state.knows_of_more(), "they are read, and not handed out");
        let at = state.take(1).0.remove(0).position;
        let handed = state.hand_out(at).expect("ours");
        assert!(handed.redelivered && state.settle(at, handed.tag, Settlement::Ack).is_ok());
        assert_eq!(state.knows_of_more(), left);
    }
}

#[tokio::test(start_paused = true)]
async fn d4_a_row_says_at_the_end_what_was_handed_out_since_it_was_written() {
    let mut state = State::new(rules(true), Clock::system());
    state.begin(until(), (Position::new(1), Position::START), vec![Kept::new(Position::new(1), 1)]);
    let at = state.take(1).0.remove(0).position;
    let tag = state.hand_out(at).expect("ours").tag;
    assert!(state.settle(at, tag, Settlement::Release).is_ok());
    let batch = state.batch(true);
    assert!(batch.kept.len() == 1 && batch.kept[0].first.is_some());
}

#[tokio::test(start_paused = true)]
async fn l2_nobody_waits_for_a_delay_that_is_over_once_the_hold_is() {
    let (hold, now) = (Duration::from_secs(3), Instant::now());
    let mut state = State::new(rules(false), Clock::system());
    let later = Kept { due: SystemTime::now() + Duration::from_secs(1), ..Kept::new(Position::new(1), 2) };
    state.begin(now + hold, (Position::new(1), Position::START), vec![later]);
    assert!(state.earliest().is_some());
    tokio::time::advance(hold).await;
    assert_eq!((state.take(1).0.len(), state.earliest()), (0, None));
}
