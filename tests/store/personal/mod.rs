//! K-03 and erasure: what is personal in events is told by nobody, is in no file, and is gone with its key.

mod erasure;
mod keys;
mod refused;
mod tampered;

use std::collections::BTreeMap;

use tegami::{
    event::Upcast,
    store::{Append, EventStore, Position, Query, Recorded, Store, StreamId, Version},
};

use crate::contracts::shop::customers::v1::{
    Address, CustomerRegistered, GuestInvited,
    customer_registered::ToldBy,
    guest_invited::{Diet, Other, Pays, pays},
};

/// How each canary begins.
const CANARY: &str = "canary-";
/// One that is a number.
const NUMBER: i64 = 4_111_111_111_111_111;
/// A time that nobody else has, in seconds.
const BORN: i64 = 1_234_567_891;

fn canary(name: &str) -> String {
    format!("{CANARY}{name}")
}

fn address(name: &str) -> Address {
    Address { street: canary(name), city: "Bonn".to_owned() }
}

/// A customer with a canary in every field that is personal.
fn registered() -> CustomerRegistered {
    CustomerRegistered {
        customer_id: "c-1".to_owned(),
        country: "DE".to_owned(),
        email: canary("@"),
        nickname: Some(canary("nickname")),
        home: Some(address("home")),
        others: vec![address("first"), Address::default(), address("third")],
        named: BTreeMap::from([("a/b~c".to_owned(), address("named"))]),
        born: Some(tegami::types::Timestamp { seconds: BORN, nanos: 0 }),
        phones: vec![canary("phone"), canary("other phone")],
        tax_number: NUMBER,
        told_by: Some(ToldBy::Fax(canary("fax"))),
    }
}

fn bare_address() -> Address {
    Address { street: String::new(), city: "Bonn".to_owned() }
}

/// What is left of the customer.
fn forgotten() -> CustomerRegistered {
    CustomerRegistered {
        customer_id: "c-1".to_owned(),
        country: "DE".to_owned(),
        home: Some(bare_address()),
        others: vec![bare_address(), Address::default(), bare_address()],
        named: BTreeMap::from([("a/b~c".to_owned(), bare_address())]),
        told_by: Some(ToldBy::Fax(String::new())),
        ..CustomerRegistered::default()
    }
}

/// A guest with a canary in every property that is personal.
fn invited() -> GuestInvited {
    GuestInvited {
        guest_id: "c-1".to_owned(),
        evening: "monday".to_owned(),
        name: canary("name"),
        age: NUMBER,
        born: tegami::types::Timestamp { seconds: BORN, nanos: 0 },
        diet: Some(Diet::Vegan),
        others: vec![Other { name: canary("other"), seat: 3 }],
        pays: Some(Pays::Card(pays::Card { number: canary("card") })),
    }
}

/// What is left of the guest.
fn uninvited() -> GuestInvited {
    GuestInvited {
        name: String::new(),
        age: 0,
        born: tegami::types::Timestamp::default(),
        diet: None,
        others: vec![Other { name: String::new(), seat: 3 }],
        pays: Some(Pays::Card(pays::Card { number: String::new() })),
        ..invited()
    }
}

impl Upcast<GuestInvited> for CustomerRegistered {
    fn upcast(old: GuestInvited) -> Self {
        Self { customer_id: old.guest_id, country: "FR".to_owned(), email: format!("{}@", old.name), ..Self::default() }
    }
}

tegami::event_set! {
    #[derive(Debug, Clone, PartialEq)]
    enum Known {
        Customer(CustomerRegistered),
        Guest(GuestInvited),
    }
}

fn stream() -> StreamId {
    StreamId::of("customer", "c-1").expect("it is a name")
}

/// Appends both.
async fn append_both(store: &Store) {
    let append = Append::to(stream()).event(&registered()).and_then(|append| append.event(&invited()));
    store.append(append.expect("they are valid")).await.expect("there are keys");
}

async fn read(store: &Store) -> Vec<(Known, bool)> {
    let read = store.read::<Known>(&stream(), Version::START).await.expect("they can be read");
    read.into_iter().map(|stored| (stored.event.clone(), stored.is_erased())).collect()
}

/// Everything that a store was given, as it keeps it.
async fn kept(store: &dyn EventStore) -> Vec<Recorded> {
    store.read_all(&Query::all(), Position::START, 100).await.expect("it can be read").events
}

/// An error with all its causes.
fn told(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(|error| format!("{error}: ")).collect()
}

/// Does a canary stand in these bytes: as text, as base64, as a number or a time, in text or in protobuf?
fn has_canary(bytes: &[u8]) -> bool {
    let mut numbers = Vec::new();
    prost::encoding::encode_varint(NUMBER as u64, &mut numbers);
    let mut time = Vec::new();
    prost::encoding::encode_varint(BORN as u64, &mut time);
    let texts = [CANARY.to_owned(), NUMBER.to_string(), "2009-02-13T23:31:31".to_owned(), "vegan".to_owned()];
    let base64 = ["Y2FuYXJ5", "NhbmFyeS", "jYW5hcnkt"].map(str::to_owned);
    let texts = texts.iter().chain(&base64).map(|text| text.as_bytes().to_vec());
    let has = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    texts.chain([numbers, time]).any(|part| has(&part))
}

#[test]
fn k03_debug_tells_nothing_personal_at_any_depth() {
    let append = Append::to(stream()).event(&registered()).and_then(|append| append.event(&invited()));
    let told = format!("{:?} {:#?} {:?} {:?}", registered(), invited(), Known::from(invited()), append);
    assert!(!told.contains(CANARY) && !told.contains(&NUMBER.to_string()), "{told}");
    assert!(!told.contains("Vegan") && !told.contains(&BORN.to_string()), "{told}");
    let fields = ["email: <personal>", "street: <personal>", "Fax(<personal>)", "city: \"Bonn\"", "seat: 3"];
    for field in fields {
        assert!(told.contains(field), "`{field}` in {told}");
    }
}

#[test]
fn k03_no_error_of_a_contract_quotes_what_is_personal() {
    use tegami::codec::{Payload, decode};
    let json = |text: String| Payload { encoding: tegami::event::Encoding::Json, bytes: text.into() };
    let canary = canary("x");
    for text in [
        format!(r#"{{"customerId":"c","email":"{canary}"}}"#),
        format!(r#"{{"customerId":"c","email":["{canary}"]}}"#),
        format!(r#"{{"customerId":"c","email":"@","born":"{canary}"}}"#),
        format!(r#"{{"customerId":"c","email":"@","taxNumber":"{canary}"}}"#),
        format!(r#"{{"customerId":"c","email":"@","taxNumber":{NUMBER}.5}}"#),
        format!(r#"{{"customerId":"c","email":"@","phones":{{"{canary}":1}}}}"#),
        format!(r#"{{"customerId":"c","email":"@","fax":{{"a":"{canary}"}}}}"#),
        format!(r#"{{"customerId":"c","email":"{canary}"#),
    ] {
        let error = decode::<CustomerRegistered>(&json(text.clone())).expect_err("it is wrong");
        let told = format!("{error:?} {}", told(&error));
        assert!(!told.contains(CANARY) && !told.contains(&NUMBER.to_string()), "{text}: {told}");
    }
    let whole = serde_json::to_value(invited()).expect("it has a form");
    for (place, value) in [
        ("/name", serde_json::json!([canary])),
        ("/age", serde_json::json!(canary)),
        ("/age", serde_json::json!(NUMBER as f64 + 0.5)),
        ("/born", serde_json::json!(canary)),
        ("/diet", serde_json::json!(canary)),
        ("/others/0/name", serde_json::json!({ "a": canary })),
        ("/pays/number", serde_json::json!([canary])),
    ] {
        let mut wrong = whole.clone();
        *wrong.pointer_mut(place).expect("it is there") = value;
        let error = decode::<GuestInvited>(&json(wrong.to_string())).expect_err("it is wrong");
        let told = format!("{error:?} {}", told(&error));
        assert!(!told.contains(CANARY) && !told.contains(&NUMBER.to_string()), "{place}: {told}");
    }
}
