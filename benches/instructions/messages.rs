//! What a message costs: instructions and allocations, in tegami and in ruststream.
//!
//! A name ends with how many messages there are. Each service is counted with two numbers of them; the report takes the
//! difference, so that what happens once does not count.

use gungraun::{library_benchmark, library_benchmark_group, main};
use tegami::envelope::{JsonBase, Raw};
use tegami_benches::{
    counting,
    event::OrderPaid,
    other::{self, Other},
    own::{self, Own},
    run::{Run, Scenario},
};

fn json_base(messages: usize) -> Box<dyn Scenario> {
    Box::new(Run::of(messages, async |latch| {
        Own::start(latch, |service| service.envelope(JsonBase::default()).on::<OrderPaid>(own::handle)).await
    }))
}

fn raw(messages: usize) -> Box<dyn Scenario> {
    Box::new(Run::of(messages, async |latch| {
        Own::start(latch, |service| service.envelope(Raw::json()).on::<OrderPaid>(own::handle)).await
    }))
}

fn ruststream(messages: usize) -> Box<dyn Scenario> {
    Box::new(Run::of(messages, async |latch| Other::start(latch, other::one).await))
}

#[library_benchmark]
#[bench::json_base_1000(json_base(1000))]
#[bench::json_base_2000(json_base(2000))]
#[bench::raw_1000(raw(1000))]
#[bench::raw_2000(raw(2000))]
#[bench::ruststream_1000(ruststream(1000))]
#[bench::ruststream_2000(ruststream(2000))]
fn delivery_to_ack(run: Box<dyn Scenario>) {
    run.delivery_to_ack();
}

#[library_benchmark]
#[bench::json_base_1000(json_base(1000))]
#[bench::json_base_2000(json_base(2000))]
#[bench::raw_1000(raw(1000))]
#[bench::raw_2000(raw(2000))]
#[bench::ruststream_1000(ruststream(1000))]
#[bench::ruststream_2000(ruststream(2000))]
fn publish_to_ack(run: Box<dyn Scenario>) {
    run.publish_to_ack();
}

#[library_benchmark]
#[bench::json_base_1000(json_base(1000))]
#[bench::json_base_2000(json_base(2000))]
#[bench::raw_1000(raw(1000))]
#[bench::raw_2000(raw(2000))]
#[bench::ruststream_1000(ruststream(1000))]
#[bench::ruststream_2000(ruststream(2000))]
fn burst_to_ack(run: Box<dyn Scenario>) {
    run.burst_to_ack();
}

#[library_benchmark]
#[bench::json_base_1000(json_base(1000))]
#[bench::json_base_2000(json_base(2000))]
#[bench::raw_1000(raw(1000))]
#[bench::raw_2000(raw(2000))]
#[bench::ruststream_1000(ruststream(1000))]
#[bench::ruststream_2000(ruststream(2000))]
fn queued(run: Box<dyn Scenario>) {
    run.queued();
}

library_benchmark_group!(name = messages, benchmarks = [delivery_to_ack, publish_to_ack, burst_to_ack, queued]);
main!(config = counting::instructions_and_allocations(), library_benchmark_groups = messages);
