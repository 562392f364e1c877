//! Topics: found or made, then mended.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_sns::types::Tag;

use super::{
    Round, at_once,
    findings::{Change, fixed},
    wanted,
};
use crate::transport::{
    Topology, TransportError,
    aws::{
        actions::Action,
        address::Parameters,
        directory::nameless,
        fault::{Fault, FaultKind},
        setup::{CALL, Clients},
    },
};

/// What the topics are called, and which of them are there.
#[derive(Default)]
pub(super) struct Topics<'a>(BTreeMap<&'a str, Topic>);

struct Topic {
    arn: String,
    is_there: bool,
}

impl Topics<'_> {
    /// What a topic is called, be it there or not.
    pub(super) fn arn(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|topic| topic.arn.clone())
    }

    /// The ARNs of those that are there, by name.
    pub(super) fn there(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter(|(_, topic)| topic.is_there).map(|(name, topic)| (*name, &*topic.arn))
    }
}

impl Round<'_> {
    /// Finds the topics, or makes them where it may.
    pub(super) async fn find_topics<'a>(&self, topology: &'a Topology) -> Result<Topics<'a>, TransportError> {
        let mut wanted: BTreeMap<&str, bool> = BTreeMap::new();
        for queue in &topology.queues {
            wanted.extend(queue.bindings.iter().map(|binding| (&*binding.topic, queue.ordered)));
        }
        wanted.extend(topology.topics.iter().map(|topic| (&*topic.name, topic.ordered)));
        let finding = wanted.iter().map(|(name, ordered)| self.find_topic(name, *ordered)).collect();
        let found = at_once(finding).await?;
        Ok(Topics(wanted.into_keys().zip(found).collect()))
    }

    async fn find_topic(&self, name: &str, ordered: bool) -> Result<Topic, TransportError> {
        let Self { site, .. } = self;
        let home = site.directory.home(site.clients).await;
        let home = home.map_err(site.failed(Action::GetCallerIdentity, format_args!("topic `{name}`")))?;
        let arn = home.topic(name);
        let (arn, is_there) = match self.read_topic(&arn).await {
            Ok(known) => {
                let changes = changes(&wanted::topic(ordered, site.parameters), &known);
                let is_there = self.mend_topic(name, &arn, changes).await?;
                (arn, is_there)
            }
            Err(fault) if fault.kind == FaultKind::Missing && self.may_change() => {
                let made = site.ask(|| create(name, site.clients, site.parameters)).await;
                (made.map_err(site.failed(Action::CreateTopic, the_topic(name, &arn)))?, true)
            }
            Err(fault) if fault.kind == FaultKind::Missing => {
                self.findings().missing(the_topic(name, &arn));
                (arn, false)
            }
            Err(fault) => return Err(site.failed(Action::GetTopicAttributes, the_topic(name, &arn))(fault)),
        };
        site.directory.keep_topic(name, &arn);
        Ok(Topic { arn, is_there })
    }

    pub(super) async fn read_topic(&self, arn: &str) -> Result<HashMap<String, String>, Fault> {
        let clients = self.site.clients;
        let asking = clients.sns.get_topic_attributes().topic_arn(arn);
        let answer = self.site.ask(|| clients.call(CALL, asking.clone().send())).await?;
        Ok(answer.attributes.unwrap_or_default())
    }

    /// Mends what differs; can the topic feed our queues then?
    async fn mend_topic(&self, name: &str, arn: &str, changes: Vec<Change>) -> Result<bool, TransportError> {
        let (what, site) = (the_topic(name, arn), self.site);
        if !self.may_change() && !changes.is_empty() {
            self.findings().differing(&what, &changes);
            return Ok(true);
        }
        if let Some(text) = fixed(&what, &changes) {
            self.findings().stays(text);
            return Ok(false);
        }
        for Change { attribute, value, .. } in changes {
            let setting = site.clients.sns.set_topic_attributes().topic_arn(arn);
            let setting = setting.attribute_name(attribute).attribute_value(value);
            let set = site.ask(|| site.clients.call(CALL, setting.clone().send())).await;
            set.map_err(site.failed(Action::SetTopicAttributes, &what))?;
        }
        self.tag_topic(name, arn).await.map(|()| true)
    }

    /// Adds what tags are missing on a topic that was there before.
    async fn tag_topic(&self, name: &str, arn: &str) -> Result<(), TransportError> {
        let (what, site) = (the_topic(name, arn), self.site);
        if site.parameters.tags.is_empty() {
            return Ok(());
        }
        let asking = site.clients.sns.list_tags_for_resource().resource_arn(arn);
        let asked = site.ask(|| site.clients.call(CALL, asking.clone().send())).await;
        let known = asked.map_err(site.failed(Action::ListTags, &what))?.tags.unwrap_or_default();
        let value = |name: &str| known.iter().find(|tag| tag.key == name).map(|tag| tag.value.clone());
        let missing = self.missing_tags(&what, value);
        if missing.is_empty() {
            return Ok(());
        }
        let tagging = site.clients.sns.tag_resource().resource_arn(arn);
        let tagging = missing.into_iter().fold(tagging, |tagging, (name, value)| tagging.tags(tag(name, value)));
        let tagged = site.ask(|| site.clients.call(CALL, tagging.clone().send())).await;
        tagged.map(drop).map_err(site.failed(Action::TagTopic, &what))
    }
}

/// Makes a topic. One that somebody else made in the meantime, in another way, is found.
pub(in super::super) async fn create(name: &str, clients: &Clients, parameters: &Parameters) -> Result<String, Fault> {
    let plain = clients.sns.create_topic().name(name);
    let ours = wanted::topic(name.ends_with(".fifo"), parameters).into_iter();
    let tags = parameters.tags.iter().map(|(name, value)| tag(name, value));
    let creating = ours.fold(plain.clone(), |creating, (name, value)| creating.attributes(name, value));
    let creating = tags.fold(creating, |creating, tag| creating.tags(tag));
    let made = match clients.call(CALL, creating.send()).await {
        Err(fault) if fault.kind == FaultKind::Wrong => clients.call(CALL, plain.send()).await.map_err(|_| fault),
        answer => answer,
    };
    made?.topic_arn.ok_or_else(|| nameless("a topic", name))
}

pub(super) fn the_topic(name: &str, arn: &str) -> String {
    format!("topic `{name}` ({arn})")
}

fn tag(name: &str, value: &str) -> Tag {
    Tag::builder().key(name).value(value).build().expect("both are given")
}

/// What differs of the attributes that we would mend. How repeats are known does not matter: ours are always named.
fn changes(wanted: &wanted::Attributes, known: &HashMap<String, String>) -> Vec<Change> {
    let known = |name: &str| known.get(name).map(String::as_str);
    let ours = wanted.iter().filter(|(name, _)| **name != "ContentBasedDeduplication");
    let mut changes: Vec<Change> = ours
        .filter(|(name, value)| known(name) != Some(value))
        .map(|(name, value)| Change::new(name, value, known(name)))
        .collect();
    if !wanted.contains_key("FifoTopic") && known("FifoTopic") == Some("true") {
        changes.push(Change::new("FifoTopic", "false", known("FifoTopic")));
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::aws::address::Address;

    fn told(ordered: bool, known: &[(&str, &str)]) -> Vec<String> {
        let known = known.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let address = Address::parse("aws:?kms=alias/shop").unwrap();
        changes(&wanted::topic(ordered, address.parameters()), &known).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn n7_a_topic_is_mended_where_the_plan_speaks_of_it_alone() {
        let (key, fifo) = (("KmsMasterKeyId", "alias/shop"), ("FifoTopic", "true"));
        assert_eq!(told(false, &[key, ("DisplayName", "theirs")]), Vec::<String>::new());
        assert_eq!(told(true, &[key, fifo, ("ContentBasedDeduplication", "true")]), Vec::<String>::new());
        assert_eq!(told(false, &[]), ["its KmsMasterKeyId is not set, `alias/shop` is expected"]);
        assert_eq!(told(true, &[key]), ["its FifoTopic is not set, `true` is expected"]);
        assert_eq!(told(false, &[key, fifo]), ["its FifoTopic is `true`, `false` is expected"]);
    }
}
