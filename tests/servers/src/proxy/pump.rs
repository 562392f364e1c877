//! Carries bytes one way, and does to them what the rules say.

use std::{collections::VecDeque, time::Duration};

use tokio::{
    io::{self, AsyncReadExt, AsyncWriteExt},
    net::tcp::{ReadHalf, WriteHalf},
    time::{Instant, sleep_until},
};

use super::rules::{Fault, Shared, Way};

/// The largest piece that is taken at once.
const PIECE: usize = 16 * 1024;
/// Pieces that are held back at most; then no more is taken.
const HELD: usize = 64;

/// One way of one connection.
pub(super) struct Pump<'a> {
    way: Way,
    shared: &'a Shared,
    chance: fastrand::Rng,
    /// What was taken, and when it may arrive.
    held: VecDeque<(Instant, Vec<u8>)>,
}

impl<'a> Pump<'a> {
    pub(super) fn new(way: Way, shared: &'a Shared, number: u64) -> Self {
        let seed = shared.seed ^ (number << 1 | way as u64);
        Self { way, shared, chance: fastrand::Rng::with_seed(seed), held: VecDeque::new() }
    }

    /// Carries until this way ends in good order.
    ///
    /// # Errors
    /// A side is gone, or the way was cut.
    pub(super) async fn run(&mut self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> io::Result<()> {
        let (mut rules, mut piece, mut open) = (self.shared.rules(), vec![0; PIECE], true);
        while open || !self.held.is_empty() {
            let fault = rules.borrow_and_update().faults[self.way as usize];
            if fault == Some(Fault::HalfClose) {
                break;
            }
            let (due, stalled) = (self.held.front().map(|(due, _)| *due), fault == Some(Fault::Stall));
            tokio::select! {
                biased;
                _ = rules.changed() => {}
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() && !stalled => self.hand_on(&mut to).await?,
                taken = from.read(&mut piece), if open && !stalled && self.held.len() < HELD => {
                    let taken = taken?;
                    open = taken > 0;
                    self.take(&piece[..taken], fault);
                }
            }
        }
        to.shutdown().await
    }

    fn take(&mut self, piece: &[u8], fault: Option<Fault>) {
        if fault == Some(Fault::Swallow) {
            self.shared.count(|counts| counts.swallowed += piece.len() as u64);
        } else if !piece.is_empty() {
            let last = self.held.back().map(|(due, _)| *due);
            let due = Instant::now() + self.later(fault, piece.len());
            // No piece comes before the one that was sent before it.
            self.held.push_back((last.map_or(due, |last| last.max(due)), piece.to_vec()));
        }
    }

    fn later(&mut self, fault: Option<Fault>, bytes: usize) -> Duration {
        match fault {
            Some(Fault::Delay { by, jitter }) => (by + jitter.mul_f64(2.0 * self.chance.f64())).saturating_sub(jitter),
            Some(Fault::Rate(a_second)) => {
                let behind = self.held.back().map(|(due, _)| due.saturating_duration_since(Instant::now()));
                behind.unwrap_or_default() + Duration::from_secs_f64(bytes as f64 / f64::from(a_second))
            }
            _ => Duration::ZERO,
        }
    }

    async fn hand_on(&mut self, to: &mut WriteHalf<'_>) -> io::Result<()> {
        let Some((_, mut piece)) = self.held.pop_front() else { return Ok(()) };
        let (passing, is_cut) = self.shared.strike(self.way, &mut piece);
        to.write_all(&piece[..passing]).await?;
        self.shared.count(|counts| match self.way {
            Way::Up => counts.up += passing as u64,
            Way::Down => counts.down += passing as u64,
        });
        if is_cut { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}
