//! Streams of which one read brings only a part.

use tegami_test_servers::Postgres as Server;

use super::store_in;
use crate::payments::{amounts, payments};

/// 3.5 MiB of attributes, which are 20 MiB as PostgreSQL has them: six bytes for each of these characters.
#[tokio::test]
async fn a_stream_is_read_to_its_end_whatever_its_events_are_written_with() {
    let server = Server::take().await;
    let store = store_in(&server).await;
    let mut append = payments("o-1", 14);
    for entry in &mut append.entries {
        for n in 0..60 {
            entry.message.head.attributes.set(format!("note-{n}"), "\u{2}".repeat(4096));
        }
    }
    store.append(append).await.expect("it is appended");
    assert_eq!(amounts(&store, "o-1").await, (1..=14).collect::<Vec<_>>());
    store.inner().close().await;
}
