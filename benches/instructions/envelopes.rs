//! What an envelope costs: instructions to encode and to decode a message, beside serde_json and prost alone, with the
//! event alone and with the whole body.
//!
//! A name ends with how many times it is done, see `messages.rs`.

use std::hint::black_box;

use gungraun::{library_benchmark, library_benchmark_group, main};
use prost::Message;
use serde::{Serialize, de::DeserializeOwned};
use tegami::envelope::{CloudEvents, Envelope, JsonBase, ProtobufBase, Raw};
use tegami_benches::{
    bodies::{CloudEvent, JsonBody, ProtobufBody},
    counting,
    event::{Bare, OrderPaid, bare, message},
};

/// Something to do so many times.
type Work = (usize, Box<dyn Fn()>);

fn work(times: usize, once: impl Fn() + 'static) -> Work {
    (times, Box::new(once))
}

fn encoding(times: usize, envelope: impl Envelope) -> Work {
    let message = message();
    work(times, move || drop(black_box(envelope.encode(black_box(&message)).expect("it has a form"))))
}

fn decoding(times: usize, envelope: impl Envelope) -> Work {
    let sealed = envelope.encode(&message()).expect("it has a form");
    work(times, move || drop(black_box(envelope.decode::<OrderPaid>(black_box(&sealed)).expect("it is one"))))
}

/// What the envelope wrote, read and written as a plain struct.
fn encoding_json<T: Serialize + DeserializeOwned + 'static>(times: usize, envelope: impl Envelope) -> Work {
    let value: T = serde_json::from_slice(&body(envelope)).expect("it is one");
    work(times, move || drop(black_box(serde_json::to_vec(black_box(&value)).expect("it has a form"))))
}

fn decoding_json<T: DeserializeOwned + 'static>(times: usize, envelope: impl Envelope) -> Work {
    let text = body(envelope);
    work(times, move || drop(black_box(serde_json::from_slice::<T>(black_box(&text)).expect("it is one"))))
}

fn encoding_protobuf(times: usize) -> Work {
    let order = bare();
    work(times, move || drop(black_box(black_box(&order).encode_to_vec())))
}

fn decoding_protobuf(times: usize) -> Work {
    let bytes = bare().encode_to_vec();
    work(times, move || drop(black_box(Bare::decode(black_box(&*bytes)).expect("it is one"))))
}

fn encoding_protobuf_body(times: usize) -> Work {
    let value = ProtobufBody::of_text(&body(ProtobufBase::default()));
    work(times, move || drop(black_box(black_box(&value).to_text())))
}

fn decoding_protobuf_body(times: usize) -> Work {
    let text = body(ProtobufBase::default());
    work(times, move || drop(black_box(ProtobufBody::of_text(black_box(&text)))))
}

fn body(envelope: impl Envelope) -> Vec<u8> {
    envelope.encode(&message()).expect("it has a form").body.into()
}

#[library_benchmark]
#[bench::serde_json_100(encoding_json::<Bare>(100, Raw::json()))]
#[bench::serde_json_200(encoding_json::<Bare>(200, Raw::json()))]
#[bench::raw_json_100(encoding(100, Raw::json()))]
#[bench::raw_json_200(encoding(200, Raw::json()))]
#[bench::json_body_100(encoding_json::<JsonBody>(100, JsonBase::default()))]
#[bench::json_body_200(encoding_json::<JsonBody>(200, JsonBase::default()))]
#[bench::json_base_100(encoding(100, JsonBase::default()))]
#[bench::json_base_200(encoding(200, JsonBase::default()))]
#[bench::cloud_event_100(encoding_json::<CloudEvent>(100, CloudEvents::json()))]
#[bench::cloud_event_200(encoding_json::<CloudEvent>(200, CloudEvents::json()))]
#[bench::cloud_events_100(encoding(100, CloudEvents::json()))]
#[bench::cloud_events_200(encoding(200, CloudEvents::json()))]
#[bench::prost_100(encoding_protobuf(100))]
#[bench::prost_200(encoding_protobuf(200))]
#[bench::raw_protobuf_100(encoding(100, Raw::protobuf()))]
#[bench::raw_protobuf_200(encoding(200, Raw::protobuf()))]
#[bench::protobuf_body_100(encoding_protobuf_body(100))]
#[bench::protobuf_body_200(encoding_protobuf_body(200))]
#[bench::protobuf_base_100(encoding(100, ProtobufBase::default()))]
#[bench::protobuf_base_200(encoding(200, ProtobufBase::default()))]
fn encode((times, once): Work) {
    counting::counted(&mut || (0..times).for_each(|_| once()));
}

#[library_benchmark]
#[bench::serde_json_100(decoding_json::<Bare>(100, Raw::json()))]
#[bench::serde_json_200(decoding_json::<Bare>(200, Raw::json()))]
#[bench::raw_json_100(decoding(100, Raw::json()))]
#[bench::raw_json_200(decoding(200, Raw::json()))]
#[bench::json_body_100(decoding_json::<JsonBody>(100, JsonBase::default()))]
#[bench::json_body_200(decoding_json::<JsonBody>(200, JsonBase::default()))]
#[bench::json_base_100(decoding(100, JsonBase::default()))]
#[bench::json_base_200(decoding(200, JsonBase::default()))]
#[bench::cloud_event_100(decoding_json::<CloudEvent>(100, CloudEvents::json()))]
#[bench::cloud_event_200(decoding_json::<CloudEvent>(200, CloudEvents::json()))]
#[bench::cloud_events_100(decoding(100, CloudEvents::json()))]
#[bench::cloud_events_200(decoding(200, CloudEvents::json()))]
#[bench::prost_100(decoding_protobuf(100))]
#[bench::prost_200(decoding_protobuf(200))]
#[bench::raw_protobuf_100(decoding(100, Raw::protobuf()))]
#[bench::raw_protobuf_200(decoding(200, Raw::protobuf()))]
#[bench::protobuf_body_100(decoding_protobuf_body(100))]
#[bench::protobuf_body_200(decoding_protobuf_body(200))]
#[bench::protobuf_base_100(decoding(100, ProtobufBase::default()))]
#[bench::protobuf_base_200(decoding(200, ProtobufBase::default()))]
fn decode((times, once): Work) {
    counting::counted(&mut || (0..times).for_each(|_| once()));
}

library_benchmark_group!(name = envelopes, benchmarks = [encode, decode]);
main!(config = counting::instructions(), library_benchmark_groups = envelopes);
