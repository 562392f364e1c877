//! The checksum of a message. (A fingerprint is a contract's; this one tells whether a message arrived unchanged.)

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{envelope::Sealed, event::Value};

/// A hash over a message's body and its attributes: name, type and value of each, in any order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Checksum(Box<str>);

impl Checksum {
    /// The checksum of this message.
    pub fn of(sealed: &Sealed) -> Self {
        let mut hash = Sha256::new();
        part(&mut hash, "body", &sealed.body);
        let mut attributes: Vec<_> = sealed.attributes.iter().collect();
        attributes.sort_by_key(|(name, _)| *name);
        for (name, value) in attributes {
            part(&mut hash, "name", name.as_bytes());
            part(&mut hash, kind(value), value.to_string().as_bytes());
        }
        let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Self(hex.into())
    }
}

/// Hashes one part with what it is and its length, so that no two messages make the same bytes.
fn part(hash: &mut Sha256, what: &str, bytes: &[u8]) {
    for bytes in [what.as_bytes(), bytes] {
        hash.update(bytes.len().to_be_bytes());
        hash.update(bytes);
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Text(_) => "text",
        Value::Integer(_) => "integer",
        Value::Float(_) => "float",
        Value::Bool(_) => "bool",
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Attributes;

    fn checksum(body: &str, attributes: &[(&'static str, Value)]) -> Checksum {
        let with = |all: Attributes, (name, value): &(&'static str, Value)| all.with(*name, value.clone());
        let attributes = attributes.iter().fold(Attributes::new(), with);
        Checksum::of(&Sealed { body: body.to_owned().into(), attributes })
    }

    #[test]
    fn p9_order_of_attributes_does_not_count() {
        let (a, b) = (("a", Value::from("1")), ("b", Value::from(2)));
        assert_eq!(checksum("x", &[a.clone(), b.clone()]), checksum("x", &[b, a]));
    }

    #[test]
    fn p9_every_change_to_a_message_changes_its_checksum() {
        let all = [
            checksum("x", &[]),
            checksum("y", &[]),
            checksum("x", &[("a", Value::from("1"))]),
            checksum("x", &[("b", Value::from("1"))]),
            checksum("x", &[("a", Value::from("2"))]),
            checksum("x", &[("a", Value::from(1))]),
            checksum("x", &[("a", Value::from(1.0))]),
            checksum("x", &[("a", Value::from("1")), ("b", Value::from("1"))]),
            checksum("x", &[("ab", Value::from("1"))]),
        ];
        for (n, one) in all.iter().enumerate() {
            assert!(!all[n + 1..].contains(one), "{n} is there twice");
        }
    }
}
