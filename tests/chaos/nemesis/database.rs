//! What goes wrong with PostgreSQL.

use tokio::time::sleep;

use super::{Happened, Kind, Nemesis, plan::Fault, shows};
use crate::place::{listens, postgres_answers};

/// Ends whoever is connected, and says how many those were.
const KILL_BACKENDS: &str = "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = 'test'";

impl Nemesis<'_> {
    pub(super) async fn on_database(&self, fault: &Fault) -> Happened {
        let (postgres, port) = (&self.place.postgres, self.place.postgres.port());
        match fault.kind {
            Kind::BackendsKilled => {
                shows("a backend ends", async || postgres.sql(KILL_BACKENDS).await.trim() != "0").await
            }
            Kind::DatabaseFrozen => {
                postgres.freeze().await;
                let frozen = shows("it answers nothing", async || !postgres_answers(port).await).await;
                sleep(fault.lasts).await;
                postgres.start().await;
                frozen
            }
            Kind::DatabaseReset => {
                let before = self.place.base.counts().resets;
                self.place.base.reset();
                shows("a connection is reset", async || self.place.base.counts().resets > before).await
            }
            _ => {
                match fault.kind {
                    Kind::DatabaseKilled => postgres.kill9().await,
                    _ => postgres.stop().await,
                }
                let gone = shows("its port is closed", async || !listens(port).await).await;
                sleep(fault.lasts).await;
                postgres.start().await;
                gone
            }
        }
    }
}
