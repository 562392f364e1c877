//! The verdict of the gate is what codecs do that tegami generates: each kind of edit once, compiled.
//!
//! `proto/old.proto` and `proto/new.proto` have one event for each edit. Every value of a pool that an event of one side
//! can be is written by its codec, in both encodings, and read by the codec of the other side.

mod contracts {
    tegami::include_contracts!();
}

use std::{collections::BTreeSet, fs, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use contracts::{new::v1 as new, old::v1 as old};
use serde_json::{Map, Value, json};
use tegami::{
    Event,
    codec::{self, Payload},
};
use tegami_codegen::{Check, Direction, Encoding, Report};

/// What a field may be tried with; what a contract does not take is left out.
fn pool() -> Vec<Value> {
    vec![
        json!(""),
        json!("a"),
        json!("ab"),
        json!("abc"),
        json!("abcd"),
        json!("abcde"),
        json!("abz"),
        json!("/w=="),
        json!(0),
        json!(1),
        json!(2),
        json!(5),
        json!(9),
        json!(10),
        json!(-1),
        json!(i32::MIN),
        json!(4294967295_u32),
        json!("9007199254740993"),
        json!("-9007199254740993"),
        json!("18446744073709551615"),
        json!(true),
        json!(false),
        json!(1.5),
        json!(0.1),
        json!("NONE"),
        json!("SMALL"),
        json!("LARGE"),
        json!([]),
        json!(["abc"]),
        json!(["abc", "b"]),
        json!([1]),
        json!([1, 2]),
        json!({ "1": "x" }),
        json!({ "9000000000": "x" }),
        json!({ "k": 5 }),
        json!({ "k": "x" }),
        json!({ "name": "abc" }),
        json!({ "name": "a", "count": 3 }),
    ]
}

/// Every event of this type that the pool makes.
fn events<E: Event>() -> Vec<E> {
    let others = [None, Some(json!("x")), Some(json!(3))];
    let names = ["a", "z"];
    let mut events: Vec<E> = Vec::new();
    for value in pool().into_iter().map(Some).chain([None]) {
        for (other, name) in others.iter().flat_map(|other| names.map(|name| (other, name))) {
            let members = value.iter().map(|value| (name, value)).chain(other.iter().map(|other| ("b", other)));
            let json: Map<_, _> = members.map(|(name, value)| (name.to_owned(), value.clone())).collect();
            let payload =
                Payload { encoding: tegami::event::Encoding::Json, bytes: Value::from(json).to_string().into() };
            events.extend(codec::decode::<E>(&payload).ok().filter(|event| !events.contains(event)));
        }
    }
    events
}

/// An event as JSON, by the contract's names.
fn fields(event: &impl Event) -> Map<String, Value> {
    let Value::Object(members) = serde_json::to_value(event).unwrap() else { panic!("an event is an object") };
    members.into_iter().map(|(name, value)| (name.replace('z', "a"), value)).collect()
}

fn names<E: Event>(events: &[E]) -> BTreeSet<String> {
    events.iter().flat_map(|event| fields(event).into_iter().map(|(name, _)| name)).collect()
}

/// The same value, however JSON writes it by one type and by the other; what is absent is the default.
fn is_same(meant: Option<&Value>, got: Option<&Value>) -> bool {
    let form = |value: Option<&Value>| match value {
        None | Some(Value::Null | Value::Bool(false)) => json!(0),
        Some(Value::Bool(true)) => json!(1),
        Some(Value::String(text)) => match text.as_str() {
            "" | "NONE" => json!(0),
            "SMALL" => json!(1),
            "LARGE" => json!(2),
            text => text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number)),
        },
        Some(Value::Array(items)) if items.is_empty() => json!(0),
        Some(other) => other.clone(),
    };
    // Text that is read as bytes.
    let bytes = got.and_then(Value::as_str).and_then(|text| BASE64_STANDARD.decode(text).ok());
    let is_bytes =
        bytes.is_some_and(|bytes| meant.and_then(Value::as_str).is_some_and(|text| text.as_bytes() == bytes));
    let (meant, got) = (form(meant), form(got));
    meant == got || is_bytes || meant.is_object() && without_zeros(&meant) == without_zeros(&got)
}

/// Numbers of 64 bits are text, in maps too.
fn without_zeros(value: &Value) -> Value {
    value.as_object().map_or_else(
        || value.clone(),
        |members| {
            members
                .iter()
                .filter(|(_, value)| !is_same(Some(value), None))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect()
        },
    )
}

/// What became of the data, if anything did.
fn happened<W: Event, R: Event>(encoding: Encoding, direction: Direction) -> Option<String> {
    let (written, known) = (events::<W>(), events::<R>());
    assert!(written.len() > 1 && known.len() > 1, "{} has no values", W::CONTRACT.name);
    let (writes, reads) = (names(&written), names(&known));
    if direction == Direction::OldReadsNew && !reads.is_subset(&writes) {
        return Some("a field is never written".to_owned());
    }
    let encoding = match encoding {
        Encoding::Protobuf => tegami::event::Encoding::Protobuf,
        _ => tegami::event::Encoding::Json,
    };
    written.iter().find_map(|event| {
        let payload = codec::encode(event, encoding).unwrap();
        let Ok(read) = codec::decode::<R>(&payload) else { return Some(format!("{event:?} was refused")) };
        let (meant, got) = (fields(event), fields(&read));
        let is_wrong = |name: &&String| !is_same(meant.get(*name), got.get(*name));
        reads.intersection(&writes).find(is_wrong).map(|_| format!("{event:?} was read as {read:?}"))
    })
}

/// What the gate says, in one encoding.
fn report(encoding: Encoding) -> Report {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled");
    for side in ["old", "new"] {
        fs::create_dir_all(folder.join(side)).unwrap();
        let text = fs::read_to_string(format!("proto/{side}.proto")).unwrap();
        fs::write(folder.join(side).join("events.proto"), text.replace("PACKAGE", "compat.v1")).unwrap();
    }
    let check = Check::of(folder.join("new")).against(folder.join("old").to_string_lossy());
    check.encoding(encoding).run().unwrap()
}

/// What the gate says and nothing here shows, and why.
const OVER_CAREFUL: [(&str, Direction, &str); 2] = [
    (
        ".Pattern",
        Direction::OldReadsNew,
        "patterns are compared as texts: that the new one is the narrower it does not see",
    ),
    (
        ".TextToBytes",
        Direction::OldReadsNew,
        "what is read is the text, and it means bytes: the JSON alone does not tell",
    ),
];

fn judge<O: Event, N: Event>(report: &Report, encoding: Encoding, wrong: &mut Vec<String>) {
    let name = O::CONTRACT.name.replace("old.v1", "compat.v1");
    for direction in [Direction::NewReadsOld, Direction::OldReadsNew] {
        let is_told =
            |finding: &&tegami_codegen::Finding| finding.event == name && finding.directions.contains(&direction);
        let said = report.breaking().find(is_told).map(|finding| finding.rule.id);
        let happened = match direction {
            Direction::NewReadsOld => happened::<O, N>(encoding, direction),
            _ => happened::<N, O>(encoding, direction),
        };
        let is_known = OVER_CAREFUL.iter().any(|(event, known, _)| name.ends_with(event) && *known == direction);
        if said.is_some() != happened.is_some() && !(is_known && said.is_some()) {
            wrong.push(format!("{name}, {direction:?} in {encoding:?}: said {said:?}, happened {happened:?}"));
        }
    }
}

macro_rules! judge_all {
    // One call for each pair of types of the same name.
    ($report:expr, $encoding:expr, $wrong:expr; $($event:ident)*) => {
        $(judge::<old::$event, new::$event>($report, $encoding, $wrong);)*
    };
}

#[test]
fn the_verdict_is_what_generated_codecs_do() {
    let mut wrong = Vec::new();
    for encoding in [Encoding::Protobuf, Encoding::Json] {
        let report = report(encoding);
        judge_all!(
            &report, encoding, &mut wrong;
            FieldAdded FieldRemoved RequiredAdded Required NumberChanged NumbersExchanged Widened BoundedWidened Zigzag
            Signed Unsigned TextToNumber TextToBytes FloatToDouble TruthToNumber OneToMany NumberToMany PlainToOptional
            IntoOneof OneIntoOneof OutOfOneof Longer Bounds Pattern EnumToNumber EnumSmaller EnumOther MapKey MapValue
            Inside JsonName Items
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
