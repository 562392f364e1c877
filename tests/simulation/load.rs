//! What handlers do and what publishers send.

use std::{sync::Arc, time::Duration};

use tegami::{
    Context, Event, Handler, HandlerError, Publisher, TransactionalHandler,
    error::BoxError,
    outbox::Database,
    store::{Append, Store, StreamId},
    testing::transport::{LetterFiled, LetterPosted, filed, letter},
    transport::{PublishError, PublishErrorKind},
};

use crate::{
    books,
    happened::{Answer, Happened, How, Post, Tag},
    office::{Counter, Tx},
    wire::{self, COPY, PLACE, TAG},
    world::World,
};

/// The longest a publish may take (P3).
const PUBLISH: Duration = Duration::from_secs(11);

/// A handler that does what chance says, and says what it did.
pub struct Desk {
    pub world: Arc<World>,
    /// Does it publish, too?
    pub publishes: bool,
}

impl Handler<LetterPosted> for Desk {
    async fn call(&self, event: LetterPosted, ctx: Context) -> Result<(), HandlerError> {
        self.handle((event.number, &event.text), ctx, None).await
    }
}

impl Handler<LetterFiled> for Desk {
    async fn call(&self, event: LetterFiled, ctx: Context) -> Result<(), HandlerError> {
        self.handle((event.number, &event.text), ctx, None).await
    }
}

impl TransactionalHandler<LetterPosted, (), Tx> for Desk {
    async fn call(&self, event: LetterPosted, ctx: Context, tx: &mut Tx) -> Result<(), HandlerError> {
        self.handle((event.number, &event.text), ctx, Some(tx)).await
    }
}

impl TransactionalHandler<LetterFiled, (), Tx> for Desk {
    async fn call(&self, event: LetterFiled, ctx: Context, tx: &mut Tx) -> Result<(), HandlerError> {
        self.handle((event.number, &event.text), ctx, Some(tx)).await
    }
}

impl Desk {
    async fn handle(
        &self,
        (number, text): (u64, &str),
        ctx: Context,
        mut tx: Option<&mut Tx>,
    ) -> Result<(), HandlerError> {
        let mut run = Run::begin(&self.world, number, &ctx);
        if text != format!("letter {number}") {
            self.world.fail(format!("P9: {} says `{text}`", run.tag));
        }
        tx.iter_mut().for_each(|tx| tx.has_effect(run.tag));
        self.world.sleep(0..200).await;
        let answer = self.behave(&ctx, tx).await;
        run.how = Some(match &answer {
            Ok(()) => How::Done,
            Err(Trouble::Failed(after)) => How::Failed(*after),
            Err(Trouble::Refused) => How::Refused,
        });
        answer.map_err(Trouble::told)
    }

    async fn behave(&self, ctx: &Context, tx: Option<&mut Tx>) -> Result<(), Trouble> {
        match self.world.draw(0..100) {
            0..55 => {}
            55..65 => return Err(Trouble::Failed(None)),
            65..69 => return Err(Trouble::Failed(Some(self.world.millis(0..10_000)))),
            69..73 => return Err(Trouble::Refused),
            73..78 => std::panic::resume_unwind(Box::new("no ink")),
            78..88 => self.world.sleep(0..40_000).await,
            88..91 => std::future::pending().await,
            91..94 => ctx.cancelled().await,
            94..97 if self.publishes => self.follow_up(ctx, tx).await?,
            _ => tokio::task::yield_now().await,
        }
        Ok(())
    }

    /// Publishes; a letter that is not certainly on its way fails the run.
    async fn follow_up(&self, ctx: &Context, tx: Option<&mut Tx>) -> Result<(), Trouble> {
        if let Some(tx) = tx {
            return put(&self.world, &ctx.publisher(), tx).await.map_err(|_| Trouble::Failed(None));
        }
        let (ordered, sender) = (self.world.draw(0..2) == 0, format!("run {}", self.world.number()));
        let sent = post(&self.world, &ctx.publisher(), (&sender, ordered)).await;
        sent.map_err(|_| Trouble::Failed(None))
    }
}

/// Why a run does not succeed.
enum Trouble {
    Failed(Option<Duration>),
    Refused,
}

impl Trouble {
    fn told(self) -> HandlerError {
        match self {
            Trouble::Failed(None) => HandlerError::retry("no stamp"),
            Trouble::Failed(Some(after)) => HandlerError::retry_after(after, "no stamp today"),
            Trouble::Refused => HandlerError::reject("no such address"),
        }
    }
}

/// One run of a handler; noted as ended when it is dropped, however that came about.
pub struct Run<'a> {
    world: &'a World,
    pub tag: Tag,
    pub how: Option<How>,
}

impl<'a> Run<'a> {
    /// A run for the delivery of a letter of this number.
    pub fn begin(world: &'a World, number: u64, ctx: &Context) -> Self {
        let known = |name| wire::number(ctx.attributes(), name);
        let number = wire::known(ctx.attributes(), PLACE).unwrap_or(number);
        let tag = Tag { id: known(TAG), number, copy: known(COPY) };
        world.note(Happened::Began { tag, attempt: ctx.attempt() });
        Self { world, tag, how: None }
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        let unfinished = if std::thread::panicking() { How::Panicked } else { How::Dropped };
        let how = self.how.take().unwrap_or(unfinished);
        self.world.note(Happened::Ended { tag: self.tag, how });
    }
}

/// Publishes so many letters, one by one or a few at once.
pub async fn publish(world: Arc<World>, publisher: Publisher, (by, count): (String, usize)) {
    let mut left = count;
    while left > 0 {
        world.sleep(0..5_000).await;
        let ordered = world.draw(0..2) == 0;
        let batch = if world.draw(0..4) == 0 { left.min(4) } else { 1 };
        left -= batch;
        match (batch, ordered) {
            (1, _) => drop(post(&world, &publisher, (&by, ordered)).await),
            (_, true) => post_all(&world, &publisher, (&by, batch), filed).await,
            (_, false) => post_all(&world, &publisher, (&by, batch), letter).await,
        }
    }
}

/// Commits so many transactions, each with some letters in it; gives some of them up.
pub async fn commit(world: Arc<World>, (counter, publisher): (Counter, Publisher), count: usize) {
    for _ in 0..count {
        world.sleep(0..8_000).await;
        let Ok(mut tx) = counter.begin().await else { continue };
        for _ in 0..world.draw(1..4) {
            put(&world, &publisher, &mut tx).await.expect("the database takes every letter");
        }
        world.sleep(0..100).await;
        if world.draw(0..5) > 0 {
            let _ = counter.commit(tx).await;
        }
    }
}

/// Records so many letters, one by one or with others in a transaction; has the projection begin anew, rarely, if there is
/// one.
pub async fn record(
    world: Arc<World>,
    (counter, store, publisher): (Counter, Store, Publisher),
    (count, is_projected): (usize, bool),
) {
    for _ in 0..count {
        world.sleep(0..8_000).await;
        let (key, number, ordered) = (key(&world), place(world.letter()), world.draw(0..2) == 0);
        let append = Append::to(StreamId::of("box", &key).expect("a name"));
        let append = match ordered {
            true => append.event(&filed(&key, number)),
            false => append.event(&letter(&key, number)),
        };
        let append = append.expect("letters keep their contract");
        if world.draw(0..3) > 0 {
            let _ = store.append(append).await;
        } else if let Ok(mut tx) = counter.begin().await {
            let appended = store.in_transaction(&mut tx).append(append).await.is_ok();
            put(&world, &publisher, &mut tx).await.expect("the database takes every letter");
            if appended && world.draw(0..5) > 0 {
                let _ = counter.commit(tx).await;
            }
        }
        if is_projected && world.draw(0..12) == 0 {
            let _ = books::projection(&world).reset(&counter, nothing).await;
        }
    }
}

/// What the projection has made is gone.
async fn nothing(_: &mut Tx) -> Result<(), BoxError> {
    Ok(())
}

/// Puts one letter into the transaction's outbox, maybe to go later.
async fn put(world: &World, publisher: &Publisher, tx: &mut Tx) -> Result<(), PublishError> {
    let (key, number, ordered) = (key(world), world.letter(), world.draw(0..2) == 0);
    let delay = if world.draw(0..5) == 0 { world.millis(1..40_000) } else { Duration::ZERO };
    let mut publisher = publisher.in_transaction(tx);
    let put = match ordered {
        true => publisher.publish_with(&filed(&key, place(number)), |options| options.delay(delay)).await,
        false => publisher.publish_with(&letter(&key, place(number)), |options| options.delay(delay)).await,
    };
    put.map(drop)
}

/// Publishes one letter, maybe later.
async fn post(world: &World, publisher: &Publisher, (by, ordered): (&str, bool)) -> Result<(), PublishError> {
    let key = key(world);
    let late = !ordered && world.draw(0..4) == 0;
    let delay = if late { world.millis(1..20_000) } else { Duration::ZERO };
    let number = begin(world, (by, &key, ordered), (delay, 1));
    let answer = match ordered {
        true => publisher.publish(&filed(&key, place(number))).await,
        false if late => publisher.publish_with(&letter(&key, place(number)), |options| options.delay(delay)).await,
        false => publisher.publish(&letter(&key, place(number))).await,
    };
    end(world, number, &answer);
    answer.map(drop)
}

/// Publishes some letters of one key in one call.
async fn post_all<E: Event>(
    world: &World,
    publisher: &Publisher,
    (by, count): (&str, usize),
    make: impl Fn(&str, usize) -> E,
) {
    let (key, ordered) = (key(world), E::CONTRACT.ordered);
    let numbers: Vec<u64> = (0..count).map(|_| begin(world, (by, &key, ordered), (Duration::ZERO, count))).collect();
    let events: Vec<E> = numbers.iter().map(|number| make(&key, place(*number))).collect();
    let answers = publisher.publish_all(&events).await;
    numbers.into_iter().zip(&answers).for_each(|(number, answer)| end(world, number, answer));
}

fn begin(world: &World, (by, key, ordered): (&str, &str, bool), (delay, count): (Duration, usize)) -> u64 {
    let (number, within) = (world.letter(), PUBLISH * count as u32);
    let (by, key) = (by.to_owned(), key.to_owned());
    world.note(Happened::Posted(Post { number, by, key, ordered, delay, within }));
    number
}

fn end<T>(world: &World, number: u64, answer: &Result<T, PublishError>) {
    let answer = match answer {
        Ok(_) => Answer::Ok,
        Err(error) if error.kind() == PublishErrorKind::Unknown => Answer::Unknown,
        Err(_) => Answer::Rejected,
    };
    world.note(Happened::Answered { number, answer });
}

fn key(world: &World) -> String {
    format!("k{}", world.draw(0..3))
}

fn place(number: u64) -> usize {
    usize::try_from(number).expect("letters are few")
}
