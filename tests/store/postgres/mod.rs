//! The store in PostgreSQL: the suite on a real server, and what can happen to one.

mod away;
mod checkpoints;
mod decisions;
mod faults;
mod long;
mod losses;
mod opening;
mod order;
mod projected;

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::{Connection, PgConnection};
use tegami::{
    store::{EventStore, Postgres, Store, StoreError},
    testing::store::Subject,
};
use tegami_test_servers::Postgres as Server;
use tokio::sync::OnceCell;

tegami::store_suite!(Database::default());

/// A database on a server that nobody else has meanwhile.
#[derive(Default)]
struct Database(OnceCell<Server>);

#[async_trait]
impl Subject for Database {
    async fn open(&self) -> Result<Arc<dyn EventStore>, StoreError> {
        let server = self.0.get_or_init(Server::take).await;
        Ok(Arc::new(Postgres::connect(server.url()).await?))
    }

    fn outlives_connections(&self) -> bool {
        true
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
