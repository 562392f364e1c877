//! What an envelope costs: instructions to encode and to decode a message, beside bare serde_json and bare prost.
//!
//! A name ends with how many times it is done, see `messages.rs`.

use std::{hint::black_box, time::SystemTime};

use gungraun::{library_benchmark, library_benchmark_group, main};
use prost::Message as _;
use tegami::{
    Event,
    envelope::{CloudEvents, Envelope, Head, JsonBase, Message, MessageId, ProtobufBase, Raw},
};
use tegami_benches::{
    counting,
    event::{Bare, OrderPaid, bare, order},
};

/// Something to do so many times.
type Work = (usize, Box<dyn Fn()>);

fn work(times: usize, once: impl Fn() + 'static) -> Work {
    (times, Box::new(once))
}

/// The message as a publisher makes it.
fn message() -> Message<OrderPaid> {
    let order = order();
    let head = Head::new()
        .id(MessageId::parse("8ff55b4c-1b4d-4b4a-9a45-2d8b0e4f6a7b").expect("an id"))
        .event(OrderPaid::CONTRACT.name)
        .time(SystemTime::UNIX_EPOCH + std::time::Duration::new(1_795_224_550, 768_429_517))
        .service("billing")
        .instance("1f0c6a2e-94a3-4d5e-8f57-0a1c52b7d6e9")
        .topic(OrderPaid::CONTRACT.topic)
        .key(order.order_id.clone())
        .attributes(order.attributes().with("tegami-event", OrderPaid::CONTRACT.name));
    Message::new(head, order)
}

fn encoding(times: usize, envelope: impl Envelope) -> Work {
    let message = message();
    work(times, move || drop(black_box(envelope.encode(black_box(&message)).expect("it has a form"))))
}

fn decoding(times: usize, envelope: impl Envelope) -> Work {
    let sealed = envelope.encode(&message()).expect("it has a form");
    work(times, move || drop(black_box(envelope.decode::<OrderPaid>(black_box(&sealed)).expect("it is one"))))
}

fn encoding_json(times: usize) -> Work {
    let order = bare();
    work(times, move || drop(black_box(serde_json::to_vec(black_box(&order)).expect("it has a form"))))
}

fn decoding_json(times: usize) -> Work {
    let text = serde_json::to_vec(&bare()).expect("it has a form");
    work(times, move || drop(black_box(serde_json::from_slice::<Bare>(black_box(&text)).expect("it is one"))))
}

fn encoding_protobuf(times: usize) -> Work {
    let order = bare();
    work(times, move || drop(black_box(black_box(&order).encode_to_vec())))
}

fn decoding_protobuf(times: usize) -> Work {
    let bytes = bare().encode_to_vec();
    work(times, move || drop(black_box(Bare::decode(black_box(bytes.as_slice())).expect("it is one"))))
}

#[library_benchmark]
#[bench::serde_json_100(encoding_json(100))]
#[bench::serde_json_200(encoding_json(200))]
#[bench::json_base_100(encoding(100, JsonBase::default()))]
#[bench::json_base_200(encoding(200, JsonBase::default()))]
#[bench::cloud_events_100(encoding(100, CloudEvents::default()))]
#[bench::cloud_events_200(encoding(200, CloudEvents::default()))]
#[bench::raw_json_100(encoding(100, Raw::json()))]
#[bench::raw_json_200(encoding(200, Raw::json()))]
#[bench::prost_100(encoding_protobuf(100))]
#[bench::prost_200(encoding_protobuf(200))]
#[bench::protobuf_base_100(encoding(100, ProtobufBase::default()))]
#[bench::protobuf_base_200(encoding(200, ProtobufBase::default()))]
#[bench::raw_protobuf_100(encoding(100, Raw::protobuf()))]
#[bench::raw_protobuf_200(encoding(200, Raw::protobuf()))]
fn encode((times, once): Work) {
    counting::counted(&mut || (0..times).for_each(|_| once()));
}

#[library_benchmark]
#[bench::serde_json_100(decoding_json(100))]
#[bench::serde_json_200(decoding_json(200))]
#[bench::json_base_100(decoding(100, JsonBase::default()))]
#[bench::json_base_200(decoding(200, JsonBase::default()))]
#[bench::cloud_events_100(decoding(100, CloudEvents::default()))]
#[bench::cloud_events_200(decoding(200, CloudEvents::default()))]
#[bench::raw_json_100(decoding(100, Raw::json()))]
#[bench::raw_json_200(decoding(200, Raw::json()))]
#[bench::prost_100(decoding_protobuf(100))]
#[bench::prost_200(decoding_protobuf(200))]
#[bench::protobuf_base_100(decoding(100, ProtobufBase::default()))]
#[bench::protobuf_base_200(decoding(200, ProtobufBase::default()))]
#[bench::raw_protobuf_100(decoding(100, Raw::protobuf()))]
#[bench::raw_protobuf_200(decoding(200, Raw::protobuf()))]
fn decode((times, once): Work) {
    counting::counted(&mut || (0..times).for_each(|_| once()));
}

library_benchmark_group!(name = envelopes, benchmarks = [encode, decode]);
main!(config = counting::instructions(), library_benchmark_groups = envelopes);
