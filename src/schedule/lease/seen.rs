//! What a store sees of a schedule when somebody asks for a tick, and what it then answers.

use std::time::{Duration, SystemTime};

use super::{Claim, Taken};

/// What is there, seen in one moment.
pub(super) struct Seen {
    /// The latest tick that anybody took.
    pub(super) latest: Option<SystemTime>,
    /// How much longer the lease on the tick holds; none, if the tick is not among the unfinished ones.
    pub(super) left: Option<Duration>,
    /// On how many other ticks leases hold.
    pub(super) others: usize,
}

impl Seen {
    pub(super) fn answer(&self, claim: &Claim) -> Taken {
        match self.left {
            Some(left) if !left.is_zero() => Taken::Held(left),
            None if self.latest.is_some_and(|latest| claim.tick <= latest) => Taken::Over,
            _ if self.others >= claim.at_once => Taken::Busy,
            _ => Taken::Granted,
        }
    }
}
