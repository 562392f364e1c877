//! Processes that end again and again: at each named crash point as often as at any other, and at any moment. Each is started
//! again at once.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::try_join3;
use tegami::failpoint::Point;
use tokio::time::sleep;

use super::{Happened, Nemesis};
use crate::crew::PUBLISHER;

/// How many of a round end at any moment; one more ends at each point.
const ANYWHERE: usize = 5;
/// When one ends at any moment, in milliseconds after its start: that may be in the midst of it.
const MOMENT: std::ops::Range<u64> = 20..1_500;
/// How long one lives that is to end at a point, before it is told so, in milliseconds.
const LIVES: std::ops::Range<u64> = 100..1_000;
/// How often a point is passed before.
const PASSES: std::ops::Range<u64> = 0..5;

/// How long a relay has rows. Where relays die each second and have them for their 30 s, the outbox only grows: a key waits
/// for the rows that a dead one has.
pub const HOLD: Duration = Duration::from_secs(2);

/// How a process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    At(Point),
    Anywhere,
}

/// The points of all that these processes do.
fn points() -> impl Iterator<Item = Point> {
    Point::SHARED.into_iter().chain(Point::IN_TRANSPORTS).chain(Point::IN_OUTBOXES)
}

/// So many ends, from the seed: in rounds, each with every point once.
pub fn drawn(seed: u64, count: usize) -> Vec<End> {
    let mut chance = fastrand::Rng::with_seed(seed);
    let mut ends = Vec::new();
    while ends.len() < count {
        let mut round: Vec<End> = points().map(End::At).chain([End::Anywhere; ANYWHERE]).collect();
        chance.shuffle(&mut round);
        ends.extend(round);
    }
    ends.truncate(count);
    ends
}

impl Nemesis<'_> {
    /// Ends all of these: what a publisher passes, the publisher, and all else the two consumers beside each other.
    ///
    /// # Errors
    /// One did not end so.
    pub async fn kill_all(&self, seed: u64, ends: &[End]) -> Happened {
        let is_publish = |end: &End| matches!(end, End::At(point) if point.name().starts_with("publish."));
        let (publishers, consumers): (VecDeque<_>, VecDeque<_>) = ends.iter().copied().partition(is_publish);
        let (publishers, consumers) = (Mutex::new(publishers), Mutex::new(consumers));
        let ending = |place: usize, ends| self.kill_in_turn(place, ends, fastrand::Rng::with_seed(seed + place as u64));
        let [one, other] = [PUBLISHER + 1, PUBLISHER + 2];
        try_join3(ending(PUBLISHER, &publishers), ending(one, &consumers), ending(other, &consumers)).await?;
        Ok(())
    }

    async fn kill_in_turn(&self, place: usize, ends: &Mutex<VecDeque<End>>, mut chance: fastrand::Rng) -> Happened {
        let next = || ends.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        while let Some(end) = next() {
            match end {
                End::Anywhere => {
                    sleep(Duration::from_millis(chance.u64(MOMENT))).await;
                    self.crew.kill(place).await?;
                }
                End::At(point) => {
                    sleep(Duration::from_millis(chance.u64(LIVES))).await;
                    self.crew.crash(place, point.name(), chance.u64(PASSES)).await?;
                    self.note(|deeds| *deeds.points.entry(point.name()).or_default() += 1);
                }
            }
            self.note(|deeds| deeds.kills += 1);
            self.crew.again(place).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_hundred_ends_have_twenty_at_each_point_and_a_hundred_at_any_moment() {
        let ends = drawn(7, 500);
        let count = |of: End| ends.iter().filter(|end| **end == of).count();
        assert!(points().all(|point| count(End::At(point)) == 20));
        assert_eq!((count(End::Anywhere), points().count()), (100, 20));
        assert!(ends == drawn(7, 500) && ends != drawn(8, 500));
    }
}
