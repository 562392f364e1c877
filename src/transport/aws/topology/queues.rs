//! Queues: found or made, then mended.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_sqs::types::QueueAttributeName;

use super::{
    Round, at_once,
    findings::{Change, fixed},
    policy, topics,
    wanted::{self, Queue, Redrive},
};
use crate::transport::{
    QueuePlan, Topology, TransportError,
    aws::{
        actions::Action,
        directory::nameless,
        fault::{Fault, FaultKind},
        setup::CALL,
    },
};

/// A queue that is there.
pub(super) struct Found {
    url: String,
    pub(super) arn: String,
    attributes: HashMap<String, String>,
    age: Age,
}

/// Since when it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Age {
    /// We made it just now.
    New,
    Old,
}

/// The queues that are there, by name.
pub(super) type Queues<'a> = BTreeMap<&'a str, Found>;

impl Round<'_> {
    /// Finds the queues, or makes them where it may.
    pub(super) async fn find_queues<'a>(&self, wanted: &[Queue<'a>]) -> Result<Queues<'a>, TransportError> {
        let finding = wanted.iter().map(|queue| self.find_queue(queue)).collect();
        let found = at_once(finding).await?;
        let names = wanted.iter().map(|queue| queue.name);
        Ok(names.zip(found).filter_map(|(name, found)| Some((name, found?))).collect())
    }

    /// Mends what differs on the queues that are there.
    pub(super) async fn mend_queues(
        &self,
        topology: &Topology,
        wanted: &[Queue<'_>],
        (queues, topics): (&Queues<'_>, &topics::Topics<'_>),
    ) -> Result<(), TransportError> {
        let plans: HashMap<&str, &QueuePlan> = topology.queues.iter().map(|plan| (&*plan.name, plan)).collect();
        let there = wanted.iter().filter_map(|queue| Some((queue, queues.get(queue.name)?)));
        let mending = there.map(|(queue, found)| {
            let plan = plans.get(queue.name).copied();
            async move {
                let mut changes = changes(queue, found);
                if let Some(plan) = plan {
                    changes.extend(redrive(plan, found, queues.get(&*plan.dead_letters)));
                    match policy(plan, found, topics) {
                        Ok(change) => changes.extend(change),
                        Err(why) => self.findings().stays(why),
                    }
                }
                self.change_queue(queue.name, found, &changes).await?;
                self.tag_queue(queue.name, found).await
            }
        });
        at_once(mending.collect()).await.map(drop)
    }

    async fn find_queue(&self, queue: &Queue<'_>) -> Result<Option<Found>, TransportError> {
        let name = queue.name;
        let (url, age) = match self.look_up(name).await {
            Ok(url) => (url, Age::Old),
            Err(fault) if fault.kind == FaultKind::Missing && self.may_change() => {
                (self.create_queue(queue).await?, Age::New)
            }
            Err(fault) if fault.kind == FaultKind::Missing => {
                self.findings().missing(the_queue(name));
                return Ok(None);
            }
            Err(fault) => return Err(self.site.failed(Action::GetQueueUrl, the_queue(name))(fault)),
        };
        self.site.directory.keep_queue(name, &url);
        self.read_queue(name, url, age).await.map(Some)
    }

    pub(super) async fn look_up(&self, name: &str) -> Result<String, Fault> {
        let clients = self.site.clients;
        let asking = clients.sqs.get_queue_url().queue_name(name);
        let found = self.site.ask(|| clients.call(CALL, asking.clone().send())).await?;
        found.queue_url.ok_or_else(|| nameless("a queue", name))
    }

    /// Makes a queue. Somebody else may have made it in the meantime, in another way.
    async fn create_queue(&self, queue: &Queue<'_>) -> Result<String, TransportError> {
        let Self { site, .. } = self;
        let attributes = queue.attributes.iter().map(|(name, value)| (QueueAttributeName::from(*name), value.clone()));
        let creating =
            site.clients.sqs.create_queue().queue_name(queue.name).set_attributes(Some(attributes.collect()));
        let creating = site.parameters.tags.iter().fold(creating, |creating, (name, value)| creating.tags(name, value));
        let made = match site.ask(|| site.clients.call(CALL, creating.clone().send())).await {
            Ok(made) => made.queue_url.ok_or_else(|| nameless("a queue", queue.name)),
            Err(fault) if fault.kind == FaultKind::Differs => self.look_up(queue.name).await,
            Err(fault) => Err(fault),
        };
        made.map_err(site.failed(Action::CreateQueue, the_queue(queue.name)))
    }

    async fn read_queue(&self, name: &str, url: String, age: Age) -> Result<Found, TransportError> {
        let (arn, attributes) = self.read_attributes(name, &url).await?;
        self.site.directory.keep_home(&arn);
        Ok(Found { url, arn, attributes, age })
    }

    /// The ARN of a queue, and all its attributes.
    pub(super) async fn read_attributes(
        &self,
        name: &str,
        url: &str,
    ) -> Result<(String, HashMap<String, String>), TransportError> {
        let Self { site, .. } = self;
        let asking = site.clients.sqs.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::All);
        let mends = |kind| kind == FaultKind::Missing;
        let asked = site.ask_until(mends, || site.clients.call(CALL, asking.clone().send())).await;
        let what = format!("{} ({url})", the_queue(name));
        let answer = asked.map_err(site.failed(Action::GetQueueAttributes, &what))?;
        let attributes = answer.attributes.unwrap_or_default();
        let attributes: HashMap<_, _> =
            attributes.into_iter().map(|(name, value)| (name.as_str().to_owned(), value)).collect();
        let arn = attributes.get("QueueArn").cloned().ok_or_else(|| nameless("a queue", name));
        let arn = arn.map_err(site.failed(Action::GetQueueAttributes, what))?;
        Ok((arn, attributes))
    }

    async fn change_queue(&self, name: &str, found: &Found, changes: &[Change]) -> Result<(), TransportError> {
        let (what, site) = (format!("{} ({})", the_queue(name), found.arn), self.site);
        if changes.is_empty() {
            return Ok(());
        }
        if !self.may_change() {
            self.findings().differing(&what, changes);
            return Ok(());
        }
        if let Some(text) = fixed(&what, changes) {
            self.findings().stays(text);
            return Ok(());
        }
        let values = changes.iter().map(|change| (QueueAttributeName::from(change.attribute), change.value.clone()));
        let setting = site.clients.sqs.set_queue_attributes().queue_url(&found.url);
        let setting = setting.set_attributes(Some(values.collect()));
        // A queue of dead letters that was just made is not known everywhere at once.
        let mends: fn(FaultKind) -> bool = match found.age {
            Age::New => |kind| matches!(kind, FaultKind::Missing | FaultKind::Wrong),
            Age::Old => |_| false,
        };
        let set = site.ask_until(mends, || site.clients.call(CALL, setting.clone().send())).await;
        set.map(drop).map_err(site.failed(Action::SetQueueAttributes, &what))
    }

    /// Adds what tags are missing on a queue that was there before.
    async fn tag_queue(&self, name: &str, found: &Found) -> Result<(), TransportError> {
        let (what, site) = (format!("{} ({})", the_queue(name), found.arn), self.site);
        if site.parameters.tags.is_empty() || found.age == Age::New {
            return Ok(());
        }
        let asking = site.clients.sqs.list_queue_tags().queue_url(&found.url);
        let asked = site.ask(|| site.clients.call(CALL, asking.clone().send())).await;
        let known = asked.map_err(site.failed(Action::ListQueueTags, &what))?.tags.unwrap_or_default();
        let tags = self.missing_tags(&what, |name| known.get(name).cloned());
        if tags.is_empty() {
            return Ok(());
        }
        let tagging = site.clients.sqs.tag_queue().queue_url(&found.url);
        let tagging = tags.into_iter().fold(tagging, |tagging, (name, value)| tagging.tags(name, value));
        let tagged = site.ask(|| site.clients.call(CALL, tagging.clone().send())).await;
        tagged.map(drop).map_err(site.failed(Action::TagQueue, &what))
    }

    /// The tags to be set; none where nothing may be changed, but noted.
    pub(super) fn missing_tags(&self, what: &str, known: impl Fn(&str) -> Option<String>) -> Vec<(&str, &str)> {
        let tags = self.site.parameters.tags.iter().filter(|(name, value)| known(name).as_ref() != Some(value));
        let tags: Vec<_> = tags.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        if self.may_change() || tags.is_empty() {
            return tags;
        }
        let changes = tags.iter().map(|(name, value)| {
            let found = known(name).map_or_else(|| "is not set".to_owned(), |found| format!("is `{found}`"));
            Change::saying("tag", String::new(), format!("`{name}` {found}, `{value}` is expected"))
        });
        self.findings().differing(what, &changes.collect::<Vec<_>>());
        Vec::new()
    }
}

pub(super) fn the_queue(name: &str) -> String {
    format!("queue `{name}`")
}

/// What differs of the attributes that a queue is made with.
fn changes(queue: &Queue<'_>, found: &Found) -> Vec<Change> {
    let ours = queue.attributes.iter().filter(|(name, _)| !queue.left.contains(name));
    let known = |name: &str| found.attributes.get(name).map(String::as_str);
    let differing = ours.filter(|(name, value)| known(name) != Some(value));
    differing.map(|(name, value)| Change::new(name, value, known(name))).collect()
}

fn redrive(plan: &QueuePlan, found: &Found, dead_letters: Option<&Found>) -> Option<Change> {
    let known = found.attributes.get("RedrivePolicy").map(String::as_str);
    match wanted::redrive(known, plan, &dead_letters?.arn) {
        Redrive::Right => None,
        Redrive::Ours(change) => Some(change),
        Redrive::Foreign(other) => {
            let (queue, planned) = (&plan.name, &plan.dead_letters);
            tracing::warn!(queue, other, planned, "SQS puts what it gives up on elsewhere; left as it is");
            None
        }
    }
}

fn policy(plan: &QueuePlan, found: &Found, topics: &topics::Topics<'_>) -> Result<Option<Change>, String> {
    let fed_by: Vec<String> = wanted::by_topic(plan).keys().filter_map(|topic| topics.arn(topic)).collect();
    if fed_by.is_empty() {
        return Ok(None);
    }
    let known = found.attributes.get("Policy").map_or("", String::as_str);
    let merged = policy::merged(known, &found.arn, &fed_by);
    let merged = merged.map_err(|why| format!("the policy of queue `{}` ({}) {why}", plan.name, found.arn))?;
    let Some(merged) = merged else { return Ok(None) };
    if !merged.sources.are_exact() {
        let (queue, topics) = (&plan.name, merged.sources.to_string());
        tracing::warn!(queue, topics, "too many topics for the queue's policy: it names how they begin");
    }
    let told = format!("does not let SNS write from {} alone", merged.sources);
    Ok(Some(Change::saying("Policy", merged.text, told)))
}
