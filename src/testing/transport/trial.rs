//! One run of one case: its names, its seed, its connections, its ledger, and the account at the end.

use std::{
    env, fs,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future;

use super::{Case, Done, Fault, Injected, Pace, Subject, drain, letters, reader::Reader, tally::Tally};
use crate::{
    contract::dead_letter_queue,
    envelope::{MessageId, Sealed},
    event::{Attributes, Policy},
    testing::ledger::{Answer, Checksum, Entry, Ledger, LedgerErrorKind, Verdict},
    time::{Clock, Dice},
    transport::{
        Binding, Capabilities, Outgoing, Provision, PublishError, PublishErrorKind, QueuePlan, TopicPlan, Topology,
        Transport, TransportError,
    },
};

/// The event that messages without a service are said to be.
const EVENT: &str = "letters.v1.LetterPosted";
/// Asks for a tenth of the messages.
const QUICK: &str = "CONFORMANCE_QUICK";

/// One run of one case.
pub struct Trial {
    pub(super) case: &'static Case,
    pub(super) ledger: Ledger,
    pub(super) tally: Arc<Tally>,
    pub(super) clock: Clock,
    pub(super) dice: Dice,
    pub(super) queues: Mutex<Vec<QueuePlan>>,
    /// The time the case runs in.
    pub pace: Pace,
    seed: u64,
    subject: Box<dyn Subject>,
    connections: Mutex<Vec<Arc<dyn Transport>>>,
    faults: Mutex<Vec<Fault>>,
    folder: PathBuf,
    published: AtomicU64,
}

impl Trial {
    pub(super) async fn begin(case: &'static Case, subject: impl Subject, seed: u64, pace: Pace) -> Self {
        let name = format!("tegami-{:016x}-{}-{}", seed, case.id, std::process::id());
        let folder = env::temp_dir().join(name);
        fs::create_dir_all(&folder).expect("the folder for temporary files can be written");
        let clock = Clock::system();
        Self {
            case,
            ledger: Ledger::open(&folder, "suite", clock).expect("the ledger can be written"),
            tally: Arc::default(),
            clock,
            dice: Dice::seeded(seed),
            queues: Mutex::default(),
            pace,
            seed,
            subject: Box::new(subject),
            connections: Mutex::default(),
            faults: Mutex::default(),
            folder,
            published: AtomicU64::default(),
        }
    }

    /// How many messages are many: 1,000, or 100 where `CONFORMANCE_QUICK` is set.
    pub fn many(&self) -> usize {
        if env::var_os(QUICK).is_some() { 100 } else { 1_000 }
    }

    /// How long something may take that is promised within this time: a real broker needs some of its own.
    pub fn allow(&self, promised: Duration) -> Duration {
        match self.pace {
            Pace::Virtual => promised,
            Pace::Real => promised + Duration::from_secs(4),
        }
    }

    /// Chance, from the case's seed.
    pub fn chance(&self) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.seed)
    }

    /// Opens one more connection to the broker.
    ///
    /// # Panics
    /// The broker cannot be reached.
    pub async fn connect(&self) -> Arc<dyn Transport> {
        let connection = self.subject.connect().await.expect("the broker can be reached");
        held(&self.connections).push(connection.clone());
        connection
    }

    /// Puts a fault upon the broker.
    pub async fn inject(&self, fault: Fault) -> Injected {
        let injected = self.subject.inject(fault).await;
        if injected == Injected::Done {
            held(&self.faults).push(fault);
            self.ledger.write(Entry::FaultBegin { name: format!("{fault:?}") });
        }
        injected
    }

    /// Takes a fault away again.
    pub async fn lift(&self, fault: Fault) {
        held(&self.faults).retain(|other| *other != fault);
        self.subject.lift(fault).await;
        self.ledger.write(Entry::FaultEnd { name: format!("{fault:?}") });
    }

    /// What begins every topic and queue of this run.
    pub fn prefix(&self) -> String {
        format!("t-{:08x}-{}-", self.seed as u32, self.case.id)
    }

    /// A queue of this name that takes what is published to this topic.
    pub fn plan(&self, queue: &str, topic: &str) -> QueuePlan {
        let name = format!("{}{queue}", self.prefix());
        let topic = format!("{}{topic}", self.prefix());
        let binding = Binding {
            routing_key: format!("{topic}.letter"),
            topic,
            event: EVENT,
            by_name: false,
            policy: Policy::default(),
        };
        QueuePlan {
            dead_letters: dead_letter_queue(&name),
            name,
            ordered: false,
            retry_delays: Vec::new(),
            bindings: vec![binding],
        }
    }

    /// The same, in order per key.
    pub fn ordered_plan(&self, queue: &str, topic: &str) -> QueuePlan {
        let QueuePlan { bindings, .. } = self.plan("", &format!("{topic}.fifo"));
        let name = format!("{}{queue}.fifo", self.prefix());
        QueuePlan { dead_letters: dead_letter_queue(&name), name, ordered: true, retry_delays: Vec::new(), bindings }
    }

    /// Has the queues made.
    ///
    /// # Errors
    /// The transport refuses them.
    pub async fn try_declare(&self, on: &dyn Transport, plans: &[QueuePlan]) -> Result<(), TransportError> {
        let bindings = plans.iter().flat_map(|plan| plan.bindings.iter().map(|binding| (binding, plan.ordered)));
        let topics = bindings.map(|(binding, ordered)| TopicPlan { name: binding.topic.clone(), ordered, source: "" });
        let topology = Topology { topics: topics.collect(), queues: plans.to_vec() };
        on.provision(&topology, Provision::Create).await?;
        plans.iter().for_each(|plan| self.know(plan.clone()));
        Ok(())
    }

    /// Has the queues made.
    ///
    /// # Panics
    /// The transport refuses them.
    pub async fn declare(&self, on: &dyn Transport, plans: &[QueuePlan]) {
        self.try_declare(on, plans).await.expect("the queues can be made");
    }

    /// Opens a connection and has a queue made, for plain messages to a topic of the same name.
    ///
    /// # Panics
    /// The transport refuses it.
    pub async fn queue(&self, name: &str) -> (Arc<dyn Transport>, QueuePlan) {
        let (connection, plan) = (self.connect().await, self.plan(name, name));
        self.declare(&*connection, std::slice::from_ref(&plan)).await;
        (connection, plan)
    }

    /// Has a topic made that leads nowhere, and gives back a plan to write messages to it by.
    ///
    /// # Panics
    /// The transport refuses it.
    pub async fn declare_dead_end(&self, on: &dyn Transport, topic: &str) -> QueuePlan {
        let plan = self.plan("nobody", topic);
        let topic = TopicPlan { name: plan.bindings[0].topic.clone(), ordered: false, source: "" };
        let topology = Topology { topics: vec![topic], queues: Vec::new() };
        on.provision(&topology, Provision::Create).await.expect("the topic can be made");
        plan
    }

    /// Remembers a queue for the account at the end.
    pub(super) fn know(&self, plan: QueuePlan) {
        let mut queues = held(&self.queues);
        if queues.iter().any(|known| known.name == plan.name) {
            return;
        }
        if plan.ordered {
            self.ledger.write(Entry::Ordered { subscription: plan.name.clone() });
        }
        queues.push(plan);
    }

    /// Every queue made so far.
    pub fn queues(&self) -> Vec<QueuePlan> {
        held(&self.queues).clone()
    }

    /// A message to the plan's topic, with this body.
    pub fn message(&self, plan: &QueuePlan, body: impl Into<bytes::Bytes>) -> Outgoing {
        let sealed = Sealed { body: body.into(), attributes: Attributes::new() };
        let binding = &plan.bindings[0];
        let mut outgoing = Outgoing::new(MessageId::draw(&self.dice), EVENT, binding.topic.clone(), sealed);
        outgoing.routing_key = binding.routing_key.clone().into();
        outgoing.ordered = plan.ordered;
        outgoing
    }

    /// Publishes a message and notes both ends of it; every known queue of its topic must get it.
    ///
    /// # Errors
    /// The transport's answer.
    pub async fn publish(&self, on: &dyn Transport, message: Outgoing) -> Result<(), PublishError> {
        let to = self.fed_by(|binding| binding.topic == message.topic);
        self.publish_to(on, message, to).await
    }

    /// Publishes a message that these queues must get.
    ///
    /// # Errors
    /// The transport's answer.
    pub async fn publish_to(&self, on: &dyn Transport, message: Outgoing, to: Vec<String>) -> Result<(), PublishError> {
        let id = message.id.clone();
        self.note_publish(&id, message.key.clone(), letters::checksum(&message.sealed), to);
        let answer = on.publish(message).await;
        self.note_answer(&id, &answer);
        answer
    }

    /// The names of the queues that a message goes to by such a binding.
    pub(super) fn fed_by(&self, binding: impl Fn(&Binding) -> bool) -> Vec<String> {
        let queues = held(&self.queues);
        let fed = queues.iter().filter(|plan| plan.bindings.iter().any(&binding));
        fed.map(|plan| plan.name.clone()).collect()
    }

    pub(super) fn note_publish(&self, id: &MessageId, key: Option<String>, checksum: Checksum, to: Vec<String>) {
        self.tally.keyed(id.as_str(), key.clone());
        let sequence = self.published.fetch_add(1, Ordering::Relaxed);
        self.ledger.write(Entry::PublishBegin { id: id.to_string(), key, sequence, checksum, to });
    }

    pub(super) fn note_answer<T>(&self, id: &MessageId, answer: &Result<T, PublishError>) {
        self.ledger.write(Entry::PublishEnd { id: id.to_string(), answer: answer_of(answer) });
    }

    /// Reads a queue without a service.
    ///
    /// # Panics
    /// The queue cannot be read.
    pub async fn reader(&self, on: &dyn Transport, plan: &QueuePlan) -> Reader {
        let deliveries = on.consume(plan).await.expect("the queue can be read");
        Reader::new(deliveries, &plan.name, self.ledger.clone(), self.tally.clone())
    }

    /// Completes what still comes from every queue, where nobody can know how much that is.
    ///
    /// # Panics
    /// A queue cannot be read.
    pub async fn complete_rest(&self) {
        let (connection, queues) = (self.connect().await, self.queues());
        let rests = queues.iter().map(|plan| async {
            self.reader(&*connection, plan).await.complete_rest(self.silence()).await;
        });
        future::join_all(rests).await;
    }

    /// How long a queue must stay silent to count as empty.
    pub fn silence(&self) -> Duration {
        drain::silence(self.pace)
    }

    /// What has been completed so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// What the transport declares.
    pub async fn capabilities(&self) -> Capabilities {
        self.connect().await.capabilities()
    }

    /// Empties every queue through a connection of its own, and holds the ledger against the contract.
    ///
    /// A case that was not kept may have tried nothing, and written nothing.
    pub(super) async fn end(self, done: Option<Done>) -> Result<(), String> {
        // A broken case lifts nothing, and the next one needs the broker too.
        let faults = held(&self.faults).clone();
        for fault in faults {
            self.lift(fault).await;
        }
        let connections = std::mem::take(&mut *held(&self.connections));
        for connection in connections {
            connection.close().await;
        }
        let last = self.connect().await;
        let queues = std::mem::take(&mut *held(&self.queues));
        // All at once: each must be silent for a while.
        future::join_all(queues.iter().map(|plan| drain::drain(&self, &*last, plan))).await;
        last.close().await;
        let verdict = Verdict::of(&self.folder);
        fs::remove_dir_all(&self.folder).expect("the ledger can be removed");
        match verdict {
            Err(error) if error.kind() == LedgerErrorKind::Empty && done != Some(Done::Kept) => Ok(()),
            Err(error) => Err(error.to_string()),
            Ok(verdict) if verdict.is_clean() => Ok(()),
            Ok(verdict) => Err(format!("the ledger is not clean\n{verdict}")),
        }
    }
}

fn answer_of<T>(answer: &Result<T, PublishError>) -> Answer {
    match answer {
        Ok(_) => Answer::Ok,
        Err(error) if error.kind() == PublishErrorKind::Unknown => Answer::Unknown,
        Err(_) => Answer::Rejected,
    }
}

pub(super) fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
