//! Services of the suite: handlers of letters that note every run, and publishers that note every publish.

use std::{future::Future, sync::Arc, time::Duration};

use super::{Trial, tally::Tally};
use crate::{
    Config, Context, Event, Handler, HandlerError, Publisher, Retry, Service,
    contract::Names,
    envelope::{Envelope, JsonBase, MessageId, ProtobufBase, Raw, Sealed},
    event::Upcast,
    handler::Verdict,
    lifecycle::Stop,
    publisher::PublishOptions,
    service::{Error, Running, running},
    testing::ledger::{Checksum, Ended, Entry, Ledger},
    transport::{PublishError, Transport},
};

/// How long a publish that was not taken rests before it is tried again.
const AGAIN: Duration = Duration::from_millis(50);

/// The events of the suite.
#[allow(missing_docs, clippy::all)]
mod contracts {
    include!(concat!(env!("OUT_DIR"), "/tegami/letters.v1.rs"));
}
pub use contracts::{LetterFiled, LetterPosted};

/// What became of them; nobody filters these.
#[allow(missing_docs, dead_code, clippy::all)]
pub(crate) mod newer {
    include!(concat!(env!("OUT_DIR"), "/tegami/letters.v2.rs"));
}

impl Upcast<LetterPosted> for newer::LetterPosted {
    fn upcast(old: LetterPosted) -> Self {
        Self { r#box: old.r#box, number: old.number, text: old.text, stamps: 1 }
    }
}

impl Trial {
    /// A service on a connection of its own, with this run's names, clock and chance.
    pub async fn service(&self, name: &str) -> Service {
        let connection = self.connect().await;
        self.service_on(connection, name)
    }

    /// A service on this connection, with this run's names, clock and chance.
    pub fn service_on(&self, connection: Arc<dyn Transport>, name: &str) -> Service {
        let mut service = Service::new(name).config(Config::new()).prefix(self.prefix());
        service.parts.transport = Some(connection);
        service.parts.clock = Some(self.clock);
        service.parts.dice = Some(self.dice.clone());
        service
    }

    /// Starts a service; its queues count in the account at the end.
    ///
    /// # Errors
    /// The service cannot start.
    pub async fn try_start(&self, service: Service) -> Result<Running, Error> {
        let topology = service.topology()?;
        let settings = service.parts.settings()?;
        let running = running::start(service.parts, settings, Stop::default()).await?;
        topology.queues.into_iter().for_each(|plan| self.know(plan));
        Ok(running)
    }

    /// Starts a service; its queues count in the account at the end.
    ///
    /// # Panics
    /// The service cannot start.
    pub async fn start(&self, service: Service) -> Running {
        self.try_start(service).await.expect("the service can start")
    }

    /// Starts a service of this name that completes every posted letter.
    pub async fn listen(&self, name: &str) -> Running {
        self.listen_on(self.connect().await, name).await
    }

    /// The same on this connection.
    pub async fn listen_on(&self, connection: Arc<dyn Transport>, name: &str) -> Running {
        let handler = self.handler(&Retry::default(), |_: LetterPosted, _| async { Ok(()) });
        self.start(self.service_on(connection, name).on::<LetterPosted>(handler)).await
    }

    /// A handler that notes each of its runs, with the subscription's plan of retries to check them against.
    pub fn handler<E, F, Fut>(&self, plan: &Retry, behave: F) -> impl Handler<E> + use<E, F, Fut>
    where
        E: Event,
        F: Fn(E, Context) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), HandlerError>> + Send,
    {
        Noted { ledger: self.ledger.clone(), tally: self.tally.clone(), plan: plan.clone(), behave }
    }

    /// Publishes an event and notes both ends of it; every known queue for the event must get it.
    ///
    /// # Errors
    /// The publisher's answer.
    pub async fn post<E: Event>(&self, by: &Publisher, event: &E) -> Result<MessageId, PublishError> {
        self.post_with(by, event, |options| options).await
    }

    /// Publishes an event in a way of its own, and notes both ends of it.
    ///
    /// # Errors
    /// The publisher's answer.
    pub async fn post_with<E: Event>(
        &self,
        by: &Publisher,
        event: &E,
        choose: impl FnOnce(PublishOptions) -> PublishOptions,
    ) -> Result<MessageId, PublishError> {
        let id = MessageId::draw(&self.dice);
        self.note_letter(&id, event);
        let answer = by.publish_with(event, |options| choose(options.id(id.clone()))).await;
        self.note_answer(&id, &answer);
        answer
    }

    /// Publishes an event of an older contract, which must be handled as one of the newer.
    ///
    /// # Errors
    /// The publisher's answer.
    pub(super) async fn post_older<Old: Event, New: Upcast<Old>>(
        &self,
        by: &Publisher,
        event: &Old,
    ) -> Result<MessageId, PublishError> {
        let id = MessageId::draw(&self.dice);
        self.note_letter_as(&id, event, &New::upcast(event.clone()));
        let answer = by.publish_with(event, |options| options.id(id.clone())).await;
        self.note_answer(&id, &answer);
        answer
    }

    /// Publishes an event again and again, always as the same message, until it is taken; how often that was.
    ///
    /// # Panics
    /// It is refused, and the same publish cannot succeed later.
    pub async fn post_until_taken<E: Event>(&self, by: &Publisher, event: &E) -> usize {
        let id = MessageId::draw(&self.dice);
        for times in 1.. {
            self.note_letter(&id, event);
            let answer = by.publish_with(event, |options| options.id(id.clone())).await;
            self.note_answer(&id, &answer);
            match answer {
                Ok(_) => return times,
                Err(error) if error.is_transient() => tokio::time::sleep(AGAIN).await,
                Err(error) => panic!("{error}"),
            }
        }
        unreachable!("it is tried for ever")
    }

    /// Publishes many events at once and notes those that were taken; the publisher keeps the ids of the others.
    pub async fn post_all<E: Event>(&self, by: &Publisher, events: &[E]) -> Vec<Result<MessageId, PublishError>> {
        let answers = by.publish_all(events).await;
        for (event, answer) in events.iter().zip(&answers) {
            if let Ok(id) = answer {
                self.note_letter(id, event);
                self.note_answer(id, answer);
            }
        }
        answers
    }

    /// Notes that a letter goes out, for every known queue of its event and topic.
    fn note_letter<E: Event>(&self, id: &MessageId, event: &E) {
        self.note_letter_as(id, event, event);
    }

    /// The same, where handlers see something else.
    fn note_letter_as<E: Event>(&self, id: &MessageId, event: &E, seen: &impl Event) {
        let topic = Names::new(self.prefix(), "").topic(E::CONTRACT);
        let to = self.fed_by(|binding| binding.event == E::CONTRACT.name && binding.topic == topic);
        self.note_publish(id, event.key().map(Into::into), checksum_of(seen), to);
    }
}

/// A letter of this number in this box.
pub fn letter(address: &str, number: usize) -> LetterPosted {
    LetterPosted::builder().r#box(address).number(number as u64).text(format!("letter {number}")).build()
}

/// A letter of this number in this folder.
pub fn filed(folder: &str, number: usize) -> LetterFiled {
    LetterFiled::builder().r#box(folder).number(number as u64).text(format!("letter {number}")).build()
}

/// The checksum of a message: of its letter, if it is one in any envelope, else of all its bytes and attributes.
pub(super) fn checksum(sealed: &Sealed) -> Checksum {
    let posted = posted(&JsonBase::default(), sealed).or_else(|| posted(&ProtobufBase::default(), sealed));
    let posted = posted.or_else(|| self::posted(&Raw::json(), sealed));
    posted.map_or_else(|| Checksum::of(sealed), |letter| checksum_of(&letter))
}

/// The letter in this envelope. (Other bytes are hardly ever taken for one: a letter has a box.)
fn posted(envelope: &impl Envelope, sealed: &Sealed) -> Option<LetterPosted> {
    envelope.decode(sealed).ok().map(|message| message.content)
}

/// The key of a message, if it is a letter.
pub(super) fn key(sealed: &Sealed) -> Option<String> {
    let letter = JsonBase::default().decode::<LetterPosted>(sealed).ok()?.content;
    letter.key().map(Into::into)
}

fn checksum_of<E: Event>(event: &E) -> Checksum {
    let body = serde_json::to_vec(event).expect("an event can be written as JSON");
    Checksum::of(&Sealed { body: body.into(), ..Sealed::default() })
}

/// A handler with the notes of its runs.
struct Noted<F> {
    ledger: Ledger,
    tally: Arc<Tally>,
    plan: Retry,
    behave: F,
}

impl<E, F, Fut> Handler<E> for Noted<F>
where
    E: Event,
    F: Fn(E, Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), HandlerError>> + Send,
{
    async fn call(&self, event: E, ctx: Context) -> Result<(), HandlerError> {
        let mut run = Run::begin(self, &event, &ctx);
        let answer = (self.behave)(event, ctx).await;
        run.ended = Some(if answer.is_ok() { Ended::Ok } else { Ended::Err });
        run.gives_up = answer.as_ref().is_err_and(|error| !matches!(error.verdict, Verdict::Retry(_)));
        answer
    }
}

/// One run; noted as ended when it is dropped, however that came about.
struct Run<'a, F> {
    by: &'a Noted<F>,
    id: String,
    queue: String,
    attempt: u32,
    ended: Option<Ended>,
    /// It is not to be tried again, so there is no time to wait for.
    gives_up: bool,
}

impl<'a, F> Run<'a, F> {
    fn begin<E: Event>(by: &'a Noted<F>, event: &E, ctx: &Context) -> Self {
        let (id, queue, attempt) = (ctx.message_id().to_string(), ctx.queue().to_owned(), ctx.attempt());
        by.tally.begun(&queue, &id);
        let (key, checksum) = (event.key().map(Into::into), checksum_of(event));
        by.ledger.write(Entry::RunBegin { id: id.clone(), subscription: queue.clone(), attempt, key, checksum });
        Self { by, id, queue, attempt, ended: None, gives_up: false }
    }
}

impl<F> Drop for Run<'_, F> {
    fn drop(&mut self) {
        let unfinished = if std::thread::panicking() { Ended::Panic } else { Ended::Err };
        let ended = self.ended.unwrap_or(unfinished);
        if ended == Ended::Ok {
            self.by.tally.completed(&self.queue, &self.id);
        }
        let step = usize::try_from(self.attempt).unwrap_or(usize::MAX).saturating_sub(1);
        let delay = self.by.plan.delays().get(step).copied();
        // What is dropped half-way is late, or was cut by a stop and comes back at once: nobody can tell here.
        let retry_after = delay.filter(|_| !self.gives_up && (self.ended == Some(Ended::Err) || ended == Ended::Panic));
        let (id, subscription, attempt) = (self.id.clone(), self.queue.clone(), self.attempt);
        self.by.ledger.write(Entry::RunEnd { id, subscription, attempt, ended, retry_after });
    }
}
