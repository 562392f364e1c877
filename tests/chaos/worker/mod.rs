//! The programs that are killed, frozen and cut off: a publisher, and a consumer that publishes too. Each is this test's
//! own binary, run again.

mod consumer;
mod notes;
mod publisher;

use std::{env, io::BufRead, path::PathBuf, process::exit, thread, time::Duration};

use serde::{Deserialize, Serialize};
use tegami::{
    Config, Context, Event, HandlerError, Retry, Service, Subscription,
    failpoint::fail,
    transport::{QueuePlan, Topology, amqp::Amqp, aws::Aws},
};
use tokio::runtime::Builder;

use crate::{
    asked::{Broken, Way, Whose},
    contracts::{
        letters::v1::{LetterFiled, LetterPosted},
        shop::{billing::v1::ReceiptSent, orders::v1::OrderPaid},
    },
};
pub use notes::checksum;

/// Tells the binary which of them it is, as JSON.
pub const GIVEN: &str = "CHAOS_WORKER";
/// The name of the service that consumes.
const CONSUMER: &str = "desk";
/// What handlers have for themselves at a stop; the whole of it may take ten seconds more (S1).
pub const DRAIN: Duration = Duration::from_secs(5);
/// What a handler may take.
const TIMEOUT: Duration = Duration::from_secs(3);
/// How many messages of one queue a process handles at once.
const CONCURRENCY: usize = 10;
/// The pauses before retries, in milliseconds. A database that is away for a while has everything fail.
const RETRIES: [u64; 8] = [100, 500, 500, 1_000, 2_000, 5_000, 5_000, 5_000];

/// What a process is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Given {
    pub role: Role,
    /// Its name in the ledger, and the number of its life.
    pub name: String,
    pub life: usize,
    pub seed: u64,
    pub way: Way,
    pub whose: Whose,
    pub url: String,
    pub prefix: String,
    /// The database.
    pub postgres: String,
    /// Where the ledgers are.
    pub folder: PathBuf,
    /// Messages a second, at first.
    pub rate: u32,
    /// How long its relay has rows, if not as long as any.
    pub hold: Option<Duration>,
    pub broken: Option<Broken>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Publisher,
    Consumer,
}

/// Does as it is told until it is stopped, killed, or alone.
pub fn work() {
    let given = env::var(GIVEN).expect("CHAOS_WORKER says what to do: scripts/soak chaos starts this");
    let given: Given = serde_json::from_str(&given).expect("it was written by the crew");
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        match given.role {
            Role::Publisher => publisher::publish(given).await,
            Role::Consumer => consumer::consume(given).await,
        }
    });
}

/// Has each line of stdin read; at its end whoever started this is gone. One of two words is a crash point, and how often it
/// is passed before it ends the process.
fn listen(mut each: impl FnMut(&str) + Send + 'static) {
    thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            match line.split_once(' ') {
                Some((point, passes)) => fail::cfg(point, &format!("{passes}*off->return(abort)")).expect("an action"),
                None => each(&line),
            }
        }
        exit(3);
    });
}

impl Given {
    /// A service with these settings, and nothing else: neither file nor environment counts.
    fn service(&self, name: &str) -> Service {
        let service = Service::new(name).config(Config::new()).prefix(&self.prefix).drain(DRAIN);
        match self.way {
            Way::Amqp => service.transport(Amqp::new(&self.url)),
            Way::Aws => service.transport(Aws::new(&self.url)),
        }
    }

    /// What the consumers read. Handlers do not matter here.
    pub fn topology(&self) -> Topology {
        let service = self.service(CONSUMER);
        let service = service.on_with::<LetterPosted>(idle, subscribed).on_with::<LetterFiled>(idle, subscribed);
        let service = match self.whose {
            Whose::Tegami => service.on_with::<ReceiptSent>(idle, subscribed).on_with::<OrderPaid>(idle, subscribed),
            _ => service,
        };
        service.topology().expect("the plan is sound")
    }
}

async fn idle<E: Event>(_: E, _: Context) -> Result<(), HandlerError> {
    Ok(())
}

/// How every handler is subscribed.
fn subscribed<E: Event>(subscription: Subscription<E>) -> Subscription<E> {
    subscription.retry(retry()).timeout(TIMEOUT).concurrency(CONCURRENCY)
}

fn retry() -> Retry {
    Retry::after(RETRIES.map(Duration::from_millis))
}

/// The queues that an event of this name goes to.
pub fn fed<'a>(queues: &'a [QueuePlan], event: &str) -> Vec<&'a QueuePlan> {
    queues.iter().filter(|plan| plan.bindings.iter().any(|binding| binding.event == event)).collect()
}
