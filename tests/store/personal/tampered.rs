//! Stored events that are not as they were written, and keys that are not theirs.

use bytes::Bytes;
use tegami::{
    codec::Payload,
    envelope::Message,
    event::Encoding,
    store::{Append, Entry, EventStore, Memory, Store, StoreError, StoreErrorKind, Version, keys},
};

use super::{Known, append_both, kept, stream, told};

/// A store of these events, which were recorded elsewhere.
async fn copied(entries: Vec<Entry>, keys: &keys::Memory) -> Store {
    let inner = Memory::new();
    inner.append(entries.into_iter().fold(Append::to(stream()), Append::entry)).await.expect("it takes anything");
    Store::new(inner).keys(keys.clone())
}

async fn fails(store: &Store) -> StoreError {
    let error = store.read::<Known>(&stream(), Version::START).await.expect_err("it cannot be read");
    assert!(error.to_string().starts_with("event `shop.customers.v1."), "{error}");
    assert!(told(&error).len() > error.to_string().len(), "{error} has a cause");
    error
}

async fn written() -> (Vec<Entry>, keys::Memory) {
    let (inner, keys) = (Memory::new(), keys::Memory::new());
    append_both(&Store::new(inner.clone()).keys(keys.clone())).await;
    (kept(&inner).await.into_iter().map(|recorded| recorded.entry).collect(), keys)
}

fn with(entry: &Entry, bytes: impl Into<Bytes>) -> Entry {
    let content = Payload { encoding: entry.message.content.encoding, bytes: bytes.into() };
    Entry::new(Message::new(entry.message.head.clone(), content), entry.contract_version, entry.key_field.clone())
}

#[tokio::test]
async fn a_copy_with_the_same_keys_is_read() {
    let (entries, keys) = written().await;
    assert_eq!(super::read(&copied(entries, &keys).await).await.len(), 2);
}

#[tokio::test]
async fn a_changed_byte_is_an_error_or_changes_nothing_personal() {
    let (entries, keys) = written().await;
    for entry in &entries {
        let bytes = entry.message.content.bytes.to_vec();
        // In the middle of what is encrypted: it is longer than all the rest.
        for place in [bytes.len() / 3, bytes.len() / 2] {
            let mut changed = bytes.clone();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            let error = fails(&copied(vec![with(entry, changed)], &keys).await).await;
            assert_eq!(error.kind(), StoreErrorKind::Damaged, "{error}");
        }
    }
}

#[tokio::test]
async fn what_is_personal_opens_in_its_own_event_only() {
    let (first, keys) = written().await;
    let again = {
        let inner = Memory::new();
        append_both(&Store::new(inner.clone()).keys(keys.clone())).await;
        kept(&inner).await
    };
    for (entry, other) in first.iter().zip(&again) {
        let swapped = with(entry, other.entry.message.content.bytes.clone());
        let error = fails(&copied(vec![swapped], &keys).await).await;
        assert_eq!(error.kind(), StoreErrorKind::Damaged, "{error}");
    }
}

#[tokio::test]
async fn another_subject_in_the_event_is_told() {
    let (entries, keys) = written().await;
    let guest = entries.iter().find(|entry| entry.message.content.encoding == Encoding::Json).expect("one is JSON");
    let text = String::from_utf8(guest.message.content.bytes.to_vec()).expect("it is text");
    let error = fails(&copied(vec![with(guest, text.replace("\"c-1\"", "\"c-2\""))], &keys).await).await;
    assert_eq!(error.kind(), StoreErrorKind::Unreadable, "{}", told(&error));
    assert!(told(&error).contains("have no key"), "{}", told(&error));
}

#[tokio::test]
async fn keys_that_are_not_there_are_told_from_forgotten_ones() {
    let (entries, _) = written().await;
    let error = fails(&copied(entries.clone(), &keys::Memory::new()).await).await;
    assert_eq!(error.kind(), StoreErrorKind::Unreadable);
    assert!(told(&error).contains("are they those of this store"), "{}", told(&error));
    let inner = Memory::new();
    inner.append(entries.into_iter().fold(Append::to(stream()), Append::entry)).await.expect("it takes anything");
    let error = fails(&Store::new(inner).in_the_clear()).await;
    assert!(told(&error).contains("`Store::keys`"), "{}", told(&error));
}
