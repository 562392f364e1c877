//! What a process writes into its ledger: every publish and every run, by middleware around both.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tegami::{
    HandlerError,
    envelope::{Envelope, JsonBase, Sealed},
    middleware::{Answer as Answered, Middleware, Next, from_fn},
    pipeline::Incoming,
    testing::ledger::{Answer, Checksum, Ended, Entry, Ledger},
    time::Clock,
    transport::{Outgoing, PublishError, PublishErrorKind},
};

use super::{Given, fed, retry};
use crate::{asked::Broken, fate::Fate};

/// How late the work of a broken consumer is done.
const LATE: Duration = Duration::from_millis(50);

/// The ledger of this process.
#[derive(Clone)]
pub struct Notes(Arc<Inner>);

struct Inner {
    ledger: Ledger,
    seed: u64,
    sequence: AtomicU64,
    /// The queues of each event.
    to: BTreeMap<String, Vec<String>>,
    broken: Option<Broken>,
}

impl Notes {
    /// Begins a file.
    pub fn of(given: &Given) -> Self {
        let name = format!("{}-life-{}", given.name, given.life);
        let ledger = Ledger::open(&given.folder, &name, Clock::system()).expect("the ledger can be written");
        let queues = given.topology().queues;
        let mut to = BTreeMap::new();
        for event in queues.iter().flat_map(|plan| &plan.bindings).map(|binding| binding.event) {
            let names = fed(&queues, event).into_iter().map(|plan| plan.name.clone());
            to.insert(event.to_owned(), names.collect());
        }
        Self(Arc::new(Inner { ledger, seed: given.seed, sequence: AtomicU64::new(0), to, broken: given.broken }))
    }

    pub fn ledger(&self) -> &Ledger {
        &self.0.ledger
    }

    /// Notes what is published, from its begin to its answer.
    pub fn publishing(&self) -> impl Middleware<Outgoing> + use<> {
        let notes = self.clone();
        from_fn(move |outgoing: Outgoing, next: Next<Outgoing>| {
            let notes = notes.clone();
            async move {
                let id = notes.begin(&outgoing);
                let answer = next.run(outgoing).await;
                notes.end(id, &answer);
                answer
            }
        })
    }

    /// Notes the begin of a publish; of what.
    pub fn begin(&self, outgoing: &Outgoing) -> String {
        let Inner { ledger, sequence, to, .. } = &*self.0;
        let id = outgoing.id.to_string();
        ledger.write(Entry::PublishBegin {
            id: id.clone(),
            key: outgoing.key.clone(),
            sequence: sequence.fetch_add(1, Ordering::Relaxed),
            checksum: checksum(&outgoing.sealed),
            to: to.get(&*outgoing.event).cloned().unwrap_or_default(),
        });
        id
    }

    /// Notes its answer.
    pub fn end<T>(&self, id: String, answer: &Result<T, PublishError>) {
        self.0.ledger.publish_end(
            id,
            match answer {
                Ok(_) => Answer::Ok,
                Err(error) if error.kind() == PublishErrorKind::Unknown => Answer::Unknown,
                Err(_) => Answer::Rejected,
            },
        );
    }

    /// Notes what is handled, around its transaction.
    pub fn handling(&self) -> impl Middleware<Incoming> + use<> {
        let notes = self.clone();
        from_fn(move |incoming: Incoming, next: Next<Incoming>| {
            let notes = notes.clone();
            async move {
                let run = Run::begin(notes.clone(), &incoming);
                if notes.0.broken == Some(Broken::AckFirst) {
                    tokio::spawn(late(run, incoming, next));
                    return Ok(());
                }
                run.through(incoming, next).await
            }
        })
    }
}

/// Does the work of a message that is acked by then.
async fn late(run: Run, incoming: Incoming, next: Next<Incoming>) {
    tokio::time::sleep(LATE).await;
    let _ = run.through(incoming, next).await;
}

/// The checksum of a message: of its payload, if it can be opened, else of all its bytes and attributes.
pub fn checksum(sealed: &Sealed) -> Checksum {
    match JsonBase::default().open(sealed) {
        Ok(message) => of_payload(message.content.bytes),
        Err(_) => Checksum::of(sealed),
    }
}

fn of_payload(body: bytes::Bytes) -> Checksum {
    Checksum::of(&Sealed { body, ..Sealed::default() })
}

/// One run; noted as ended when it is dropped, however that came about.
struct Run {
    notes: Notes,
    id: String,
    queue: String,
    attempt: u32,
    ended: Option<Ended>,
}

impl Run {
    fn begin(notes: Notes, incoming: &Incoming) -> Self {
        let (id, subscription) = (incoming.message_id().to_string(), incoming.queue().to_owned());
        let (attempt, key) = (incoming.attempt(), incoming.head.key.clone());
        let checksum = of_payload(incoming.payload.bytes.clone());
        let (queue, run) = (subscription.clone(), id.clone());
        notes.0.ledger.write(Entry::RunBegin { id, subscription, attempt, key, checksum });
        Self { notes, id: run, queue, attempt, ended: None }
    }

    async fn through(mut self, incoming: Incoming, next: Next<Incoming>) -> Answered<Incoming> {
        let answer: Result<(), HandlerError> = next.run(incoming).await;
        self.ended = Some(if answer.is_ok() { Ended::Ok } else { Ended::Err });
        answer
    }

    /// The pause until the next attempt. What is dropped half-way is late, or was cut by a stop and comes back at once:
    /// nobody can tell here.
    fn pause(&self, ended: Ended) -> Option<Duration> {
        let is_known = self.ended == Some(Ended::Err) || ended == Ended::Panic;
        let is_over = Fate::of(self.notes.0.seed, &self.id, self.attempt) == Fate::Refuses;
        let delay = retry().delays().get(self.attempt.saturating_sub(1) as usize).copied();
        delay.filter(|_| is_known && !is_over)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let unfinished = if std::thread::panicking() { Ended::Panic } else { Ended::Err };
        let ended = self.ended.unwrap_or(unfinished);
        let retry_after = if ended == Ended::Ok { None } else { self.pause(ended) };
        let (id, subscription, attempt) = (self.id.clone(), self.queue.clone(), self.attempt);
        self.notes.0.ledger.write(Entry::RunEnd { id, subscription, attempt, ended, retry_after });
    }
}
