//! A publisher: so many events a second, some of them twice, and behind some the rubbish of somebody else.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tegami::{
    Event, Publisher,
    envelope::{MessageId, Sealed},
    error::BoxError,
    transport::{Binding, Outgoing, Transport, amqp::Amqp, aws::Aws},
};
use tokio::time::sleep;

use super::{Given, fed, listen, notes::Notes};
use crate::{
    asked::{Way, Whose},
    contracts::{
        letters::v1::{LetterFiled, LetterPosted},
        shop::orders::v1::OrderPaid,
    },
    fate::{is_doubled, is_followed_by_poison},
};

/// How many publish at once, each with a key of its own.
const POSTERS: u32 = 24;
/// How long a publish that was not taken rests before it is tried again.
const AGAIN: Duration = Duration::from_millis(50);
/// How long a letter is, about.
const TEXT: usize = 200;

/// What all posters share.
struct Post {
    given: Given,
    notes: Notes,
    by: Publisher,
    /// Events a second, of all together.
    rate: Arc<AtomicU32>,
    stranger: Box<dyn Transport>,
    /// Where the stranger's rubbish goes.
    binding: Binding,
}

/// Publishes until it is stopped; a line of stdin sets the rate.
pub async fn publish(given: Given) {
    let rate = Arc::new(AtomicU32::new(given.rate));
    let told = rate.clone();
    listen(move |line| told.store(line.trim().parse().expect("a number"), Ordering::Relaxed));
    let notes = Notes::of(&given);
    let service = given.service("till").publish_middleware(notes.publishing());
    let stranger: Box<dyn Transport> = match given.way {
        Way::Amqp => Box::new(Amqp::new(&given.url)),
        Way::Aws => Box::new(Aws::new(&given.url)),
    };
    let queues = given.topology().queues;
    let binding = fed(&queues, LetterPosted::CONTRACT.name)[0].bindings[0].clone();
    let post = Arc::new(Post { given, notes, by: service.publisher(), rate, stranger, binding });
    let service = service.started(move |_| {
        (0..POSTERS).for_each(|poster| drop(tokio::spawn(post.clone().run(poster))));
        async { Ok::<_, BoxError>(()) }
    });
    service.run().await.expect("no hook can fail");
}

impl Post {
    /// One poster: what has its key comes one after the other, each once it is taken.
    async fn run(self: Arc<Self>, poster: u32) {
        // Not all at the same moment.
        sleep(Duration::from_millis(u64::from(poster * 7))).await;
        for number in 0_u64.. {
            let id = format!("{}-{poster}-{number}", self.given.life);
            let text = format!("{id} {}", "la ".repeat(TEXT / 3));
            let key = format!("k-{}-{poster}", self.given.life);
            match (number % 3, self.given.whose) {
                (0, _) => self.post(&id, &LetterFiled::builder().r#box(key).number(number).text(text).build()).await,
                (1, Whose::Tegami) => self.post(&id, &OrderPaid::builder().order_id(key).currency("EUR").build()).await,
                _ => self.post(&id, &LetterPosted::builder().r#box(key).number(number).text(text).build()).await,
            }
            let rate = self.rate.load(Ordering::Relaxed).max(1);
            sleep(Duration::from_secs(1) * POSTERS / rate).await;
        }
    }

    async fn post<E: Event>(&self, id: &str, event: &E) {
        let seed = self.given.seed;
        self.until_taken(id, event).await;
        if is_doubled(seed, id) {
            self.until_taken(id, event).await;
        }
        if is_followed_by_poison(seed, id) {
            self.poison(format!("poison-{id}")).await;
        }
    }

    /// Publishes it as the same message until it is taken; what is refused for good stays refused.
    async fn until_taken<E: Event>(&self, id: &str, event: &E) {
        loop {
            let id = MessageId::parse(id).expect("a good id");
            match self.by.publish_with(event, |options| options.id(id)).await {
                Err(error) if error.is_transient() => sleep(AGAIN).await,
                _ => return,
            }
        }
    }

    /// What nobody can read, from somebody else.
    async fn poison(&self, id: String) {
        let body = format!("{{\"this is no envelope\": {id}").into();
        let id = MessageId::parse(id).expect("a good id");
        let sealed = Sealed { body, ..Sealed::default() };
        let mut outgoing = Outgoing::new(id, self.binding.event, self.binding.topic.clone(), sealed);
        outgoing.routing_key = self.binding.routing_key.clone().into();
        let id = self.notes.begin(&outgoing);
        let answer = self.stranger.publish(outgoing).await;
        self.notes.end(id, &answer);
    }
}
