//! A tegami service that reads letters, and what it was given.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, SystemTime},
};

use tegami::{
    Context, Error, HandlerError, Retry, Service,
    envelope::{JsonBase, ProtobufBase},
    service::Running,
};
use tokio::{sync::mpsc, time::timeout};

use crate::{
    WAIT,
    generated::letters::v1::{LetterFiled, LetterPosted},
    peer::Kind,
};

/// More letters than a test has.
const ROOM: usize = 10_000;

/// Which letters a desk reads. Both have the same fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letters {
    /// In no order.
    Posted,
    /// Each behind those of its folder.
    Filed,
}

/// How a desk reads: two attempts for each letter.
pub struct Plan {
    pub kind: Kind,
    pub letters: Letters,
    /// What its transport's URL ends in.
    pub parameters: &'static str,
    pub queue: String,
    /// Does this run of its handler fail, on this attempt at its letter? The first has number 1.
    pub fails: fn(usize, u32) -> bool,
}

impl Plan {
    pub fn new(kind: Kind) -> Self {
        Self { kind, letters: Letters::Posted, parameters: "", queue: "desk".to_owned(), fails: |_, _| false }
    }
}

/// A run of the handler: what it was given.
pub struct Noted {
    pub letter: LetterPosted,
    pub ctx: Context<Slot>,
    pub failed: bool,
    pub at: SystemTime,
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
    /// Has this service read letters.
    pub async fn open(service: Service, plan: Plan) -> Result<Self, Error> {
        let (noted, inbox) = mpsc::channel(ROOM);
        let service = service.state(Slot { noted, runs: AtomicUsize::new(0), fails: plan.fails });
        let retry = Retry::after([Duration::from_millis(50)]);
        let service = match plan.letters {
            Letters::Posted => service.on_with::<LetterPosted>(note, |s| s.queue(plan.queue).retry(retry)),
            Letters::Filed => service.on_with::<LetterFiled>(note_filed, |s| s.queue(plan.queue).retry(retry)),
        };
        Ok(Self { running: service.start().await?, inbox })
    }

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
    let _ = slot.noted.send(Noted { letter, ctx: ctx.clone(), failed, at: SystemTime::now() }).await;
    if failed { Err(HandlerError::retry("the desk is full")) } else { Ok(()) }
}

async fn note_filed(letter: LetterFiled, ctx: Context<Slot>) -> Result<(), HandlerError> {
    let LetterFiled { r#box, number, text, .. } = letter;
    note(LetterPosted::builder().r#box(r#box).number(number).text(text).build(), ctx).await
}

/// A letter of this number.
pub fn letter(number: u64, text: &str) -> LetterPosted {
    LetterPosted::builder().r#box("b-1").number(number).text(text).build()
}

/// A short letter, one that is sent compressed, and one with the largest number.
pub fn letters() -> [LetterPosted; 3] {
    [letter(7, "hello é😀"), letter(8, &"a long letter é😀 ".repeat(6_000)), letter(u64::MAX, "")]
}

/// What an envelope says that this letter's content is written in.
pub fn encoding(kind: Kind, letter: &LetterPosted) -> &'static str {
    let [short, long] = match kind {
        Kind::Json => ["raw", "base64_gzip_json"],
        Kind::Protobuf => ["proto", "gzip_proto"],
    };
    if letter.text.len() >= 60_000 { long } else { short }
}

/// The service with this envelope.
pub fn speaking(service: Service, kind: Kind) -> Service {
    match kind {
        Kind::Json => service.envelope(JsonBase::default()),
        Kind::Protobuf => service.envelope(ProtobufBase::default()),
    }
}
