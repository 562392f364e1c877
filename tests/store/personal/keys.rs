//! Keys in a file: one for each subject, under a master key.

use tegami::{
    Secret,
    store::{DataKey, Kept, KeyId, Keys, MasterKey, SqliteKeys, StoreErrorKind},
};
use tokio::task::JoinSet;

use super::erasure::master;
use crate::sqlite::Folder;

#[tokio::test]
async fn all_who_ask_at_once_get_one_key() {
    let folder = Folder::new();
    let mut asking = JoinSet::new();
    for _ in 0..8 {
        let keys = SqliteKeys::connect(folder.file(), master("A")).await.expect("it is made");
        asking.spawn(async move { keys.current("c-1").await.expect("it is made") });
    }
    let keys: Vec<DataKey> = asking.join_all().await;
    assert!(keys.iter().all(|key| *key == keys[0]));
    assert!(!format!("{:?}", keys[0]).contains(&format!("{:?}", keys[0].reveal())));
}

#[tokio::test]
async fn what_was_forgotten_is_told_from_what_never_was() {
    let folder = Folder::new();
    let keys = SqliteKeys::connect(folder.file(), master("A")).await.expect("it is made");
    let first = keys.current("c-1").await.expect("it is made");
    let other = keys.current("c-2").await.expect("it is made");
    assert_ne!(first, other);
    assert_eq!(keys.find("c-1", other.id()).await.expect("it is read"), Kept::Unknown, "it is another's");
    assert_eq!(keys.find("c-1", KeyId::new([0; 16])).await.expect("it is read"), Kept::Unknown);
    keys.forget("c-1").await.expect("it is written");
    assert_eq!(keys.find("c-1", first.id()).await.expect("it is read"), Kept::Forgotten);
    assert_eq!(keys.find("c-2", other.id()).await.expect("it is read"), Kept::Key(other));
    let second = keys.current("c-1").await.expect("it is made");
    assert_ne!(second.id(), first.id());
    assert_eq!(keys.find("c-1", first.id()).await.expect("it is read"), Kept::Forgotten);
}

#[tokio::test]
async fn another_master_key_is_refused_and_a_former_one_is_replaced() {
    let folder = Folder::new();
    let keys = SqliteKeys::connect(folder.file(), master("A")).await.expect("it is made");
    let key = keys.current("c-1").await.expect("it is made");
    drop(keys);
    let refused = SqliteKeys::connect(folder.file(), master("Q")).await.expect_err("it is another");
    assert_eq!(refused.kind(), StoreErrorKind::Mismatch);
    assert!(refused.to_string().contains("`MasterKey::formerly`"), "{refused}");

    let keys = SqliteKeys::connect(folder.file(), master("Q").formerly(master("A"))).await.expect("it was the key");
    assert_eq!(keys.current("c-1").await.expect("it is read"), key);
    assert_eq!(keys.wrap_anew().await.expect("it is written"), 1);
    assert_eq!(keys.wrap_anew().await.expect("nothing is left"), 0);
    drop(keys);
    let keys = SqliteKeys::connect(folder.file(), master("Q")).await.expect("the former is not needed");
    assert_eq!(keys.find("c-1", key.id()).await.expect("it is read"), Kept::Key(key));
}

#[tokio::test]
async fn a_changed_or_moved_key_is_told() {
    for change in [
        "UPDATE tegami_keys SET wrapped = zeroblob(72) WHERE subject = 'c-1'",
        "UPDATE tegami_keys SET wrapped = x'00' WHERE subject = 'c-1'",
        "UPDATE tegami_keys SET wrapped = (SELECT wrapped FROM tegami_keys WHERE subject = 'c-2') WHERE subject = 'c-1'",
    ] {
        let folder = Folder::new();
        let keys = SqliteKeys::connect(folder.file(), master("A")).await.expect("it is made");
        let first = keys.current("c-1").await.expect("it is made");
        keys.current("c-2").await.expect("it is made");
        rusqlite::Connection::open(folder.file()).expect("it is there").execute(change, ()).expect("it is changed");
        let error = keys.find("c-1", first.id()).await.expect_err("it was changed");
        assert_eq!(error.kind(), StoreErrorKind::Damaged, "{error}");
    }
}

/// What the file is once something has written over all but its head.
fn damaged(whole: &[u8]) -> Vec<u8> {
    const HEAD: usize = 100;
    let mut bytes = whole.to_vec();
    // By this count, whoever has the file open knows that it was changed.
    bytes[24..28].fill(0x11);
    bytes[HEAD..].fill(0xFF);
    bytes
}

/// X3: that is about no key. Nobody knows what is there until the file is mended, and then all is as it was.
#[tokio::test]
async fn x3_a_file_that_is_damaged_as_a_whole_is_away_until_it_is_mended() {
    let folder = Folder::new();
    let keys = SqliteKeys::connect(folder.file(), master("A")).await.expect("it is made");
    let key = keys.current("c-1").await.expect("it is made");
    let whole = std::fs::read(folder.file()).expect("it is there");
    for bytes in [damaged(&whole), vec![b'x'; whole.len()]] {
        std::fs::write(folder.file(), bytes).expect("it is written");
        for error in [
            keys.find("c-1", key.id()).await.expect_err("it is damaged"),
            keys.current("c-2").await.expect_err("it is damaged"),
            keys.forget("c-1").await.expect_err("it is damaged"),
        ] {
            assert_eq!(error.kind(), StoreErrorKind::Unreachable, "{error}");
            assert!(error.is_transient() && error.to_string().ends_with("until it is mended, its keys cannot be read"));
        }
        std::fs::write(folder.file(), &whole).expect("it is written");
        assert_eq!(keys.find("c-1", key.id()).await.expect("it is mended"), Kept::Key(key.clone()));
    }
}

#[tokio::test]
async fn a_file_of_a_later_release_or_of_something_else_is_refused() {
    let folder = Folder::new();
    let later = rusqlite::Connection::open(folder.file()).expect("it is made");
    later.pragma_update(None, "user_version", 2).expect("it is written");
    let refused = SqliteKeys::connect(folder.file(), master("A")).await.expect_err("it is later");
    assert_eq!(refused.kind(), StoreErrorKind::Mismatch);
    assert!(refused.to_string().contains("later release"), "{refused}");
    std::fs::write(folder.file().with_file_name("text"), "no database at all, but long enough").expect("it is written");
    let refused = SqliteKeys::connect(folder.file().with_file_name("text"), master("A")).await.expect_err("it is text");
    assert_eq!(refused.kind(), StoreErrorKind::Mismatch);
}

#[test]
fn a_master_key_is_32_bytes_and_told_by_nobody() {
    for text in ["", "short", &"A".repeat(44), &format!("{}==", "A".repeat(42))] {
        let refused = MasterKey::parse(&Secret::new(text)).expect_err("it is no key");
        assert_eq!(refused.kind(), StoreErrorKind::Invalid);
        assert!(refused.to_string().contains("openssl rand -base64 32"), "{refused}");
    }
    assert_eq!(format!("{:?}", master("A")), "MasterKey");
}
