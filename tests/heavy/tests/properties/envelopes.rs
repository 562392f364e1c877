//! Every envelope gives back what it was given: any event under any head, but for what the table says.

use std::time::{Duration, SystemTime};

use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
use prost::Message as _;
use prost_reflect::MessageDescriptor;
use serde_json::{Map, Value, json};
use tegami::{
    Event,
    codec::{self, Payload},
    envelope::{CloudEvents, Envelope, Head, JsonBase, Message, ProtobufBase, Raw, Sealed},
    event::Encoding,
};
use tegami_heavy_tests::heavy::{
    json::v1::EverythingHappened,
    v1::{Everything, EverythingTold},
};

use crate::{
    arbitrary::{Arbitrary, descriptor},
    cases,
    heads::{head, id},
};

/// What an envelope does not carry.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Lost {
    /// A time is a float of seconds.
    ShortestTimes,
    /// The first second of 1970 reads as no time.
    Epoch,
    /// An empty topic reads as none.
    EmptyTopic,
    /// An empty service or instance reads as none.
    EmptySource,
}

/// Everything else comes back. CloudEvents insist on an id and on an event name that is not empty.
const JSON_BASE: &[Lost] = &[Lost::ShortestTimes, Lost::EmptyTopic];
const PROTOBUF_BASE: &[Lost] = &[Lost::ShortestTimes, Lost::Epoch, Lost::EmptyTopic, Lost::EmptySource];
const CLOUD_EVENTS: &[Lost] = &[Lost::EmptySource];
const RAW: &[Lost] = &[];

/// The head as it comes back.
fn carried(mut head: Head, lost: &[Lost]) -> Head {
    if lost.contains(&Lost::Epoch) {
        head.time = head.time.filter(|time| *time != SystemTime::UNIX_EPOCH);
    }
    if lost.contains(&Lost::EmptyTopic) {
        head.topic = head.topic.filter(|topic| !topic.is_empty());
    }
    if lost.contains(&Lost::EmptySource) {
        head.source.service = head.source.service.filter(|name| !name.is_empty());
        head.source.instance = head.source.instance.filter(|uuid| !uuid.is_empty());
    }
    head
}

/// The most that a time may move: what two neighbouring floats of its size are apart.
fn step(time: SystemTime, lost: &[Lost]) -> Duration {
    if !lost.contains(&Lost::ShortestTimes) {
        return Duration::ZERO;
    }
    let epoch = SystemTime::UNIX_EPOCH;
    let distance = time.duration_since(epoch).or_else(|_| epoch.duration_since(time)).expect("one is later");
    distance.mul_f64(f64::EPSILON) + Duration::from_nanos(1)
}

/// Does the head say the same, and the same time as nearly as it can be told?
fn same(got: &Head, sent: Head, lost: &[Lost]) -> Result<(), String> {
    let mut expected = carried(sent, lost);
    if let (Some(got), Some(told)) = (got.time, expected.time) {
        let apart = got.duration_since(told).or_else(|_| told.duration_since(got)).expect("one is later");
        if apart > step(told, lost) {
            return Err(format!("{got:?} is {apart:?} from {told:?}"));
        }
        expected.time = Some(got);
    }
    if *got == expected { Ok(()) } else { Err(format!("{got:?} is not {expected:?}")) }
}

/// NaN differs from itself, so protobuf events are compared by their bytes.
fn bytes(event: &EverythingTold) -> Vec<u8> {
    event.encode_to_vec()
}

/// Draws messages from a seed.
struct Makes {
    arbitrary: Arbitrary,
    of: MessageDescriptor,
}

impl Makes {
    fn new(seed: u64, of: &MessageDescriptor) -> Self {
        Self { arbitrary: Arbitrary { rng: fastrand::Rng::with_seed(seed), entries: 3 }, of: of.clone() }
    }

    fn told(&mut self) -> EverythingTold {
        let binary = self.arbitrary.message(&self.of, 2).encode_to_vec();
        let everything = Everything::decode(binary.as_slice()).ok();
        EverythingTold {
            id: format!("o{}", self.arbitrary.text()),
            number: self.arbitrary.double(),
            everything,
            ..Default::default()
        }
    }

    fn happened(&mut self) -> EverythingHappened {
        let (arbitrary, mut members) = (&mut self.arbitrary, Map::new());
        let id = uuid(arbitrary.rng.u128(..));
        let required = json!({ "id": id, "colour": "red", "must_be_told": arbitrary.text() });
        let number = (arbitrary.rng.f64() + 1e-9).min(1.5);
        let optional = json!({
            "text": "äöü", "whole": arbitrary.rng.i64(-5..=10), "number": number, "flag": arbitrary.rng.bool(),
            "above": arbitrary.rng.i64(1..), "type": arbitrary.text(), "self": arbitrary.text(),
            "tags": [format!("{}a", arbitrary.text())], "grid": [[], [arbitrary.rng.i64(0..)]],
            "scores": { arbitrary.text(): -1 }, "nullable": arbitrary.rng.i64(..),
            "tree": { "name": format!("{}a", arbitrary.text()), "children": [{ "name": "c", "children": [] }] },
            "maybe_payment": null, "payment": { "kind": "split", "first": { "kind": "card", "digits": "1234" } },
            "when": "2026-02-28T10:00:00.123456789Z", "price": { "minor": arbitrary.rng.i64(..), "currency": "EUR" },
        });
        let Value::Object(optional) = optional else { unreachable!("an object") };
        members.extend(optional.into_iter().filter(|_| arbitrary.rng.u8(0..4) == 0));
        let Value::Object(required) = required else { unreachable!("an object") };
        members.extend(required);
        let bytes = serde_json::to_vec(&members).expect("JSON").into();
        codec::decode(&Payload { encoding: Encoding::Json, bytes }).expect("a valid event")
    }

    fn any_head(&mut self) -> Head {
        head(&mut self.arbitrary)
    }

    /// A head that CloudEvents take.
    fn named_head(&mut self) -> Head {
        let (head, id) = (self.any_head(), id(&mut self.arbitrary));
        head.id(id).event(format!("e{}", self.arbitrary.text()))
    }
}

fn uuid(bits: u128) -> String {
    let hex = format!("{bits:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// There and back: what arrived, and what travelled.
fn travel<E: Event>(envelope: &impl Envelope, head: Head, event: &E) -> (Message<E>, Sealed) {
    let sealed = envelope.encode(&Message::new(head, event.clone())).expect("a valid message");
    (envelope.decode(&sealed).expect("what we sealed"), sealed)
}

/// In half of the cases a protobuf event, in half one of a JSON Schema.
fn gives_back(envelope: impl Envelope, lost: &[Lost], head: fn(&mut Makes) -> Head) {
    let of = descriptor();
    proptest!(cases(10_000), |(seed in any::<u64>())| {
        let mut makes = Makes::new(seed, &of);
        let sent = head(&mut makes);
        let got = if seed % 2 == 0 {
            let told = makes.told();
            let (got, _) = travel(&envelope, sent.clone(), &told);
            prop_assert_eq!(bytes(&got.content), bytes(&told));
            got.head
        } else {
            let happened = makes.happened();
            let (got, _) = travel(&envelope, sent.clone(), &happened);
            prop_assert_eq!(got.content, happened);
            got.head
        };
        prop_assert_eq!(same(&got, sent, lost), Ok(()));
    });
}

#[test]
fn json_base_gives_back_what_it_was_given() {
    gives_back(JsonBase::default(), JSON_BASE, Makes::any_head);
}

#[test]
fn protobuf_base_gives_back_what_it_was_given() {
    gives_back(ProtobufBase::default(), PROTOBUF_BASE, Makes::any_head);
}

#[test]
fn cloud_events_in_json_give_back_what_they_were_given() {
    gives_back(CloudEvents::json(), CLOUD_EVENTS, Makes::named_head);
}

#[test]
fn cloud_events_in_protobuf_give_back_what_they_were_given() {
    gives_back(CloudEvents::protobuf(), CLOUD_EVENTS, Makes::named_head);
}

#[test]
fn raw_json_gives_back_what_it_was_given() {
    gives_back(Raw::json(), RAW, Makes::any_head);
}

#[test]
fn raw_protobuf_gives_back_what_it_was_given() {
    gives_back(Raw::protobuf(), RAW, Makes::any_head);
}

/// Fewer cases, for compressing takes its time in a debug build.
fn gives_back_compressed(envelope: impl Envelope, lost: &[Lost]) {
    let of = descriptor();
    proptest!(cases(100), |(seed in any::<u64>(), length in 60_000..80_000_usize)| {
        let mut makes = Makes::new(seed, &of);
        let sent = makes.any_head();
        let text = "the same again, ".chars().cycle().take(length).collect();
        let told = EverythingTold { text, ..makes.told() };

        let (got, sealed) = travel(&envelope, sent.clone(), &told);
        prop_assert!(sealed.body.len() < 30_000, "{} bytes", sealed.body.len());
        prop_assert_eq!(bytes(&got.content), bytes(&told));
        prop_assert_eq!(same(&got.head, sent, lost), Ok(()));
    });
}

#[test]
fn json_base_gives_back_what_it_compressed() {
    gives_back_compressed(JsonBase::default(), JSON_BASE);
}

#[test]
fn protobuf_base_gives_back_what_it_compressed() {
    gives_back_compressed(ProtobufBase::default(), PROTOBUF_BASE);
}
