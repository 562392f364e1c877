//! From subscriptions to queues: what must exist on the broker, and which handlers read which queue.

mod checks;
mod station;

use std::collections::BTreeMap;

use super::{Error, ErrorKind, settings::PREFIX_LIMIT};
use crate::{
    codec::Upcasts,
    contract::Names,
    transport::{TopicPlan, Topology},
};

use checks::{check, check_apart, check_older, refuse};
pub(crate) use checks::{check_capabilities, check_envelope, no_such_transport};
pub(crate) use station::{Station, Way, Wish};

/// The longest service name.
const NAME_LIMIT: usize = 64;

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
