//! Where an event stands: its version in one stream, its position in the whole store.

use std::{fmt, num::ParseIntError, str::FromStr};

use tokio::sync::watch;

/// A place in one stream: its first event has version 1, the next 2, without gaps. 0 is before the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(u64);

impl Version {
    /// Before the first event.
    pub const START: Self = Self(0);

    /// The version of this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number: how many events the stream has up to here.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The version so many events later.
    pub(crate) const fn later(self, events: u64) -> Self {
        Self(self.0 + events)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A place in the whole store. Later events have later positions; there may be gaps between them.
///
/// It is opaque: it has two parts, because a database whose transactions end in another order than they began needs the
/// epoch of the transaction before the number of the event. As text it is kept as a checkpoint.
///
/// # Examples
/// ```
/// use tegami::store::Position;
///
/// let checkpoint = Position::new(812).to_string();
/// assert_eq!(checkpoint.parse(), Ok(Position::new(812)));
/// assert!(Position::START < Position::new(1) && Position::new(900) < Position::in_epoch(1, 1));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    epoch: u64,
    number: u64,
}

impl Position {
    /// Before the first event.
    pub const START: Self = Self::new(0);

    /// The position of this number, in a store that has no epochs.
    pub const fn new(number: u64) -> Self {
        Self::in_epoch(0, number)
    }

    /// The position of this number in this epoch.
    pub const fn in_epoch(epoch: u64, number: u64) -> Self {
        Self { epoch, number }
    }

    /// What comes first in the order.
    pub const fn epoch(self) -> u64 {
        self.epoch
    }

    /// What comes second in the order.
    pub const fn number(self) -> u64 {
        self.number
    }

    /// Tells those who wait for later events of this one, unless they know a later one.
    pub(super) fn tell(self, last: &watch::Sender<Self>) {
        last.send_if_modified(|last| {
            let later = self > *last;
            *last = self.max(*last);
            later
        });
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.epoch {
            0 => self.number.fmt(f),
            epoch => write!(f, "{epoch}.{}", self.number),
        }
    }
}

impl FromStr for Position {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        let (epoch, number) = text.split_once('.').unwrap_or(("0", text));
        Ok(Self::in_epoch(epoch.parse()?, number.parse()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_as_they_are_told() {
        for position in [Position::START, Position::new(u64::MAX), Position::in_epoch(7, 0), Position::in_epoch(1, 12)]
        {
            assert_eq!(position.to_string().parse(), Ok(position));
        }
        for wrong in ["", ".", "1.", "-1", "1.2.3", " 1"] {
            assert!(wrong.parse::<Position>().is_err(), "{wrong}");
        }
    }
}
