//! Projections: what is made of the events of a store, in the database that has the checkpoint.

mod failing;
mod lag;
mod publishing;
mod racing;
pub(crate) mod rebuilding;
mod restored;
mod running;
mod settling;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tegami::{
    Service,
    error::BoxError,
    projection::{Checkpoints, Handler, Id, Progress, Projection, ProjectionOptions},
    service::Running,
    sqlite::{Database, Tx},
    store::{Position, Store, Stored},
    transport::Memory,
};

use crate::{
    contracts::shop::orders::v1::OrderPaid,
    payments::payments,
    sqlite::{Folder, store_at},
};

/// Longer than anything takes.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// A file with a table of sales; and events, in the same file or in another.
pub(crate) struct Shop {
    db: Database,
    store: Store,
    folder: Folder,
}

impl Shop {
    /// Events and sales in one file.
    async fn new() -> Self {
        let folder = Folder::new();
        Self { db: sales_at(&folder.file()).await, store: store_at(&folder.file()).await, folder }
    }

    /// Events here, sales in a file of their own.
    pub(crate) async fn of(store: Store) -> Self {
        let folder = Folder::new();
        Self { db: sales_at(&folder.file()).await, store, folder }
    }

    /// So many more payments in this stream; the position of the last one.
    pub(crate) async fn append(&self, stream: &str, count: i64) -> Position {
        self.store.append(payments(stream, count)).await.expect("it is appended").position
    }

    /// What is in the table: stream and amount, in the order in which they were written.
    pub(crate) async fn sales(&self) -> Vec<(String, i64)> {
        rows(&self.db, "sales").await
    }

    pub(crate) fn progress(&self, projection: &Projection<Tx>) -> Progress {
        projection.progress(&self.db, &self.store)
    }

    /// Runs the projection, with little patience.
    async fn run(&self, projection: Projection<Tx>) -> Running {
        self.run_with(projection, |options| options).await
    }

    pub(crate) async fn run_with(
        &self,
        projection: Projection<Tx>,
        choose: impl FnOnce(ProjectionOptions) -> ProjectionOptions,
    ) -> Running {
        run_on(&self.db, &self.store, projection, choose).await
    }
}

async fn run_on<D: Checkpoints<Tx = Tx>>(
    db: &D,
    store: &Store,
    projection: Projection<Tx>,
    choose: impl FnOnce(ProjectionOptions) -> ProjectionOptions,
) -> Running {
    let shop = Service::new("shop").transport(Memory::new());
    let soon = |options: ProjectionOptions| options.again(Duration::from_millis(50)).poll(Duration::from_millis(20));
    shop.projection_with(db, store, projection, |options| choose(soon(options))).start().await.expect("it starts")
}

async fn sales_at(path: &Path) -> Database {
    let db = Database::connect(path).await.expect("the file can be opened");
    let mut tx = db.begin().await.expect("it begins");
    let table = |name| {
        format!("CREATE TABLE IF NOT EXISTS {name} (number INTEGER PRIMARY KEY, stream TEXT, amount INTEGER) STRICT;")
    };
    let tables = ["sales", "sales_2"].map(table).concat();
    tx.run(move |sql| sql.execute_batch(&tables)).await.expect("tables can be made");
    tx.commit().await.expect("it is committed");
    db
}

async fn rows(db: &Database, table: &'static str) -> Vec<(String, i64)> {
    let mut tx = db.begin().await.expect("it begins");
    let read = tx.run(move |sql| {
        let mut statement = sql.prepare(&format!("SELECT stream, amount FROM {table} ORDER BY number"))?;
        statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    });
    read.await.expect("it is read")
}

/// The payments of this stream, as they should be in the table.
pub(crate) fn all_of(stream: &str, count: i64) -> Vec<(String, i64)> {
    (1..=count).map(|amount| (stream.to_owned(), amount)).collect()
}

async fn write(paid: Stored<OrderPaid>, tx: &mut Tx, table: &'static str) -> Result<(), BoxError> {
    let row = (paid.stream.to_string(), paid.event.amount_minor);
    tx.run(move |sql| sql.execute(&format!("INSERT INTO {table} (stream, amount) VALUES (?1, ?2)"), row)).await?;
    Ok(())
}

async fn write_sale(paid: Stored<OrderPaid>, tx: &mut Tx) -> Result<(), BoxError> {
    write(paid, tx, "sales").await
}

async fn write_sale_2(paid: Stored<OrderPaid>, tx: &mut Tx) -> Result<(), BoxError> {
    write(paid, tx, "sales_2").await
}

pub(crate) fn sales() -> Projection<Tx> {
    Projection::new("sales", 1).on::<OrderPaid>(write_sale)
}

/// Writes a sale, and then fails while it is told to.
#[derive(Clone, Default)]
struct Told {
    fails: Arc<AtomicBool>,
}

impl Told {
    fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }

    /// It fails at the payment of 3.
    fn sales(&self) -> Projection<Tx> {
        Projection::new("sales", 1).on::<OrderPaid>(self.clone())
    }
}

impl Handler<OrderPaid, Tx> for Told {
    async fn call(&self, paid: Stored<OrderPaid>, tx: &mut Tx) -> Result<(), BoxError> {
        let amount = paid.event.amount_minor;
        write_sale(paid, tx).await?;
        match amount == 3 && self.fails.load(Ordering::SeqCst) {
            true => Err("it was told to fail".into()),
            false => Ok(()),
        }
    }
}

fn id() -> Id {
    Id::new("sales", 1)
}
