//! What may become of a publish: refused, lost on the way, stored without an answer, late.

use tegami::transport::{Outgoing, PublishError, PublishErrorKind, Transport};

use super::{COPY, Wire, number};
use crate::happened::Happened;

/// Longer than any publish waits for its answer, in milliseconds.
const FOR_EVER: u64 = 60_000;
/// What no envelope can be read from.
const SPOILED: &[u8] = b"\xff[[{";

impl Wire {
    pub(super) async fn carry(&self, mut outgoing: Outgoing) -> Result<(), PublishError> {
        let (world, number) = (&self.0.world, number(&outgoing.sealed.attributes, "number"));
        world.note(Happened::Sending { number, by: self.0.by.clone(), id: outgoing.id.to_string() });
        if self.is_down() || world.strikes(10) {
            return Err(self.not_taken(number).await);
        }
        world.sleep(0..10).await;
        if world.strikes(10) {
            world.sleep(0..12_000).await;
        }
        let Ok(memory) = self.up() else { return Err(unknown()) };
        let (copy, spoiled) = (world.number(), world.strikes(3));
        outgoing.sealed.attributes.set(COPY, copy);
        if spoiled {
            outgoing.sealed.body = SPOILED.into();
        }
        memory.publish(outgoing).await.inspect_err(|_| world.note(Happened::Refused { number }))?;
        world.note(Happened::Stored { number, copy, spoiled });
        self.answer().await
    }

    /// It did not arrive: sometimes that is certain.
    async fn not_taken(&self, number: u64) -> PublishError {
        match self.0.world.draw(0..3) {
            0 if !self.is_down() => {
                self.0.world.note(Happened::Refused { number });
                PublishError::new(PublishErrorKind::Refused, "the broker does not take it")
            }
            0 => PublishError::new(PublishErrorKind::Unreachable, "the broker is away"),
            1 => unknown(),
            _ => {
                self.0.world.sleep(0..FOR_EVER).await;
                unknown()
            }
        }
    }

    /// It did arrive: sometimes nobody says so.
    async fn answer(&self) -> Result<(), PublishError> {
        let world = &self.0.world;
        world.sleep(0..10).await;
        if world.strikes(15) {
            world.sleep(0..FOR_EVER).await;
        }
        if world.strikes(10) { Err(unknown()) } else { Ok(()) }
    }
}

fn unknown() -> PublishError {
    PublishError::new(PublishErrorKind::Unknown, "the answer was lost")
}
