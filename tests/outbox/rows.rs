//! What an outbox hands out, and to whom.

use std::time::{Duration, SystemTime};

use tegami::{
    envelope::{MessageId, Sealed},
    event::{Attributes, Encoding},
    outbox::{Claim, Claimed, Database, Fate, Outbox, Row, Transaction},
    transport::Outgoing,
};

use crate::subject::{Deed, Subject};

const HOLD: Duration = Duration::from_secs(30);

pub(crate) fn claim(subject: &impl Subject, relay: &str, most: usize) -> Claim {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(subject.now().unsigned_abs());
    Claim::new(relay, most, HOLD, now)
}

/// A message with this id; the key is the part before the dot, if there is one.
pub(crate) fn outgoing(id: &str) -> Outgoing {
    let mut outgoing = Outgoing::new(MessageId::parse(id).expect("a good id"), "e", "t", Sealed::default());
    outgoing.key = id.split_once('.').map(|(key, _)| key.to_owned());
    outgoing
}

async fn commit(db: &impl Database, messages: impl IntoIterator<Item = Outgoing>) {
    let mut tx = db.begin().await.expect("it begins");
    for outgoing in messages {
        tx.put(&Row::new(None, outgoing)).await.expect("it is put");
    }
    db.commit(tx).await.expect("it is committed");
}

pub(crate) async fn commit_ids(subject: &impl Subject, ids: &[&str]) {
    commit(subject.db(), ids.iter().map(|id| outgoing(id))).await;
}

pub(crate) async fn take(subject: &impl Subject, relay: &str, most: usize) -> Vec<Claimed> {
    subject.db().take(&claim(subject, relay, most)).await.expect("it can be asked")
}

pub(crate) fn ids(taken: &[Claimed]) -> Vec<&str> {
    taken.iter().map(|claimed| claimed.row.outgoing.id.as_str()).collect()
}

pub(crate) async fn settle(subject: &impl Subject, relay: &str, taken: &[Claimed], fate: Fate) {
    let fates: Vec<_> = taken.iter().map(|claimed| (claimed.number, fate.clone())).collect();
    subject.db().settle(&claim(subject, relay, 1), &fates).await.expect("it is noted");
}

pub(crate) async fn t3_no_row_is_handed_out_while_an_earlier_one_of_its_key_is_held<S: Subject>() {
    let all = S::open().await;
    // The ids are not in the order of the commits.
    for ids in [["a.9", "b.9"], ["a.8", "free"], ["a.7", "b.8"]] {
        commit_ids(&all, &ids).await;
    }
    let one = take(&all, "one", 1).await;
    assert_eq!(ids(&one), ["a.9"]);
    let two = take(&all, "two", 2).await;
    assert_eq!(ids(&two), ["b.9", "free"], "the second of `a` waits for the first");
    assert!(take(&all, "three", 9).await.is_empty());
    settle(&all, "one", &one, Fate::Sent).await;
    assert_eq!(ids(&take(&all, "three", 9).await), ["a.8", "a.7"]);
    settle(&all, "two", &two, Fate::Back).await;
    assert_eq!(ids(&take(&all, "one", 9).await), ["b.9", "free", "b.8"]);
}

pub(crate) async fn t2_a_hold_ends_by_itself_and_whoever_comes_late_changes_nothing_but_what_was_sent<S: Subject>() {
    let all = S::open().await;
    commit_ids(&all, &["a.1", "b.1", "c.1"]).await;
    let late = take(&all, "late", 9).await;
    all.pass(25).await;
    assert!(take(&all, "next", 9).await.is_empty());
    all.pass(6).await;
    let next = take(&all, "next", 9).await;
    assert_eq!(ids(&next), ["a.1", "b.1", "c.1"]);
    let parked = Fate::Parked { reason: "late".into() };
    let refused = Fate::Refused { again_in: Duration::ZERO, reason: "late".into() };
    let fates = [(late[0].number, parked), (late[1].number, refused), (late[2].number, Fate::Sent)];
    all.db().settle(&claim(&all, "late", 9), &fates).await.expect("it is noted");
    assert!(take(&all, "third", 9).await.is_empty(), "they are held by the next");
    assert_eq!((all.db().waiting().await.expect("it is read"), all.parked().await), (2, vec![]));
    all.pass(31).await;
    let again = take(&all, "third", 9).await;
    assert_eq!(again.iter().map(|claimed| claimed.refusals).collect::<Vec<_>>(), [0, 0]);
}

/// A hold that seems to end in hours was noted by a clock that was put back since.
pub(crate) async fn t2_a_clock_that_is_put_back_holds_nothing_for_hours<S: Subject>() {
    let all = S::open().await;
    commit_ids(&all, &["a.1"]).await;
    take(&all, "killed", 9).await;
    all.pass(-36_000).await;
    assert_eq!(ids(&take(&all, "next", 9).await), ["a.1"]);
}

/// Byte for byte, whatever the text.
pub(crate) async fn t2_a_row_is_handed_out_as_it_was_put<S: Subject>() {
    let all = S::open().await;
    let mut attributes = Attributes::new();
    attributes.set("note", "\u{0} \u{1} '\" é 手紙");
    let sealed = Sealed { body: vec![0, 255, 13, 10].into(), attributes };
    for (n, key) in
        [None, Some(""), Some("\u{0}\u{1}0"), Some("'; --"), Some(&*"é".repeat(2000))].into_iter().enumerate()
    {
        let id = MessageId::parse(format!("m-{n}")).expect("a good id");
        let mut outgoing = Outgoing::new(id, "shop.orders.v1.OrderPaid", "t", sealed.clone());
        outgoing.key = key.map(str::to_owned);
        let bytes = vec![7; n].into();
        outgoing.payload = (n > 0).then_some(tegami::codec::Payload { encoding: Encoding::Protobuf, bytes });
        let put = Row::new(Some("other".to_owned()), outgoing);
        let mut tx = all.db().begin().await.expect("it begins");
        tx.put(&put).await.expect("it is put");
        all.db().commit(tx).await.expect("it is committed");
        let [taken] = &take(&all, "one", 9).await[..] else { panic!("one row") };
        assert_eq!(taken.row.kept(), put.kept());
        assert_eq!(taken.row.outgoing.key, put.outgoing.key);
    }
}

pub(crate) async fn t4_what_is_refused_keeps_its_key_waiting_and_what_is_parked_does_not<S: Subject>() {
    let all = S::open().await;
    commit_ids(&all, &["a.1", "a.2", "b.1"]).await;
    let taken = take(&all, "one", 1).await;
    settle(&all, "one", &taken, Fate::Refused { again_in: HOLD, reason: "no".into() }).await;
    assert_eq!(ids(&take(&all, "two", 9).await), ["b.1"]);
    all.pass(31).await;
    let taken = take(&all, "one", 1).await;
    assert_eq!((ids(&taken), taken[0].refusals), (vec!["a.1"], 1));
    settle(&all, "one", &taken, Fate::Parked { reason: "never \u{0}".into() }).await;
    assert_eq!(ids(&take(&all, "two", 9).await), ["a.2", "b.1"]);
    let [parked] = &all.parked().await[..] else { panic!("one is parked") };
    assert_eq!((&*parked.id, parked.key.as_deref(), parked.refusals), ("a.1", Some("a"), 2));
    assert!(parked.reason.starts_with("never"), "{parked:?}");
    assert!(all.send_again("a.1").await && !all.send_again("b.1").await);
    assert_eq!(ids(&take(&all, "one", 9).await), ["a.1"]);
}

pub(crate) async fn what_nobody_can_read_is_parked_and_keeps_nobody_waiting<S: Subject>() {
    let all = S::open().await;
    commit_ids(&all, &["a.1", "a.2"]).await;
    all.execute(Deed::Damage).await;
    assert_eq!(ids(&take(&all, "one", 9).await), ["a.2"]);
    let parked = all.parked().await;
    assert!(parked[0].reason.starts_with("it cannot be read: missing field"), "{parked:?}");
}

pub(crate) async fn t5_a_batch_is_bounded_in_rows_and_in_bytes<S: Subject>() {
    let all = S::open().await;
    let large = |n: usize| {
        let sealed = Sealed { body: vec![0; 1024 * 1024].into(), ..Sealed::default() };
        Outgoing::new(MessageId::parse(format!("m-{n}")).expect("a good id"), "e", "t", sealed)
    };
    commit(all.db(), (0..12).map(large)).await;
    assert_eq!(take(&all, "one", 100).await.len(), 8);
    assert_eq!(take(&all, "one", 2).await.len(), 2);
}
