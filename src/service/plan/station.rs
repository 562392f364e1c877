//! One queue, and what the subscriptions that share it make of it.

use std::sync::Arc;

use super::{
    super::Error,
    checks::{check_lengths, refuse},
};
use crate::{
    codec::{Hands, Upcasts},
    contract::{Contract, Names, dead_letter_queue},
    event::Policy,
    pipeline::{Keys, OnDead, Route, Routes},
    transport::{Binding, QueuePlan, Reach},
};

/// Deliveries of one queue that are handled at once, unless a subscription says otherwise.
const CONCURRENCY: usize = 10;

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

    /// The way from each of its events to its handler.
    pub(crate) fn routing(&self, upcasts: &Upcasts) -> Routes {
        Routes::of(self.feeds.iter().cloned(), upcasts.clone())
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

    /// A queue as this wish wants it, which nothing is bound to yet.
    pub(super) fn of(queue: String, wish: &Wish) -> Self {
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

    pub(super) fn join(&mut self, names: &Names, wish: Wish, upcasts: &Upcasts) -> Result<(), Error> {
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
