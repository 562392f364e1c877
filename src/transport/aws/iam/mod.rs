//! The least that a service must be allowed on AWS, as a policy for IAM.
//!
//! It is made of the same [list](super::actions) that errors name permissions by, so that what is asked for and what is
//! called cannot part.

#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, fmt};

use serde_json::{Value as Json, json};

use super::actions::{self, Action, Duty};
use crate::transport::{Provision, Topology};

/// IAM's word for any.
const ANY: &str = "*";

/// What a service is allowed on AWS: the calls it makes, on its own topics and queues, and nothing else. Its
/// [`Display`](fmt::Display) is the JSON that IAM takes.
///
/// # Examples
/// ```
/// use tegami::{Service, transport::Provision};
///
/// let topology = Service::new("billing").topology()?;
/// let policy = topology.iam_policy().region("eu-west-1").account("123456789012");
/// let policy = policy.provision(Provision::Verify).publishes_to(["shop-orders-v1"]);
/// assert!(policy.to_string().contains("arn:*:sns:eu-west-1:123456789012:shop-orders-v1"));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct IamPolicy {
    topology: Topology,
    partition: String,
    region: String,
    account: String,
    provision: Provision,
    topics: BTreeSet<String>,
    queues: BTreeSet<String>,
    key: Option<String>,
    tags: Tags,
    redrive: Redrive,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tags {
    None,
    Some,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Redrive {
    Never,
    Sometimes,
}

impl Topology {
    /// What a service with these topics and queues must be allowed on AWS. It is allowed to make them, as
    /// [`Provision::Create`] does; what it publishes to is not known here and must be said.
    pub fn iam_policy(&self) -> IamPolicy {
        IamPolicy {
            topology: self.clone(),
            partition: ANY.to_owned(),
            region: ANY.to_owned(),
            account: ANY.to_owned(),
            provision: Provision::Create,
            topics: BTreeSet::new(),
            queues: BTreeSet::new(),
            key: None,
            tags: Tags::None,
            redrive: Redrive::Never,
        }
    }
}

impl IamPolicy {
    /// In this region only.
    #[must_use]
    pub fn region(self, region: impl Into<String>) -> Self {
        Self { region: region.into(), ..self }
    }

    /// In this account only.
    #[must_use]
    pub fn account(self, account: impl Into<String>) -> Self {
        Self { account: account.into(), ..self }
    }

    /// In this partition only: `aws`, `aws-cn`, …
    #[must_use]
    pub fn partition(self, partition: impl Into<String>) -> Self {
        Self { partition: partition.into(), ..self }
    }

    /// Allows what a start does in this mode.
    #[must_use]
    pub fn provision(self, provision: Provision) -> Self {
        Self { provision, ..self }
    }

    /// Allows to publish to these topics, too; with the environment's prefix, and `.fifo` where order is kept.
    #[must_use]
    pub fn publishes_to<T: Into<String>>(mut self, topics: impl IntoIterator<Item = T>) -> Self {
        self.topics.extend(topics.into_iter().map(Into::into));
        self
    }

    /// Allows to send straight to these queues, too; with the environment's prefix.
    #[must_use]
    pub fn sends_to<T: Into<String>>(mut self, queues: impl IntoIterator<Item = T>) -> Self {
        self.queues.extend(queues.into_iter().map(Into::into));
        self
    }

    /// Allows to use this KMS key, by its ARN, and to put it on topics where they may be made (`kms` in the URL).
    #[must_use]
    pub fn key(self, arn: impl Into<String>) -> Self {
        Self { key: Some(arn.into()), ..self }
    }

    /// Allows to tag what it makes (`tags` in the URL).
    #[must_use]
    pub fn tags(self) -> Self {
        Self { tags: Tags::Some, ..self }
    }

    /// Allows to look at dead letters, and to put them back.
    #[must_use]
    pub fn redrives(self) -> Self {
        Self { redrive: Redrive::Sometimes, ..self }
    }

    fn statements(&self) -> Vec<Json> {
        let (read, dead) = (self.read(), self.dead());
        let (sent, published) = (self.arns("sqs", &self.queues), self.arns("sns", &self.topics));
        let mut statements = vec![
            statement("Consume", actions::of(Duty::Consume), read.clone()),
            statement("DeadLetters", actions::of(Duty::Send), dead.clone()),
            statement("Send", actions::of(Duty::Send), sent),
            statement("Publish", actions::of(Duty::Publish).chain(self.making()), published),
        ];
        if self.redrive == Redrive::Sometimes {
            statements.push(statement("Redrive", actions::of(Duty::Redrive), dead));
            statements.push(statement("RedriveBack", actions::of(Duty::Send), read));
        }
        statements.extend(self.provisioning());
        statements.extend(self.key.iter().map(|key| {
            // What SNS and SQS ask of the key, they ask in our name.
            json!({"Sid": "Key", "Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": [key]})
        }));
        statements.into_iter().filter(|statement| statement["Resource"] != json!([])).collect()
    }

    /// What a publisher does to a topic that is not there.
    fn making(&self) -> impl Iterator<Item = Action> {
        let may = |action: &Action| match action {
            Action::CreateTopic => true,
            Action::TagTopic => self.tags == Tags::Some,
            _ => false,
        };
        let create = self.provision == Provision::Create;
        actions::of(Duty::Create).filter(may).filter(move |_| create)
    }

    fn provisioning(&self) -> Vec<Json> {
        let duty = match self.provision {
            Provision::Create => Duty::Create,
            Provision::Verify => Duty::Verify,
            Provision::Assume => return Vec::new(),
        };
        let about =
            |place: Place| actions::of(duty).filter(move |action| place_of(*action) == place && self.calls(*action));
        let queues = [self.read(), self.dead()].concat();
        let topics: BTreeSet<String> = self.topology.topics.iter().map(|topic| topic.name.clone()).collect();
        let topics = self.arns("sns", &topics);
        // IAM knows no resource for these: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html
        let any = if topics.is_empty() { Vec::new() } else { vec![ANY.to_owned()] };
        vec![
            statement("ProvisionQueues", about(Place::Queue), queues),
            statement("ProvisionTopics", about(Place::Topic), topics),
            statement("ProvisionSubscriptions", about(Place::Subscription), any),
        ]
    }

    /// Is the call made, with these settings?
    fn calls(&self, action: Action) -> bool {
        match action {
            Action::ListQueueTags | Action::TagQueue | Action::ListTags | Action::TagTopic => self.tags == Tags::Some,
            Action::SetTopicAttributes => self.key.is_some(),
            _ => true,
        }
    }

    fn read(&self) -> Vec<String> {
        self.arns("sqs", &self.topology.queues.iter().map(|queue| queue.name.clone()).collect())
    }

    fn dead(&self) -> Vec<String> {
        self.arns("sqs", &self.topology.queues.iter().map(|queue| queue.dead_letters.clone()).collect())
    }

    fn arns(&self, service: &str, names: &BTreeSet<String>) -> Vec<String> {
        let Self { partition, region, account, .. } = self;
        names.iter().map(|name| format!("arn:{partition}:{service}:{region}:{account}:{name}")).collect()
    }
}

/// What an action is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Queue,
    Topic,
    Subscription,
}

fn place_of(action: Action) -> Place {
    match action {
        Action::GetSubscriptionAttributes | Action::SetSubscriptionAttributes => Place::Subscription,
        _ if action.permission().starts_with("sns:") => Place::Topic,
        _ => Place::Queue,
    }
}

fn statement(id: &str, actions: impl Iterator<Item = Action>, resources: Vec<String>) -> Json {
    let actions: BTreeSet<&str> = actions.map(Action::permission).collect();
    json!({"Sid": id, "Effect": "Allow", "Action": actions, "Resource": resources})
}

impl fmt::Display for IamPolicy {
    /// As IAM takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let policy = json!({"Version": "2012-10-17", "Statement": self.statements()});
        write!(f, "{policy:#}")
    }
}
