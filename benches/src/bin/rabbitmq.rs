//! One side's messages through RabbitMQ, in a process of its own. What they cost is printed as a line of JSON.
//!
//! `rabbitmq declare|waiting`, `rabbitmq publish|consume|latency SIDE MESSAGES`, `rabbitmq crowd SECONDS`; the broker is
//! at `$AMQP_URL`.

use std::{env, time::Duration};

use serde::Serialize;
use tegami::transport::amqp::Amqp;
use tegami_benches::{
    broker::{
        WINDOW,
        latency::{self, Latency, Walk},
        meter::{Cost, Drain},
        own,
    },
    rabbitmq::{self, crowd, other, raw, transport},
};

/// Between two messages: 500 a second.
const PACE: Duration = Duration::from_millis(2);

/// As many as the machine that is measured has cores.
#[tokio::main(worker_threads = 2)]
async fn main() {
    let url = env::var("AMQP_URL").expect("AMQP_URL says where the broker is");
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["declare"] => rabbitmq::declare(&url).await,
        ["waiting"] => println!("{}", raw::waiting(&url).await),
        ["publish", side, messages] => tell(publish(&url, side, number(messages)).await),
        ["consume", side, messages] => tell(consume(&url, side, Drain::of(number(messages))).await),
        ["latency", side, messages] => tell(latency(&url, side, Walk { messages: number(messages), pace: PACE }).await),
        ["crowd", seconds] => tell(crowd::consume(&url, Duration::from_secs(number(seconds) as u64)).await),
        _ => panic!("no such words: {words:?}"),
    }
}

async fn publish(url: &str, side: &str, messages: usize) -> Cost {
    match side {
        "tegami" => own::publish(Amqp::new(url), messages).await,
        "tegami-all" => own::publish_all(Amqp::new(url), messages).await,
        "transport" => transport::publish(url, messages).await,
        "raw" => raw::publish(url, messages, WINDOW).await,
        "raw-256" => raw::publish(url, messages, 256).await,
        "ruststream" => other::publish(url, messages).await,
        _ => panic!("no side `{side}` publishes"),
    }
}

async fn consume(url: &str, side: &str, drain: Drain) -> Cost {
    match side {
        "tegami" => own::consume(Amqp::new(url), drain).await,
        "transport" => transport::consume(url, drain).await,
        "raw" => raw::consume(url, drain, 1).await,
        "raw-100" => raw::consume(url, drain, 100).await,
        "ruststream" => other::consume(url, drain).await,
        _ => panic!("no side `{side}` consumes"),
    }
}

async fn latency(url: &str, side: &str, walk: Walk) -> Latency {
    match side {
        "tegami" => latency::own(Amqp::new(url), walk).await,
        "raw" => rabbitmq::latency::raw(url, walk).await,
        _ => panic!("nobody takes the time of `{side}`"),
    }
}

fn tell(answer: impl Serialize) {
    println!("{}", serde_json::to_string(&answer).expect("it is plain"));
}

fn number(text: &str) -> usize {
    text.parse().expect("a number of messages")
}
