//! What topics and queues are called in calls: ARNs and URLs, asked for once.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{
    actions::Action,
    address::Parameters,
    fault::{Fault, FaultKind, Reach},
    setup::{CALL, Clients},
    topology::create_topic,
};
use crate::transport::Provision;

/// What whoever asks who we are asks for.
const ANY: &str = "*";

/// What is known of the account's topics and queues.
#[derive(Default)]
pub(super) struct Directory(Mutex<Known>);

#[derive(Default)]
struct Known {
    mode: Provision,
    parameters: Parameters,
    home: Option<Home>,
    topics: HashMap<String, String>,
    queues: HashMap<String, String>,
}

/// Whose topics and queues they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Home {
    partition: String,
    region: String,
    account: String,
}

impl Home {
    /// The home of what this ARN names.
    pub(super) fn of(arn: &str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':').map(str::to_owned);
        let (_, partition, _) = (parts.next()?, parts.next()?, parts.next()?);
        let (region, account) = (parts.next()?, parts.next()?);
        parts.next().map(|_| Self { partition, region, account })
    }

    /// What a topic of this name is called.
    pub(super) fn topic(&self, name: &str) -> String {
        let Self { partition, region, account } = self;
        format!("arn:{partition}:sns:{region}:{account}:{name}")
    }
}

impl Directory {
    /// May topics be made, and with what?
    pub(super) fn set_mode(&self, mode: Provision, parameters: &Parameters) {
        let mut known = self.known();
        (known.mode, known.parameters) = (mode, parameters.clone());
    }

    /// Keeps what a topic is called.
    pub(super) fn keep_topic(&self, name: &str, arn: &str) {
        let mut known = self.known();
        known.home = known.home.take().or_else(|| Home::of(arn));
        known.topics.insert(name.to_owned(), arn.to_owned());
    }

    /// Keeps where a queue is.
    pub(super) fn keep_queue(&self, name: &str, url: &str) {
        self.known().queues.insert(name.to_owned(), url.to_owned());
    }

    /// Keeps whose topics and queues they are.
    pub(super) fn keep_home(&self, arn: &str) {
        self.known().home = Home::of(arn);
    }

    /// Asks anew at the next time: it was not there.
    pub(super) fn forget(&self, name: &str) {
        let mut known = self.known();
        known.topics.remove(name);
        known.queues.remove(name);
    }

    /// The ARN of a topic. It is made, where we may.
    pub(super) async fn topic(&self, name: &str, clients: &Clients) -> Result<String, Fault> {
        let (known, mode, parameters) = {
            let known = self.known();
            (known.topics.get(name).cloned(), known.mode, known.parameters.clone())
        };
        let arn = match (known, mode) {
            (Some(arn), _) => return Ok(arn),
            (None, Provision::Create) => create_topic(name, clients, &parameters)
                .await
                .map_err(|fault| fault.needing(Action::CreateTopic, name))?,
            (None, Provision::Verify | Provision::Assume) => {
                let home = self.home(clients).await;
                home.map_err(|fault| fault.needing(Action::GetCallerIdentity, ANY))?.topic(name)
            }
        };
        self.keep_topic(name, &arn);
        Ok(arn)
    }

    /// The URL of a queue, which must be there.
    pub(super) async fn queue(&self, name: &str, clients: &Clients) -> Result<String, Fault> {
        let known = self.known().queues.get(name).cloned();
        if let Some(url) = known {
            return Ok(url);
        }
        let found = clients.call(CALL, clients.sqs.get_queue_url().queue_name(name).send()).await;
        let found = found.map_err(|fault| fault.needing(Action::GetQueueUrl, name))?;
        let url = found.queue_url.ok_or_else(|| nameless("a queue", name))?;
        self.keep_queue(name, &url);
        Ok(url)
    }

    /// Whose topics and queues they are; asks who we are, if nothing of ours has shown it yet.
    pub(super) async fn home(&self, clients: &Clients) -> Result<Home, Fault> {
        let known = self.known().home.clone();
        if let Some(home) = known {
            return Ok(home);
        }
        let we = clients.call(CALL, clients.sts.get_caller_identity().send()).await?;
        let (arn, account) = (we.arn.unwrap_or_default(), we.account.unwrap_or_default());
        let partition = arn.split(':').nth(1).unwrap_or("aws").to_owned();
        let home = Home { partition, region: clients.region.clone(), account };
        self.known().home = Some(home.clone());
        Ok(home)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// AWS answered, and left the name out.
pub(super) fn nameless(what: &str, name: &str) -> Fault {
    Fault::new(FaultKind::Wrong, Reach::Maybe, format!("AWS does not say what {what} `{name}` is called"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_called_after_what_else_is_ours_in_any_partition() {
        let home = Home::of("arn:aws-cn:sqs:cn-north-1:123456789012:billing").unwrap();
        assert_eq!(home.topic("shop"), "arn:aws-cn:sns:cn-north-1:123456789012:shop");
        assert_eq!(Home::of("arn:aws:sqs:eu-west-1"), None);
    }
}
