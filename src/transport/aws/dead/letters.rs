//! The calls: receiving dead letters, hiding and showing them, taking them out.

use std::{sync::Arc, time::Duration};

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use futures_util::future;

use super::{
    super::{
        actions::Action,
        fault::Fault,
        letter::{Letter, apart, back},
        outlet::Outlet,
        queues::{failed, shown, whole_seconds},
        setup::{CALL, Setup},
    },
    MOST,
    held::{Held, Taken},
};
use crate::{
    contract::dead_letter_queue,
    transport::{Fate, PublishError, PublishErrorKind, TransportError, TransportErrorKind},
};

/// How long a dead letter is hidden from others while it is looked at.
const HIDDEN: Duration = Duration::from_secs(30);
/// How long after it was looked at what stays is hidden anew, while others are looked at.
pub(super) const RENEWED: Duration = Duration::from_secs(15);
/// How long SQS looks for more of them, in seconds: not at one of its servers only.
const WAIT: i32 = 1;
/// The most requests at once.
const AT_ONCE: usize = 8;
/// The time for one to be stored.
const BACK_TIME: Duration = Duration::from_secs(10);

/// A queue of dead letters. To be used on the transport's thread.
pub(super) struct Letters {
    pub(super) setup: Arc<Setup>,
    outlet: Arc<Outlet>,
    /// The queue that they come from.
    pub(super) queue: String,
    name: String,
    url: String,
}

impl Letters {
    pub(super) async fn open(setup: Arc<Setup>, outlet: Arc<Outlet>, queue: &str) -> Result<Self, TransportError> {
        let (queue, name) = (queue.to_owned(), dead_letter_queue(queue));
        let url = setup.directory.queue(&name, setup.clients().await?).await;
        let url = url.map_err(|fault| fault.told(format_args!("find queue `{name}`")))?;
        Ok(Self { setup, outlet, queue, name, url })
    }

    /// Does the queue keep an order?
    pub(super) fn in_order(&self) -> bool {
        self.name.ends_with(".fifo")
    }

    /// Nothing is held.
    pub(super) fn none(&self) -> Held {
        Held::new(self.setup.clock.instant())
    }

    /// Receives until so many are held, or all that there are.
    pub(super) async fn gather(&self, held: &mut Held, most: usize) -> Result<(), TransportError> {
        loop {
            while held.len() < most {
                if !self.more(held, most - held.len()).await? {
                    break;
                }
            }
            if held.len() >= most || held.unsure.is_empty() {
                return Ok(());
            }
            for group in std::mem::take(&mut held.unsure) {
                self.look_behind(held, &group).await?;
            }
        }
    }

    /// Receives so many once, at most; did any come that were not held?
    pub(super) async fn more(&self, held: &mut Held, most: usize) -> Result<bool, TransportError> {
        self.keep_hidden(held).await;
        let asked = most.min(MOST);
        Ok(held.take(self.receive(asked).await?, asked))
    }

    /// Receives what is behind those that are held of a group: from its beginning, if an answer has room for that; else
    /// those that are held go into groups of their own, so that others can be seen behind them.
    async fn look_behind(&self, held: &mut Held, group: &str) -> Result<(), TransportError> {
        let first = held.leave_group(group);
        if first.len() < MOST {
            self.show(first.iter(), Duration::ZERO).await;
        } else {
            for stays in self.part(first).await {
                held.keep(stays);
            }
        }
        self.more(held, MOST).await.map(drop)
    }

    /// Puts these into groups of their own; those for which that cannot be done.
    async fn part(&self, together: Vec<Taken>) -> Vec<Taken> {
        let parting = together.into_iter().map(|taken| async move {
            let parted = match apart(&taken.post, &self.queue) {
                Some(letter) => self.move_to(&self.name, letter, &taken).await.err(),
                None => Some(no_room(&self.name)),
            };
            parted.map(|error| (taken, error))
        });
        let stay: Vec<_> = future::join_all(parting).await.into_iter().flatten().collect();
        if let Some((taken, error)) = stay.first() {
            let (queue, id, error) = (&self.name, taken.id(), error.with_causes());
            tracing::warn!(queue, id, error, "dead letters behind this one, of its key, cannot be seen");
        }
        stay.into_iter().map(|(taken, _)| taken).collect()
    }

    async fn receive(&self, most: usize) -> Result<Vec<Message>, TransportError> {
        let clients = self.setup.clients().await?;
        let asked = clients.sqs.receive_message().queue_url(&self.url);
        let asked = asked
            .max_number_of_messages(i32::try_from(most).unwrap_or(1))
            .wait_time_seconds(WAIT)
            .visibility_timeout(whole_seconds(HIDDEN))
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All");
        let answer = clients.call(CALL, asked.send()).await;
        let answer = answer.map_err(|fault| self.unread(fault.needing(Action::ReceiveMessage, &self.url)))?;
        Ok(answer.messages.unwrap_or_default())
    }

    /// Hides anew what has been held for long.
    pub(super) async fn keep_hidden(&self, held: &mut Held) {
        let now = self.setup.clock.instant();
        if now >= held.hidden + RENEWED {
            self.show(held.all(), HIDDEN).await;
            held.hidden = now;
        }
    }

    /// Shows them to others after a while. Where that fails, they are seen when their time is up.
    pub(super) async fn show(&self, taken: impl Iterator<Item = &Taken>, after: Duration) {
        let receipts: Vec<&str> = taken.map(|taken| taken.receipt.as_str()).collect();
        for some in receipts.chunks(AT_ONCE * MOST) {
            let shown = future::join_all(some.chunks(MOST).map(|ten| self.show_ten(ten, after))).await;
            for fault in shown.into_iter().filter_map(Result::err) {
                let queue = &self.name;
                tracing::warn!(queue, %fault, "dead letters that were looked at are hidden for {HIDDEN:?}");
            }
        }
    }

    async fn show_ten(&self, receipts: &[&str], after: Duration) -> Result<(), Fault> {
        let clients = self.setup.clients().await.map_err(Fault::of_setup)?;
        let entries = receipts.iter().enumerate().map(|(place, receipt)| shown(place, receipt, after));
        let asked = clients.sqs.change_message_visibility_batch().queue_url(&self.url);
        let answer = clients.call(CALL, asked.set_entries(Some(entries.collect())).send()).await;
        let answer = answer.map_err(|fault| fault.needing(Action::ChangeMessageVisibility, &self.url))?;
        failed(answer.failed).next().map_or(Ok(()), |(_, fault)| Err(fault))
    }

    /// Takes one out; before that, where it goes back, stores it there.
    pub(super) async fn leave(&self, taken: &Taken, fate: Fate) -> Result<(), TransportError> {
        match fate {
            Fate::Back => self.move_to(&self.queue, back(&taken.post), taken).await,
            _ => self.delete(taken).await,
        }
    }

    async fn move_to(&self, queue: &str, letter: Letter, taken: &Taken) -> Result<(), TransportError> {
        let put = self.outlet.put(queue, (letter, Duration::ZERO), BACK_TIME).await;
        put.map_err(|error| not_put_back(queue, error))?;
        self.delete(taken).await
    }

    async fn delete(&self, taken: &Taken) -> Result<(), TransportError> {
        let clients = self.setup.clients().await?;
        let asked = clients.sqs.delete_message().queue_url(&self.url).receipt_handle(&taken.receipt);
        let deleted = clients.call(CALL, asked.send()).await;
        deleted.map(drop).map_err(|fault| self.unread(fault.needing(Action::DeleteMessage, &self.url)))
    }

    fn unread(&self, fault: Fault) -> TransportError {
        fault.told(format_args!("read queue `{}`", self.name))
    }
}

fn no_room(queue: &str) -> TransportError {
    let text = format!("a dead letter in queue `{queue}` has no room for saying which group it is of");
    TransportError::new(TransportErrorKind::Unsupported, text)
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
