//! What may become of a publish: refused, lost on the way, stored without an answer, late.

use tegami::transport::{Outgoing, PublishError, PublishErrorKind, Transport};

use super::{Wire, number};
use crate::happened::Happened;

/// Longer than any publish waits for its answer, in milliseconds.
const FOR_EVER: u64 = 60_000;

impl Wire {
    pub(super) async fn carry(&self, outgoing: Outgoing) -> Result<(), PublishError> {
        let world = &self.0.world;
        if self.is_down() || world.strikes(10) {
            return Err(self.not_taken().await);
        }
        world.sleep(0..10).await;
        if world.strikes(10) {
            world.sleep(0..12_000).await;
        }
        let number = number(&outgoing.sealed.attributes);
        let Ok(memory) = self.up() else { return Err(unknown()) };
        memory.publish(outgoing).await?;
        world.note(Happened::Stored { number });
        self.answer().await
    }

    /// It did not arrive: sometimes that is certain.
    async fn not_taken(&self) -> PublishError {
        match self.0.world.draw(0..3) {
            0 => PublishError::new(PublishErrorKind::Refused, "the broker does not take it"),
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
