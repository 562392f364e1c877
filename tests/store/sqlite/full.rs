//! A disk that is full.

use tegami::store::StoreErrorKind;
use tegami_test_servers::SmallDisk;
use tokio::runtime::Runtime;

use super::store_at;
use crate::payments::{amounts, payments};

/// The disk, and what of it something else has at first. What is left is full when a second part of the log, of 4 MiB, is
/// copied into the file: a full disk meets appends and checkpoints.
const DISK: usize = 13;
const TAKEN: usize = 3;
const EVENTS: i64 = 200;

/// E5, F45.
#[test]
fn e5_f45_a_disk_that_is_full_refuses_appends_whole_and_takes_them_once_there_is_room() {
    const TEST: &str =
        "sqlite::full::e5_f45_a_disk_that_is_full_refuses_appends_whole_and_takes_them_once_there_is_room";
    let Some(disk) = SmallDisk::of(DISK, TEST) else { return };
    disk.take(Some(TAKEN));
    let path = disk.path().join("events.db");
    Runtime::new().expect("a runtime").block_on(async {
        let (store, mut appends) = (store_at(&path).await, 0);
        let whole = |appends: usize| (1..=EVENTS).collect::<Vec<_>>().repeat(appends);
        // A checkpoint that ends meanwhile may make room once more, and not for ever.
        let mut refusals = 0;
        while refusals < 4 {
            match store.append(payments("o-1", EVENTS)).await {
                Ok(_) => (appends, refusals) = (appends + 1, 0),
                Err(refused) => {
                    assert_eq!(refused.kind(), StoreErrorKind::Full, "{refused:?}");
                    refusals += 1;
                }
            }
        }
        assert_eq!(amounts(&store, "o-1").await, whole(appends), "readers see whole appends");
        disk.give_back();
        store.append(payments("o-1", EVENTS)).await.expect("there is room again");
        store.inner().close().await;
        let reopened = store_at(&path).await;
        assert_eq!(amounts(&reopened, "o-1").await, whole(appends + 1));
        reopened.append(payments("o-1", EVENTS)).await.expect("it goes on");
        println!("sqlite: full after {appends} appends of {EVENTS} events, each whole");
    });
}
