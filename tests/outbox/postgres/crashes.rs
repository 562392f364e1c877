//! Handlers with a crash in each of their steps. One database serves all rounds, and is emptied before each.

use std::sync::Arc;

use super::Postgres;
use crate::Subject;

/// In how many places each handler is cut off at least: at the pool's permit, at the last look at the budget, and behind all.
/// Only these are steps for tokio in any case. sqlx reads from its socket before it asks tokio for it, so an answer that is there
/// by then is not waited for: mostly each statement is, and none must be.
const WAITS: usize = 3;

async fn emptied(all: &Arc<Postgres>) -> Arc<Postgres> {
    let tables = "tegami.events, tegami.tags, tegami.outbox, tegami.inbox, tegami.timeouts, receipts";
    all.beside(format!("TRUNCATE {tables}")).await;
    all.clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i1_a_transactional_handler_passes_the_crash_matrix() {
    let all = Arc::new(Postgres::open().await);
    let open = async || emptied(&all).await;
    crate::crashes::i1_a_transactional_handler_passes_the_crash_matrix::<Postgres, _>(open, WAITS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i1_a_handler_that_appends_passes_the_crash_matrix() {
    let all = Arc::new(Postgres::open().await);
    let open = async || emptied(&all).await;
    crate::events::i1_a_handler_that_appends_passes_the_crash_matrix::<Postgres, _>(open, WAITS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i1_a_process_passes_the_crash_matrix() {
    let all = Arc::new(Postgres::open().await);
    let open = async || emptied(&all).await;
    crate::process::i1_a_process_passes_the_crash_matrix::<Postgres, _>(open, WAITS).await;
}
