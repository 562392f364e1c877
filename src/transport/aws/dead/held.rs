//! Dead letters that SQS has handed to us, and hides from others.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_sqs::types::Message;
use tokio::time::Instant;

use super::super::letter::{Post, shared_group};

/// One of them.
pub(super) struct Taken {
    pub(super) post: Post,
    /// What it is deleted by, and shown again.
    pub(super) receipt: String,
}

impl From<Message> for Taken {
    fn from(mut message: Message) -> Self {
        let receipt = message.receipt_handle.take().unwrap_or_default();
        Self { post: message.into(), receipt }
    }
}

impl Taken {
    /// What it is known by. It keeps that when it gets a group of its own, as what tells a resend of that copy.
    pub(super) fn id(&self) -> &str {
        let post = &self.post;
        let id = if shared_group(post).is_some() { &post.id } else { &post.deduplication };
        id.as_ref().or(post.id.as_ref()).map_or("", String::as_str)
    }
}

/// All that are held.
pub(super) struct Held {
    taken: HashMap<String, Taken>,
    /// Groups that go on, perhaps, behind what is held of them.
    pub(super) unsure: BTreeSet<String>,
    /// Since when all of them are hidden, at least.
    pub(super) hidden: Instant,
}

impl Held {
    pub(super) fn new(now: Instant) -> Self {
        Self { taken: HashMap::new(), unsure: BTreeSet::new(), hidden: now }
    }

    /// Takes in what came for a request of so many; was there anything that was not held?
    pub(super) fn take(&mut self, came: Vec<Message>, asked: usize) -> bool {
        let (full, before) = (came.len() >= asked, self.len());
        for taken in came.into_iter().map(Taken::from) {
            if let Some(group) = shared_group(&taken.post) {
                // SQS stops in the midst of a group where an answer is full, and shows no more of it.
                match full {
                    true => self.unsure.insert(group.to_owned()),
                    false => self.unsure.remove(group),
                };
            }
            self.keep(taken);
        }
        self.len() > before
    }

    pub(super) fn keep(&mut self, taken: Taken) {
        self.taken.insert(taken.id().to_owned(), taken);
    }

    pub(super) fn leave(&mut self, id: &str) -> Option<Taken> {
        self.taken.remove(id)
    }

    /// Lets go of all of a group.
    pub(super) fn leave_group(&mut self, group: &str) -> Vec<Taken> {
        self.taken.extract_if(|_, taken| shared_group(&taken.post) == Some(group)).map(|(_, taken)| taken).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.taken.len()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Taken> {
        self.taken.values()
    }

    pub(super) fn into_posts(self) -> impl Iterator<Item = Post> {
        self.taken.into_values().map(|taken| taken.post)
    }
}
