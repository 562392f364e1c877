//! An event's bytes in two parts, for stores that keep what is personal apart from the rest.

use std::{collections::BTreeMap, fmt};

use serde_json::{Value, value::RawValue};

use super::{
    DecodeError, DecodeErrorKind, Payload, decode,
    personal::{strayed, value, walked, written},
    preferred, read,
};
use crate::{
    contract::{Contract, PersonalFields},
    event::{Deed, Encoding, Event, Format, Parts},
};

/// An event in two parts.
#[cfg_attr(not(feature = "store"), expect(dead_code, reason = "only a store takes out, and puts back"))]
pub(crate) struct Parted {
    /// Whose data it is, if the contract says it.
    pub(crate) subject: Option<String>,
    /// The event without its personal values.
    pub(crate) bare: Payload,
    /// Those: JSON by JSON pointers. Empty, if there is none.
    pub(crate) personal: Vec<u8>,
}

/// What knows an event's type, where only its bytes are: takes it apart, and puts it together.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "store"), expect(dead_code, reason = "only a store takes out, and puts back"))]
pub struct Hands {
    pub(crate) contract: &'static Contract,
    pub(crate) fields: Option<&'static PersonalFields>,
    /// Whose data it is, read from what is not personal.
    pub(crate) subject: fn(&Payload) -> Result<Option<String>, DecodeError>,
    pub(crate) part: fn(&Payload) -> Result<Parted, DecodeError>,
    pub(crate) join: fn(&Payload, &[u8]) -> Result<Payload, DecodeError>,
}

impl Hands {
    /// For events of type `E`.
    pub fn of<E: Event>() -> Self {
        Self { contract: E::CONTRACT, fields: E::PERSONAL, subject: subject::<E>, part: part::<E>, join: join::<E> }
    }
}

impl fmt::Debug for Hands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hands").field(&self.contract.name).finish()
    }
}

fn subject<E: Event>(bare: &Payload) -> Result<Option<String>, DecodeError> {
    Ok(read::<E>(bare)?.subject().map(Into::into))
}

fn part<E: Event>(payload: &Payload) -> Result<Parted, DecodeError> {
    let mut event: E = decode(payload)?;
    let subject = event.subject().map(Into::into);
    let parts = match walked(&mut event, Deed::Take(Parts::new()))? {
        Deed::Take(parts) => parts,
        Deed::Put(_) | Deed::Find(_) => Parts::new(),
    };
    let personal = if parts.is_empty() { Vec::new() } else { serde_json::to_vec(&parts).expect("they are JSON") };
    Ok(Parted { subject, bare: written(&event, payload.encoding)?, personal })
}

fn join<E: Event>(bare: &Payload, personal: &[u8]) -> Result<Payload, DecodeError> {
    let no_parts = |_| {
        let text = format!("what was personal in a `{}` is not as it was written", E::CONTRACT.name);
        DecodeError::new(DecodeErrorKind::Undecodable, text)
    };
    let parts: Parts = serde_json::from_slice(personal).map_err(no_parts)?;
    let mut event: E = read(bare)?;
    let left = match walked(&mut event, Deed::Put(parts))? {
        Deed::Put(left) => left,
        Deed::Take(_) | Deed::Find(_) => Parts::new(),
    };
    // What is personal no longer by today's contract.
    if !left.is_empty() {
        event = with(&event, &left)?;
    }
    written(&event, preferred::<E>(bare.encoding))
}

/// The event with these values in its JSON. Those that its contract has no place for are left out.
fn with<E: Event>(event: &E, left: &BTreeMap<String, Box<RawValue>>) -> Result<E, DecodeError> {
    let mut json = value(&written(event, Encoding::Json)?)?;
    for (place, part) in left {
        let part = serde_json::from_str(part.get()).unwrap_or(Value::Null);
        let Some((around, name)) = place.rsplit_once('/') else { continue };
        let name = name.replace("~1", "/").replace("~0", "~");
        match json.pointer_mut(around) {
            Some(Value::Object(members)) => drop(members.insert(name, part)),
            Some(Value::Array(items)) => {
                let item = name.parse().ok().and_then(|n: usize| items.get_mut(n));
                item.into_iter().for_each(|item| *item = part.clone());
            }
            _ => {}
        }
    }
    <E::Format as Format<E>>::decode(json.to_string().as_bytes(), Encoding::Json).map_err(strayed::<E>)
}

#[cfg(test)]
mod tests {
    #[allow(dead_code, missing_docs, reason = "not every generated item is used here")]
    mod contracts {
        tegami::include_contracts!();
    }

    use contracts::shop::customers::v1::{Address, CustomerRegistered};

    use super::*;
    use crate::codec::encode;

    #[test]
    fn what_is_personal_no_longer_is_put_back_and_what_is_gone_is_left_out() {
        let home = Address { street: String::new(), city: "Bonn".to_owned() };
        let bare = CustomerRegistered::builder().customer_id("c-1").email("b@").others(vec![home]).build();
        let bare = encode(&bare, Encoding::Protobuf).expect("it is valid");
        let parts = br#"{"/email":"a@","/country":"FR","/others/0/city":"Ulm","/others/7/city":"Kiel","/gone/1":7}"#;
        let joined = join::<CustomerRegistered>(&bare, parts).expect("it is joined");
        let joined: CustomerRegistered = decode(&joined).expect("it is valid");
        let others: Vec<_> = joined.others.iter().map(|other| other.city.as_str()).collect();
        assert_eq!((&*joined.email, &*joined.country, &others[..]), ("a@", "FR", &["Ulm"][..]));
        assert!(join::<CustomerRegistered>(&bare, b"{").is_err());
    }
}
