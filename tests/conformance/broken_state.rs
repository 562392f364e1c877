//! The checker is checked: an inbox that is marked before the effect, and a publish before the commit.

use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use tegami::{
    Context, Event, HandlerError, Publisher, Service,
    envelope::MessageId,
    testing::{
        TestService,
        ledger::{Answer, Checksum, Ended, Entry, Figure, Ledger, Verdict},
        transport::{LetterPosted, letter},
    },
    time::{Clock, Dice},
};

const HERE: &str = "billing";
const MESSAGES: usize = 20;

/// Which of two things is done first.
#[derive(Clone, Copy, PartialEq)]
enum First {
    /// The effect before the mark; the commit before the publish.
    Right,
    /// The other way round.
    Wrong,
}

/// A ledger in a folder of its own.
struct Book {
    folder: PathBuf,
    ledger: Ledger,
}

impl Book {
    fn open(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("tegami-{name}-{}", std::process::id()));
        let ledger = Ledger::open(&folder, "test", Clock::system()).unwrap();
        Self { folder, ledger }
    }

    async fn publish(&self, by: &Publisher, number: usize, id: &MessageId) {
        let (event, id) = (letter("a", number), id.to_string());
        let (key, checksum) = (event.key().map(Into::into), Checksum::of(&Default::default()));
        let to = vec![HERE.to_owned()];
        self.ledger.write(Entry::PublishBegin { id: id.clone(), key, sequence: number as u64, checksum, to });
        by.publish_with(&event, |options| options.id(MessageId::parse(id.as_str()).unwrap())).await.unwrap();
        self.ledger.publish_end(id, Answer::Ok);
    }

    fn close(self) -> Verdict {
        let verdict = Verdict::of(&self.folder).unwrap();
        fs::remove_dir_all(&self.folder).unwrap();
        verdict
    }
}

/// Notes a run of a handler; the closure is what it does.
async fn noted(
    ledger: &Ledger,
    ctx: &Context,
    work: impl Future<Output = Result<(), HandlerError>>,
) -> Result<(), HandlerError> {
    let (id, subscription, attempt) = (ctx.message_id().to_string(), HERE.to_owned(), ctx.attempt());
    let (key, checksum) = (ctx.key().map(Into::into), Checksum::of(&Default::default()));
    let begin = Entry::RunBegin { id: id.clone(), subscription: subscription.clone(), attempt, key, checksum };
    ledger.write(begin);
    let done = work.await;
    let ended = if done.is_ok() { Ended::Ok } else { Ended::Err };
    ledger.write(Entry::RunEnd { id, subscription, attempt, ended, retry_after: None });
    done
}

/// A service whose effect fails the first time, with an inbox before it.
async fn inbox(first: First) -> Verdict {
    let book = Book::open(if first == First::Right { "inbox-right" } else { "inbox-wrong" });
    book.ledger.write(Entry::Inbox { subscription: HERE.to_owned() });
    let (effects, marks) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(BTreeSet::new())));
    let (ledger, table) = (book.ledger.clone(), effects.clone());
    let service = Service::new("billing").on::<LetterPosted>(move |_: LetterPosted, ctx: Context| {
        let (ledger, table, marks) = (ledger.clone(), table.clone(), marks.clone());
        async move {
            let id = ctx.message_id().to_string();
            noted(&ledger, &ctx, async {
                if marks.lock().unwrap().contains(&id) {
                    return Ok(());
                }
                if first == First::Wrong {
                    marks.lock().unwrap().insert(id.clone());
                }
                if ctx.attempt() == 1 {
                    return Err(HandlerError::retry("the effect failed"));
                }
                table.lock().unwrap().push(id.clone());
                marks.lock().unwrap().insert(id.clone());
                Ok(())
            })
            .await
        }
    });
    let billing = TestService::start(service).await.unwrap();
    for number in 0..MESSAGES {
        book.publish(billing.outside(), number, &MessageId::draw(&Dice::system())).await;
    }
    billing.settle().await;
    effects.lock().unwrap().iter().for_each(|id| book.ledger.effect(id, HERE));
    billing.stop().await.unwrap();
    book.close()
}

/// State changes that each publish, and of which every tenth is taken back.
async fn outbox(first: First) -> Verdict {
    let book = Book::open(if first == First::Right { "outbox-right" } else { "outbox-wrong" });
    let ledger = book.ledger.clone();
    let service = Service::new("billing").on::<LetterPosted>(move |_: LetterPosted, ctx: Context| {
        let ledger = ledger.clone();
        async move { noted(&ledger, &ctx, async { Ok(()) }).await }
    });
    let billing = TestService::start(service).await.unwrap();
    for number in 0..MESSAGES {
        let (id, commits) = (MessageId::draw(&Dice::system()), number % 10 != 0);
        book.ledger.write(Entry::Intent { id: id.to_string() });
        if first == First::Wrong || commits {
            book.publish(billing.outside(), number, &id).await;
        }
        if commits {
            book.ledger.write(Entry::State { id: id.to_string() });
        }
    }
    billing.settle().await;
    billing.stop().await.unwrap();
    book.close()
}

#[tokio::test]
async fn i2_inbox_marked_before_the_effect_is_caught() {
    let verdict = inbox(First::Right).await;
    assert!(verdict.is_clean(), "{verdict}");
    let verdict = inbox(First::Wrong).await;
    assert_eq!(verdict.figure(Figure::Effects).len(), MESSAGES, "{verdict}");
}

#[tokio::test]
async fn t1_publish_before_the_commit_is_caught() {
    let verdict = outbox(First::Right).await;
    assert!(verdict.is_clean(), "{verdict}");
    let verdict = outbox(First::Wrong).await;
    assert_eq!(verdict.figure(Figure::Atomicity).len(), MESSAGES / 10, "{verdict}");
}
