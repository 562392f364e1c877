//! A queue of our own beside those of others, for as long as somebody follows what flows: made as any other, and taken away
//! at the end with all that belongs to it.

use std::sync::{Arc, Mutex, PoisonError};

use super::{
    setup::{CALL, Setup},
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

/// Takes it away, and tells what is left; on the transport's thread.
pub(super) async fn end(setup: Arc<Setup>, plan: QueuePlan) -> Result<(), TransportError> {
    let left = upkeep::remove(&setup, &plan).await.unwrap_or_else(|error| vec![error]);
    for error in left {
        tracing::warn!(queue = plan.name, error = error.with_causes(), "a queue that followed leaves something behind");
    }
    Ok(())
}
