//! Counts what waits in the service's queues, for those who observe it.

use std::{sync::Arc, time::Duration};

use super::{Error, plan::Station, transports::Transports};
use crate::{
    lifecycle::Lifecycle,
    telemetry::{Counted, Fact, Observers},
    transport::{QueuePlan, Transport},
};

/// How long until the queues are counted, and counted again: what starts again and again asks for nothing.
const EVERY: Duration = Duration::from_secs(30);
/// How long a broker has to tell.
const LIMIT: Duration = Duration::from_secs(5);

/// Who counts, one queue after the other.
pub(super) struct Census {
    queues: Vec<(Arc<dyn Transport>, QueuePlan)>,
    observers: Observers,
}

impl Census {
    pub(super) fn of(stations: &[Station], on: &Transports, observers: &Observers) -> Result<Self, Error> {
        // Nobody looks, nobody counts.
        let counted = if observers.any() { stations } else { &[] };
        let queues = counted.iter().map(|station| Ok((on.of(station)?.clone(), station.queue.clone())));
        Ok(Self { queues: queues.collect::<Result<_, Error>>()?, observers: observers.clone() })
    }

    /// Counts until the service drains.
    pub(super) fn start(self, lifecycle: &Lifecycle) {
        if self.queues.is_empty() {
            return;
        }
        let draining = lifecycle.draining().clone();
        lifecycle.spawn(async move {
            let _ = draining.run_until_cancelled(self.count_for_ever()).await;
        });
    }

    async fn count_for_ever(&self) {
        loop {
            tokio::time::sleep(EVERY).await;
            for (transport, queue) in &self.queues {
                // Who does not tell in time does not tell.
                let told = tokio::time::timeout(LIMIT, transport.backlog(queue)).await.unwrap_or_default();
                let system = transport.name();
                for (queue, messages) in [(&queue.name, told.waiting), (&queue.dead_letters, told.dead)] {
                    self.observers.tell(&Fact::Counted(Counted { system, queue, messages }));
                }
            }
        }
    }
}
