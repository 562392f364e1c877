//! What a case needs of a database.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tegami::{
    error::BoxError,
    outbox::{Database, Parked, Timeouts},
    records::Queues,
    schedule::LeaseStore,
    store::{self, EventStore},
};

/// A database with a table of receipts that nobody else uses.
#[async_trait]
pub(crate) trait Subject: Sized + Send + Sync + 'static {
    type Db: Queues + Database<Tx = Self::Tx> + LeaseStore;
    type Tx: Timeouts + store::Transaction + 'static;
    type Events: EventStore + Clone;

    /// Its name for a process that is started.
    const NAME: &str;

    async fn open() -> Self;

    fn db(&self) -> &Self::Db;

    /// The events in it.
    fn events(&self) -> Self::Events {
        Self::store(self.db())
    }

    /// The events in a database.
    fn store(db: &Self::Db) -> Self::Events;

    /// Where another process finds it.
    fn address(&self) -> String;

    /// The database there, as another process would open it.
    async fn connect(address: &str) -> Self::Db;

    /// The effect of an order: a row.
    async fn write(tx: &mut Self::Tx, order: &str) -> Result<(), BoxError>;

    /// The orders with an effect, in its order.
    async fn written(&self) -> Vec<String>;

    /// Has something done past the database's own ways.
    async fn execute(&self, deed: Deed);

    /// How many ids the inbox has.
    async fn marks(&self) -> i64;

    /// The time in seconds that claims are made at; it counts where a database goes by the clock of the machine.
    fn now(&self) -> i64;

    /// Has so many seconds pass for whoever holds rows or leases, or go back.
    async fn pass(&self, seconds: i64);

    /// How often rows of the outbox were refused, in all.
    async fn refusals(&self) -> i64;

    async fn parked(&self) -> Vec<Parked>;

    async fn send_again(&self, id: &str) -> bool;

    async fn forget_schedule(db: &Self::Db, schedule: &str) -> bool;
}

/// What a case does behind the back of a database.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed {
    /// Damages the row with the id `a.1`.
    Damage,
    /// Makes the marks `m-0` to `m-29` older than 14 days.
    Age,
    /// Marks so many messages two hours ago, and 10 now.
    Fill {
        old: usize,
    },
    /// Has the leases of the process with this id end.
    EndLeases {
        of: u32,
    },
    /// Has all holds on projections end.
    EndHolds,
    /// Takes away the table of leases, and brings it back.
    HideLeases,
    ShowLeases,
}

/// Waits until this holds, and not for ever.
pub(crate) async fn until<F: Future<Output = bool>>(holds: impl Fn() -> F) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("it holds in the end");
}

/// A folder that goes with it.
#[derive(Clone)]
pub(crate) struct Folder(pub(crate) Arc<PathBuf>);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("tegami-outbox-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a folder can be made");
        Self(Arc::new(path))
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("shop.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if Arc::strong_count(&self.0) == 1 {
            let _ = fs::remove_dir_all(&*self.0);
        }
    }
}
