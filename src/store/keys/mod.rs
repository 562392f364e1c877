//! The keys that personal fields are encrypted with, one for each person; forgetting it erases them.
//!
//! `seal` is how they stand in an event's bytes, `master` what keys are wrapped with. A file of keys is `store::sqlite`'s.
//! The guide is [`docs::personal`](crate::docs::personal).

#[cfg(feature = "sqlite")]
mod master;
mod memory;
pub(super) mod payload;
pub(super) mod seal;

use std::{fmt, sync::Arc};

use async_trait::async_trait;

#[cfg(feature = "sqlite")]
pub use master::MasterKey;
pub use memory::Memory;

use super::StoreError;

/// How many bytes a key has.
pub(crate) const KEY: usize = 32;
/// How many bytes a key's id has.
pub(crate) const ID: usize = 16;

/// Which key something is encrypted with: a number that was drawn with the key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; ID]);

impl KeyId {
    /// The id that has these bytes.
    pub fn new(bytes: [u8; ID]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; ID] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// The key of one subject's data. Its `Debug` tells the id.
#[derive(Clone, PartialEq, Eq)]
pub struct DataKey {
    id: KeyId,
    bytes: [u8; KEY],
}

impl DataKey {
    /// A key that nobody had before, drawn by the system.
    ///
    /// # Errors
    /// `Unreachable`: the system has no random numbers.
    pub fn draw() -> Result<Self, StoreError> {
        let (mut id, mut bytes) = ([0; ID], [0; KEY]);
        seal::random(&mut id)?;
        seal::random(&mut bytes)?;
        Ok(Self { id: KeyId(id), bytes })
    }

    /// A key as it was kept.
    pub fn new(id: KeyId, bytes: [u8; KEY]) -> Self {
        Self { id, bytes }
    }

    /// Which key it is.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The key itself, for whoever keeps it.
    pub fn reveal(&self) -> &[u8; KEY] {
        &self.bytes
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DataKey").field(&self.id).finish()
    }
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kept {
    /// Here it is.
    Key(DataKey),
    /// It was forgotten: nobody can read what is encrypted with it.
    Forgotten,
    /// It was never here.
    Unknown,
}

/// Keeps a key for each subject: the person, or whoever else, whose data is in events.
///
/// Implementations MUST
/// - answer [`current`](Self::current) with a key only once it outlives what the events outlive: events whose key was lost
///   have lost their personal fields;
/// - answer it with one key for a subject, however many ask at once, and make a new one after the subject was forgotten;
/// - once [`forget`](Self::forget) has answered `Ok`, give no key of the subject to anybody, and have none of its bytes
///   anywhere: no log, no cache, no page of a file that is free;
/// - remember that there was a key of this id, so that what was erased is told from what is lost.
///
/// The well-known mistake: a backup of the keys beside that of the events. What is restored from both was not erased.
#[async_trait]
pub trait Keys: Send + Sync + 'static {
    /// The key of this subject, made if there is none.
    ///
    /// # Errors
    /// The keys cannot be read or written.
    async fn current(&self, subject: &str) -> Result<DataKey, StoreError>;

    /// The key of this subject that has this id.
    ///
    /// # Errors
    /// The keys cannot be read. `Damaged`, or `Unreadable`, is about this key alone: subscriptions give up on its events. Of
    /// any other kind, it is about all of them: events wait.
    async fn find(&self, subject: &str, id: KeyId) -> Result<Kept, StoreError>;

    /// Lets nobody have the keys of this subject any more. A subject without keys is forgotten already.
    ///
    /// # Errors
    /// The keys cannot be written: they may be there still, so try again.
    ///
    /// # Cancel safety
    /// A future that is dropped may have forgotten them, or not.
    async fn forget(&self, subject: &str) -> Result<(), StoreError>;
}

/// Shared keys are keys.
#[async_trait]
impl<K: Keys + ?Sized> Keys for Arc<K> {
    async fn current(&self, subject: &str) -> Result<DataKey, StoreError> {
        (**self).current(subject).await
    }

    async fn find(&self, subject: &str, id: KeyId) -> Result<Kept, StoreError> {
        (**self).find(subject, id).await
    }

    async fn forget(&self, subject: &str) -> Result<(), StoreError> {
        (**self).forget(subject).await
    }
}
