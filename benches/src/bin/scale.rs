//! One point of a curve, in a process of its own. What it cost is printed as a line of JSON.
//!
//! `scale declare|waiting TRANSPORT`, `scale publish TRANSPORT MESSAGES`, `scale held MESSAGES`, `scale begun MESSAGES`,
//! `scale subscribed TRANSPORT all|one SUBSCRIPTIONS MESSAGES`, `scale replica TRANSPORT MILLISECONDS`; TRANSPORT is `memory`,
//! `rabbitmq` at `$AMQP_URL` or `aws` at `$AWS_ENDPOINT_URL`.

use std::{env, net::SocketAddr, time::Duration};

use serde::Serialize;
use tegami::transport::{Memory, amqp::Amqp};
use tegami_benches::{
    aws,
    broker::own,
    rabbitmq,
    scale::{
        backlog, replica,
        subscriptions::{Subscribed, Wanted, subscribed},
    },
};

/// As many as the machine that is measured has cores.
#[tokio::main(worker_threads = 2)]
async fn main() {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["declare", "rabbitmq"] => rabbitmq::declare(&url()).await,
        ["declare", "aws"] => aws::declare(emulator()).await,
        ["waiting", "rabbitmq"] => println!("{}", rabbitmq::raw::waiting(&url()).await),
        ["waiting", "aws"] => println!("{}", aws::raw::Client::connect(emulator()).await.waiting().await),
        ["publish", "rabbitmq", messages] => tell(rabbitmq::raw::publish(&url(), number(messages), 1000).await),
        ["publish", "aws", messages] => tell(own::publish(aws::transport(emulator()), number(messages)).await),
        ["held", messages] => tell(backlog::held(number(messages)).await),
        ["begun", messages] => tell(backlog::begun(Amqp::new(url()), number(messages)).await),
        ["subscribed", transport, who, count, messages] => {
            tell(subscribe(transport, who, number(count), number(messages)).await);
        }
        ["replica", transport, takes] => replicate(transport, Duration::from_millis(number(takes) as u64)).await,
        _ => panic!("no such words: {words:?}"),
    }
}

async fn subscribe(transport: &str, who: &str, count: usize, messages: usize) -> Subscribed {
    let wanted = if who == "one" { Wanted::ByOne } else { Wanted::ByAll };
    match transport {
        "memory" => subscribed(Memory::new(), count, wanted, messages).await,
        "rabbitmq" => subscribed(Amqp::new(url()), count, wanted, messages).await,
        _ => panic!("no transport `{transport}` has subscriptions here"),
    }
}

async fn replicate(transport: &str, takes: Duration) {
    let started = || println!("ready");
    match transport {
        "rabbitmq" => tell(replica::run(Amqp::new(url()), takes, started).await),
        "aws" => tell(replica::run(aws::transport(emulator()), takes, started).await),
        _ => panic!("no transport `{transport}` has replicas here"),
    }
}

fn url() -> String {
    env::var("AMQP_URL").expect("AMQP_URL says where the broker is")
}

fn emulator() -> SocketAddr {
    let url = env::var("AWS_ENDPOINT_URL").expect("AWS_ENDPOINT_URL says where the emulator is");
    url.trim_start_matches("http://").parse().expect("it is an address of this machine")
}

fn tell(answer: impl Serialize) {
    println!("{}", serde_json::to_string(&answer).expect("it is plain"));
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}
