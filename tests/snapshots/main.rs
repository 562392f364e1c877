//! The snapshots of generated code compile without a warning, and do what their contracts say.
#![deny(warnings)]

macro_rules! snapshots {
    // One module a snapshot; only a macro can take in a file.
    ($($name:ident: $path:literal),* $(,)?) => {$(
        mod $name {
            include!(concat!("../../codegen/tests/snapshots/", $path, "/expected.rs"));
        }
    )*};
}
snapshots! {
    event: "event",
    keywords: "keywords",
    enums: "enum",
    enum_alias: "enum_alias",
    oneof: "oneof_and_map",
    nested: "nested_and_optional",
    well_known: "well_known",
    rules: "rules",
    json_schema_event: "json_schema_event",
    json_schema_refs: "json_schema_refs",
    json_schema_rules: "json_schema_rules",
    json_schema_union: "json_schema_union",
    json_schema_times: "json_schema_times",
}

use std::collections::BTreeMap;

use enums::shop::parcels::v2::{Carrier, ParcelShipped};
use json_schema_times::shop::diaries::v1::Diary;
use nested::shop::{money::v1::Amount, v1::Category};
use oneof::shop::v1::{Account, Basket, basket::Payment};
use rules::shop::v1::{Customer, customer::Contact};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tegami::{
    __private::{Check, json::EnumNames, prost::Message, prost_types::Timestamp},
    Event,
};
use well_known::shop::v1::Everything;

/// The value comes back from its JSON and from its bytes.
#[track_caller]
fn returns<T: Message + Default + Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T, json: Value) {
    assert_eq!(serde_json::to_value(value).unwrap(), json);
    assert_eq!(&serde_json::from_value::<T>(json).unwrap(), value);
    assert_eq!(&T::decode(value.encode_to_vec().as_slice()).unwrap(), value);
}

#[test]
fn enums_are_written_by_name() {
    let shipped = ParcelShipped::builder().carrier(Carrier::Self_).build();
    returns(&shipped, json!({ "carrier": "CARRIER_SELF" }));
    assert_eq!(shipped.attributes().text("carrier"), Some("CARRIER_SELF"));
    assert!(ParcelShipped::carrier().is(Carrier::Self_).policy().matches(&shipped.attributes()));
}

#[test]
fn one_member_of_a_oneof_is_written() {
    let basket = Basket::builder().payment(Payment::Account(Account::default())).amounts([("a".to_owned(), 2)]).build();
    returns(&basket, json!({ "account": {}, "amounts": { "a": 2 } }));
    assert!(serde_json::from_value::<Basket>(json!({ "account": {}, "card_number": "1" })).is_err());
    assert!(format!("{basket:?}").contains("amounts: {\"a\": 2}"));
}

#[test]
fn messages_hold_themselves_and_those_of_other_packages() {
    let parent = Category::builder().price(Amount::builder().value(1.5).build()).build();
    let category = Category::builder().parent(parent).build();
    returns(&category, json!({ "parent": { "price": { "value": 1.5 } } }));
}

#[test]
fn well_known_types_have_their_own_json() {
    let everything = Everything::builder().note("x").count(5).nothing(()).build();
    returns(&everything, json!({ "note": "x", "count": "5", "nothing": {} }));
}

#[test]
fn every_broken_rule_is_found() {
    let child = Customer::builder().email("no address").age(17).contact(Contact::Phone("1".into())).build();
    let customer = Customer::builder().email("").age(18).friends([child]).build();
    let invalid = Check::run(&customer).unwrap_err();
    let expected = "`email` is empty, `email` does not match `^[^@]+@[^@]+$`, \
                    `friends.0.email` does not match `^[^@]+@[^@]+$`, `friends.0.age` is less than 18, \
                    `friends.0.phone` is shorter than 5";
    assert_eq!(invalid.to_string(), expected);
    assert_eq!(
        Check::run(&Customer { email: "a@b".into(), ..Customer::default() }).unwrap_err().to_string(),
        "`age` is missing"
    );
    assert!(Check::run(&Customer::builder().email("a@b").age(18).build()).is_ok());
}

#[test]
fn a_time_that_comes_twice_is_found() {
    let at = |seconds| Timestamp { seconds, nanos: 0 };
    let twice = Check::run(&Diary::builder().visits([at(1), at(2), at(1)]).build()).unwrap_err();
    assert_eq!(twice.to_string(), "`visits` has an item twice");
    let week = |seconds| BTreeMap::from([("monday".to_owned(), at(seconds))]);
    let weeks = Diary::builder().visits([]).weeks([week(1), week(1)]).build();
    assert_eq!(Check::run(&weeks).unwrap_err().to_string(), "`weeks` has an item twice");
    assert!(Check::run(&Diary::builder().visits([at(1), at(2)]).weeks([week(1), week(2)]).build()).is_ok());
    // JSON cannot say these: that is told where they are written, and they are two.
    assert!(Check::run(&Diary::builder().visits([at(i64::MAX), at(i64::MIN)]).build()).is_ok());
}

#[test]
fn keywords_are_names_too() {
    use keywords::shop::r#type::v1::{Match, r#match::In};
    let inner = Match::builder().r#type("x").build();
    let outer = Match::builder().self_("y").r#in(In::A(Box::new(inner))).build();
    returns(&outer, json!({ "self": "y", "A": { "type": "x" } }));
}

#[test]
fn older_names_of_an_enum_are_read() {
    use enum_alias::shop::v1::Size;
    assert_eq!((Size::number("SIZE_SMALL"), Size::number("SIZE_LITTLE")), (Some(1), Some(1)));
    assert_eq!(Size::name(1), Some("SIZE_SMALL"));
}

#[test]
fn ordered_events_say_so() {
    assert!(event::shop::orders::v1::OrderPaid::CONTRACT.ordered);
}

#[test]
fn rules_and_comments_are_in_the_schema() {
    let schema = serde_json::to_value(tegami::__private::json::schema_of::<Customer>()).unwrap();
    assert_eq!(schema["required"], json!(["email", "age"]));
    let email = json!({ "type": "string", "minLength": 1, "pattern": "^[^@]+@[^@]+$" });
    assert_eq!(schema["properties"]["email"], email);
    assert_eq!(schema["properties"]["phone"], json!({ "type": "string", "minLength": 5 }));
    let age = &schema["properties"]["age"];
    assert_eq!((&age["minimum"], &age["maximum"]), (&json!(18), &json!(150)));
    let paid = serde_json::to_value(event::shop::orders::v1::OrderPaid::schema()).unwrap();
    assert!(paid["description"].as_str().unwrap().starts_with("An order has been paid in full."));
}

#[test]
fn types_of_both_kinds_have_a_schema() {
    use json_schema_refs::shop::{common::v1::Money, orders::v1::OrderPlaced};
    fn name<T: tegami::__private::schemars::JsonSchema>() -> String {
        T::schema_name().into_owned()
    }
    assert_eq!(name::<Money>(), "shop.common.v1.Money");
    assert_eq!(name::<OrderPlaced>(), "shop.orders.v1.OrderPlaced");
    assert_eq!(name::<Customer>(), "shop.v1.Customer");
    let schema = tegami::__private::json_schema::schema_of::<OrderPlaced>();
    let total = &serde_json::to_value(schema).unwrap()["properties"]["total"];
    assert_eq!(total["$ref"], "#/$defs/shop.common.v1.Money");
}
