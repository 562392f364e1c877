//! What an earlier plan left: looked at, and deleted where it is empty; and what was made for a while, away again.

use std::collections::{BTreeSet, HashMap};

use super::{Round, policy, queues::the_queue, topics::the_topic, wanted};
use crate::{
    error::told,
    transport::{
        Prune, QueuePlan, Remnant, TransportError,
        aws::{actions::Action, fault::FaultKind, setup::CALL},
        prune::cut_short,
    },
};

/// What SQS counts: messages that wait, that are in work, and that are kept back.
const COUNTS: [&str; 3] =
    ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"];
/// Counts are late, and so is a receive that does not wait: this one asks all servers of SQS, in seconds.
const RECEIVE: i32 = 2;

/// A queue that is left.
struct Left<'a> {
    name: &'a str,
    url: String,
    arn: String,
}

impl Round<'_> {
    /// Looks for the queues of these plans that are none of today's, plan by plan.
    pub(super) async fn prune(
        &self,
        former: &[QueuePlan],
        today: &BTreeSet<&str>,
        mode: Prune,
    ) -> Result<Vec<Remnant>, TransportError> {
        let mut remnants = Vec::new();
        for plan in former {
            let mut names = vec![&*plan.name, &*plan.dead_letters];
            names.retain(|name| !today.contains(name));
            let found = self.remnant(plan, &names, mode).await;
            remnants.extend(
                mode.told(found, |why| Remnant::of(names.into_iter().map(str::to_owned)).map(|left| left.kept(why)))?,
            );
        }
        Ok(remnants)
    }

    async fn remnant(&self, plan: &QueuePlan, names: &[&str], mode: Prune) -> Result<Option<Remnant>, TransportError> {
        let (mut left, mut why) = (Vec::new(), None);
        for name in names {
            let Some((queue, attributes)) = self.left(name).await? else { continue };
            why = why.or_else(|| reason(name, &attributes));
            left.push(queue);
        }
        let Some(remnant) = Remnant::of(left.iter().map(|queue| queue.name.to_owned())) else { return Ok(None) };
        if why.is_none() && mode == Prune::Delete {
            why = Box::pin(self.delete(plan, &left)).await;
        }
        Ok(Some(remnant.kept(why)))
    }

    async fn left<'a>(&self, name: &'a str) -> Result<Option<(Left<'a>, HashMap<String, String>)>, TransportError> {
        let url = match self.look_up(name).await {
            Ok(url) => url,
            Err(fault) if fault.kind == FaultKind::Missing => return Ok(None),
            Err(fault) => return Err(self.site.failed(Action::GetQueueUrl, the_queue(name))(fault)),
        };
        let (arn, attributes) = self.read_attributes(name, &url).await?;
        Ok(Some((Left { name, url, arn }, attributes)))
    }

    /// Takes away the queues of a plan with what feeds them, whatever they hold; each part that could not be.
    pub(super) async fn remove(&self, plan: &QueuePlan) -> Vec<TransportError> {
        let mut failed = Vec::new();
        for name in [&plan.name, &plan.dead_letters] {
            let queue = match self.left(name).await {
                Ok(Some((queue, _))) => queue,
                Ok(None) => continue,
                Err(error) => {
                    failed.push(error);
                    continue;
                }
            };
            failed.extend(self.starve(plan, &queue).await.err());
            failed.extend(self.delete_queue(&queue).await.err());
        }
        failed
    }

    /// Deletes these, unless something comes in between: then the rest stays, and why. What fed them is taken away first.
    async fn delete(&self, plan: &QueuePlan, queues: &[Left<'_>]) -> Option<String> {
        let mut gone = Vec::new();
        let why = match self.delete_each(plan, queues, &mut gone).await {
            Ok(None) => return None,
            Ok(Some(why)) => why,
            Err(error) => told(&error),
        };
        let is_read = queues.iter().any(|queue| queue.name == plan.name);
        Some(cut_short(&why, &gone, is_read.then_some("subscriptions")))
    }

    /// The same, and which have gone.
    async fn delete_each(
        &self,
        plan: &QueuePlan,
        queues: &[Left<'_>],
        gone: &mut Vec<String>,
    ) -> Result<Option<String>, TransportError> {
        for queue in queues {
            self.starve(plan, queue).await?;
        }
        for queue in queues {
            if let Some(why) = self.look_again(queue).await? {
                return Ok(Some(why));
            }
        }
        for queue in queues {
            self.delete_queue(queue).await?;
            gone.push(queue.name.to_owned());
        }
        Ok(None)
    }

    /// Takes away what feeds it, if it is the queue of this plan, and not that of its dead letters.
    async fn starve(&self, plan: &QueuePlan, queue: &Left<'_>) -> Result<(), TransportError> {
        if queue.name == plan.name {
            for topic in wanted::by_topic(plan).keys() {
                self.unsubscribe(topic, queue).await?;
            }
        }
        Ok(())
    }

    async fn delete_queue(&self, queue: &Left<'_>) -> Result<(), TransportError> {
        let deleting = self.site.clients.sqs.delete_queue().queue_url(&queue.url);
        let deleted = self.site.ask(|| self.site.clients.call(CALL, deleting.clone().send())).await;
        deleted.map_err(self.site.failed(Action::DeleteQueue, the_queue(queue.name)))?;
        self.site.directory.forget(queue.name);
        Ok(())
    }

    async fn look_again(&self, queue: &Left<'_>) -> Result<Option<String>, TransportError> {
        let Left { name, url, .. } = queue;
        let receiving = self.site.clients.sqs.receive_message().queue_url(url).max_number_of_messages(1);
        let receiving = receiving.wait_time_seconds(RECEIVE).visibility_timeout(0);
        let received = self.site.ask(|| self.site.clients.call(CALL, receiving.clone().send())).await;
        let received = received.map_err(self.site.failed(Action::ReceiveMessage, the_queue(name)))?;
        if received.messages.is_some_and(|messages| !messages.is_empty()) {
            return Ok(Some(format!("a message came into `{name}` meanwhile")));
        }
        Ok(reason(name, &self.read_attributes(name, url).await?.1))
    }

    async fn unsubscribe(&self, topic: &str, queue: &Left<'_>) -> Result<(), TransportError> {
        let Self { site, .. } = self;
        let home = site.directory.home(site.clients).await;
        let arn = home.map_err(site.failed(Action::GetCallerIdentity, format_args!("topic `{topic}`")))?.topic(topic);
        match self.read_topic(&arn).await {
            Ok(_) => {}
            Err(fault) if fault.kind == FaultKind::Missing => return Ok(()),
            Err(fault) => return Err(site.failed(Action::GetTopicAttributes, the_topic(topic, &arn))(fault)),
        }
        let known = self.list(topic, &arn).await?;
        let Some(subscription) = known.get(&queue.arn) else { return Ok(()) };
        let leaving = site.clients.sns.unsubscribe().subscription_arn(subscription);
        let left = site.ask(|| site.clients.call(CALL, leaving.clone().send())).await;
        let what = format!("the subscription of queue `{}` to {}", queue.name, the_topic(topic, &arn));
        left.map(drop).map_err(site.failed(Action::Unsubscribe, what))
    }
}

/// Why this queue must stay, if it must.
fn reason(name: &str, attributes: &HashMap<String, String>) -> Option<String> {
    let count = |name: &str| attributes.get(name).and_then(|count| count.parse::<u64>().ok());
    // What is not told is not known to be empty.
    let Some(messages) = COUNTS.iter().map(|name| count(name)).sum::<Option<u64>>() else {
        return Some(format!("SQS does not tell how many messages `{name}` holds"));
    };
    if messages > 0 {
        return Some(format!("`{name}` is not empty: {messages}"));
    }
    let others = policy::lets_others_in(attributes.get("Policy").map_or("", String::as_str));
    others.then(|| format!("the policy of `{name}` lets others in than this service had it"))
}
