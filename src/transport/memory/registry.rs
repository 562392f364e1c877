//! The brokers of this process by name, so that one URL means one broker. A broker lives while it is held.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, Weak},
};

use super::broker::Broker;

static BROKERS: Mutex<BTreeMap<String, Weak<Broker>>> = Mutex::new(BTreeMap::new());

/// The broker of this name, made if nobody holds one.
pub(super) fn named(name: &str, make: impl FnOnce() -> Broker) -> Arc<Broker> {
    let mut brokers = BROKERS.lock().expect("no panic happens while the brokers are held");
    if let Some(broker) = brokers.get(name).and_then(Weak::upgrade) {
        return broker;
    }
    brokers.retain(|_, broker| broker.strong_count() > 0);
    let broker = Arc::new(make());
    brokers.insert(name.to_owned(), Arc::downgrade(&broker));
    broker
}
