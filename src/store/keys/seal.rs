//! Encryption: XChaCha20-Poly1305, whose nonces are long enough to be drawn.

use chacha20poly1305::{
    Key, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};

use super::KEY;
use crate::store::{StoreError, StoreErrorKind};

/// How many bytes a nonce has.
const NONCE: usize = 24;

/// Fills the bytes with random numbers of the system's. Those of `Dice` will not do: tests know them beforehand.
pub(super) fn random(bytes: &mut [u8]) -> Result<(), StoreError> {
    getrandom::fill(bytes).map_err(|error| {
        StoreError::new(StoreErrorKind::Unreachable, "the system has no random numbers").caused_by(error)
    })
}

/// The text encrypted, behind a nonce; `beside` must be the same to open it.
pub(super) fn seal(key: &[u8; KEY], beside: &[u8], text: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut sealed = vec![0; NONCE];
    random(&mut sealed)?;
    let nonce = XNonce::try_from(sealed.as_slice()).expect("it is as long as a nonce");
    let encrypted = cipher(key).encrypt(&nonce, Payload { msg: text, aad: beside });
    sealed.extend(encrypted.map_err(|_| StoreError::new(StoreErrorKind::TooLarge, "it is too large to encrypt"))?);
    Ok(sealed)
}

/// The text; `None`, if the key is another, or anything was changed.
pub(super) fn open(key: &[u8; KEY], beside: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, encrypted) = sealed.split_at_checked(NONCE)?;
    let nonce = XNonce::try_from(nonce).ok()?;
    cipher(key).decrypt(&nonce, Payload { msg: encrypted, aad: beside }).ok()
}

fn cipher(key: &[u8; KEY]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&Key::from(*key))
}

/// The parts in one, so that no two lists of parts are the same.
pub(super) fn bound(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(*part);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_changed_anywhere_is_not_opened() {
        let (key, beside) = ([7; KEY], bound(&[b"a", b"bc"]));
        let sealed = seal(&key, &beside, b"text").expect("it is small");
        assert_eq!(open(&key, &beside, &sealed).as_deref(), Some(&b"text"[..]));
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(open(&key, &beside, &changed), None, "byte {place}");
            assert_eq!(open(&key, &beside, &sealed[..place]), None, "cut at {place}");
        }
        assert_eq!(open(&[8; KEY], &beside, &sealed), None);
        assert_eq!(open(&key, &bound(&[b"ab", b"c"]), &sealed), None);
        assert_ne!(seal(&key, &beside, b"text").expect("it is small"), sealed, "a nonce comes once");
    }
}
