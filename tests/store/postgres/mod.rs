//! The store in PostgreSQL: the suite on a real server, and what can happen to one.

mod away;
mod checkpoints;
mod conflicts;
mod decisions;
mod faults;
mod long;
mod losses;
mod opening;
mod order;
mod pages;
mod projected;
mod several;

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::{Connection, PgConnection};
use tegami::{
    postgres,
    store::{EventStore, Postgres, Store, StoreError},
    testing::store::{self, Subject},
};
use tegami_test_servers::Postgres as Server;
use tokio::sync::OnceCell;

use crate::begun::Begun;

tegami::store_suite!(Database::default());

/// A database on a server that nobody else has meanwhile.
#[derive(Default)]
struct Database {
    /// What transactions are begun on.
    begins: OnceCell<postgres::Database>,
    server: OnceCell<Server>,
}

impl Database {
    async fn url(&self) -> String {
        self.server.get_or_init(Server::take).await.url()
    }
}

#[async_trait]
impl Subject for Database {
    async fn open(&self) -> Result<Arc<dyn EventStore>, StoreError> {
        Ok(Arc::new(Postgres::connect(self.url().await).await?))
    }

    fn outlives_connections(&self) -> bool {
        true
    }

    async fn begin(&self) -> Result<Option<Box<dyn store::Begun>>, StoreError> {
        let open =
            || async move { Ok::<_, StoreError>(postgres::Database::of(&Postgres::connect(self.url().await).await?)) };
        let db = self.begins.get_or_try_init(open).await?;
        Begun::on(db, db.store()).await
    }
}

async fn store_in(server: &Server) -> Store {
    Store::new(Postgres::connect(server.url()).await.expect("the database can be reached"))
}

/// A connection past the store, for what others do to a database.
async fn beside(server: &Server) -> PgConnection {
    PgConnection::connect(&server.url()).await.expect("the database can be reached")
}

/// Has these statements done.
async fn execute(connection: &mut PgConnection, statements: &'static str) {
    sqlx::raw_sql(statements).execute(connection).await.expect("it is done");
}
