//! The way of a recorded event to the handler for its type.

use std::marker::PhantomData;

use async_trait::async_trait;

use super::Handler;
use crate::{
    contract::Contract,
    error::BoxError,
    event::Event,
    store::{Recorded, Store},
};

/// A handler, and what it handles.
pub(super) struct Route<T> {
    pub(super) contract: &'static Contract,
    run: Box<dyn Run<T>>,
}

impl<T: Send + 'static> Route<T> {
    pub(super) fn new<E: Event>(handler: impl Handler<E, T>) -> Self {
        Self { contract: E::CONTRACT, run: Box::new(Typed(handler, PhantomData)) }
    }

    /// Has the event handled.
    pub(super) async fn run(&self, store: &Store, recorded: Recorded, tx: &mut T) -> Result<(), BoxError> {
        self.run.run(store, recorded, tx).await
    }
}

#[async_trait]
trait Run<T>: Send + Sync {
    async fn run(&self, store: &Store, recorded: Recorded, tx: &mut T) -> Result<(), BoxError>;
}

struct Typed<E, H>(H, PhantomData<fn(E)>);

#[async_trait]
impl<E: Event, T: Send + 'static, H: Handler<E, T>> Run<T> for Typed<E, H> {
    async fn run(&self, store: &Store, recorded: Recorded, tx: &mut T) -> Result<(), BoxError> {
        let stored = store.stored::<E>(recorded).await?;
        self.0.call(stored, tx).await
    }
}
