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
    published: Vec<Outgoing>,
    handled: Vec<(&'static str, Payload)>,
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
        let of_type = |outgoing: &&Outgoing| outgoing.event == E::CONTRACT.name;
        let notes = self.notes();
        let opened = notes.published.iter().filter(of_type).map(|outgoing| self.envelope.open(&outgoing.sealed));
        opened.map(|message| decode(&message.expect("what was sealed here opens here").content)).collect()
    }

    pub(super) fn handled<E: Event>(&self) -> Vec<E> {
        let notes = self.notes();
        let of_type = notes.handled.iter().filter(|(event, _)| *event == E::CONTRACT.name);
        of_type.map(|(_, payload)| decode(payload)).collect()
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

fn decode<E: Event>(payload: &Payload) -> E {
    codec::decode(payload).expect("what a service published or handled is a valid event")
}

impl Middleware<Incoming> for Arc<Record> {
    fn call(&self, incoming: Incoming, next: Next<Incoming>) -> BoxFuture<Answer<Incoming>> {
        let record = self.clone();
        Box::pin(async move {
            let (event, payload) = (incoming.event(), incoming.payload.clone());
            if let Some(error) = record.take_failure(event) {
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
            let kept = outgoing.clone();
            next.run(outgoing).await?;
            record.notes().published.push(kept);
            Ok(())
        })
    }
}
