//! What a message costs in a service with many subscriptions.
//!
//! A name begins with how many subscriptions there are and ends with how many messages, see `messages.rs`.

use gungraun::{library_benchmark, library_benchmark_group, main};
use tegami_benches::{
    counting,
    other::{self, Other},
    own::{Own, grouped, wanted_by_the_first},
    run::{Run, Scenario},
};

/// All subscriptions want every message.
fn wanted_by_all(subscriptions: usize, messages: usize) -> Box<dyn Scenario> {
    let run =
        Run::of(messages, async |latch| Own::start(latch, |service| grouped(service, subscriptions, |s, _| s)).await);
    Box::new(run.copies(subscriptions))
}

/// One subscription wants the messages, the filters of the others do not.
fn wanted_by_one(subscriptions: usize, messages: usize) -> Box<dyn Scenario> {
    Box::new(Run::of(messages, async |latch| {
        Own::start(latch, |service| grouped(service, subscriptions, wanted_by_the_first)).await
    }))
}

/// All subscriptions of a service of ruststream want every message.
fn wanted_by_all_of_ruststream(subscriptions: usize, messages: usize) -> Box<dyn Scenario> {
    let run = Run::of(messages, async |latch| Other::start(latch, |scope| other::many(scope, subscriptions)).await);
    Box::new(run.copies(subscriptions))
}

#[library_benchmark]
#[bench::s1_10(wanted_by_all(1, 10))]
#[bench::s1_20(wanted_by_all(1, 20))]
#[bench::s10_10(wanted_by_all(10, 10))]
#[bench::s10_20(wanted_by_all(10, 20))]
#[bench::s100_10(wanted_by_all(100, 10))]
#[bench::s100_20(wanted_by_all(100, 20))]
#[bench::s1000_10(wanted_by_all(1000, 10))]
#[bench::s1000_20(wanted_by_all(1000, 20))]
fn all(run: Box<dyn Scenario>) {
    run.publish_to_ack();
}

#[library_benchmark]
#[bench::s1_10(wanted_by_all_of_ruststream(1, 10))]
#[bench::s1_20(wanted_by_all_of_ruststream(1, 20))]
#[bench::s10_10(wanted_by_all_of_ruststream(10, 10))]
#[bench::s10_20(wanted_by_all_of_ruststream(10, 20))]
#[bench::s100_10(wanted_by_all_of_ruststream(100, 10))]
#[bench::s100_20(wanted_by_all_of_ruststream(100, 20))]
#[bench::s1000_10(wanted_by_all_of_ruststream(1000, 10))]
#[bench::s1000_20(wanted_by_all_of_ruststream(1000, 20))]
fn all_ruststream(run: Box<dyn Scenario>) {
    run.publish_to_ack();
}

#[library_benchmark]
#[bench::s1_100(wanted_by_one(1, 100))]
#[bench::s1_200(wanted_by_one(1, 200))]
#[bench::s10_100(wanted_by_one(10, 100))]
#[bench::s10_200(wanted_by_one(10, 200))]
#[bench::s100_100(wanted_by_one(100, 100))]
#[bench::s100_200(wanted_by_one(100, 200))]
#[bench::s1000_100(wanted_by_one(1000, 100))]
#[bench::s1000_200(wanted_by_one(1000, 200))]
fn one(run: Box<dyn Scenario>) {
    run.publish_to_ack();
}

library_benchmark_group!(name = subscriptions, benchmarks = [all, all_ruststream, one]);
main!(config = counting::instructions(), library_benchmark_groups = subscriptions);
