//! Dead letters that are chosen leave: back into their queue, or for good; slowly, where it is asked for.

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

use async_trait::async_trait;
use tokio::time::{Instant, sleep_until};

use super::{Choice, Error, ErrorKind, Open, Reader, dead::MOST, print};
use crate::{
    lifecycle::Summons,
    service::running::FORCED,
    time::Clock,
    transport::{DeadLetter, Fate, Sorter},
};

/// What was not used of a rate for so long is lost: what follows is never much faster than asked for.
const BURST: Duration = Duration::from_millis(100);

impl Open {
    /// Does this with the chosen ones; how many they were.
    pub(super) async fn sort(&self, choice: &Choice, fate: Fate) -> Result<usize, Error> {
        let station = self.asked(Some(&choice.queue))?[0];
        let (transport, queue) = (self.transports.of(station)?, &station.queue.name);
        let clock = self.parts.clock.unwrap_or_else(Clock::system);
        let mut clerk = Clerk {
            reader: Reader::of(&self.parts, station, &**transport, self.persons),
            choice,
            fate,
            chosen: 0,
            left: 0,
            pace: Pace::of(choice.rate, clock),
            unsaid: None,
            summons: None,
            stopped: false,
        };
        // Only telling may end at once.
        if choice.dry_run {
            let letters = transport.dead_letters(queue, MOST).await?;
            for letter in &letters {
                clerk.fate(letter);
            }
        } else {
            clerk.summons = Some(Summons::listen(FORCED).await);
            let sorted = transport.sort_dead_letters(queue, &mut clerk).await;
            clerk.end();
            sorted.map_err(|error| {
                let text = format!("{} had left `{queue}` by then; what did not stays", clerk.left);
                Error::new(ErrorKind::Transport, text).caused_by(error)
            })?;
        }
        match clerk.unsaid {
            Some(error) => Err(error),
            None if choice.dry_run => Ok(clerk.chosen),
            None => Ok(clerk.left),
        }
    }
}

/// Decides by the choice, and says what leaves for good before it does.
struct Clerk<'a> {
    reader: Reader,
    choice: &'a Choice,
    fate: Fate,
    chosen: usize,
    left: usize,
    pace: Pace,
    /// Why it could not be said: nothing more leaves.
    unsaid: Option<Error>,
    summons: Option<Summons>,
    /// Was it asked to stop? What is on its way leaves, and no more.
    stopped: bool,
}

impl Clerk<'_> {
    fn is_done(&self) -> bool {
        self.stopped || self.unsaid.is_some() || self.choice.limit.is_some_and(|limit| self.chosen >= limit)
    }

    /// How far it is, for whoever watches.
    fn progress(&self) {
        if self.left > 0 && io::stderr().is_terminal() {
            // Nobody needs it.
            let _ = write!(io::stderr(), "\r{} so far", self.left);
        }
    }

    fn end(&self) {
        if self.left > 0 && io::stderr().is_terminal() {
            let _ = writeln!(io::stderr());
        }
    }
}

#[async_trait]
impl Sorter for Clerk<'_> {
    async fn room(&mut self) -> usize {
        if self.is_done() {
            return 0;
        }
        self.progress();
        let most = self.choice.limit.map_or(usize::MAX, |limit| limit - self.chosen);
        let asked = async {
            match &mut self.summons {
                Some(summons) => summons.first().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = asked => {
                self.stopped = true;
                0
            }
            room = self.pace.room() => room.min(most),
        }
    }

    fn fate(&mut self, letter: &DeadLetter) -> Fate {
        let chosen = self.choice.names(letter) && (!self.choice.readable || self.reader.can_read(letter));
        if !chosen || self.is_done() {
            return Fate::Stay;
        }
        let is_told = self.fate == Fate::Drop || self.choice.dry_run;
        if is_told && let Err(error) = print(&self.reader.dead_letter(letter)) {
            self.unsaid = Some(error);
            return Fate::Stay;
        }
        self.chosen += 1;
        self.pace.step();
        self.fate
    }

    fn left(&mut self, _: Fate) {
        self.left += 1;
    }
}

/// How fast they leave.
struct Pace {
    clock: Clock,
    /// The time from one to the next.
    step: Duration,
    due: Instant,
}

impl Pace {
    /// So many a second.
    fn of(rate: Option<f64>, clock: Clock) -> Self {
        Self {
            clock,
            step: rate.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(1.0 / rate)),
            due: clock.instant(),
        }
    }

    /// Waits until one may leave; how many may.
    async fn room(&self) -> usize {
        if self.step.is_zero() {
            return usize::MAX;
        }
        sleep_until(self.due).await;
        let unused = self.clock.instant().saturating_duration_since(self.due).min(BURST);
        1 + usize::try_from(unused.as_nanos() / self.step.as_nanos()).unwrap_or(usize::MAX - 1)
    }

    /// One leaves.
    fn step(&mut self) {
        let earliest = self.clock.instant().checked_sub(BURST);
        self.due = earliest.map_or(self.due, |earliest| self.due.max(earliest)) + self.step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_rate_is_kept_and_what_was_not_used_is_lost() {
        let clock = Clock::system();
        let mut pace = Pace::of(Some(20.0), clock);
        let began = clock.instant();
        let mut done = 0;
        while done < 41 {
            for _ in 0..pace.room().await.min(41 - done) {
                pace.step();
                done += 1;
            }
        }
        assert_eq!(clock.instant() - began, Duration::from_secs(2));
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(pace.room().await, 3, "not a minute's worth");
        assert_eq!(Pace::of(None, clock).room().await, usize::MAX);
    }
}
