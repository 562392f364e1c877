//! The key that other keys are wrapped with, so that a file of keys alone opens nothing.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use super::{DataKey, KEY, KeyId, seal};
use crate::{
    Secret,
    store::{StoreError, StoreErrorKind},
};

/// How many bytes tell one master key from another.
const NAME: usize = 8;

/// The key that other keys are wrapped with: 32 random bytes, as base64. `openssl rand -base64 32` makes one.
///
/// It belongs into the settings or the environment, as a secret, and not beside the keys. Its `Debug` hides it.
///
/// # Examples
/// ```
/// use tegami::{Secret, store::MasterKey};
///
/// let setting = Secret::new("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
/// let master = MasterKey::parse(&setting)?;
/// # assert!(MasterKey::parse(&Secret::new("short")).is_err());
/// # Ok::<(), tegami::store::StoreError>(())
/// ```
#[derive(Clone)]
pub struct MasterKey {
    bytes: [u8; KEY],
    former: Vec<[u8; KEY]>,
}

impl MasterKey {
    /// The key that this secret is.
    ///
    /// # Errors
    /// `Invalid`: it is not 32 bytes as base64.
    pub fn parse(secret: &Secret) -> Result<Self, StoreError> {
        let bytes = STANDARD.decode(secret.reveal().trim()).ok().and_then(|bytes| bytes.try_into().ok());
        let bytes = bytes.ok_or_else(|| {
            let text = format!("the master key is not {KEY} bytes as base64: `openssl rand -base64 {KEY}` makes one");
            StoreError::new(StoreErrorKind::Invalid, text)
        })?;
        Ok(Self { bytes, former: Vec::new() })
    }

    /// Opens also what this one has wrapped, which was the master key before.
    #[must_use]
    pub fn formerly(mut self, former: Self) -> Self {
        self.former.push(former.bytes);
        self.former.extend(former.former);
        self
    }

    /// What tells this key from others, and nothing of it.
    pub(in crate::store) fn name(&self) -> [u8; NAME] {
        name(&self.bytes)
    }

    /// Is it, or was it, the key of this name?
    pub(in crate::store) fn knows(&self, name: &[u8]) -> bool {
        self.named(name).is_some()
    }

    fn named(&self, wanted: &[u8]) -> Option<&[u8; KEY]> {
        [&self.bytes].into_iter().chain(&self.former).find(|bytes| name(bytes) == wanted)
    }

    /// The key of a subject, wrapped.
    pub(in crate::store) fn wrap(&self, subject: &str, key: &DataKey) -> Result<Vec<u8>, StoreError> {
        seal::seal(&self.bytes, &beside(subject, key.id()), key.reveal())
    }

    /// The key of a subject, as the master key of this name has wrapped it; `None`, if it has not.
    pub(in crate::store) fn unwrap(&self, name: &[u8], subject: &str, id: KeyId, wrapped: &[u8]) -> Option<DataKey> {
        let bytes = seal::open(self.named(name)?, &beside(subject, id), wrapped)?;
        Some(DataKey::new(id, bytes.try_into().ok()?))
    }
}

fn beside(subject: &str, id: KeyId) -> Vec<u8> {
    seal::bound(&[b"tegami key 1", id.as_bytes(), subject.as_bytes()])
}

fn name(bytes: &[u8; KEY]) -> [u8; NAME] {
    let hash = Sha256::new().chain_update(b"tegami master key").chain_update(bytes).finalize();
    hash[..NAME].try_into().expect("a hash is longer")
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey")
    }
}
