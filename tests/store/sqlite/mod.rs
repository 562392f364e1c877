//! The store in one file: the suite, and what can happen to a file.

mod crash;
mod faults;
mod full;
mod opening;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use tegami::{
    sqlite::Database,
    store::{Criterion, EventStore, Position, Sqlite, Store, StoreError},
    testing::store::{self, Subject},
};
use tokio::sync::OnceCell;

use crate::{begun::Begun, contracts::shop::orders::v1::OrderPaid, payments::payments};

tegami::store_suite!(File::new());

/// How many bytes a cramped file may have.
const CRAMPED: u64 = 256 * 1024;

/// A file in a folder of its own, which goes with it.
struct File {
    /// What transactions are begun on.
    database: OnceCell<Database>,
    folder: Folder,
    size_limit: Option<u64>,
}

#[derive(Clone)]
pub(crate) struct Folder(Arc<PathBuf>);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("tegami-store-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a folder can be made");
        Self(Arc::new(path))
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("events.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if Arc::strong_count(&self.0) == 1 {
            let _ = fs::remove_dir_all(&*self.0);
        }
    }
}

impl File {
    fn new() -> Self {
        Self::of(Folder::new(), None)
    }

    fn of(folder: Folder, size_limit: Option<u64>) -> Self {
        Self { database: OnceCell::new(), folder, size_limit }
    }
}

#[async_trait]
impl Subject for File {
    async fn open(&self) -> Result<Arc<dyn EventStore>, StoreError> {
        let builder = Sqlite::at(self.folder.file());
        let builder = self.size_limit.into_iter().fold(builder, |builder, limit| builder.size_limit(limit));
        Ok(Arc::new(builder.connect().await?))
    }

    fn outlives_connections(&self) -> bool {
        true
    }

    async fn cramped(&self) -> Option<(Arc<dyn EventStore>, Arc<dyn Subject>)> {
        let folder = Folder::new();
        let small = Self::of(folder.clone(), Some(CRAMPED)).open().await.ok()?;
        Some((small, Arc::new(Self::of(folder, Some(4 * CRAMPED)))))
    }

    async fn begin(&self) -> Result<Option<Box<dyn store::Begun>>, StoreError> {
        let open = || async move { Ok::<_, StoreError>(Database::of(&Sqlite::connect(self.folder.file()).await?)) };
        let db = self.database.get_or_try_init(open).await?;
        Begun::on(db, db.store()).await
    }
}

pub(crate) async fn store_at(path: &Path) -> Store {
    Store::new(Sqlite::connect(path).await.expect("the file can be opened"))
}

/// Another connection is to SQLite what another process is.
#[tokio::test]
async fn e3_who_follows_sees_what_another_process_records() {
    let folder = Folder::new();
    let (here, there) = (store_at(&folder.file()).await, store_at(&folder.file()).await);
    let mut events = here.follow::<OrderPaid>(Criterion::of::<OrderPaid>(), Position::START);
    let mut seen = Vec::new();
    for round in 0..3 {
        let (found, appended) = tokio::join!(events.next(), there.append(payments(&format!("o-{round}"), 1)));
        appended.expect("it is appended");
        seen.extend(found.expect("it is read").events.into_iter().map(|stored| stored.event.order_id));
    }
    assert_eq!(seen, ["o-0", "o-1", "o-2"]);
}
