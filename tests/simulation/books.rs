//! Projections: what is made of recorded events, in handlers that do what chance says.

use std::sync::Arc;

use tegami::{
    error::BoxError,
    outbox::{DatabaseError, DatabaseErrorKind},
    projection::{Handler, Projection},
    store::{Position, Stored},
    testing::transport::{LetterFiled, LetterPosted},
};

use crate::{office::Tx, world::World};

/// The name of the projection.
pub const NAME: &str = "book";

/// Enters each letter into a book.
struct Book(Arc<World>);

/// The projection.
pub fn projection(world: &Arc<World>) -> Projection<Tx> {
    let book = || Book(world.clone());
    Projection::new(NAME, 1).on::<LetterPosted>(book()).on::<LetterFiled>(book())
}

impl Handler<LetterPosted, Tx> for Book {
    async fn call(&self, letter: Stored<LetterPosted>, tx: &mut Tx) -> Result<(), BoxError> {
        self.enter(letter.position, tx).await
    }
}

impl Handler<LetterFiled, Tx> for Book {
    async fn call(&self, letter: Stored<LetterFiled>, tx: &mut Tx) -> Result<(), BoxError> {
        self.enter(letter.position, tx).await
    }
}

impl Book {
    async fn enter(&self, position: Position, tx: &mut Tx) -> Result<(), BoxError> {
        let place = tx.projects(position);
        self.write().await?;
        tx.projected(place);
        Ok(())
    }

    async fn write(&self) -> Result<(), BoxError> {
        if self.0.is_calm() {
            return Ok(());
        }
        self.0.sleep(0..40).await;
        match self.0.draw(0..100) {
            0..6 => Err("the ink is dry".into()),
            6..8 => std::panic::resume_unwind(Box::new("the pen broke")),
            8..10 => Err(DatabaseError::new(DatabaseErrorKind::Unreachable, "the desk is away").into()),
            10..13 => {
                self.0.sleep(0..20_000).await;
                Ok(())
            }
            13..15 => std::future::pending().await,
            _ => Ok(()),
        }
    }
}
