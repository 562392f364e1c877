//! A service that handles so many events, each in a queue of its own or all in one, on the memory transport.
//!
//! `tegami-many apart|together EVENTS MESSAGES` prints as a line of JSON what its start takes, what is resident then, and what a
//! message takes from publish to ack, one after the other, over all events in turns.

mod kinds;

use std::{env, fs, time::Instant};

use serde_json::json;
use tegami::{Service, transport::Memory};
use tegami_counts::latch::Latch;
use tokio::runtime::Builder;

use kinds::KINDS;

fn main() {
    let began = Instant::now();
    let words: Vec<String> = env::args().skip(1).collect();
    let [way, events, messages] = words.as_slice() else { panic!("three words, not {words:?}") };
    let group = match way.as_str() {
        "apart" => None,
        "together" => Some("all"),
        _ => panic!("no way `{way}`"),
    };
    let number = |text: &String| text.parse::<usize>().expect("a number");
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(measure(began, group, number(events), number(messages)));
}

async fn measure(began: Instant, group: Option<&str>, events: usize, messages: usize) {
    let latch = Latch::default();
    let service = Service::new("billing").state(latch.clone()).transport(Memory::new());
    let service = KINDS[..events].iter().fold(service, |service, kind| (kind.on)(service, group));
    let running = service.start().await.expect("the service starts");
    let (start, resident) = (began.elapsed().as_secs_f64(), resident());
    let send = async |number: usize| {
        latch.expect(1);
        (KINDS[number % events].publish)(running.publisher()).await;
        latch.all().await;
    };
    for number in 0..events {
        send(number).await;
    }
    let began = Instant::now();
    for number in 0..messages {
        send(number).await;
    }
    let seconds = began.elapsed().as_secs_f64();
    println!("{}", json!({"start": start, "memory": resident, "messages": messages, "seconds": seconds}));
}

/// KiB of the process that are resident.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it is there");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
