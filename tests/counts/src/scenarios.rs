//! What is counted, by name.

use std::hint::black_box;

use tegami::{
    Service,
    envelope::{CloudEvents, Envelope, JsonBase, ProtobufBase, Raw},
};
use tegami_counts::{
    counting::counted,
    event::{OrderPaid, message},
    latch::Latch,
    own::{self, Own, grouped, wanted_by_the_first},
    run::{Run, Scenario as Sent},
};

/// Messages through a service: enough that what happens only now and then comes evenly.
const MESSAGES: usize = 500;
/// An envelope costs the same each time.
const TIMES: usize = 50;

/// Something that is counted.
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// How many messages it is, or deliveries where each message has many.
    pub times: usize,
    /// Does it that often, counted, after what is not.
    pub run: Box<dyn FnOnce()>,
}

/// Every scenario.
pub fn all() -> Vec<Scenario> {
    vec![
        service("publish-to-ack.json-base", JsonBase::default(), |sent| sent.publish_to_ack()),
        service("publish-to-ack.protobuf-base", ProtobufBase::default(), |sent| sent.publish_to_ack()),
        service("delivery-to-ack.json-base", JsonBase::default(), |sent| sent.delivery_to_ack()),
        service("delivery-to-ack.protobuf-base", ProtobufBase::default(), |sent| sent.delivery_to_ack()),
        service("burst-to-ack.json-base", JsonBase::default(), |sent| sent.burst_to_ack()),
        encode("encode.json-base", JsonBase::default()),
        decode("decode.json-base", JsonBase::default()),
        encode("encode.protobuf-base", ProtobufBase::default()),
        decode("decode.protobuf-base", ProtobufBase::default()),
        encode("encode.cloud-events", CloudEvents::json()),
        decode("decode.cloud-events", CloudEvents::json()),
        encode("encode.raw-json", Raw::json()),
        decode("decode.raw-json", Raw::json()),
        encode("encode.raw-protobuf", Raw::protobuf()),
        decode("decode.raw-protobuf", Raw::protobuf()),
        wanted_by_one(1, MESSAGES),
        wanted_by_one(100, MESSAGES),
        wanted_by_one(1000, 50),
        wanted_by_all(100, 10),
        wanted_by_all(1000, 5),
    ]
}

/// One handler, in this envelope.
fn service(name: &str, envelope: impl Envelope, go: fn(&dyn Sent)) -> Scenario {
    let run = move || through(MESSAGES, 1, |service| service.envelope(envelope).on::<OrderPaid>(own::handle), go);
    Scenario { name: name.to_owned(), times: MESSAGES, run: Box::new(run) }
}

/// Many subscriptions, and the filters of all but one do not want the messages.
fn wanted_by_one(subscriptions: usize, messages: usize) -> Scenario {
    let choose = move |service| grouped(service, subscriptions, wanted_by_the_first);
    let run = move || through(messages, 1, choose, |sent| sent.publish_to_ack());
    Scenario { name: format!("wanted-by-one-of-{subscriptions}"), times: messages, run: Box::new(run) }
}

/// Many subscriptions, and all want every message: what a delivery costs.
fn wanted_by_all(subscriptions: usize, messages: usize) -> Scenario {
    let choose = move |service| grouped(service, subscriptions, |s, _| s);
    let run = move || through(messages, subscriptions, choose, |sent| sent.publish_to_ack());
    Scenario { name: format!("wanted-by-all-of-{subscriptions}"), times: messages * subscriptions, run: Box::new(run) }
}

fn through(messages: usize, copies: usize, choose: impl FnOnce(Service<Latch>) -> Service<Latch>, go: fn(&dyn Sent)) {
    let run = Run::of(messages, async |latch| Own::start(latch, choose).await).copies(copies);
    run.warm_up();
    go(&run);
}

fn encode(name: &str, envelope: impl Envelope) -> Scenario {
    let message = message();
    often(name, move || drop(black_box(envelope.encode(black_box(&message)).expect("it has a form"))))
}

fn decode(name: &str, envelope: impl Envelope) -> Scenario {
    let sealed = envelope.encode(&message()).expect("it has a form");
    often(name, move || drop(black_box(envelope.decode::<OrderPaid>(black_box(&sealed)).expect("it is one"))))
}

fn often(name: &str, once: impl Fn() + 'static) -> Scenario {
    let run = move || {
        once();
        counted(&mut || (0..TIMES).for_each(|_| once()));
    };
    Scenario { name: name.to_owned(), times: TIMES, run: Box::new(run) }
}
