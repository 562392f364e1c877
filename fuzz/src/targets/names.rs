//! Names of topics, routing keys and queues: two contracts never share one, and each fits where it must.

use tegami::contract::{Contract, Names, dead_letter_queue, retry_queue};

use super::{text, texts};

/// Contracts that could be taken for each other.
const CONTRACTS: [(&str, &str, bool); 8] = [
    ("shop-orders-v1", "shop.orders.v1.Paid", false),
    ("shop-orders-v1", "shop.orders.v1.Paid", true),
    ("shop-orders-v1", "shop.orders.v1.PaidInFull", false),
    ("shop-orders-v1-Paid", "shop.orders.v1.InFull", false),
    ("shop-orders", "shop.orders.v1Paid", false),
    ("s", "s.E", true),
    ("a-very-long-topic-of-an-organisation-that-names-everything-v1", "long.v1.AnEventWithAVeryLongNameIndeed", false),
    ("a-very-long-topic-of-an-organisation-that-names-everything-v1", "long.v1.AnEventWithAVeryLongNameIndeer", false),
];

/// The longest name of a queue that every broker takes, in characters.
const QUEUE_LIMIT: usize = 80;

const fn contract(topic: &'static str, name: &'static str, ordered: bool) -> Contract {
    Contract {
        name,
        version: 1,
        topic,
        shares_topic: false,
        routing_key: name,
        key: None,
        attributes: &[],
        fields: &[],
        ordered,
        fingerprint: "",
        source: "",
    }
}

/// A prefix, a service's name, a group's name.
pub fn derived(data: &[u8]) {
    let data = text(data);
    let [prefix, service, group] = texts(&data);
    // One that says `.fifo` itself is refused where a service starts.
    let (names, group) = (Names::new(prefix, service), group.replace('.', ""));
    let contracts = CONTRACTS.map(|(topic, name, ordered)| contract(topic, name, ordered));
    for contract in &contracts {
        let topic = names.topic(contract);
        let bare = topic.strip_prefix(prefix).expect("it begins with the prefix");
        assert_eq!(bare.strip_suffix(".fifo").unwrap_or(bare), contract.topic, "it can be read back");
        assert_eq!(names.routing_key(contract).strip_prefix(prefix), Some(contract.routing_key));
        queue(&names.queue(contract), contract.ordered);
        queue(&names.group(&group, contract.ordered), contract.ordered);
    }
    apart(contracts.each_ref().map(|contract| names.queue(contract)));
    apart(contracts.each_ref().map(|contract| dead_letter_queue(&names.queue(contract))));
    apart(contracts.each_ref().map(|contract| retry_queue(&names.queue(contract), 1)));
}

fn queue(name: &str, ordered: bool) {
    let dead = dead_letter_queue(name);
    for name in [name, &dead] {
        assert!(name.chars().count() <= QUEUE_LIMIT || !name.is_ascii(), "{name:?}");
        assert_eq!(name.ends_with(".fifo"), ordered, "{name:?}");
    }
    assert_ne!(dead, name);
    assert_ne!(retry_queue(name, 1), retry_queue(name, 11));
}

fn apart(mut names: [String; CONTRACTS.len()]) {
    names.sort();
    assert!(names.is_sorted_by(|one, next| one < next), "one name for two contracts: {names:?}");
}
