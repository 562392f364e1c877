//! The dead letters of a queue: looked at, put back, and deleted.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use futures_util::future;
use tokio::time::Instant;

use super::{
    actions::Action,
    fault::Fault,
    letter::{Post, back, dead_letter},
    outlet::Outlet,
    queues::{failed, shown},
    setup::{CALL, Setup},
};
use crate::{
    contract::dead_letter_queue,
    transport::{DeadLetter, Fate, PublishError, PublishErrorKind, Sorter, TransportError, TransportErrorKind},
};

/// The most messages of one receive.
const MOST: usize = 10;
/// How long a dead letter is hidden from others while it is looked at, in seconds.
const HIDDEN: i32 = 30;
/// How long SQS looks for more of them, in seconds: not at one of its servers only.
const WAIT: i32 = 1;
/// The most requests at once.
const AT_ONCE: usize = 8;
/// The time for one to be stored.
const BACK_TIME: Duration = Duration::from_secs(10);

/// How long after it was looked at what stays is hidden anew, while others are looked at.
const RENEWED: Duration = Duration::from_secs(15);

/// The dead letters of a queue, oldest first. They stay; nobody else sees them meanwhile.
pub(super) async fn look(setup: Arc<Setup>, queue: String, limit: usize) -> Result<Vec<DeadLetter>, TransportError> {
    let letters = Letters::open(setup, &queue).await?;
    let mut seen = HashMap::new();
    let looked = loop {
        match letters.receive(limit - seen.len()).await {
            Ok(more) if more.is_empty() => break Ok(()),
            Ok(more) => {
                let known = seen.len() + more.len();
                seen.extend(more.into_iter().map(|message| (message.message_id.clone(), message)));
                // Those that were seen first are no longer hidden: it has gone round.
                if seen.len() < known {
                    break Ok(());
                }
            }
            Err(error) => break Err(error),
        }
        if seen.len() >= limit {
            break Ok(());
        }
    };
    let seen: Vec<Message> = seen.into_values().collect();
    letters.show(&seen, Duration::ZERO).await;
    looked?;
    let mut posts: Vec<Post> = seen.into_iter().map(Post::from).collect();
    posts.sort_by_key(|post| post.sent);
    Ok(posts.iter().map(|post| dead_letter(post, &queue)).collect())
}

/// Does with each dead letter of now what the sorter says, in the order in which SQS hands them out.
pub(super) async fn sort(
    setup: &Arc<Setup>,
    outlet: &Arc<Outlet>,
    queue: &str,
    sorter: &mut dyn Sorter,
) -> Result<(), TransportError> {
    let began = setup.clock.now();
    let (opening, name) = (setup.clone(), queue.to_owned());
    let letters = setup.run(async move { Letters::open(opening, &name).await }).await?;
    let mut round =
        Round { letters: Arc::new(letters), outlet, queue, began, stay: HashMap::new(), hidden: setup.clock.instant() };
    let sorted = round.sort(sorter).await;
    let (letters, stay) = (round.letters, Vec::from_iter(round.stay.into_values()));
    setup
        .run(async move {
            letters.show(&stay, Duration::ZERO).await;
            Ok(())
        })
        .await?;
    sorted
}

/// One way through the dead letters of a queue.
struct Round<'a> {
    letters: Arc<Letters>,
    outlet: &'a Arc<Outlet>,
    queue: &'a str,
    began: SystemTime,
    /// What was seen and stays, by the ids that SQS gave: hidden until the end, so that it is not seen again.
    stay: HashMap<String, Message>,
    /// Since when they are.
    hidden: Instant,
}

impl Round<'_> {
    async fn sort(&mut self, sorter: &mut dyn Sorter) -> Result<(), TransportError> {
        loop {
            // Before they are received: what waits for its turn is hidden from nobody.
            let room = loop {
                match tokio::time::timeout_at(self.hidden + RENEWED, sorter.room()).await {
                    Ok(0) => return Ok(()),
                    Ok(room) => break room,
                    Err(_) => self.hide().await?,
                }
            };
            let letters = self.letters.clone();
            let received = self.letters.setup.run(async move { letters.receive(room).await }).await?;
            let news = received.iter().any(|message| !self.stay.contains_key(id(message)));
            // Nothing is there, or nothing else: it has gone round.
            self.decide(received, sorter).await?;
            if !news {
                return Ok(());
            }
        }
    }

    /// Keeps what stays hidden.
    async fn hide(&mut self) -> Result<(), TransportError> {
        let setup = &self.letters.setup;
        self.hidden = setup.clock.instant();
        let (letters, stay) = (self.letters.clone(), Vec::from_iter(self.stay.values().cloned()));
        let hiding = async move {
            letters.show(&stay, Duration::from_secs(HIDDEN.unsigned_abs().into())).await;
            Ok(())
        };
        setup.run(hiding).await
    }

    async fn decide(&mut self, received: Vec<Message>, sorter: &mut dyn Sorter) -> Result<(), TransportError> {
        let mut leaving = Vec::new();
        for message in received {
            let post = Post::from(message.clone());
            // What came after we had begun has died anew.
            let anew = post.sent.is_some_and(|sent| sent > self.began) || self.stay.contains_key(id(&message));
            match if anew { Fate::Stay } else { sorter.fate(&dead_letter(&post, self.queue)) } {
                Fate::Stay => drop(self.stay.insert(id(&message).to_owned(), message)),
                fate => {
                    let (letters, outlet, queue) = (self.letters.clone(), self.outlet.clone(), self.queue.to_owned());
                    let held = message.clone();
                    let left = async move { letters.leave(&outlet, &queue, message, fate).await };
                    let left = self.letters.setup.run(left);
                    leaving.push(async move { left.await.map_err(|error| (error, held)) });
                }
            }
        }
        let mut answer = Ok(());
        for left in future::join_all(leaving).await {
            match left {
                Ok(fate) => sorter.left(fate),
                // The others have left all the same.
                Err((error, held)) => {
                    self.stay.insert(id(&held).to_owned(), held);
                    answer = Err(error);
                }
            }
        }
        answer
    }
}

fn id(message: &Message) -> &str {
    message.message_id.as_deref().unwrap_or_default()
}

/// A queue of dead letters. To be used on the transport's thread.
struct Letters {
    setup: Arc<Setup>,
    name: String,
    url: String,
}

impl Letters {
    async fn open(setup: Arc<Setup>, queue: &str) -> Result<Self, TransportError> {
        let name = dead_letter_queue(queue);
        let url = setup.directory.queue(&name, setup.clients().await?).await;
        let url = url.map_err(|fault| fault.told(format_args!("find queue `{name}`")))?;
        Ok(Self { setup, name, url })
    }

    async fn receive(&self, most: usize) -> Result<Vec<Message>, TransportError> {
        let clients = self.setup.clients().await?;
        let asked = clients.sqs.receive_message().queue_url(&self.url);
        let asked = asked
            .max_number_of_messages(i32::try_from(most.min(MOST)).unwrap_or(1))
            .wait_time_seconds(WAIT)
            .visibility_timeout(HIDDEN)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All");
        let answer = clients.call(CALL, asked.send()).await;
        let answer = answer.map_err(|fault| self.unread(fault.needing(Action::ReceiveMessage, &self.url)))?;
        Ok(answer.messages.unwrap_or_default())
    }

    /// Shows them to others after a while. Where that fails, they are seen when their time is up.
    async fn show(&self, messages: &[Message], after: Duration) {
        for some in messages.chunks(AT_ONCE * MOST) {
            let shown = future::join_all(some.chunks(MOST).map(|ten| self.show_ten(ten, after))).await;
            for fault in shown.into_iter().filter_map(Result::err) {
                tracing::warn!(queue = self.name, %fault, "dead letters that were looked at are hidden for {HIDDEN} s");
            }
        }
    }

    async fn show_ten(&self, messages: &[Message], after: Duration) -> Result<(), Fault> {
        let clients = self.setup.clients().await.map_err(Fault::of_setup)?;
        let entries = messages
            .iter()
            .enumerate()
            .map(|(place, message)| shown(place, message.receipt_handle.as_deref().unwrap_or_default(), after));
        let asked = clients.sqs.change_message_visibility_batch().queue_url(&self.url);
        let answer = clients.call(CALL, asked.set_entries(Some(entries.collect())).send()).await;
        let answer = answer.map_err(|fault| fault.needing(Action::ChangeMessageVisibility, &self.url))?;
        failed(answer.failed).next().map_or(Ok(()), |(_, fault)| Err(fault))
    }

    /// Takes one out; before that, where it goes back, stores it there.
    async fn leave(&self, outlet: &Outlet, queue: &str, message: Message, fate: Fate) -> Result<Fate, TransportError> {
        let (clients, receipt) = (self.setup.clients().await?, message.receipt_handle.clone());
        if fate == Fate::Back {
            let put = outlet.put(queue, (back(&Post::from(message)), Duration::ZERO), BACK_TIME);
            put.await.map_err(|error| not_put_back(queue, error))?;
        }
        let asked = clients.sqs.delete_message().queue_url(&self.url).set_receipt_handle(receipt);
        let deleted = clients.call(CALL, asked.send()).await;
        deleted.map_err(|fault| self.unread(fault.needing(Action::DeleteMessage, &self.url)))?;
        Ok(fate)
    }

    fn unread(&self, fault: Fault) -> TransportError {
        fault.told(format_args!("read queue `{}`", self.name))
    }
}

fn not_put_back(queue: &str, error: PublishError) -> TransportError {
    let (kind, text) = match error.kind() {
        PublishErrorKind::Unroutable => {
            (TransportErrorKind::Missing, format!("queue `{queue}` is not there to put its dead letters back into"))
        }
        _ => {
            (TransportErrorKind::Unreachable, format!("a dead letter was not put back into queue `{queue}`; it stays"))
        }
    };
    TransportError::new(kind, text).caused_by(error)
}
