//! Commands that meet others who are faster.

use tegami_test_servers::Postgres as Server;

use super::store_in;
use crate::conflicts;

#[tokio::test]
async fn e1_a_command_that_is_overtaken_is_decided_anew() {
    let server = Server::take().await;
    conflicts::e1_a_command_that_is_overtaken_is_decided_anew(store_in(&server).await).await;
}

#[tokio::test]
async fn e1_a_snapshot_has_the_events_of_those_who_were_faster() {
    let server = Server::take().await;
    conflicts::e1_a_snapshot_has_the_events_of_those_who_were_faster(store_in(&server).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e1_commands_at_once_are_decided_one_after_the_other() {
    let server = Server::take().await;
    let stores = [store_in(&server).await, store_in(&server).await, store_in(&server).await];
    conflicts::e1_commands_at_once_are_decided_one_after_the_other(stores).await;
}
