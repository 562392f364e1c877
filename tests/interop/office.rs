//! An environment of its own on a broker, and the tegami services in it.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tegami::{
    Context, Error, Event, HandlerError, Retry, Service,
    envelope::{JsonBase, ProtobufBase},
    service::Running,
    transport::amqp::Amqp,
};
use tegami_test_servers::{Rabbit, Release};
use tokio::{sync::mpsc, time::timeout};

use crate::{WAIT, generated::letters::v1::LetterPosted, peer::Kind};

/// Where letters are published to.
pub const KEY: &str = LetterPosted::CONTRACT.routing_key;
/// More letters than a test has.
const ROOM: usize = 10_000;

/// A broker, and what the names of this test begin with there.
pub struct Office {
    pub rabbit: Rabbit,
    pub prefix: String,
}

impl Office {
    pub async fn open(release: Release) -> Self {
        let run = uuid::Uuid::new_v4().simple().to_string();
        Self { rabbit: Rabbit::take(release).await, prefix: format!("interop-{}-", &run[..12]) }
    }

    /// The broker, by a URL with these parameters.
    pub fn transport(&self, parameters: &str) -> Amqp {
        Amqp::new(format!("{}{parameters}", self.rabbit.url()))
    }

    /// A service that only publishes.
    pub fn service(&self, kind: Kind, parameters: &str) -> Service {
        let service = Service::new("office").prefix(&self.prefix).transport(self.transport(parameters));
        match kind {
            Kind::Json => service.envelope(JsonBase::default()),
            Kind::Protobuf => service.envelope(ProtobufBase::default()),
        }
    }

    /// A service that reads letters.
    pub async fn desk(&self, plan: Plan) -> Result<Desk, Error> {
        let (noted, inbox) = mpsc::channel(ROOM);
        let slot = Slot { noted, runs: AtomicUsize::new(0), fails: plan.fails };
        let service = self.service(plan.kind, plan.parameters).state(slot);
        let retry = Retry::after([Duration::from_millis(50)]);
        let service = service.on_with::<LetterPosted>(note, |s| s.queue(plan.queue).retry(retry));
        Ok(Desk { running: service.start().await?, inbox })
    }
}

/// How a desk reads: two attempts for each letter.
pub struct Plan {
    pub kind: Kind,
    /// What its transport's URL ends in.
    pub parameters: &'static str,
    pub queue: String,
    /// Does this run of its handler fail, on this attempt at its letter? The first has number 1.
    pub fails: fn(usize, u32) -> bool,
}

impl Plan {
    pub fn new(kind: Kind) -> Self {
        Self { kind, parameters: "", queue: "desk".to_owned(), fails: |_, _| false }
    }
}

/// A run of the handler: what it was given.
pub struct Noted {
    pub letter: LetterPosted,
    pub ctx: Context<Slot>,
    pub failed: bool,
}

/// What the handler has.
pub struct Slot {
    noted: mpsc::Sender<Noted>,
    runs: AtomicUsize,
    fails: fn(usize, u32) -> bool,
}

/// A running tegami service with what it was given to handle.
pub struct Desk {
    pub running: Running,
    inbox: mpsc::Receiver<Noted>,
}

impl Desk {
    /// The next run of its handler.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn run(&mut self) -> Noted {
        timeout(WAIT, self.inbox.recv()).await.expect("a letter comes").expect("the service runs")
    }
}

async fn note(letter: LetterPosted, ctx: Context<Slot>) -> Result<(), HandlerError> {
    let slot = ctx.state();
    let failed = (slot.fails)(slot.runs.fetch_add(1, Ordering::Relaxed) + 1, ctx.attempt());
    // Nobody reads the notes of a test that has ended.
    let _ = slot.noted.send(Noted { letter, ctx: ctx.clone(), failed }).await;
    if failed { Err(HandlerError::retry("the desk is full")) } else { Ok(()) }
}

/// A letter of this number.
pub fn letter(number: u64, text: &str) -> LetterPosted {
    LetterPosted::builder().r#box("b-1").number(number).text(text).build()
}
