//! A handler whose effect, whose mark in the inbox and whose messages are one commit.

use std::{marker::PhantomData, sync::Arc};

use sha2::{Digest, Sha256};

use super::{Incoming, route::Run};
use crate::{
    codec::{self, DecodeError, Payload, Persons},
    event::Event,
    failpoint::{self, Point},
    handler::{Context, HandlerError, TransactionalHandler},
    middleware::BoxFuture,
    outbox::{Database, Mark, Marked},
};

/// A transactional handler with its event's type, the service's state and the database.
pub(crate) struct Transacted<E, S, H, D> {
    handler: H,
    state: Arc<S>,
    database: D,
    event: PhantomData<fn(E)>,
}

impl<E, S, H, D> Transacted<E, S, H, D> {
    pub(crate) fn new(handler: H, state: Arc<S>, database: D) -> Self {
        Self { handler, state, database, event: PhantomData }
    }
}

impl<E, S, H, D> Run for Transacted<E, S, H, D>
where
    E: Event,
    S: Send + Sync + 'static,
    D: Database,
    H: TransactionalHandler<E, S, D::Tx>,
{
    fn run(self: Arc<Self>, incoming: Incoming) -> BoxFuture<Result<(), HandlerError>> {
        Box::pin(async move {
            let mark = mark(&incoming)?;
            let (payload, facts) = incoming.into_parts();
            let event = codec::decode::<E>(&payload).map_err(HandlerError::undecodable)?;
            let mut tx = self.database.begin().await?;
            match self.database.mark(&mut tx, &mark).await? {
                Marked::New => {}
                Marked::Known => {
                    tracing::debug!("handled before: acked, and not handled again");
                    return Ok(());
                }
                Marked::Other => return Err(HandlerError::reject(other(&mark))),
            }
            failpoint::hit(Point::InboxMarked)?;
            self.handler.call(event, Context::new(facts, self.state.clone()), &mut tx).await?;
            failpoint::hit(Point::InboxBeforeCommit)?;
            // A place where it can be cut off, also when the handler waited for nothing.
            tokio::task::consume_budget().await;
            Ok(self.database.commit(tx).await?)
        })
    }

    fn shown(&self, payload: &Payload, persons: Persons) -> Result<Payload, DecodeError> {
        codec::personal::shown::<E>(payload, persons)
    }
}

/// What is noted of a message; one that nobody gave an id cannot be known again.
fn mark(incoming: &Incoming) -> Result<Mark, HandlerError> {
    if !incoming.identified {
        let text = "the message has no id, so it cannot be known again: only a plain handler can take it";
        return Err(HandlerError::reject(text));
    }
    // What an upcast makes of it is another in the next release, and the message is the same.
    let came = incoming.older.as_deref().unwrap_or(&incoming.payload);
    let digest = Sha256::digest(&came.bytes).into();
    Ok(Mark::new(incoming.queue(), incoming.message_id().clone(), digest))
}

fn other(mark: &Mark) -> String {
    format!("a message with the id `{}` and another payload was handled before", mark.id)
}
