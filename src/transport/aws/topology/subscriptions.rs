//! Subscriptions: which topics feed which queues, and with what.

use std::collections::{BTreeMap, HashMap};

use super::{
    Round, at_once,
    findings::Change,
    queues::Queues,
    topics::{Topics, the_topic},
    wanted::by_topic,
};
use crate::transport::{
    QueuePlan, Topology, TransportError,
    aws::{
        actions::Action,
        address::{Delivery, Parameters},
        fault::FaultKind,
        filter::{self, FilterPolicy},
        setup::CALL,
    },
};

const RAW: &str = "RawMessageDelivery";
const FILTER: &str = "FilterPolicy";
const SCOPE: &str = "FilterPolicyScope";
const BY_ATTRIBUTES: &str = "MessageAttributes";
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
    filter: FilterPolicy,
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
        let listing = fed.iter().map(|(name, arn)| self.list(name, arn)).collect();
        let listed = at_once(listing).await?;
        let known: Known<'_> = fed.into_values().zip(listed).collect();
        let known = &known;
        let mending = ways.iter().map(|way| async move {
            match known[way.topic_arn].get(way.queue_arn) {
                Some(arn) => self.mend_subscription(way, arn).await,
                None if self.may_change() => self.create_subscription(way).await,
                None => {
                    self.findings().missing(way.what());
                    Ok(())
                }
            }
        });
        at_once(mending.collect()).await.map(drop)
    }

    /// The ways into a queue that can be looked at; the others are noted.
    fn ways<'a>(
        &self,
        plan: &'a QueuePlan,
        (queues, topics): (&'a Queues<'_>, &'a Topics<'_>),
    ) -> Result<Vec<Way<'a>>, TransportError> {
        let there: BTreeMap<&str, &str> = topics.there().collect();
        let mut ways = Vec::new();
        for (topic, bindings) in by_topic(plan) {
            let filter = filter::policy(&plan.name, &bindings)?;
            match (there.get(topic), queues.get(&*plan.name)) {
                (Some(topic_arn), Some(found)) => {
                    ways.push(Way { queue: &plan.name, topic, topic_arn, queue_arn: &found.arn, filter });
                }
                // Where it may be made, it is not there because something else is told already.
                _ if self.may_change() => {}
                _ => {
                    let (queue, topic) = (&plan.name, topic);
                    self.findings().missing(format!("the subscription of queue `{queue}` to topic `{topic}`"));
                }
            }
        }
        Ok(ways)
    }

    /// The subscriptions of all queues to a topic, page by page.
    pub(super) async fn list(&self, name: &str, arn: &str) -> Result<HashMap<String, String>, TransportError> {
        let Self { site, .. } = self;
        let (mut known, mut next) = (HashMap::new(), None::<String>);
        loop {
            let asking = site.clients.sns.list_subscriptions_by_topic().topic_arn(arn).set_next_token(next);
            let asked = site.ask_until(is_missing, || site.clients.call(CALL, asking.clone().send())).await;
            let page = asked.map_err(site.failed(Action::ListSubscriptions, the_topic(name, arn)))?;
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
        let attributes = wanted(&way.filter, site.parameters);
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
        let changes = changes(&way.filter, site.parameters, &known.attributes.unwrap_or_default());
        if !self.may_change() && !changes.is_empty() {
            self.findings().differing(&way.what(), &changes);
            return Ok(());
        }
        for change in changes {
            if change.attribute == FILTER {
                tracing::warn!(queue = way.queue, topic = way.topic, %change, "another filter is replaced");
            }
            let Change { attribute, value, .. } = change;
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

/// What a subscription is made with.
fn wanted(filter: &FilterPolicy, parameters: &Parameters) -> HashMap<String, String> {
    let mut attributes = vec![(RAW, is_raw(parameters).to_string())];
    if let Some(filter) = told(filter) {
        attributes.extend([(FILTER, filter), (SCOPE, BY_ATTRIBUTES.to_owned())]);
    }
    attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A filter as SNS is told it; nothing, where it lets everything through.
pub(super) fn told(filter: &FilterPolicy) -> Option<String> {
    (!filter.is_said_by(NO_FILTER)).then(|| filter.to_string())
}

/// Do queues get messages as they were published?
pub(super) fn is_raw(parameters: &Parameters) -> bool {
    parameters.delivery == Delivery::Raw
}

/// What differs, in the order in which it is mended: at no moment is a message held back that is wanted.
fn changes(filter: &FilterPolicy, parameters: &Parameters, known: &HashMap<String, String>) -> Vec<Change> {
    let (mut changes, raw) = (Vec::new(), is_raw(parameters).to_string());
    let known = |name: &str| known.get(name).map(String::as_str);
    if known(RAW).unwrap_or("false") != raw {
        changes.push(Change::new(RAW, raw, known(RAW)));
    }
    let found = known(FILTER).unwrap_or(NO_FILTER);
    let by_bodies = !filter.is_said_by(NO_FILTER) && known(SCOPE).is_some_and(|scope| scope != BY_ATTRIBUTES);
    if by_bodies {
        changes.push(Change::new(FILTER, NO_FILTER, Some(found)));
        changes.push(Change::new(SCOPE, BY_ATTRIBUTES, known(SCOPE)));
    }
    if by_bodies || !filter.is_said_by(found) {
        changes.push(Change::new(FILTER, filter.to_string(), Some(found)));
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{event::Policy, transport::Binding};

    fn known(said: &[(&str, &str)]) -> HashMap<String, String> {
        said.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn named() -> FilterPolicy {
        let (topic, routing_key, policy) = ("shop".to_owned(), "paid".to_owned(), Policy::default());
        filter::policy("billing", &[&Binding { topic, routing_key, event: "paid", by_name: true, policy }]).unwrap()
    }

    fn told(filter: &FilterPolicy, said: &[(&str, &str)]) -> Vec<(&'static str, String)> {
        let changes = changes(filter, &Parameters::default(), &known(said));
        changes.into_iter().map(|change| (change.attribute, change.value)).collect()
    }

    #[test]
    fn n7_a_subscription_that_is_right_is_left_alone() {
        let made = wanted(&named(), &Parameters::default());
        assert_eq!(changes(&named(), &Parameters::default(), &made), []);
        let spaced = made[FILTER].replace(':', " : ");
        assert_eq!(told(&named(), &[(RAW, "true"), (FILTER, &spaced), (SCOPE, BY_ATTRIBUTES)]), []);
        for nothing in ["", "{}", "{ }"] {
            assert_eq!(told(&FilterPolicy::default(), &[(RAW, "true"), (FILTER, nothing)]), []);
        }
        assert_eq!(told(&FilterPolicy::default(), &[(RAW, "true")]), []);
    }

    #[test]
    fn n7_a_filter_that_nobody_asks_for_any_more_goes() {
        let changed = told(&FilterPolicy::default(), &[(RAW, "true"), (FILTER, r#"{"currency":["EUR"]}"#)]);
        assert_eq!(changed, [(FILTER, "{}".to_owned())]);
    }

    #[test]
    fn n7_a_filter_on_bodies_is_taken_away_before_one_on_attributes_is_set() {
        let before = [(RAW, "false"), (FILTER, r#"{"a":{"b":["c"]}}"#), (SCOPE, "MessageBody")];
        let changed = told(&named(), &before);
        let expected = [
            (RAW, "true".to_owned()),
            (FILTER, "{}".to_owned()),
            (SCOPE, BY_ATTRIBUTES.to_owned()),
            (FILTER, named().to_string()),
        ];
        assert_eq!(changed, expected);
    }
}
