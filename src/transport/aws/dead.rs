//! The dead letters of a queue: looked at, and put back.

use std::{collections::HashMap, sync::Arc, time::Duration};

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use futures_util::future;

use super::{
    actions::Action,
    fault::Fault,
    letter::{Post, back, dead_letter},
    outlet::Outlet,
    queues::{failed, shown},
    setup::{CALL, Clients, Setup},
};
use crate::{
    contract::dead_letter_queue,
    transport::{DeadLetter, TransportError, TransportErrorKind},
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

/// The dead letters of a queue, oldest first. They stay; nobody else sees them meanwhile.
pub(super) async fn look(setup: Arc<Setup>, queue: String, limit: usize) -> Result<Vec<DeadLetter>, TransportError> {
    let clients = setup.clients().await?;
    let letters = Letters::open(&setup, clients, &queue).await?;
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
    letters.give_back(&seen).await;
    looked?;
    let mut posts: Vec<Post> = seen.into_iter().map(Post::from).collect();
    posts.sort_by_key(|post| post.sent);
    Ok(posts.iter().map(|post| dead_letter(post, &queue)).collect())
}

/// Puts every dead letter of now back into its queue, as if it had never been tried; how many there were.
pub(super) async fn redrive(setup: Arc<Setup>, outlet: Arc<Outlet>, queue: String) -> Result<usize, TransportError> {
    let clients = setup.clients().await?;
    let doing = format!("find queue `{queue}`, to put its dead letters back");
    setup.directory.queue(&queue, clients).await.map_err(|fault| fault.told(doing))?;
    let letters = Letters::open(&setup, clients, &queue).await?;
    let (began, mut done) = (setup.clock.now(), 0);
    loop {
        let messages = letters.receive(MOST).await?;
        // What came after we had begun has died anew.
        let (anew, of_then): (Vec<_>, Vec<_>) =
            messages.into_iter().partition(|message| Post::from(message.clone()).sent.is_some_and(|sent| sent > began));
        letters.give_back(&anew).await;
        if of_then.is_empty() {
            return Ok(done);
        }
        let back = of_then.into_iter().map(|message| letters.put_back(&outlet, &queue, message));
        for outcome in future::join_all(back).await {
            outcome?;
            done += 1;
        }
    }
}

/// A queue of dead letters.
struct Letters<'a> {
    clients: &'a Clients,
    name: String,
    url: String,
}

impl<'a> Letters<'a> {
    async fn open(setup: &Setup, clients: &'a Clients, queue: &str) -> Result<Self, TransportError> {
        let name = dead_letter_queue(queue);
        let url = setup.directory.queue(&name, clients).await;
        let url = url.map_err(|fault| fault.told(format_args!("find queue `{name}`")))?;
        Ok(Self { clients, name, url })
    }

    async fn receive(&self, most: usize) -> Result<Vec<Message>, TransportError> {
        let asked = self.clients.sqs.receive_message().queue_url(&self.url);
        let asked = asked
            .max_number_of_messages(i32::try_from(most.min(MOST)).unwrap_or(1))
            .wait_time_seconds(WAIT)
            .visibility_timeout(HIDDEN)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All");
        let answer = self.clients.call(CALL, asked.send()).await;
        let answer = answer.map_err(|fault| self.unread(fault.needing(Action::ReceiveMessage, &self.url)))?;
        Ok(answer.messages.unwrap_or_default())
    }

    /// Shows them to others again. Where that fails, they are seen again later.
    async fn give_back(&self, messages: &[Message]) {
        for some in messages.chunks(AT_ONCE * MOST) {
            let shown = future::join_all(some.chunks(MOST).map(|ten| self.show(ten))).await;
            for fault in shown.into_iter().filter_map(Result::err) {
                tracing::warn!(queue = self.name, %fault, "dead letters were looked at and stay hidden for {HIDDEN} s");
            }
        }
    }

    async fn show(&self, messages: &[Message]) -> Result<(), Fault> {
        let entries = messages.iter().enumerate().map(|(place, message)| {
            shown(place, message.receipt_handle.as_deref().unwrap_or_default(), Duration::ZERO)
        });
        let asked = self.clients.sqs.change_message_visibility_batch().queue_url(&self.url);
        let answer = self.clients.call(CALL, asked.set_entries(Some(entries.collect())).send()).await;
        let answer = answer.map_err(|fault| fault.needing(Action::ChangeMessageVisibility, &self.url))?;
        failed(answer.failed).next().map_or(Ok(()), |(_, fault)| Err(fault))
    }

    async fn put_back(&self, outlet: &Outlet, queue: &str, message: Message) -> Result<(), TransportError> {
        let receipt = message.receipt_handle.clone();
        outlet.put(queue, (back(&Post::from(message)), Duration::ZERO), BACK_TIME).await.map_err(|error| {
            let text = format!("a dead letter was not put back into queue `{queue}`; it stays");
            TransportError::new(TransportErrorKind::Unreachable, text).caused_by(error)
        })?;
        let asked = self.clients.sqs.delete_message().queue_url(&self.url).set_receipt_handle(receipt);
        let deleted = self.clients.call(CALL, asked.send()).await;
        deleted.map_err(|fault| self.unread(fault.needing(Action::DeleteMessage, &self.url)))?;
        Ok(())
    }

    fn unread(&self, fault: Fault) -> TransportError {
        fault.told(format_args!("read queue `{}`", self.name))
    }
}
