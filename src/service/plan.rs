//! From subscriptions to queues: what must exist on the broker, and which handlers read which queue.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{Error, ErrorKind, settings::PREFIX_LIMIT};
use crate::{
    codec::{Hands, Upcasts},
    contract::{Contract, Names, dead_letter_queue, retry_queue},
    event::Policy,
    pipeline::{Keys, OnDead, Route},
    transport::{Binding, Capabilities, QueuePlan, Reach, TopicPlan, Topology, Transport},
};

/// Deliveries of one queue that are handled at once, unless a subscription says otherwise.
const CONCURRENCY: usize = 10;
/// The most of them that can be asked for: as many as AMQP can prefetch.
const MOST_CONCURRENCY: usize = 65_535;
/// The longest topic (SNS).
const TOPIC_LIMIT: usize = 256;
/// The longest routing key, in bytes (AMQP's short string).
const ROUTING_KEY_LIMIT: usize = 255;
/// The longest queue name that a subscription can choose.
const QUEUE_LIMIT: usize = 80;
/// The longest service name.
const NAME_LIMIT: usize = 64;

/// One subscription, ready to be placed.
#[derive(Clone)]
pub(crate) struct Wish {
    pub(crate) route: Arc<Route>,
    pub(crate) via: Option<String>,
    pub(crate) group: Option<String>,
    /// The queue's own name, instead of a derived one.
    pub(crate) queue: Option<String>,
    pub(crate) concurrency: Option<usize>,
    pub(crate) on_dead: OnDead,
    pub(crate) reach: Reach,
}

/// One queue with the handlers that read it.
pub(crate) struct Station {
    /// The transport it is on; none for the main one.
    pub(crate) via: Option<String>,
    pub(crate) queue: QueuePlan,
    pub(crate) routes: Vec<Arc<Route>>,
    /// Of each of the queue's bindings, what it brings and where that goes.
    feeds: Vec<(&'static Contract, Arc<Route>)>,
    concurrency: Option<usize>,
}

/// One event's way into a queue, and to its handler.
#[derive(Clone, Copy)]
pub(crate) struct Way<'a> {
    pub(crate) binding: &'a Binding,
    pub(crate) contract: &'static Contract,
    pub(crate) route: &'a Arc<Route>,
}

impl Station {
    /// What flows into it.
    pub(crate) fn ways(&self) -> impl Iterator<Item = Way<'_>> {
        let ways = self.queue.bindings.iter().zip(&self.feeds);
        ways.map(|(binding, (contract, route))| Way { binding, contract, route })
    }

    /// What its handlers know of its events.
    pub(crate) fn hands(&self, upcasts: &Upcasts) -> Vec<Hands> {
        let of = |way: Way<'_>| match way.contract.name == way.route.contract.name {
            true => Some(way.route.hands),
            false => upcasts.hands(way.contract.name),
        };
        self.ways().filter_map(of).collect()
    }

    /// What a dead letter means for its key.
    pub(crate) fn keys(&self) -> Keys {
        match (self.queue.halts, self.queue.ordered) {
            (true, _) => Keys::Halt(self.queue.retry_delays.iter().max().copied().unwrap_or_default()),
            (false, true) => Keys::GoOn,
            (false, false) => Keys::Free,
        }
    }

    pub(crate) fn concurrency(&self) -> usize {
        self.concurrency.unwrap_or(CONCURRENCY)
    }
}

/// The names of this service's topics and queues, if prefix and name are fit to begin them.
pub(crate) fn names(prefix: String, name: &str) -> Result<Names, Error> {
    let wrong = |text| Err(Error::new(ErrorKind::Setting, text));
    if !is_plain(&prefix) || prefix.len() > PREFIX_LIMIT {
        let text = format!("prefix `{}` must be at most {PREFIX_LIMIT} of A-Z a-z 0-9 - _", prefix.escape_debug());
        return wrong(text);
    }
    if !is_plain(name) || !(1..=NAME_LIMIT).contains(&name.len()) {
        let text = format!("service name `{}` must be 1 to {NAME_LIMIT} of A-Z a-z 0-9 - _", name.escape_debug());
        return wrong(text);
    }
    Ok(Names::new(prefix, name))
}

/// Has the text no characters but those that every broker takes in a name?
pub(super) fn is_plain(text: &str) -> bool {
    text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_')
}

/// Places every wish in its queue.
pub(crate) fn stations(
    names: &Names,
    wishes: impl IntoIterator<Item = Wish>,
    upcasts: &Upcasts,
) -> Result<Vec<Station>, Error> {
    let mut stations = BTreeMap::<(Option<String>, String), Station>::new();
    let wishes = Vec::from_iter(wishes);
    let handled = wishes.iter().map(|wish| wish.route.contract.name).collect();
    if let Some(mistake) = upcasts.mistake(&handled) {
        return Err(refuse(mistake));
    }
    for wish in wishes {
        let contract = wish.route.contract;
        let queue = match (&wish.queue, &wish.group) {
            (Some(queue), _) => names.exact(queue),
            (None, Some(group)) => names.group(group, contract.ordered),
            (None, None) => names.queue(contract),
        };
        check(&wish, &queue)?;
        check_older(&wish, &queue, upcasts)?;
        let place = (wish.via.clone(), queue.clone());
        let station = stations.entry(place).or_insert_with(|| Station::of(queue, &wish));
        station.join(names, wish, upcasts)?;
    }
    let stations: Vec<Station> = stations.into_values().collect();
    check_apart(&stations)?;
    Ok(stations)
}

/// Refuses a queue that is where another one puts its dead letters or its retries.
fn check_apart(stations: &[Station]) -> Result<(), Error> {
    for station in stations {
        let queue = &station.queue;
        let retries = (1..=queue.retry_delays.len()).map(|step| retry_queue(&queue.name, step));
        let beside: Vec<String> = retries.chain([queue.dead_letters.clone()]).collect();
        if let Some(clash) = stations.iter().find(|other| beside.contains(&other.queue.name)) {
            let (clash, queue) = (&clash.queue.name, &queue.name);
            return Err(refuse(format!("queue `{clash}` is where `{queue}` puts messages aside: rename its group")));
        }
    }
    Ok(())
}

/// The plan as data.
pub(crate) fn topology<'a>(stations: impl IntoIterator<Item = &'a Station>) -> Topology {
    let (mut topics, mut queues) = (BTreeMap::new(), Vec::new());
    for station in stations {
        let ordered = station.queue.ordered;
        for Way { binding, contract, .. } in station.ways() {
            let topic = TopicPlan { name: binding.topic.clone(), ordered, source: contract.source };
            topics.entry(binding.topic.clone()).or_insert(topic);
        }
        queues.push(station.queue.clone());
    }
    Topology { topics: topics.into_values().collect(), queues }
}

/// Refuses what the transport cannot promise.
pub(crate) fn check_capabilities(station: &Station, name: &str, capabilities: &Capabilities) -> Result<(), Error> {
    if station.queue.ordered && !capabilities.ordered {
        let queue = &station.queue.name;
        let text = format!("queue `{queue}` must keep order per key, which the transport `{name}` cannot promise");
        return Err(refuse(text));
    }
    if station.queue.reach == Reach::PerInstance && !capabilities.per_instance {
        let queue = &station.queue.name;
        let text = format!("queue `{queue}` must be one for each instance, which the transport `{name}` cannot have");
        return Err(refuse(text));
    }
    let limit = capabilities.handling_limit.unwrap_or(Duration::MAX);
    if let Some(route) = station.routes.iter().find(|route| route.timeout > limit) {
        let (queue, timeout) = (&station.queue.name, route.timeout);
        let text = format!("the handler on queue `{queue}` has {timeout:?}, the transport `{name}` gives it {limit:?}");
        return Err(refuse(text));
    }
    Ok(())
}

/// Refuses an envelope where the transport has its own.
pub(crate) fn check_envelope(station: &Station, transport: &dyn Transport) -> Result<(), Error> {
    if transport.envelope().is_none() || station.routes.iter().all(|route| route.envelope.is_none()) {
        return Ok(());
    }
    let (queue, name) = (&station.queue.name, transport.name());
    Err(refuse(format!(
        "queue `{queue}` cannot choose an envelope: the transport `{name}` has its own, so leave it out"
    )))
}

/// Refuses a station on a transport that nobody attached.
pub(crate) fn no_such_transport(station: &Station) -> Error {
    let (queue, name) = (&station.queue.name, station.via.as_deref().unwrap_or_default());
    refuse(format!("queue `{queue}` is to be on the transport `{name}`, which is not attached to the service"))
}

impl Station {
    /// A queue as this wish wants it, which nothing is bound to yet.
    fn of(queue: String, wish: &Wish) -> Self {
        let queue = QueuePlan {
            dead_letters: dead_letter_queue(&queue),
            name: queue,
            ordered: wish.route.contract.ordered,
            retry_delays: Vec::new(),
            halts: wish.on_dead == OnDead::Halt,
            bindings: Vec::new(),
            concurrency: CONCURRENCY,
            reach: wish.reach,
        };
        Self { via: wish.via.clone(), queue, routes: Vec::new(), feeds: Vec::new(), concurrency: None }
    }

    fn join(&mut self, names: &Names, wish: Wish, upcasts: &Upcasts) -> Result<(), Error> {
        let queue = &self.queue.name;
        let older = upcasts.older(wish.route.contract);
        let contracts = [wish.route.contract].into_iter().chain(older);
        if let Some(event) = contracts.clone().map(|contract| contract.name).find(|event| self.takes(event)) {
            let text =
                format!("two handlers for event `{event}` share the queue `{queue}`: give one a group of its own");
            return Err(refuse(text));
        }
        let shared = !self.routes.is_empty();
        if shared && (wish.route.envelope.is_some() || self.routes.iter().any(|route| route.envelope.is_some())) {
            return Err(refuse(format!("queue `{queue}` is shared, so its subscriptions cannot choose an envelope")));
        }
        if (wish.on_dead == OnDead::Halt) != self.queue.halts {
            let text = format!("queue `{queue}` is asked to halt its keys on a dead letter by some of its group only");
            return Err(refuse(text));
        }
        if wish.reach != self.queue.reach {
            return Err(refuse(format!(
                "queue `{queue}` is asked to be one for each instance by some of its group only"
            )));
        }
        if wish.route.contract.ordered != self.queue.ordered {
            return Err(refuse(format!("queue `{queue}` is asked to keep order by some of its subscriptions only")));
        }
        match (self.concurrency, wish.concurrency) {
            (Some(one), Some(other)) if one != other => {
                return Err(refuse(format!("queue `{queue}` is asked to have concurrency {one} and {other}")));
            }
            (known, wished) => self.concurrency = known.or(wished),
        }
        self.queue.concurrency = self.concurrency();
        if wish.route.retry.delays().len() > self.queue.retry_delays.len() {
            self.queue.retry_delays = wish.route.retry.delays().to_vec();
        }
        for contract in contracts {
            self.queue.bindings.push(binding(names, contract, &wish.route)?);
            self.feeds.push((contract, wish.route.clone()));
        }
        self.routes.push(wish.route);
        Ok(())
    }

    fn takes(&self, event: &str) -> bool {
        self.feeds.iter().any(|(contract, _)| contract.name == event)
    }
}

/// The way of events of a contract, the route's own or an older one, to the route.
///
/// Of an older one all come: what the filter asks for is known when it has been upcast.
fn binding(names: &Names, contract: &Contract, route: &Route) -> Result<Binding, Error> {
    let own = contract.name == route.contract.name;
    let binding = Binding {
        topic: names.topic(contract).into_owned(),
        routing_key: names.routing_key(contract).into_owned(),
        event: contract.name,
        by_name: contract.shares_topic,
        policy: if own { route.policy.clone() } else { Policy::default() },
    };
    check_lengths(&binding)?;
    Ok(binding)
}

/// Refuses events of an older contract that cannot come as the new ones do.
fn check_older(wish: &Wish, queue: &str, upcasts: &Upcasts) -> Result<(), Error> {
    let contract = wish.route.contract;
    let other = |older: &&Contract| older.ordered != contract.ordered;
    let Some(older) = upcasts.older(contract).into_iter().find(other) else { return Ok(()) };
    let (name, older) = (contract.name, older.name);
    let text = format!("queue `{queue}` is asked to keep order by one of `{older}` and `{name}`, which it becomes");
    Err(refuse(text))
}

/// Refuses a topic or a routing key that the prefix makes longer than brokers take.
fn check_lengths(binding: &Binding) -> Result<(), Error> {
    let lengths = [("topic", &binding.topic, TOPIC_LIMIT), ("routing key", &binding.routing_key, ROUTING_KEY_LIMIT)];
    match lengths.into_iter().find(|(_, name, limit)| name.len() > *limit) {
        Some((what, name, limit)) => {
            let length = name.len();
            let text = format!("{what} `{name}` has {length} characters with its prefix, {limit} are allowed");
            Err(refuse(text))
        }
        None => Ok(()),
    }
}

fn check(wish: &Wish, queue: &str) -> Result<(), Error> {
    if wish.concurrency == Some(0) {
        return Err(refuse(format!("queue `{queue}` is asked to have concurrency 0: nothing would ever be handled")));
    }
    if let Some(concurrency) = wish.concurrency.filter(|asked| *asked > MOST_CONCURRENCY) {
        let text = format!("queue `{queue}` is asked to have concurrency {concurrency}, more than {MOST_CONCURRENCY}");
        return Err(refuse(text));
    }
    if wish.route.timeout.is_zero() {
        return Err(refuse(format!("the handler on queue `{queue}` has a timeout of 0: it could never end in time")));
    }
    if wish.on_dead == OnDead::Halt {
        check_halt(&wish.route, queue)?;
    }
    match (&wish.queue, &wish.group) {
        (Some(queue), Some(group)) => {
            let (queue, group) = (queue.escape_debug(), group.escape_debug());
            Err(refuse(format!("a subscription is asked to read the queue `{queue}` and to share that of `{group}`")))
        }
        (Some(queue), None) => check_exact(queue, wish.route.contract.ordered),
        (None, Some(group)) if group.is_empty() || !is_plain(group) => {
            Err(refuse(format!("group `{}` may have only A-Z a-z 0-9 - _", group.escape_debug())))
        }
        _ => Ok(()),
    }
}

/// A queue's own name must be one that every broker takes; that of a queue in order says so.
fn check_exact(queue: &str, ordered: bool) -> Result<(), Error> {
    let text = queue.escape_debug();
    if !(1..=QUEUE_LIMIT).contains(&queue.len()) || !is_plain(&queue.replace('.', "-")) {
        return Err(refuse(format!("queue `{text}` may have only 1 to {QUEUE_LIMIT} of A-Z a-z 0-9 - _ .")));
    }
    if ordered != queue.ends_with(".fifo") {
        return Err(refuse(format!("queue `{text}` must end in `.fifo` exactly if its events are kept in order")));
    }
    Ok(())
}

fn check_halt(route: &Route, queue: &str) -> Result<(), Error> {
    if !route.contract.ordered {
        return Err(refuse(format!("queue `{queue}` is to halt on a dead letter, but has no keys in order to halt")));
    }
    if route.retry.delays().iter().all(Duration::is_zero) {
        let text =
            format!("queue `{queue}` is to halt on a dead letter, but its retry has no delay to try again after");
        return Err(refuse(text));
    }
    Ok(())
}

fn refuse(text: String) -> Error {
    Error::new(ErrorKind::Subscription, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k1_names_are_taken_at_their_limits_and_refused_one_beyond() {
        let check = |topic: usize, key: usize| {
            let (topic, routing_key) = ("t".repeat(topic), "k".repeat(key));
            check_lengths(&Binding { topic, routing_key, event: "E", by_name: false, policy: Default::default() })
        };
        assert!(check(256, 255).is_ok());
        for (topic, key, words) in [(257, 1, "257 characters"), (1, 256, "256 characters")] {
            let error = check(topic, key).expect_err("it is beyond");
            assert_eq!(error.kind(), ErrorKind::Subscription);
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
