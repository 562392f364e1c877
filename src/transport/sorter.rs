//! Who decides what becomes of dead letters.

use async_trait::async_trait;

use super::DeadLetter;

/// What becomes of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// It stays where it is, as it is.
    Stay,
    /// It goes back into its queue as itself: with its id, attempts from 1.
    Back,
    /// It is deleted.
    Drop,
}

/// Decides on the dead letters of a queue, one after the other: which of them leave, and how fast.
#[async_trait]
pub trait Sorter: Send {
    /// Waits until some more may leave, and says how many; 0 ends it. As many as wanted, unless it is said otherwise.
    ///
    /// # Cancel safety
    /// Nothing has left when this future is dropped.
    async fn room(&mut self) -> usize {
        usize::MAX
    }

    /// What becomes of this one. Asked again for the same only where the broker took it back meanwhile.
    fn fate(&mut self, letter: &DeadLetter) -> Fate;

    /// One has left in this way, as decided.
    fn left(&mut self, _fate: Fate) {}
}

/// Puts all of them back, and counts them.
#[derive(Default)]
pub(super) struct AllBack(pub(super) usize);

impl Sorter for AllBack {
    fn fate(&mut self, _: &DeadLetter) -> Fate {
        Fate::Back
    }

    fn left(&mut self, _: Fate) {
        self.0 += 1;
    }
}
