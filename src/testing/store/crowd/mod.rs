//! Many who append, decide and read at once, on few streams, and note each answer; what they noted is a [history](super::history).

mod worker;

use std::{
    env,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use fastrand::Rng;
use tokio::{
    task::{JoinSet, yield_now},
    time::timeout,
};

use self::worker::Worker;
use super::{
    Done, Subject, Trial,
    history::{Answer, Asked, History, Looked, Moment, Read},
    trial::{all, stream},
};
use crate::{
    store::{Position, Query, Recorded, Store, StreamId, Version},
    testing::at_length,
};

/// How many append, how often each of them, and how many streams there are in a round.
const WORKERS: usize = 6;
const STEPS: usize = 16;
const STREAMS: u64 = 3;
/// How many read, and how often each of them.
const READERS: usize = 2;
const READS: usize = 40;
/// How many rounds, and how many where there is time.
const ROUNDS: usize = 6;
const MANY_ROUNDS: usize = 300;
/// How many connections they share.
const CONNECTIONS: usize = 3;
/// How long what was answered may be kept from readers by what is being undone.
const SHOWN_WITHIN: Duration = Duration::from_secs(10);
/// The most events of one read.
const MOST: usize = 1_000;
/// Has a round ask the same of the store again, if not at the same times: the number it printed.
const SEED: &str = "CONFORMANCE_SEED";

/// E1, E2, E3: whatever many see who append, decide and read at once could have been so: what was answered is there, each
/// expected version was the version, each decision knew all before it, and nothing appears below what was read.
pub async fn e_14_histories(trial: &Trial) -> Done {
    let seed = env::var(SEED).ok().map(|seed| seed.parse().expect("CONFORMANCE_SEED is a number"));
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    let (mut dice, mut stores) = (Rng::with_seed(seed), Vec::new());
    for _ in 0..CONNECTIONS {
        stores.push(trial.store().await);
    }
    let (mut start, mut total) = (Position::START, [0; 3]);
    let rounds = at_length(ROUNDS, MANY_ROUNDS) as u64;
    for round in 0..rounds {
        let crowd = Crowd::new(trial, &stores, (round, start));
        let history = crowd.gather(dice.u64(..)).await;
        let offences = history.offences().join("\n");
        assert!(offences.is_empty(), "offences in round {round}; {SEED}={seed} asks the same:\n{offences}");
        let counted = [Answer::is_recorded, Answer::is_refused].map(|is| count_of(&history, is));
        total = [total[0] + counted[0], total[1] + counted[1], total[2] + history.pages.len() + history.streams.len()];
        start = history.events.last().map_or(start, |last| last.position);
    }
    let [recorded, refused, reads] = total;
    assert!(recorded > 0 && refused > 0, "{recorded} appends were recorded, {refused} were refused");
    println!(
        "{rounds} rounds from seed {seed}: {recorded} appends recorded, {refused} refused, {reads} reads, no offence"
    );
    Done::Kept
}

fn count_of(history: &History, is: fn(Answer) -> bool) -> usize {
    history.appends.iter().filter(|asked| is(asked.answer)).count()
}

/// One round: who takes part, and what they note.
struct Crowd {
    subject: Arc<dyn Subject>,
    stores: Vec<Store>,
    round: u64,
    /// Up to where the store was before the round.
    start: Position,
    moments: AtomicU64,
    letters: AtomicU64,
    notes: Mutex<History>,
}

impl Crowd {
    fn new(trial: &Trial, stores: &[Store], (round, start): (u64, Position)) -> Arc<Self> {
        let (moments, letters, notes) = (AtomicU64::new(0), AtomicU64::new(0), Mutex::default());
        let (subject, stores) = (trial.subject.clone(), stores.to_vec());
        Arc::new(Self { subject, stores, round, start, moments, letters, notes })
    }

    /// Has all of them do what this seed says, and waits until they have.
    async fn gather(self: Arc<Self>, seed: u64) -> History {
        let (mut dice, mut crowd) = (Rng::with_seed(seed), JoinSet::new());
        for n in 0..WORKERS {
            crowd.spawn(Worker::new(self.clone(), n, dice.fork()).work());
        }
        for n in 0..READERS {
            crowd.spawn(self.clone().read_along(n, dice.fork()));
        }
        crowd.join_all().await;
        for n in 0..STREAMS {
            self.read(&self.stores[0], &self.stream(n)).await;
            self.read(&self.stores[0], &self.decided(n)).await;
        }
        let events = self.at_last().await;
        History { events, ..std::mem::take(&mut *self.notes()) }
    }

    /// Reads all, page by page, and now and then anew, or a stream.
    async fn read_along(self: Arc<Self>, n: usize, mut dice: Rng) {
        let (store, mut after) = (self.stores[n % self.stores.len()].clone(), self.start);
        for _ in 0..READS {
            yield_now().await;
            match dice.u8(0..8) {
                0 => after = self.start,
                1 | 2 => {
                    self.read(&store, &self.stream(dice.u64(0..STREAMS))).await;
                }
                _ => after = self.look(&store, &Query::all(), after, dice.usize(1..20)).await,
            }
        }
    }

    /// Looks through the store, and notes what is seen; up to where that was.
    async fn look(&self, store: &Store, query: &Query, after: Position, limit: usize) -> Position {
        let page = store.inner().read_all(query, after, limit).await.expect("the store can be read");
        let (query, next, ended) = (query.clone(), page.next, self.now());
        self.notes().pages.push(Looked { query, after, next, seen: page.events, ended });
        next
    }

    /// Reads a stream, and notes what is seen; where it is.
    async fn read(&self, store: &Store, stream: &StreamId) -> Version {
        let began = self.now();
        let seen = store.inner().read_stream(stream, Version::START, MOST).await.expect("the store can be read");
        let version = seen.last().map_or(Version::START, |last: &Recorded| last.version);
        let (stream, ended) = (stream.clone(), self.now());
        self.notes().streams.push(Read { stream, seen, began, ended });
        version
    }

    /// Every event of the round. Where a transaction is still being undone, later ones are waited for.
    async fn at_last(&self) -> Vec<Recorded> {
        let answered = |asked: &Asked| asked.recorded().map(|appended| appended.position);
        let highest = self.notes().appends.iter().filter_map(answered).max().unwrap_or(self.start);
        let store = &self.stores[0];
        let shown = async {
            while all(store, self.start).await.last().is_none_or(|last| last.position < highest) {
                yield_now().await;
            }
        };
        // What is not there by then is told by the history.
        let _ = timeout(SHOWN_WITHIN, shown).await;
        all(store, self.start).await
    }

    /// The stream of this number.
    fn stream(&self, n: u64) -> StreamId {
        stream(&format!("crowd-{}/{n}", self.round))
    }

    /// The stream of what is decided over the box of this number.
    fn decided(&self, n: u64) -> StreamId {
        stream(&format!("decided-{}/{n}", self.round))
    }

    /// The number of a letter, which no other has.
    fn letter(&self) -> u64 {
        self.letters.fetch_add(1, Ordering::SeqCst)
    }

    fn now(&self) -> Moment {
        self.moments.fetch_add(1, Ordering::SeqCst)
    }

    fn notes(&self) -> MutexGuard<'_, History> {
        self.notes.lock().expect("no panic happens while the notes are held")
    }
}
