//! Subscriptions: which topics feed which queues, and with what.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value as Json;

use super::{
    Round, at_once,
    findings::Change,
    queues::Queues,
    topics::{Topics, the_topic},
    wanted,
};
use crate::transport::{
    Binding, QueuePlan, Topology, TransportError,
    aws::{actions::Action, fault::FaultKind, setup::CALL},
};

const FILTER: &str = "FilterPolicy";
const SCOPE: &str = "FilterPolicyScope";
/// Lets everything through.
const NO_FILTER: &str = "{}";

/// The subscriptions of each topic: their ARNs by those of the queues.
type Known<'a> = HashMap<&'a str, HashMap<String, String>>;

/// One topic's way into one queue.
struct Way<'a> {
    queue: &'a str,
    topic: &'a str,
    topic_arn: &'a str,
    queue_arn: &'a str,
    attributes: wanted::Attributes,
}

impl Way<'_> {
    fn what(&self) -> String {
        format!("the subscription of queue `{}` to topic `{}` ({})", self.queue, self.topic, self.topic_arn)
    }
}

impl Round<'_> {
    /// Has each queue be fed by its topics.
    pub(super) async fn subscribe(
        &self,
        topology: &Topology,
        (queues, topics): (&Queues<'_>, &Topics<'_>),
    ) -> Result<(), TransportError> {
        let mut ways = Vec::new();
        for plan in &topology.queues {
            ways.extend(self.ways(plan, (queues, topics))?);
        }
        let fed: BTreeMap<&str, &str> = ways.iter().map(|way| (way.topic, way.topic_arn)).collect();
        let listed = at_once(fed.iter().map(|(name, arn)| self.list(name, arn))).await?;
        let known: Known<'_> = fed.into_values().zip(listed).collect();
        let known = &known;
        at_once(ways.iter().map(|way| async move {
            match known[way.topic_arn].get(way.queue_arn) {
                Some(arn) => self.mend_subscription(way, arn).await,
                None if self.may_change() => self.create_subscription(way).await,
                None => {
                    self.findings().missing(way.what());
                    Ok(())
                }
            }
        }))
        .await
        .map(drop)
    }

    /// The ways into a queue that can be looked at; the others are noted.
    fn ways<'a>(
        &self,
        plan: &'a QueuePlan,
        (queues, topics): (&'a Queues<'_>, &'a Topics<'_>),
    ) -> Result<Vec<Way<'a>>, TransportError> {
        let there: BTreeMap<&str, &str> = topics.there().collect();
        let mut ways = Vec::new();
        for (topic, bindings) in wanted::by_topic(plan) {
            let filter = filter(&bindings)?;
            let attributes = wanted::subscription(filter.as_deref(), self.site.parameters);
            match (there.get(topic), queues.get(&*plan.name)) {
                (Some(topic_arn), Some(found)) => {
                    ways.push(Way { queue: &plan.name, topic, topic_arn, queue_arn: &found.arn, attributes });
                }
                _ => {
                    let (queue, topic) = (&plan.name, topic);
                    self.findings().missing(format!("the subscription of queue `{queue}` to topic `{topic}`"));
                }
            }
        }
        Ok(ways)
    }

    /// The subscriptions of all queues to a topic, page by page.
    async fn list(&self, name: &str, arn: &str) -> Result<HashMap<String, String>, TransportError> {
        let Self { site, .. } = self;
        let (mut known, mut next) = (HashMap::new(), None::<String>);
        loop {
            let asking = site.clients.sns.list_subscriptions_by_topic().topic_arn(arn).set_next_token(next);
            let asked = site.ask_until(is_missing, || site.clients.call(CALL, asking.clone().send())).await;
            let page = asked.map_err(site.failed(Action::ListSubscriptions, the_topic(name)))?;
            let of_queues = page.subscriptions.unwrap_or_default().into_iter();
            let of_queues = of_queues.filter(|one| one.protocol.as_deref() == Some("sqs"));
            known.extend(of_queues.filter_map(|one| Some((one.endpoint?, one.subscription_arn?))));
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(known);
            }
        }
    }

    /// Subscribes. Somebody else may have done so in the meantime, in another way.
    async fn create_subscription(&self, way: &Way<'_>) -> Result<(), TransportError> {
        let Self { site, .. } = self;
        let attributes = way.attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let subscribing = site.clients.sns.subscribe().topic_arn(way.topic_arn).protocol("sqs");
        let subscribing = subscribing.endpoint(way.queue_arn).set_attributes(Some(attributes));
        let subscribed = site.ask_until(is_missing, || site.clients.call(CALL, subscribing.clone().send())).await;
        let Err(fault) = subscribed else { return Ok(()) };
        if fault.kind == FaultKind::Wrong
            && let Some(arn) = self.list(way.topic, way.topic_arn).await?.get(way.queue_arn)
        {
            return self.mend_subscription(way, arn).await;
        }
        Err(site.failed(Action::Subscribe, way.what())(fault))
    }

    async fn mend_subscription(&self, way: &Way<'_>, arn: &str) -> Result<(), TransportError> {
        let Self { site, .. } = self;
        let asking = site.clients.sns.get_subscription_attributes().subscription_arn(arn);
        let asked = site.ask(|| site.clients.call(CALL, asking.clone().send())).await;
        let known = asked.map_err(site.failed(Action::GetSubscriptionAttributes, way.what()))?;
        let changes = changes(&way.attributes, &known.attributes.unwrap_or_default());
        if !self.may_change() && !changes.is_empty() {
            self.findings().differing(&way.what(), &changes);
            return Ok(());
        }
        for Change { attribute, value, .. } in changes {
            let setting = site.clients.sns.set_subscription_attributes().subscription_arn(arn);
            let setting = setting.attribute_name(attribute).attribute_value(value);
            let set = site.ask(|| site.clients.call(CALL, setting.clone().send())).await;
            set.map_err(site.failed(Action::SetSubscriptionAttributes, way.what()))?;
        }
        Ok(())
    }
}

/// Not all of AWS knows at once of a topic that was just made.
fn is_missing(kind: FaultKind) -> bool {
    kind == FaultKind::Missing
}

/// What of these bindings SNS can be told.
fn filter(_: &[&Binding]) -> Result<Option<String>, TransportError> {
    Ok(None)
}

/// What differs, in the order in which it is mended: at no moment is a message held back that is wanted.
fn changes(wanted: &wanted::Attributes, known: &HashMap<String, String>) -> Vec<Change> {
    let known = |name: &str| known.get(name).map(String::as_str);
    let mut changes = Vec::new();
    let raw = &wanted["RawMessageDelivery"];
    if known("RawMessageDelivery").unwrap_or("false") != raw {
        changes.push(Change::new("RawMessageDelivery", raw, known("RawMessageDelivery")));
    }
    let filter = wanted.get(FILTER).map_or(NO_FILTER, String::as_str);
    let scope = wanted.get(SCOPE).filter(|scope| known(SCOPE).is_some_and(|known| known != *scope));
    let found = known(FILTER).filter(|found| !found.is_empty());
    if let Some(scope) = scope {
        changes.push(Change::new(FILTER, NO_FILTER, found));
        changes.push(Change::new(SCOPE, scope, known(SCOPE)));
    }
    if scope.is_some() || !is_same(filter, found.unwrap_or(NO_FILTER)) {
        changes.push(Change::new(FILTER, filter, found));
    }
    changes
}

/// Do both texts say the same in JSON?
fn is_same(one: &str, other: &str) -> bool {
    let parsed = |text: &str| serde_json::from_str::<Json>(text).ok();
    one == other || parsed(one).is_some_and(|one| Some(one) == parsed(other))
}
