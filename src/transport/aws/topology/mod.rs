//! Topics, queues and what lies between them: made, or looked at.
//!
//! `wanted` has what the plan asks for in the words of SNS and SQS, `policy` who may write into a queue; `queues`,
//! `topics` and `subscriptions` look at what is there and, where they may, mend what differs. What the plan does not
//! speak of is left as it is, and nothing is removed but by `prune` and `remove`. `export` has the same as templates.

mod asking;
mod export;
mod findings;
mod names;
mod policy;
mod prune;
mod queues;
mod subscriptions;
mod topics;
mod wanted;

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::try_join_all;

use self::findings::Findings;
pub(super) use self::{export::templates, topics::create as create_topic};
use super::{address::Parameters, directory::Directory, setup::Clients};
use crate::{
    time::Dice,
    transport::{Provision, Prune, QueuePlan, Remnant, Topology, TransportError},
};

/// So many calls are under way at once: AWS allows few a second for some, and tells us to wait.
const AT_ONCE: usize = 8;

/// Where a topology is brought into being.
pub(super) struct Site<'a> {
    pub(super) clients: &'a Clients,
    pub(super) directory: &'a Directory,
    pub(super) parameters: &'a Parameters,
    pub(super) dice: &'a Dice,
}

/// Does what the mode says with the topics and queues of a service; what is missing or differs.
///
/// # Errors
/// One that names what did not work, and the permission that it takes.
pub(super) async fn provision(
    site: &Site<'_>,
    topology: &Topology,
    mode: Provision,
) -> Result<Vec<TransportError>, TransportError> {
    if mode == Provision::Assume {
        return Ok(Vec::new());
    }
    names::check(topology)?;
    let round = Round::of(site, mode);
    round.walk(topology).await?;
    Ok(round.findings.into_inner().unwrap_or_else(PoisonError::into_inner).told())
}

/// Looks for the queues of earlier plans that are not in today's, and deletes them, as the mode says.
///
/// # Errors
/// One that names what did not work, and the permission that it takes.
pub(super) async fn prune(
    site: &Site<'_>,
    former: &[QueuePlan],
    today: &Topology,
    mode: Prune,
) -> Result<Vec<Remnant>, TransportError> {
    let names = today.queues.iter().flat_map(|plan| [&*plan.name, &*plan.dead_letters]).collect();
    let round = Round::of(site, Provision::Verify);
    // As one it is deeper than the compiler goes.
    Box::pin(round.prune(former, &names, mode)).await
}

/// Takes away a queue that was made for a while, with its dead letters and what feeds it, whatever they hold. What could
/// not be is told, and the rest is taken away all the same.
pub(super) async fn remove(site: &Site<'_>, plan: &QueuePlan) -> Vec<TransportError> {
    Box::pin(Round::of(site, Provision::Verify).remove(plan)).await
}

/// One walk over a topology.
struct Round<'a> {
    site: &'a Site<'a>,
    mode: Provision,
    findings: Mutex<Findings>,
}

impl<'a> Round<'a> {
    fn of(site: &'a Site<'a>, mode: Provision) -> Self {
        Self { site, mode, findings: Mutex::default() }
    }
}

impl Round<'_> {
    /// A queue lets SNS in before it is subscribed: what comes in between would be lost.
    async fn walk(&self, topology: &Topology) -> Result<(), TransportError> {
        let wanted = wanted::queues(topology, self.site.parameters);
        let queues = self.find_queues(&wanted).await?;
        let topics = self.find_topics(topology).await?;
        self.mend_queues(topology, &wanted, (&queues, &topics)).await?;
        self.subscribe(topology, (&queues, &topics)).await
    }

    /// May anything be changed? If not, what should be is noted.
    fn may_change(&self) -> bool {
        self.mode == Provision::Create
    }

    fn findings(&self) -> MutexGuard<'_, Findings> {
        self.findings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does all of this, some of it at once, in its order.
async fn at_once<T, F>(work: Vec<F>) -> Result<Vec<T>, TransportError>
where
    F: Future<Output = Result<T, TransportError>>,
{
    let (mut work, mut done) = (work.into_iter(), Vec::new());
    loop {
        let some: Vec<F> = work.by_ref().take(AT_ONCE).collect();
        if some.is_empty() {
            return Ok(done);
        }
        done.extend(try_join_all(some).await?);
    }
}
