//! Keys in the process's memory, for tests.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use super::{DataKey, Kept, KeyId, Keys};
use crate::store::StoreError;

/// Keeps keys until the process ends. Clones share them.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<BTreeMap<String, Subject>>>);

#[derive(Default)]
struct Subject {
    current: Option<DataKey>,
    forgotten: Vec<KeyId>,
}

impl Memory {
    /// No keys yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<String, Subject>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Keys for Memory {
    async fn current(&self, subject: &str) -> Result<DataKey, StoreError> {
        let mut held = self.held();
        let subject = held.entry(subject.to_owned()).or_default();
        match &subject.current {
            Some(key) => Ok(key.clone()),
            None => Ok(subject.current.insert(DataKey::draw()?).clone()),
        }
    }

    async fn find(&self, subject: &str, id: KeyId) -> Result<Kept, StoreError> {
        let held = self.held();
        let Some(subject) = held.get(subject) else { return Ok(Kept::Unknown) };
        Ok(match &subject.current {
            Some(key) if key.id() == id => Kept::Key(key.clone()),
            _ if subject.forgotten.contains(&id) => Kept::Forgotten,
            _ => Kept::Unknown,
        })
    }

    async fn forget(&self, subject: &str) -> Result<(), StoreError> {
        if let Some(subject) = self.held().get_mut(subject) {
            subject.forgotten.extend(subject.current.take().map(|key| key.id()));
        }
        Ok(())
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("subjects", &self.held().len()).finish()
    }
}
