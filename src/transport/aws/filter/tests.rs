//! What SNS is told: word by word, and at its limits.

use super::*;
use crate::{
    event::{BoolField, Filter, NumberField, Policy, TextField},
    transport::TransportErrorKind,
};

struct Paid;

fn text(name: &'static str) -> TextField<Paid> {
    TextField::new(name)
}

fn currency() -> TextField<Paid> {
    text("currency")
}

/// A number that its contract allows from 0 to 1,000.
fn share() -> NumberField<Paid> {
    NumberField::new("share").within(0, 1_000)
}

fn binding(event: &'static str, policy: Policy) -> Binding {
    Binding { topic: "shop".to_owned(), routing_key: event.to_owned(), event, by_name: true, policy }
}

fn wanted(filter: &Filter<Paid>) -> Binding {
    Binding { by_name: false, ..binding("shop.Paid", filter.policy().clone()) }
}

fn told(bindings: &[Binding]) -> Result<String, TransportError> {
    Ok(policy("billing", &Vec::from_iter(bindings))?.to_string())
}

fn alone(filter: Filter<Paid>) -> String {
    told(&[wanted(&filter)]).expect("within the limits")
}

#[test]
fn each_condition_is_told_in_the_words_sns_has() {
    for (filter, expected) in [
        (currency().is("EUR"), r#"{"currency":["EUR"]}"#),
        (currency().one_of(["USD", "EUR", "USD"]), r#"{"currency":["EUR","USD"]}"#),
        (currency().none_of(["EUR"]), r#"{"currency":[{"anything-but":["EUR"]},{"exists":false}]}"#),
        (currency().starts_with("E"), r#"{"currency":[{"prefix":"E"},{"exists":false}]}"#),
        (share().is(5), r#"{"share":[{"numeric":["=",5]}]}"#),
        (share().at_least(5), r#"{"share":[{"numeric":[">=",5]}]}"#),
        (share().at_most(5), r#"{"share":[{"numeric":["<=",5]}]}"#),
        (share().at_least(0.5).and(share().at_most(9.9)), r#"{"share":[{"numeric":[">=",1,"<=",9]}]}"#),
        (share().at_least(5).and(currency().is("EUR")), r#"{"currency":["EUR"],"share":[{"numeric":[">=",5]}]}"#),
    ] {
        let what = filter.policy().to_string();
        assert_eq!(alone(filter), expected, "{what}");
    }
}

#[test]
fn several_conditions_on_one_attribute_are_told_as_one_where_one_says_it() {
    let ten_to = |most: i128| share().at_least(10).and(share().at_most(u64::try_from(most).unwrap()));
    for (filter, expected) in [
        (currency().one_of(["EUR", "USD"]).and(currency().none_of(["USD"])), r#"{"currency":["EUR"]}"#),
        (currency().none_of(["USD"]).and(currency().one_of(["EUR", "USD"])), r#"{"currency":["EUR"]}"#),
        (currency().one_of(["EUR", "USD"]).and(currency().one_of(["USD", "SEK"])), r#"{"currency":["USD"]}"#),
        (currency().exists().and(currency().is("EUR")), r#"{"currency":["EUR"]}"#),
        (
            currency().none_of(["EUR"]).and(currency().none_of(["USD"])),
            r#"{"currency":[{"anything-but":["EUR","USD"]},{"exists":false}]}"#,
        ),
        (
            currency().starts_with("E").and(currency().starts_with("EU")),
            r#"{"currency":[{"prefix":"EU"},{"exists":false}]}"#,
        ),
        (ten_to(10), r#"{"share":[{"numeric":["=",10]}]}"#),
        (ten_to(20).and(ten_to(15)), r#"{"share":[{"numeric":[">=",10,"<=",15]}]}"#),
    ] {
        assert!(filter.policy().told().left.is_empty(), "{}", filter.policy());
        assert_eq!(alone(filter), expected);
    }
}

#[test]
fn what_sns_might_decide_otherwise_is_left_to_the_consumer() {
    let number = |least, most| NumberField::<Paid>::new("amount").within(least, most);
    let nothing: [&str; 0] = [];
    for filter in [
        // Beyond ±10^9 a number fits nothing, and most contracts allow it.
        NumberField::new("amount").at_least(10),
        NumberField::new("amount").is(0.5),
        number(0, 1_000_000_001).at_least(10),
        number(-1_000_000_001, 0).at_least(-10),
        number(0, u64::MAX.into()).at_most(10),
        // Nothing fits, or everything.
        share().at_least(5).and(share().at_most(4)),
        share().at_most(-1),
        share().at_least(f64::NAN),
        share().at_least(0),
        share().at_most(1_000),
        currency().one_of(nothing),
        currency().none_of(nothing),
        currency().starts_with(""),
        currency().is("EUR").and(currency().is("USD")),
        currency().is("EUR").and(currency().is_absent()),
        // In sight, or out of it.
        currency().exists(),
        currency().is_absent(),
        currency().is(""),
        currency().is("a\"b"),
        currency().is("a\\b"),
        currency().is("a\tb"),
        currency().one_of(["EUR", "\u{ffff}"]),
        currency().starts_with("\n"),
        // Truth values are read in more than one way.
        BoolField::new("flag").is(true),
        // No names of attributes, or words of the language.
        text("zip code").is("EUR"),
        text("a..b").is("EUR"),
        text("AWS.currency").is("EUR"),
        text("prefix").is("EUR"),
        text("$or").is("EUR"),
    ] {
        assert_eq!(filter.policy().told().left.len(), 1, "{}", filter.policy());
        assert_eq!(alone(filter), "{}");
    }
}

#[test]
fn of_several_conditions_one_is_told_where_one_cannot_say_them() {
    let filter = currency().starts_with("E").and(currency().none_of(["EUR"]));
    assert!(filter.policy().told().left.contains("currency"));
    assert_eq!(alone(filter), r#"{"currency":[{"prefix":"E"},{"exists":false}]}"#);
    let filter = share().at_least(5).and(share().is_absent());
    assert!(filter.policy().told().left.contains("share"));
    assert_eq!(alone(filter), r#"{"share":[{"numeric":[">=",5]}]}"#);
}

#[test]
fn all_that_a_queue_wants_of_a_topic_is_one_policy() -> Result<(), TransportError> {
    let euros = || currency().is("EUR").policy().clone();
    let all = |event| binding(event, Policy::default());
    assert_eq!(told(&[Binding { by_name: false, ..all("A") }])?, "{}");
    assert_eq!(told(&[all("A")])?, r#"{"tegami-event":["A"]}"#);
    assert_eq!(told(&[all("A"), all("B")])?, r#"{"tegami-event":["A","B"]}"#);
    assert_eq!(told(&[binding("A", euros())])?, r#"{"currency":["EUR"],"tegami-event":["A"]}"#);
    assert_eq!(
        told(&[all("A"), binding("B", euros()), all("C")])?,
        r#"{"$or":[{"currency":["EUR"],"tegami-event":["B"]},{"tegami-event":["A","C"]}]}"#
    );
    let left = BoolField::<Paid>::new("flag").is(true).policy().clone();
    assert_eq!(told(&[binding("A", euros()), binding("B", left)])?, told(&[binding("A", euros()), all("B")])?);
    assert_eq!(told(&[wanted(&currency().is("EUR")), Binding { by_name: false, ..all("A") }])?, "{}");
    Ok(())
}

#[test]
fn a_policy_is_known_again_however_it_is_written() -> Result<(), TransportError> {
    let all = policy("billing", &[&wanted(&currency().exists())])?;
    assert!(all.is_said_by("") && all.is_said_by("{}") && !all.is_said_by(r#"{"currency":["EUR"]}"#));
    let some = policy("billing", &[&wanted(&currency().one_of(["EUR", "USD"]).and(share().at_least(5)))])?;
    assert!(some.is_said_by(r#"{ "share": [{"numeric": [">=", 5]}], "currency": ["EUR", "USD"] }"#));
    assert!(!some.is_said_by("") && !some.is_said_by("{}") && !some.is_said_by("no JSON"));
    Ok(())
}

/// As many names, each of which must be this one text.
fn names(names: &[&'static str]) -> Policy {
    let filters = names.iter().map(|name| text(name).is("x"));
    filters.reduce(Filter::and).expect("a name").policy().clone()
}

/// As many texts.
fn texts(name: &'static str, count: usize) -> Filter<Paid> {
    text(name).one_of((0..count).map(|n| n.to_string()))
}

#[test]
fn k1_what_is_beyond_a_limit_of_sns_is_refused_by_name_and_what_is_at_it_is_not() {
    let bytes = |more| text("a").is("x".repeat(256 * 1024 - r#"{"a":[""]}"#.len() + more)).policy().clone();
    let plain = |policy| Binding { by_name: false, ..binding("shop.Paid", policy) };
    let several = |count| plain(texts("a", count).policy().clone());
    let product = |count| plain(texts("a", count).and(texts("b", 5)).policy().clone());
    let sum = |count| {
        let [a, b] = [texts("a", 75), texts("b", count)].map(|filter| filter.policy().clone());
        vec![binding("A", a), binding("B", b)]
    };
    for (at, beyond, said) in [
        (
            vec![binding("A", names(&["a", "b", "c", "d"]))],
            vec![binding("A", names(&["a", "b", "c", "d", "e"]))],
            "6 attributes, SNS takes 5",
        ),
        (
            vec![binding("A", names(&["a", "b"])), binding("B", names(&["c", "d"]))],
            vec![binding("A", names(&["a", "b"])), binding("B", names(&["c", "d", "e"]))],
            "6 attributes, SNS takes 5",
        ),
        (vec![several(150)], vec![several(151)], "151 combinations of values, SNS takes 150"),
        (vec![product(30)], vec![product(31)], "155 combinations of values, SNS takes 150"),
        (sum(75), sum(76), "151 combinations of values, SNS takes 150"),
        (vec![plain(bytes(0))], vec![plain(bytes(1))], "262145 bytes, SNS takes 262144"),
    ] {
        assert!(told(&at).is_ok(), "{said}");
        let error = told(&beyond).expect_err(said);
        assert_eq!(error.kind(), TransportErrorKind::Unsupported);
        let text = error.to_string();
        assert!(text.contains(said) && text.contains("`billing`") && text.contains(beyond[0].event), "{text}");
    }
}
