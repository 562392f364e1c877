//! Appends while connections and the server itself are killed, held against a ledger.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tegami::store::{Append, Position, Query, Store, StoreErrorKind, Version};
use tegami_test_servers::Postgres as Server;
use tokio::task::JoinSet;

use super::{beside, store_in};
use crate::{
    contracts::shop::orders::v1::OrderPaid,
    payments::{paid, stream},
};

/// How many append at once.
const WRITERS: i64 = 4;

/// What a writer was told of each of its appends, by the amounts in it.
#[derive(Default)]
struct Ledger {
    recorded: BTreeSet<i64>,
    in_doubt: BTreeSet<i64>,
    refused: usize,
}

/// Writers at work, and how many appends were answered.
struct Writers {
    tasks: JoinSet<(i64, Ledger)>,
    answered: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
}

impl Writers {
    fn start(store: &Store) -> Self {
        let mut writers = Self { tasks: JoinSet::new(), answered: Arc::default(), is_over: Arc::default() };
        for writer in 0..WRITERS {
            let (store, answered, is_over) = (store.clone(), writers.answered.clone(), writers.is_over.clone());
            writers.tasks.spawn(async move {
                let mut ledger = Ledger::default();
                for n in 0.. {
                    if is_over.load(Ordering::SeqCst) {
                        break;
                    }
                    write(&store, writer, n, &mut ledger).await;
                    answered.fetch_add(1, Ordering::SeqCst);
                }
                (writer, ledger)
            });
        }
        writers
    }

    /// Waits until so many more appends were answered.
    async fn go_on(&self, more: usize) {
        let begin = self.answered.load(Ordering::SeqCst);
        while self.answered.load(Ordering::SeqCst) < begin + more {
            tokio::task::yield_now().await;
        }
    }

    async fn stop(self) -> BTreeMap<i64, Ledger> {
        self.is_over.store(true, Ordering::SeqCst);
        self.tasks.join_all().await.into_iter().collect()
    }
}

/// Two events of one amount in the stream of the writer.
async fn write(store: &Store, writer: i64, n: i64, ledger: &mut Ledger) {
    let name = format!("o-{writer}");
    let append = (0..2).fold(Append::to(stream(&name)), |append, _| append.event(&paid(&name, n)).expect("valid"));
    match store.append(append).await {
        Ok(_) => drop(ledger.recorded.insert(n)),
        Err(error) if error.kind() == StoreErrorKind::Unknown => drop(ledger.in_doubt.insert(n)),
        Err(error) => {
            assert!(error.is_transient(), "{error:?}");
            ledger.refused += 1;
        }
    }
}

/// What was answered is there, once and whole; what was refused is not; and all can be read in order.
async fn check(store: &Store, ledgers: BTreeMap<i64, Ledger>) {
    let mut total = 0;
    for (writer, ledger) in &ledgers {
        let name = format!("o-{writer}");
        let read = store.read::<OrderPaid>(&stream(&name), Version::START).await.expect("it is read");
        let versions: Vec<u64> = read.iter().map(|stored| stored.version.number()).collect();
        assert_eq!(versions, (1..=read.len() as u64).collect::<Vec<_>>(), "stream `{name}`");
        let amounts: Vec<i64> = read.iter().map(|stored| stored.event.amount_minor).collect();
        let there: BTreeSet<i64> = amounts.iter().copied().collect();
        assert_eq!(amounts, there.iter().flat_map(|n| [*n, *n]).collect::<Vec<_>>(), "half, or twice, or out of order");
        assert!(ledger.recorded.is_subset(&there), "lost in `{name}`: {:?}", &ledger.recorded - &there);
        let unasked = &(&there - &ledger.recorded) - &ledger.in_doubt;
        assert!(unasked.is_empty(), "refused, and in `{name}`: {unasked:?}");
        total += read.len();
    }
    let (mut after, mut seen) = (Position::START, 0);
    while seen < total {
        let page = store.inner().read_all(&Query::all(), after, 100).await.expect("it is read");
        assert!(page.next > after, "{seen} of {total} are read, and nothing follows");
        seen += page.events.len();
        after = page.next;
    }
    assert_eq!(seen, total);
}

/// E2, F47: every connection is ended again and again, in the middle of whatever it does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f47_connections_that_are_ended_lose_nothing_and_double_nothing() {
    let server = Server::take().await;
    let store = store_in(&server).await;
    let mut killer = beside(&server).await;
    let writers = Writers::start(&store);
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                WHERE datname = 'test' AND pid <> pg_backend_pid()";
    let mut ended = 0;
    while ended < 30 {
        writers.go_on(7).await;
        ended += sqlx::query(kill).execute(&mut killer).await.expect("it is done").rows_affected();
    }
    writers.go_on(7).await;
    let ledgers = writers.stop().await;
    let refused: usize = ledgers.values().map(|ledger| ledger.refused).sum();
    assert_eq!(refused, 0, "what was ended in passing is tried again");
    check(&store, ledgers).await;
}

/// E2, F26: the server is killed as by a power cut, twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e2_what_was_answered_outlives_a_kill_of_the_server() {
    let server = Server::take().await;
    let store = store_in(&server).await;
    let writers = Writers::start(&store);
    for _ in 0..2 {
        writers.go_on(40).await;
        server.kill9().await;
        server.start().await;
    }
    writers.go_on(40).await;
    check(&store, writers.stop().await).await;
}
