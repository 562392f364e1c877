//! Crash points that are not there: nothing can strike, so nothing is compiled for it.

use std::{error::Error, fmt};

use super::Point;

/// What strikes at a point: without the feature `failpoints`, nothing can.
#[derive(Debug)]
pub enum Struck {}

impl fmt::Display for Struck {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl Error for Struck {}

/// Does nothing.
///
/// # Errors
/// None.
#[inline(always)]
pub const fn hit(_: Point) -> Result<(), Struck> {
    Ok(())
}
