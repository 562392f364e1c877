//! What an outbox hands out, and to whom.

use std::time::{Duration, SystemTime};

use tegami::{
    envelope::{MessageId, Sealed},
    outbox::{Claim, Claimed, Fate, Outbox, Row, Transaction},
    sqlite::Database,
    transport::Outgoing,
};

use super::Folder;

const HOLD: Duration = Duration::from_secs(30);

/// Time of a clock that the test puts.
fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds)
}

fn claim(relay: &str, most: usize, seconds: u64) -> Claim {
    Claim::new(relay, most, HOLD, at(seconds))
}

/// Commits messages with these ids; the key is the part before the dot, if there is one.
async fn commit(db: &Database, ids: &[&str]) {
    let mut tx = db.begin().await.expect("it begins");
    for id in ids {
        let key = id.split_once('.').map(|(key, _)| key.to_owned());
        let mut outgoing = Outgoing::new(MessageId::parse(id).expect("a good id"), "e", "t", Sealed::default());
        outgoing.key = key;
        tx.put(&Row::new(None, outgoing)).await.expect("it is put");
    }
    tx.commit().await.expect("it is committed");
}

async fn take(db: &Database, claim: &Claim) -> Vec<Claimed> {
    db.take(claim).await.expect("it can be asked")
}

fn ids(taken: &[Claimed]) -> Vec<&str> {
    taken.iter().map(|claimed| claimed.row.outgoing.id.as_str()).collect()
}

async fn settle(db: &Database, claim: &Claim, taken: &[Claimed], fate: Fate) {
    let fates: Vec<_> = taken.iter().map(|claimed| (claimed.number, fate.clone())).collect();
    db.settle(claim, &fates).await.expect("it is noted");
}

#[tokio::test]
async fn t3_no_row_is_handed_out_while_an_earlier_one_of_its_key_is_held() {
    let folder = Folder::new();
    let db = folder.open().await;
    // The ids are not in the order of the commits.
    for ids in [["a.9", "b.9"], ["a.8", "free"], ["a.7", "b.8"]] {
        commit(&db, &ids).await;
    }
    let one = take(&db, &claim("one", 1, 0)).await;
    assert_eq!(ids(&one), ["a.9"]);
    let two = take(&db, &claim("two", 2, 0)).await;
    assert_eq!(ids(&two), ["b.9", "free"], "the second of `a` waits for the first");
    assert!(take(&db, &claim("three", 9, 0)).await.is_empty());
    settle(&db, &claim("one", 1, 1), &one, Fate::Sent).await;
    assert_eq!(ids(&take(&db, &claim("three", 9, 1)).await), ["a.8", "a.7"]);
    settle(&db, &claim("two", 2, 1), &two, Fate::Back).await;
    assert_eq!(ids(&take(&db, &claim("one", 9, 1)).await), ["b.9", "free", "b.8"]);
}

#[tokio::test]
async fn t2_a_hold_ends_by_itself_and_whoever_comes_late_changes_nothing_but_what_was_sent() {
    let folder = Folder::new();
    let db = folder.open().await;
    commit(&db, &["a.1", "b.1", "c.1"]).await;
    let late = take(&db, &claim("late", 9, 0)).await;
    assert!(take(&db, &claim("next", 9, 29)).await.is_empty());
    let next = take(&db, &claim("next", 9, 31)).await;
    assert_eq!(ids(&next), ["a.1", "b.1", "c.1"]);
    let parked = Fate::Parked { reason: "late".into() };
    let refused = Fate::Refused { again_in: Duration::ZERO, reason: "late".into() };
    let fates = [(late[0].number, parked), (late[1].number, refused), (late[2].number, Fate::Sent)];
    db.settle(&claim("late", 9, 32), &fates).await.expect("it is noted");
    assert!(take(&db, &claim("third", 9, 33)).await.is_empty(), "they are held by the next");
    assert_eq!((db.waiting().await.expect("it is read"), db.parked(9).await.expect("it is read")), (2, vec![]));
    let again = take(&db, &claim("third", 9, 62)).await;
    assert_eq!(again.iter().map(|claimed| claimed.refusals).collect::<Vec<_>>(), [0, 0]);
}

/// A hold that seems to end in hours was noted by a clock that was put back since.
#[tokio::test]
async fn t2_a_clock_that_is_put_back_holds_nothing_for_hours() {
    let folder = Folder::new();
    let db = folder.open().await;
    commit(&db, &["a.1"]).await;
    take(&db, &claim("killed", 9, 10 * 3600)).await;
    assert_eq!(ids(&take(&db, &claim("next", 9, 0)).await), ["a.1"]);
}

#[tokio::test]
async fn t4_what_is_refused_keeps_its_key_waiting_and_what_is_parked_does_not() {
    let folder = Folder::new();
    let db = folder.open().await;
    commit(&db, &["a.1", "a.2", "b.1"]).await;
    let taken = take(&db, &claim("one", 1, 0)).await;
    settle(&db, &claim("one", 1, 0), &taken, Fate::Refused { again_in: HOLD, reason: "no".into() }).await;
    assert_eq!(ids(&take(&db, &claim("two", 9, 0)).await), ["b.1"]);
    let taken = take(&db, &claim("one", 1, 31)).await;
    assert_eq!((ids(&taken), taken[0].refusals), (vec!["a.1"], 1));
    settle(&db, &claim("one", 1, 31), &taken, Fate::Parked { reason: "never".into() }).await;
    assert_eq!(ids(&take(&db, &claim("two", 9, 31)).await), ["a.2", "b.1"]);
    let [parked] = &db.parked(9).await.expect("it is read")[..] else { panic!("one is parked") };
    assert_eq!((&*parked.id, parked.key.as_deref(), parked.refusals, &*parked.reason), ("a.1", Some("a"), 2, "never"));
    assert!(db.send_again("a.1").await.expect("it is written") && !db.send_again("b.1").await.expect("it is written"));
    assert_eq!(ids(&take(&db, &claim("one", 9, 31)).await), ["a.1"]);
}

#[tokio::test]
async fn what_nobody_can_read_is_parked_and_keeps_nobody_waiting() {
    let folder = Folder::new();
    let db = folder.open().await;
    commit(&db, &["a.1", "a.2"]).await;
    let mut tx = db.begin().await.expect("it begins");
    tx.run(|sql| sql.execute("UPDATE tegami_outbox SET head = '{}' WHERE id = 'a.1'", ()))
        .await
        .expect("it is written");
    tx.commit().await.expect("it is committed");
    assert_eq!(ids(&take(&db, &claim("one", 9, 0)).await), ["a.2"]);
    let parked = db.parked(9).await.expect("it is read");
    assert!(parked[0].reason.starts_with("it cannot be read: missing field"), "{parked:?}");
}

#[tokio::test]
async fn t5_a_batch_is_bounded_in_rows_and_in_bytes() {
    let folder = Folder::new();
    let db = folder.open().await;
    let mut tx = db.begin().await.expect("it begins");
    for n in 0..12 {
        let sealed = Sealed { body: vec![0; 1024 * 1024].into(), ..Sealed::default() };
        let id = MessageId::parse(format!("m-{n}")).expect("a good id");
        tx.put(&Row::new(None, Outgoing::new(id, "e", "t", sealed))).await.expect("it is put");
    }
    tx.commit().await.expect("it is committed");
    assert_eq!(take(&db, &claim("one", 100, 0)).await.len(), 8);
    assert_eq!(take(&db, &claim("one", 2, 0)).await.len(), 2);
}
