//! A queue of our own beside those of others, for as long as somebody follows what flows: made as any other, and taken away
//! at the end with all that belongs to it.

use std::sync::{Arc, Mutex, PoisonError};

use super::{
    fault::{Fault, FaultKind},
    setup::{CALL, Clients, Setup},
    upkeep,
};
use crate::transport::{Provision, QueuePlan, TopicPlan, Topology, TransportError};

/// What says of a queue that it is nobody's once its follower is gone: one that was killed leaves it behind.
const TAG: [&str; 2] = ["tegami", "tail"];

/// The queues that follow.
#[derive(Default)]
pub(super) struct Tails(Mutex<Vec<QueuePlan>>);

impl Tails {
    /// Keeps in mind what must go, before it is there.
    pub(super) fn keep(&self, plan: &QueuePlan) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(plan.clone());
    }

    /// All that must go.
    pub(super) fn take(&self) -> Vec<QueuePlan> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Makes the queue and has SNS copy into it; on the transport's thread.
pub(super) async fn begin(setup: Arc<Setup>, plan: QueuePlan) -> Result<(), TransportError> {
    let topics = plan.bindings.iter().map(|binding| TopicPlan {
        name: binding.topic.clone(),
        ordered: plan.ordered,
        source: "",
    });
    let queues = [plan.name.clone(), plan.dead_letters.clone()];
    let topology = Topology { topics: topics.collect(), queues: vec![plan] };
    upkeep::provision(&setup, &topology, Provision::Create).await?;
    let clients = setup.clients().await?;
    for name in &queues {
        let [key, value] = TAG;
        let tagged = async {
            let url = setup.directory.queue(name, clients).await?;
            clients.call(CALL, clients.sqs.tag_queue().queue_url(url).tags(key, value).send()).await
        };
        tagged.await.map_err(|fault| fault.told(format_args!("tag queue `{name}`, which takes `sqs:TagQueue`")))?;
    }
    Ok(())
}

/// Takes it away; on the transport's thread.
pub(super) async fn end(setup: Arc<Setup>, plan: QueuePlan) -> Result<(), TransportError> {
    let clients = setup.clients().await?;
    for binding in &plan.bindings {
        tell(&plan.name, "has a subscription left", unsubscribe(&setup, clients, &plan.name, &binding.topic).await);
    }
    for name in [&plan.name, &plan.dead_letters] {
        tell(name, "is left behind", delete(&setup, clients, name).await);
    }
    Ok(())
}

fn tell(queue: &str, what: &str, done: Result<(), Fault>) {
    match done {
        Err(fault) if fault.kind != FaultKind::Missing => tracing::warn!(queue, %fault, "a queue that followed {what}"),
        _ => {}
    }
}

async fn unsubscribe(setup: &Setup, clients: &Clients, queue: &str, topic: &str) -> Result<(), Fault> {
    let topic = setup.directory.topic(topic, clients).await?;
    let mut next = None::<String>;
    loop {
        let asking = clients.sns.list_subscriptions_by_topic().topic_arn(&topic).set_next_token(next);
        let page = clients.call(CALL, asking.send()).await?;
        let is_ours = |endpoint: &str| endpoint.rsplit(':').next() == Some(queue);
        for one in page.subscriptions.unwrap_or_default() {
            if one.endpoint.as_deref().is_some_and(is_ours) {
                clients.call(CALL, clients.sns.unsubscribe().set_subscription_arn(one.subscription_arn).send()).await?;
            }
        }
        next = page.next_token.filter(|token| !token.is_empty());
        if next.is_none() {
            return Ok(());
        }
    }
}

async fn delete(setup: &Setup, clients: &Clients, queue: &str) -> Result<(), Fault> {
    let url = setup.directory.queue(queue, clients).await?;
    clients.call(CALL, clients.sqs.delete_queue().queue_url(url).send()).await?;
    setup.directory.forget(queue);
    Ok(())
}
