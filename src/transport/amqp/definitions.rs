//! A plan in RabbitMQ's own words: definitions to import, and the least permissions to give.

use std::collections::{BTreeMap, BTreeSet};

use lapin::types::{AMQPValue, FieldTable};
use serde_json::{Value as Json, json};

use super::{
    address::Address,
    station::{Declared, Lifetime, Station},
    topology::BUILT_IN,
};
use crate::transport::{Reach, Topology};

/// How permissions name the exchange that has no name.
const DEFAULT: &str = "amq.default";

/// Files by name: what `rabbitmqctl import_definitions` takes, and what `rabbitmqctl set_permissions` is told.
pub(super) fn exports(address: &Address, topology: &Topology) -> BTreeMap<String, String> {
    let stations: Vec<_> = topology.queues.iter().map(|plan| Station::new(plan, address.parameters(), "")).collect();
    let exchange = &address.parameters().exchange;
    let file = |name: &str, json: Json| (name.to_owned(), format!("{json:#}\n"));
    BTreeMap::from([
        file("rabbitmq-definitions.json", definitions(address.virtual_host(), exchange, &stations)),
        file("rabbitmq-permissions.json", permissions(exchange, &stations)),
    ])
}

fn definitions(virtual_host: &str, exchange: &str, stations: &[Station]) -> Json {
    let queues = stations.iter().flat_map(|station| station.lasting(Lifetime::Durable));
    let queue = |queue: Declared| {
        let arguments = arguments(&queue.arguments);
        json!({ "name": queue.name, "vhost": virtual_host, "durable": true, "auto_delete": false, "arguments": arguments })
    };
    let lasting = stations.iter().filter(|station| station.plan.reach == Reach::Shared);
    let bindings = lasting.flat_map(|station| station.plan.bindings.iter().map(move |binding| (station, binding)));
    let binding = |(station, binding): (&Station, &crate::transport::Binding)| {
        json!({
            "source": exchange, "vhost": virtual_host, "destination": station.name, "destination_type": "queue",
            "routing_key": binding.routing_key, "arguments": {},
        })
    };
    let own = (exchange != BUILT_IN).then(|| {
        json!({
            "name": exchange, "vhost": virtual_host, "type": "topic", "durable": true, "auto_delete": false,
            "internal": false, "arguments": {},
        })
    });
    json!({
        "exchanges": Vec::from_iter(own),
        "queues": queues.map(queue).collect::<Vec<_>>(),
        "bindings": bindings.map(binding).collect::<Vec<_>>(),
    })
}

fn arguments(table: &FieldTable) -> Json {
    let pairs = table.inner().iter().map(|(name, value)| {
        let value = match value {
            AMQPValue::LongString(text) => json!(String::from_utf8_lossy(text.as_bytes())),
            AMQPValue::LongLongInt(number) => json!(number),
            AMQPValue::Boolean(truth) => json!(truth),
            other => unreachable!("a station has no argument like {other:?}"),
        };
        (name.to_string(), value)
    });
    Json::Object(pairs.collect())
}

/// The three patterns that a user needs who makes the queues, reads them and publishes.
fn permissions(exchange: &str, stations: &[Station]) -> Json {
    let queues: BTreeSet<_> = stations.iter().flat_map(|station| station.queues().into_iter().map(pattern)).collect();
    let exchange = escaped(exchange);
    let own = Some(exchange.clone()).filter(|own| *own != escaped(BUILT_IN));
    let one_of = |names: &mut dyn Iterator<Item = String>| format!("^({})$", names.collect::<Vec<_>>().join("|"));
    json!({
        "configure": one_of(&mut queues.iter().cloned().chain(own)),
        "write": one_of(&mut queues.iter().cloned().chain([escaped(DEFAULT), exchange.clone()])),
        "read": one_of(&mut queues.iter().cloned().chain([exchange])),
    })
}

/// The queue's name; one that lives on a connection has that one's name behind it.
fn pattern(queue: Declared) -> String {
    let name = escaped(&queue.name);
    if queue.lifetime == Lifetime::Connection { name + ".*" } else { name }
}

/// Names have nothing that a pattern reads but the full stop.
fn escaped(name: &str) -> String {
    name.chars()
        .flat_map(|c| (!c.is_ascii_alphanumeric() && !matches!(c, '-' | '_')).then_some('\\').into_iter().chain([c]))
        .collect()
}
