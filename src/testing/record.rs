//! What a service under test did: a middleware on both of its sides.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
};

use crate::{
    codec,
    envelope::{Envelope, Payload},
    event::Event,
    handler::HandlerError,
    middleware::{Answer, BoxFuture, Middleware, Next},
    pipeline::Incoming,
    transport::Outgoing,
};

/// Everything on record.
pub(super) struct Record {
    envelope: Arc<dyn Envelope>,
    notes: Mutex<Notes>,
}

#[derive(Default)]
struct Notes {
    published: Vec<(String, Payload)>,
    handled: Vec<(String, Payload)>,
    failures: VecDeque<(&'static str, HandlerError)>,
}

impl Record {
    pub(super) fn new(envelope: Arc<dyn Envelope>) -> Self {
        Self { envelope, notes: Mutex::default() }
    }

    pub(super) fn envelope(&self) -> Arc<dyn Envelope> {
        self.envelope.clone()
    }

    pub(super) fn published<E: Event>(&self) -> Vec<E> {
        events(&self.notes().published)
    }

    /// All that was published, by event and bytes, sorted.
    pub(super) fn all_published(&self) -> Vec<(String, String)> {
        let text = |payload: &Payload| payload.bytes.escape_ascii().to_string();
        let notes = self.notes();
        let mut all: Vec<_> = notes.published.iter().map(|(event, payload)| (event.clone(), text(payload))).collect();
        all.sort();
        all
    }

    pub(super) fn handled<E: Event>(&self) -> Vec<E> {
        events(&self.notes().handled)
    }

    pub(super) fn fail_next(&self, event: &'static str, error: HandlerError) {
        self.notes().failures.push_back((event, error));
    }

    fn take_failure(&self, event: &str) -> Option<HandlerError> {
        let mut notes = self.notes();
        let place = notes.failures.iter().position(|(known, _)| *known == event)?;
        notes.failures.remove(place).map(|(_, error)| error)
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn events<E: Event>(notes: &[(String, Payload)]) -> Vec<E> {
    let of_type = notes.iter().filter(|(event, _)| *event == E::CONTRACT.name);
    of_type.map(|(_, payload)| codec::decode(payload).expect("what was published or handled is valid")).collect()
}

impl Middleware<Incoming> for Arc<Record> {
    fn call(&self, incoming: Incoming, next: Next<Incoming>) -> BoxFuture<Answer<Incoming>> {
        let record = self.clone();
        Box::pin(async move {
            let (event, payload) = (incoming.event().to_owned(), incoming.payload.clone());
            if let Some(error) = record.take_failure(&event) {
                return Err(error);
            }
            next.run(incoming).await?;
            record.notes().handled.push((event, payload));
            Ok(())
        })
    }
}

impl Middleware<Outgoing> for Arc<Record> {
    /// Notes what is published; nobody needs to listen, for the test itself does.
    fn call(&self, mut outgoing: Outgoing, next: Next<Outgoing>) -> BoxFuture<Answer<Outgoing>> {
        let record = self.clone();
        Box::pin(async move {
            outgoing.allow_unroutable = true;
            let (event, payload) = (outgoing.event.to_string(), outgoing.payload.clone());
            next.run(outgoing).await?;
            record.notes().published.extend(payload.map(|payload| (event, payload)));
            Ok(())
        })
    }
}
