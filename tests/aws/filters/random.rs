//! Filters by chance, subscribed by the transport: the emulator, our reading of what AWS documents, and the filter itself
//! judge the same messages.

#[path = "../../../src/transport/aws/filter/random/drawn.rs"]
mod drawn;
#[path = "../../../src/transport/aws/filter/random/sns.rs"]
mod sns;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use fastrand::Rng;
use futures_util::future::join_all;
use serde_json::Value as Json;
use tegami::{
    envelope::{MessageId, Sealed},
    event::{Attributes, BoolField, Condition, Filter, NumberField, Policy, TextField, Value},
    transport::{Binding, Outgoing, Provision, QueuePlan, Transport, TransportErrorKind, aws::Aws},
};
use tegami_test_servers::{Kind, inside};

use super::sieve::{settle, taken};
use crate::startup::{Account, topology};

const EVENT_ATTRIBUTE: &str = "tegami-event";
/// So many policies at least, and as many messages.
const POLICIES: usize = 100;
/// What travels beside the mark; more would be out of SNS's sight.
const TRAVEL: usize = 9;
/// Texts that are no words of SNS's.
const NAMES: [&str; 2] = ["currency", "country"];
/// What a message can be without.
const SPARE: [&str; 3] = ["any", "under", "over"];
/// Another one is given in `FILTER_SEED`.
const SEED: u64 = 7;

/// What one queue wants, and how SNS was told of it.
struct Wanted {
    plan: QueuePlan,
    policy: Json,
}

impl Wanted {
    fn by_filter(&self, attributes: &Attributes) -> bool {
        let event = attributes.text(EVENT_ATTRIBUTE).expect("each has one");
        let of = self.plan.bindings.iter().filter(|binding| !binding.by_name || binding.event == event);
        of.into_iter().any(|binding| binding.policy.matches(attributes))
    }

    /// Has SNS certainly been told all that the filter asks of this event: which plain texts are in sight?
    fn is_told(&self, attributes: &Attributes) -> bool {
        let seen = sns::in_sight(attributes);
        let event = attributes.text(EVENT_ATTRIBUTE).expect("each has one");
        let plain = |text: &String| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let told = |(name, condition): (&str, &Condition)| match condition {
            Condition::OneOf(texts) if NAMES.contains(&name) => {
                seen.contains_key(name) && !texts.is_empty() && texts.iter().all(plain)
            }
            _ => false,
        };
        let mut of = self.plan.bindings.iter().filter(|binding| !binding.by_name || binding.event == event);
        // Two that cannot both be are not said.
        of.all(|binding| binding.policy.conditions().all(told) && asks_once(&binding.policy))
    }

    fn by_reading(&self, attributes: &Attributes) -> bool {
        sns::takes(&self.policy, &sns::in_sight(attributes))
            .unwrap_or_else(|refused| panic!("{refused}: {}", self.policy))
    }
}

/// Does a policy ask once of each attribute?
fn asks_once(policy: &Policy) -> bool {
    let names: BTreeSet<&str> = policy.conditions().map(|(name, _)| name).collect();
    names.len() == policy.conditions().count()
}

/// A queue with bindings by chance, and a message that some of them may want.
fn draw(account: &Account, (seed, number): (u64, usize)) -> (QueuePlan, Attributes) {
    let rng = &mut Rng::with_seed(seed.wrapping_mul(1_000_003).wrapping_add(number as u64));
    let mut plan = account.plan(&format!("sieve{number}"), &[]);
    // One for all is enough.
    plan.dead_letters = account.name("dead");
    plan.bindings = drawn::EVENTS[..rng.usize(1..=3)].iter().map(|event| drawn::asked(rng, event)).collect();
    plan.bindings[0].by_name = plan.bindings.len() > 1 || rng.bool();
    plan.bindings.iter_mut().for_each(|binding| binding.topic = account.name("drawn"));
    let wanted = rng.usize(..plan.bindings.len());
    let mut attributes = drawn::attributes(rng, &plan.bindings[wanted]);
    for name in SPARE {
        if attributes.len() > TRAVEL {
            attributes.remove(name);
        }
    }
    (plan, attributes)
}

/// Subscribes those that SNS has room for.
async fn subscribe(aws: &Aws, plans: Vec<QueuePlan>) -> Vec<QueuePlan> {
    let mut taken = Vec::new();
    for some in plans.chunks(8) {
        let some = some.iter().map(async |plan| {
            match aws.provision(&topology(std::slice::from_ref(plan)), Provision::Create).await {
                Ok(()) => Some(plan.clone()),
                Err(error) if error.kind() == TransportErrorKind::Unsupported => None,
                Err(error) => panic!("{error:?}"),
            }
        });
        taken.extend(join_all(some).await.into_iter().flatten());
    }
    taken
}

/// The policies of a topic's subscriptions, by the names of queues.
fn policies(account: &Account, topic: &str) -> BTreeMap<String, Json> {
    let (mut policies, mut token) = (BTreeMap::new(), String::new());
    loop {
        let mut fields = vec![("TopicArn", topic)];
        fields.extend((!token.is_empty()).then_some(("NextToken", &*token)));
        let page = account.caller.sns("ListSubscriptionsByTopic", &fields).expect("it answers");
        for member in page.split("<member>").skip(1) {
            let fields = [("SubscriptionArn", inside(member, "SubscriptionArn"))];
            let found = account.caller.sns("GetSubscriptionAttributes", &fields).expect("it is there");
            let policy = found.split_once("<key>FilterPolicy</key>").map_or("{}", |(_, rest)| inside(rest, "value"));
            let policy = policy.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
            let queue = inside(member, "Endpoint").rsplit(':').next().unwrap_or_default().to_owned();
            policies.insert(queue, policy.parse().unwrap_or_else(|_| panic!("no JSON: {policy}")));
        }
        token = inside(&page, "NextToken").to_owned();
        if token.is_empty() {
            return policies;
        }
    }
}

async fn publish(aws: &Aws, topic: &str, messages: &[Attributes]) {
    let all = messages.iter().enumerate().map(async |(number, attributes)| {
        let id = MessageId::parse(number.to_string()).expect("it is one");
        let event = attributes.text(EVENT_ATTRIBUTE).expect("each has one").to_owned();
        let sealed = Sealed { body: number.to_string().into(), attributes: attributes.clone() };
        aws.publish(Outgoing::new(id, event, topic.to_owned(), sealed)).await.expect("it is taken");
    });
    join_all(all).await;
}

/// The emulator, what is read, and the filter judge every message.
async fn judge(kind: Kind) {
    let seed = std::env::var("FILTER_SEED").map_or(SEED, |seed| seed.parse().expect("a number"));
    let (account, began) = (Account::open(kind).await, Instant::now());
    let aws = Aws::new(account.url(""));
    let (plans, messages): (Vec<_>, Vec<_>) =
        (0..POLICIES + POLICIES / 5).map(|number| draw(&account, (seed, number))).unzip();
    let plans = subscribe(&aws, plans).await;
    assert!(plans.len() >= POLICIES, "SNS has room for {}", plans.len());
    let topic = account.topic_arn(&account.name("drawn"), &plans[0].name);
    let mut policies = policies(&account, &topic);
    publish(&aws, &account.name("drawn"), &messages).await;
    settle().await;
    let (mut counts, mut told) = ([[0; 2]; 2], 0);
    for plan in plans {
        let policy = policies.remove(&plan.name).expect("it is subscribed");
        let wanted = Wanted { plan, policy };
        let read = |number: &usize| wanted.by_reading(&messages[*number]);
        let expected: BTreeSet<String> = (0..messages.len()).filter(read).map(|number| number.to_string()).collect();
        let taken = taken(&account, &wanted.plan.name, &expected).await;
        for (number, message) in messages.iter().enumerate() {
            let (takes, wants) = (taken.contains(&number.to_string()), wanted.by_filter(message));
            let what = format!("{kind:?}, seed {seed}: {} of {message:?}", wanted.policy);
            assert!(takes || !wants, "it is wanted, and lost: {what}");
            assert_eq!(takes, read(&number), "the emulator, and as it is read: {what}");
            if wanted.is_told(message) {
                assert_eq!(takes, wants, "the emulator, and the filter: {what}");
                told += 1;
            }
            counts[usize::from(wants)][usize::from(takes)] += 1;
        }
    }
    let [[kept, more], [_, let_in]] = counts;
    let in_all = began.elapsed();
    eprintln!(
        "{kind:?}, seed {seed}: {let_in} wanted, {kept} kept back, {more} left to us, {told} told, within {in_all:?}"
    );
    assert!([let_in, kept, told].iter().all(|count| *count > 1_000), "what never happens proves nothing");
}

#[tokio::test]
async fn localstack_decides_filters_by_chance_as_they_are_read_and_loses_nothing() {
    judge(Kind::LocalStack).await;
}

#[tokio::test]
async fn ministack_decides_filters_by_chance_as_they_are_read_and_loses_nothing() {
    judge(Kind::MiniStack).await;
}
