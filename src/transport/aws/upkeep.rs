//! Topics and queues as they were planned, made anew where somebody has deleted them.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    setup::Setup,
    topology::{self, Site},
};
use crate::transport::{Provision, Prune, QueuePlan, Remnant, Topology, TransportError, in_one};

/// A deleted queue cannot be made again within 60 s (AWS: CreateQueue); it is tried this often at most.
const SPACING: Duration = Duration::from_secs(10);

/// What was planned.
#[derive(Default)]
pub(super) struct Upkeep(Mutex<Planned>);

#[derive(Default)]
struct Planned {
    /// Each with what may be done about it.
    topologies: Vec<(Topology, Provision)>,
    mended: Option<Instant>,
}

impl Upkeep {
    /// Keeps a plan.
    pub(super) fn plan(&self, topology: &Topology, mode: Provision) {
        let (plan, mut planned) = ((topology.clone(), mode), self.planned());
        // A start that is tried again has the same plan.
        if !planned.topologies.contains(&plan) {
            planned.topologies.push(plan);
        }
    }

    /// The plan that this queue is in, if it is ours to mend, and it was not just tried.
    fn to_mend(&self, queue: &str, now: Instant) -> Option<Topology> {
        let mut planned = self.planned();
        if planned.mended.is_some_and(|mended| now < mended + SPACING) {
            return None;
        }
        let has =
            |topology: &Topology| topology.queues.iter().any(|plan| plan.name == queue || plan.dead_letters == queue);
        let ours = planned.topologies.iter().find(|(topology, mode)| *mode == Provision::Create && has(topology));
        let topology = ours.map(|(topology, _)| topology.clone())?;
        planned.mended = Some(now);
        Some(topology)
    }

    fn planned(&self) -> MutexGuard<'_, Planned> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Brings a topology into being, as the mode says; on the transport's thread. What is missing or differs.
pub(super) async fn provision(
    setup: &Setup,
    topology: &Topology,
    mode: Provision,
) -> Result<Vec<TransportError>, TransportError> {
    topology::provision(&site(setup).await?, topology, mode).await
}

/// Looks for what earlier plans left, and deletes it, as the mode says; on the transport's thread.
pub(super) async fn prune(
    setup: &Setup,
    former: &[QueuePlan],
    today: &Topology,
    mode: Prune,
) -> Result<Vec<Remnant>, TransportError> {
    topology::prune(&site(setup).await?, former, today, mode).await
}

/// Takes away a queue that was made for a while; on the transport's thread. What could not be taken away.
pub(super) async fn remove(setup: &Setup, plan: &QueuePlan) -> Result<Vec<TransportError>, TransportError> {
    Ok(topology::remove(&site(setup).await?, plan).await)
}

async fn site(setup: &Setup) -> Result<Site<'_>, TransportError> {
    let (clients, parameters) = (setup.clients().await?, setup.address()?.parameters());
    Ok(Site { clients, directory: &setup.directory, parameters, dice: &setup.dice })
}

/// Makes what is missing around a queue that is not there any more; on the transport's thread.
pub(super) async fn mend(setup: Arc<Setup>, queue: String) {
    let Some(topology) = setup.upkeep.to_mend(&queue, setup.clock.instant()) else { return };
    match provision(&setup, &topology, Provision::Create).await.and_then(in_one) {
        Ok(()) => tracing::warn!(queue, "it was deleted, and is made again; what it held is lost"),
        Err(error) => {
            tracing::warn!(
                queue,
                error = error.with_causes(),
                "it was deleted, and cannot be made again; will try again"
            );
        }
    }
}
