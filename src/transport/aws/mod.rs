//! SNS and SQS.
//!
//! `outlet` publishes, `intake` consumes; `batch` has what comes together go together, `holding` keeps what was received
//! from being given to others. `topology` makes topics, queues and what lies between them, `filter` says to SNS what a
//! subscription wants, `letter` turns messages into what both carry and back, `signature` verifies what SNS
//! sends over HTTP. Nothing outside this folder speaks of ARNs, receipts and visibility.

mod actions;
mod address;
mod batch;
mod completed;
mod dead;
mod directory;
#[cfg(feature = "testing")]
pub(crate) mod doors;
mod fault;
mod filter;
mod hold;
mod holding;
mod iam;
mod intake;
mod letter;
mod outlet;
mod parcel;
mod pulse;
mod queues;
mod setup;
mod shelf;
mod signature;
mod tail;
mod tomodachi;
mod topics;
mod topology;
mod upkeep;
mod wallet;

pub use signature::{Checks, SignatureError, SignatureErrorKind, Signed, SignedKind, Verifier};

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{
    batch::Batches,
    completed::Completed,
    fault::FaultKind,
    holding::Holding,
    intake::{Intake, QueueDeliveries},
    outlet::Outlet,
    queues::{ChangeDesk, DoneDesk},
    setup::Setup,
    shelf::Shelf,
    tail::Tails,
};
pub use self::{iam::IamPolicy, tomodachi::tomodachi_queue};
use crate::{
    health::Status,
    transport::{
        Backlog, Capabilities, DeadLetter, Deliveries, Outgoing, Provision, Prune, PublishError, PublishErrorKind,
        QueuePlan, Remnant, Sorter, Topology, Transport, TransportError, in_one,
    },
};

/// The time for a publish: less than the publisher's own deadline, so that it is we who say how it ended (P3).
const PUBLISH_TIME: Duration = Duration::from_millis(9_500);
/// The largest message: what SNS takes, without what we write beside it. One whose bytes are no text is larger on the
/// wire, and refused there if it must be.
const MESSAGE_LIMIT: usize = letter::SNS_LIMIT - 2 * 1024;
/// The most attributes of a message: ours, the user's and a trace's go together into ten.
const ATTRIBUTE_LIMIT: usize = 10;
/// A message can be hidden for 12 hours; a handler gets less (L1).
const HANDLING_LIMIT: Duration = Duration::from_secs(11 * 3600 + 50 * 60);
/// The longest that SQS keeps a message back that was sent to a queue.
const MOST_DELAY: Duration = Duration::from_secs(15 * 60);
/// How long deletes wait for more of them.
const DELETE_LINGER: Duration = Duration::from_millis(10);
/// How long what nobody has settled, and publishes, have when the transport is closed.
const CLOSE_TIME: Duration = Duration::from_secs(2);
/// How long deletes and their like have: longer than a try, or what is done would come again. Whoever closes may wait
/// for less.
const SETTLE_TIME: Duration = Duration::from_secs(10);

/// SNS and SQS.
///
/// What is published is stored by AWS when `publish` says so; what is not settled comes again, also when this process
/// dies. Publishes, deletes and extensions that come together travel together, up to ten in a request.
///
/// # Examples
/// ```
/// use tegami::transport::{Transport, aws::Aws};
///
/// let ireland = Aws::new("aws:eu-west-1");
/// assert!(ireland.capabilities().durable);
/// ```
pub struct Aws {
    setup: Arc<Setup>,
    outlet: Arc<Outlet>,
    closed: CancellationToken,
    intakes: TaskTracker,
    tails: Tails,
}

/// SNS and SQS at this URL; what is wrong with it is told at once.
pub(crate) fn at(url: &str) -> Result<Aws, TransportError> {
    let aws = Aws::new(url);
    aws.setup.address()?;
    Ok(aws)
}

impl Aws {
    /// SNS and SQS as this URL says. Nothing is done until a service starts; a URL that is wrong is told then.
    ///
    /// `aws:eu-west-1`, or `aws:` with the region of the environment; `?name=value` for the rest. See
    /// [`docs::aws`](crate::docs::aws) for the parameters. Credentials are those that the AWS SDK finds.
    pub fn new(url: impl AsRef<str>) -> Self {
        Self::with(Setup::new(url.as_ref()))
    }

    /// The same with this access key.
    #[must_use]
    pub fn access_key(self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.credentials(Credentials::new(id, secret, None, None, "given in code"))
    }

    /// The same with the credentials that this provider of the AWS SDK has.
    #[must_use]
    pub fn credentials(self, provider: impl ProvideCredentials + 'static) -> Self {
        Self::with(Setup::with(self.setup.address().cloned(), SharedCredentialsProvider::new(provider)))
    }

    fn with(setup: Setup) -> Self {
        let linger = setup.address().map_or(Duration::ZERO, |address| address.parameters().linger);
        let setup = Arc::new(setup);
        let outlet = Arc::new(Outlet::new(setup.clone(), linger));
        Self { setup, outlet, closed: CancellationToken::new(), intakes: TaskTracker::new(), tails: Tails::default() }
    }

    /// Sends straight to a queue, as tomodachi does it.
    async fn send(&self, mut message: Outgoing, queue: &str) -> Result<(), PublishError> {
        let until = self.setup.clock.instant() + PUBLISH_TIME;
        let (setup, name) = (self.setup.clone(), queue.to_owned());
        let finding = async move { Ok(outlet::find(&setup, &name, until).await) };
        let found = self.setup.run(finding).await.map_err(outlet::closed)?;
        let url = found.map_err(|fault| fault.for_publisher(queue))?;
        // SQS itself keeps a message back, but not for long; beyond that its reader does.
        let delay = message.delay.take_if(|delay| *delay <= MOST_DELAY).unwrap_or_default();
        let letter = letter::direct(&message, &url, self.setup.clock.now())?;
        let left = until.saturating_duration_since(self.setup.clock.instant());
        self.outlet.put(queue, (letter, delay), left).await
    }

    fn intake(&self, plan: &QueuePlan) -> Result<Arc<Intake>, TransportError> {
        let parameters = self.setup.address()?.parameters();
        let holding = Arc::new(Holding::new(self.setup.clone(), plan.name.clone(), parameters.visibility));
        let chances = || (self.setup.clock, self.setup.dice.clone());
        Ok(Arc::new(Intake {
            plan: plan.clone(),
            deletes: Batches::new(DoneDesk(holding.clone()), DELETE_LINGER, chances()),
            changes: Batches::new(ChangeDesk(holding.clone()), parameters.linger, chances()),
            holding,
            shelf: Shelf::default(),
            completed: Completed::default(),
            outlet: self.outlet.clone(),
            wait: parameters.wait,
            ended: self.closed.child_token(),
            closed: self.closed.clone(),
            failed: std::sync::Mutex::default(),
        }))
    }
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.setup.address().map(ToString::to_string).unwrap_or_default();
        f.debug_struct("Aws").field("address", &address).finish_non_exhaustive()
    }
}

#[async_trait]
impl Transport for Aws {
    fn name(&self) -> &'static str {
        "aws"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::none()
            .durable()
            .ordered()
            .delay_step(Duration::from_secs(1))
            .message_limit(MESSAGE_LIMIT)
            .attribute_limit(ATTRIBUTE_LIMIT)
            .delay(HANDLING_LIMIT)
            .handling_limit(HANDLING_LIMIT)
    }

    async fn provision(&self, topology: &Topology, mode: Provision) -> Result<(), TransportError> {
        in_one(self.differences(topology, mode).await?)
    }

    async fn differences(&self, topology: &Topology, mode: Provision) -> Result<Vec<TransportError>, TransportError> {
        self.setup.directory.set_mode(mode, self.setup.address()?.parameters());
        self.setup.upkeep.plan(topology, mode);
        let (setup, topology) = (self.setup.clone(), topology.clone());
        self.setup.run(async move { upkeep::provision(&setup, &topology, mode).await }).await
    }

    async fn publish(&self, message: Outgoing) -> Result<(), PublishError> {
        self.capabilities().check(&message)?;
        self.setup.address().map_err(|error| {
            let text = "the transport's settings are wrong";
            PublishError::new(PublishErrorKind::Refused, text).caused_by(error)
        })?;
        if message.ordered && message.delay.is_some() {
            let text = format!("message `{}` is in order, and delayed: those after it could overtake it", message.id);
            return Err(PublishError::new(PublishErrorKind::Unsupported, text));
        }
        let allowed = message.allow_unroutable;
        let published = match message.queue.clone() {
            Some(queue) => self.send(message, &queue).await,
            None => {
                let letter = letter::seal(&message, self.setup.clock.now())?;
                self.outlet.publish(&message.topic, letter, PUBLISH_TIME).await
            }
        };
        match published {
            Err(error) if allowed && error.kind() == PublishErrorKind::Unroutable => Ok(()),
            published => published,
        }
    }

    async fn consume(&self, plan: &QueuePlan) -> Result<Box<dyn Deliveries>, TransportError> {
        let (setup, queue) = (self.setup.clone(), plan.name.clone());
        let finding = async move {
            let mut found = setup.directory.queue(&queue, setup.clients().await?).await;
            if found.as_ref().is_err_and(|fault| fault.kind == FaultKind::Missing) {
                upkeep::mend(setup.clone(), queue.clone()).await;
                found = setup.directory.queue(&queue, setup.clients().await?).await;
            }
            found.map_err(|fault| fault.told(format_args!("find queue `{queue}`")))
        };
        self.setup.run(finding).await?;
        let intake = self.intake(plan)?;
        self.setup.spawn(self.intakes.track_future(intake.clone().attend()))?;
        let _end = intake.ended.clone().drop_guard();
        Ok(Box::new(QueueDeliveries { intake, _end }))
    }

    async fn dead_letters(&self, queue: &str, limit: usize) -> Result<Vec<DeadLetter>, TransportError> {
        let parts = (self.setup.clone(), self.outlet.clone());
        self.setup.run(dead::look(parts, queue.to_owned(), limit)).await
    }

    async fn sort_dead_letters(&self, queue: &str, sorter: &mut dyn Sorter) -> Result<(), TransportError> {
        dead::sort(&self.setup, &self.outlet, queue, sorter).await
    }

    async fn tail(&self, plan: &QueuePlan) -> Result<Box<dyn Deliveries>, TransportError> {
        self.tails.keep(plan);
        self.setup.run(tail::begin(self.setup.clone(), plan.clone())).await?;
        self.consume(plan).await
    }

    async fn prune(&self, former: &[QueuePlan], today: &Topology, mode: Prune) -> Result<Vec<Remnant>, TransportError> {
        let (setup, former, today) = (self.setup.clone(), former.to_vec(), today.clone());
        self.setup.run(async move { upkeep::prune(&setup, &former, &today, mode).await }).await
    }

    fn exports(&self, topology: &Topology, published: &[String]) -> Result<BTreeMap<String, String>, TransportError> {
        let mut files = topology::templates(topology, published, self.setup.address()?.parameters())?;
        let policy = topology.iam_policy().publishes_to(published).redrives();
        files.insert("iam-policy.json".to_owned(), format!("{policy}\n"));
        Ok(files)
    }

    async fn close(&self) {
        // Whoever closes may not wait for the end.
        let _leaving = self.setup.leaving();
        self.closed.cancel();
        for plan in self.tails.take() {
            // What is left behind is told.
            let _ = self.setup.run(tail::end(self.setup.clone(), plan)).await;
        }
        self.intakes.close();
        let settled = tokio::time::timeout(SETTLE_TIME, self.intakes.wait());
        let _ = tokio::join!(settled, tokio::time::timeout(CLOSE_TIME, self.outlet.quiet()));
    }

    async fn backlog(&self, queue: &QueuePlan) -> Backlog {
        let (setup, queue) = (self.setup.clone(), queue.clone());
        let counting = async move {
            Ok(Backlog::new(
                queues::waiting(&setup, &queue.name).await,
                queues::waiting(&setup, &queue.dead_letters).await,
            ))
        };
        self.setup.run(counting).await.unwrap_or_default()
    }

    fn status(&self) -> Status {
        match self.closed.is_cancelled() {
            true => Status::down("the transport to SNS and SQS was closed"),
            false => self.setup.pulse.status(self.setup.clock.instant()),
        }
    }
}

impl Drop for Aws {
    fn drop(&mut self) {
        self.closed.cancel();
        drop(self.setup.leaving());
    }
}
