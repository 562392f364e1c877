//! Which deliveries of a channel are settled, and the fewest frames that tell the broker so.
//!
//! Acks that come close together go out together: one frame settles all deliveries up to a number.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::FutureExt;
use lapin::{
    Channel,
    options::{BasicAckOptions, BasicNackOptions},
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    time::Clock,
    transport::{SettleError, SettleErrorKind},
};

/// How long the broker may take to apply an ack.
pub(super) const APPLIED: Duration = Duration::from_millis(250);

/// The consuming channel with what is not yet told to the broker.
pub(super) struct Acks {
    pub(super) channel: Channel,
    /// Set once the broker has taken back what it delivered; the channel may know later.
    lost: CancellationToken,
    clock: Clock,
    tags: Mutex<Tags>,
}

impl Acks {
    pub(super) fn new(channel: Channel, lost: CancellationToken, clock: Clock) -> Self {
        Self { channel, lost, clock, tags: Mutex::default() }
    }

    /// When the broker has applied what was written. Its quorum queues say nothing of it: beyond 32 acks that are not
    /// applied, a channel of RabbitMQ keeps more of them back (`rabbit_fifo_client`), and forgets them when it closes.
    pub(super) fn applied(&self) -> Instant {
        let written = self.tags().written;
        written.map_or_else(|| self.clock.instant(), |written| written + APPLIED)
    }

    /// Acks a delivery. The frame goes out with those of the same moment; no answer comes to it.
    ///
    /// # Cancel safety
    /// The ack goes out all the same.
    pub(super) async fn ack(&self, tag: u64) -> Result<(), SettleError> {
        self.check()?;
        if self.tags().settle(tag) == Turn::Mine {
            let flush = Flush(self);
            tokio::task::yield_now().await;
            drop(flush);
        }
        Ok(())
    }

    /// Gives a delivery back to the queue.
    pub(super) fn give_back(&self, tag: u64) -> Result<(), SettleError> {
        self.check()?;
        let options = BasicNackOptions { requeue: true, multiple: false };
        told_with(&self.tags, tag, || self.write(self.channel.basic_nack(tag, options)));
        Ok(())
    }

    /// Is the channel still the one that the deliveries came on?
    pub(super) fn check(&self) -> Result<(), SettleError> {
        match self.channel.status().connected() && !self.lost.is_cancelled() {
            true => Ok(()),
            false => Err(SettleError::new(SettleErrorKind::Lost, "the channel it came on is closed")),
        }
    }

    fn flush(&self) {
        let mut tags = self.tags();
        tags.written = Some(self.clock.instant());
        for (tag, multiple) in tags.take() {
            self.write(self.channel.basic_ack(tag, BasicAckOptions { multiple }));
        }
    }

    /// Puts a frame into the queue of the connection. Should it fail, so has the connection, and the deliveries come
    /// again.
    fn write(&self, frame: impl Future<Output = lapin::Result<()>>) {
        let _ = frame.now_or_never();
    }

    fn tags(&self) -> MutexGuard<'_, Tags> {
        self.tags.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells the broker that a delivery goes back, before anybody can write an ack: one for all up to a later delivery
/// would ack this one too.
fn told_with(tags: &Mutex<Tags>, tag: u64, write: impl FnOnce()) {
    let mut tags = tags.lock().unwrap_or_else(PoisonError::into_inner);
    tags.told(tag);
    write();
}

/// Writes what has come together, also when its caller is dropped.
struct Flush<'a>(&'a Acks);

impl Drop for Flush<'_> {
    fn drop(&mut self) {
        self.0.flush();
    }
}

/// Delivery tags count from 1 on each channel.
#[derive(Debug, Default)]
struct Tags {
    /// When acks were last written.
    written: Option<Instant>,
    /// Every delivery up to here is settled, and the broker knows.
    floor: u64,
    /// Settled beyond it.
    settled: BTreeSet<u64>,
    /// Acked, and the broker does not know yet.
    untold: Vec<u64>,
}

/// Who writes?
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    Mine,
    Anothers,
}

impl Tags {
    fn settle(&mut self, tag: u64) -> Turn {
        self.settled.insert(tag);
        self.untold.push(tag);
        if self.untold.len() == 1 { Turn::Mine } else { Turn::Anothers }
    }

    fn told(&mut self, tag: u64) {
        self.settled.insert(tag);
    }

    /// The acks to write: each a tag, and whether it stands for all before it.
    fn take(&mut self) -> Vec<(u64, bool)> {
        while self.settled.remove(&(self.floor + 1)) {
            self.floor += 1;
        }
        let untold = std::mem::take(&mut self.untold);
        let (below, beyond): (Vec<u64>, Vec<u64>) = untold.into_iter().partition(|tag| *tag <= self.floor);
        // RabbitMQ closes the channel at the ack of a tag that it no longer knows: the last one must be news to it.
        let last = below.iter().max().map(|last| (*last, below.len() > 1));
        last.into_iter().chain(beyond.into_iter().map(|tag| (tag, false))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(settled: &[u64]) -> Tags {
        let mut tags = Tags::default();
        for tag in settled {
            tags.settle(*tag);
        }
        tags
    }

    #[test]
    fn d2_one_frame_acks_all_up_to_the_first_that_is_not_settled() {
        let mut all = tags(&[2, 1, 3]);
        assert_eq!(all.take(), [(3, true)]);
        assert_eq!(all.take(), [], "told once");
        all.settle(5);
        assert_eq!(all.take(), [(5, false)], "4 is still being handled");
        all.settle(4);
        assert_eq!(all.take(), [(4, false)], "5 is not told again");
        assert_eq!((all.floor, all.settled.len()), (5, 0));
    }

    #[test]
    fn d2_what_was_given_back_is_never_acked() {
        let mut all = tags(&[1]);
        all.told(2);
        all.settle(3);
        assert_eq!(all.take(), [(3, true)], "2 is no longer the channel's");
        all.told(4);
        all.settle(6);
        assert_eq!(all.take(), [(6, false)]);
        assert_eq!(all.floor, 4);
    }

    #[test]
    fn d2_no_ack_overtakes_what_goes_back() {
        let all = Mutex::new(tags(&[1, 3]));
        let mut free = false;
        told_with(&all, 2, || free = all.try_lock().is_ok());
        assert!(!free, "an ack up to 3 could be written before the return of 2");
        assert_eq!(all.into_inner().unwrap().take(), [(3, true)]);
    }

    #[test]
    fn d2_the_last_tag_of_a_frame_was_never_told_before() {
        let mut all = tags(&[4]);
        assert_eq!(all.take(), [(4, false)]);
        for tag in [1, 2, 3] {
            all.settle(tag);
        }
        assert_eq!(all.take(), [(3, true)], "not up to 4");
        assert_eq!(all.floor, 4);
    }

    #[test]
    fn only_the_first_to_come_writes() {
        let mut all = Tags::default();
        assert_eq!((all.settle(1), all.settle(2)), (Turn::Mine, Turn::Anothers));
        all.take();
        assert_eq!(all.settle(3), Turn::Mine);
    }
}
