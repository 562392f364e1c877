//! One side's messages through SNS and SQS, in a process of its own. What they cost is printed as a line of JSON.
//!
//! `aws declare|waiting|count`, `aws publish|consume|latency SIDE MESSAGES`, `aws idle|trickle SECONDS`; the emulator is
//! at `$AWS_ENDPOINT_URL`.

use std::{env, net::SocketAddr, time::Duration};

use serde::Serialize;
use tegami_benches::{
    aws::{
        self, calls,
        quiet::{self, Pace},
        raw, transport,
    },
    broker::{
        latency::{self, Latency, Walk},
        meter::{Cost, Drain},
        own,
    },
};

/// Between two messages: 100 a second.
const PACE: Duration = Duration::from_millis(10);

/// As many as the machine that is measured has cores.
#[tokio::main(worker_threads = 2)]
async fn main() {
    let url = env::var("AWS_ENDPOINT_URL").expect("AWS_ENDPOINT_URL says where the emulator is");
    let emulator = url.trim_start_matches("http://").parse().expect("it is an address of this machine");
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["declare"] => aws::declare(emulator).await,
        ["waiting"] => println!("{}", raw::Client::connect(emulator).await.waiting().await),
        ["count"] => calls::count(emulator, tell).await,
        ["publish", side, messages] => tell(publish(emulator, side, number(messages)).await),
        ["consume", side, messages] => tell(consume(emulator, side, Drain::of(number(messages))).await),
        ["latency", side, messages] => {
            tell(latency(emulator, side, Walk { messages: number(messages), pace: PACE }).await);
        }
        ["idle", seconds] => quiet(emulator, Pace::Idle, seconds).await,
        ["trickle", seconds] => quiet(emulator, Pace::Trickle, seconds).await,
        _ => panic!("no such words: {words:?}"),
    }
}

async fn publish(emulator: SocketAddr, side: &str, messages: usize) -> Cost {
    match side {
        "tegami" => own::publish(transport(emulator), messages).await,
        "raw" => raw::publish(emulator, messages).await,
        "raw-1" => raw::publish_each(emulator, messages).await,
        _ => panic!("no side `{side}` publishes"),
    }
}

async fn consume(emulator: SocketAddr, side: &str, drain: Drain) -> Cost {
    match side {
        "tegami" => own::consume(transport(emulator), drain).await,
        "raw" => raw::consume(emulator, drain).await,
        "raw-1" => raw::consume_each(emulator, drain).await,
        _ => panic!("no side `{side}` consumes"),
    }
}

async fn latency(emulator: SocketAddr, side: &str, walk: Walk) -> Latency {
    match side {
        "tegami" => latency::own(transport(emulator), walk).await,
        "raw" => aws::latency::raw(emulator, walk).await,
        _ => panic!("nobody takes the time of `{side}`"),
    }
}

async fn quiet(emulator: SocketAddr, pace: Pace, seconds: &str) {
    quiet::run(emulator, pace, Duration::from_secs(number(seconds) as u64), tell).await;
}

fn tell(answer: impl Serialize) {
    println!("{}", serde_json::to_string(&answer).expect("it is plain"));
}

fn number(text: &str) -> usize {
    text.parse().expect("a number of messages, or of seconds")
}
