//! Publishes of a run without a service, each noted with its answer.

use std::sync::atomic::Ordering;

use super::{EVENT, Trial, held};
use crate::{
    envelope::{MessageId, Sealed},
    event::Attributes,
    testing::{
        ledger::{Answer, Checksum, Entry},
        transport::letters,
    },
    transport::{Binding, Outgoing, PublishError, PublishErrorKind, QueuePlan, Transport},
};

impl Trial {
    /// A message to the plan's topic, with this body and an attribute.
    pub fn message(&self, plan: &QueuePlan, body: impl Into<bytes::Bytes>) -> Outgoing {
        let sealed = Sealed { body: body.into(), attributes: Attributes::new().with("stamp", "red") };
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
    pub(in super::super) fn fed_by(&self, binding: impl Fn(&Binding) -> bool) -> Vec<String> {
        let queues = held(&self.queues);
        let fed = queues.iter().filter(|plan| plan.bindings.iter().any(&binding));
        fed.map(|plan| plan.name.clone()).collect()
    }

    pub(in super::super) fn note_publish(
        &self,
        id: &MessageId,
        key: Option<String>,
        checksum: Checksum,
        to: Vec<String>,
    ) {
        self.tally.keyed(id.as_str(), key.clone());
        let sequence = self.published.fetch_add(1, Ordering::Relaxed);
        self.ledger.write(Entry::PublishBegin { id: id.to_string(), key, sequence, checksum, to });
    }

    pub(in super::super) fn note_answer<T>(&self, id: &MessageId, answer: &Result<T, PublishError>) {
        self.ledger.write(Entry::PublishEnd { id: id.to_string(), answer: answer_of(answer) });
    }
}

fn answer_of<T>(answer: &Result<T, PublishError>) -> Answer {
    match answer {
        Ok(_) => Answer::Ok,
        Err(error) if error.kind() == PublishErrorKind::Unknown => Answer::Unknown,
        Err(_) => Answer::Rejected,
    }
}
