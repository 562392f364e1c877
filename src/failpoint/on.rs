//! Crash points that strike as the crate `fail` is told.

use std::{
    error::Error,
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use super::Point;

/// How often each point was passed, in the order of the enum.
static HITS: [AtomicU64; POINTS] = [const { AtomicU64::new(0) }; POINTS];

const POINTS: usize = Point::SHARED.len()
    + Point::IN_TRANSPORTS.len()
    + Point::IN_STORES.len()
    + Point::IN_OUTBOXES.len()
    + Point::IN_PROJECTIONS.len()
    + Point::IN_SCHEDULES.len()
    + Point::IN_RECORDS.len();

/// A point was told to fail.
#[derive(Debug)]
pub struct Struck(Point);

impl fmt::Display for Struck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failpoint `{}` struck", self.0.name())
    }
}

impl Error for Struck {}

/// Passes the point, counted: `return(error)` fails there, and `return(abort)` ends the process.
///
/// # Errors
/// The point was told to fail; the caller does as with a real failure in its place.
///
/// # Panics
/// The point was told to return anything else.
pub fn hit(point: Point) -> Result<(), Struck> {
    HITS[point as usize].fetch_add(1, Ordering::Relaxed);
    fail::fail_point!(point.name(), |action| Err(strike(point, action.as_deref())));
    Ok(())
}

/// How often this process has passed the point.
pub fn hits(point: Point) -> u64 {
    HITS[point as usize].load(Ordering::Relaxed)
}

fn strike(point: Point, action: Option<&str>) -> Struck {
    match action {
        Some("error") => Struck(point),
        Some("abort") => {
            eprintln!("failpoint `{}` ends the process", point.name());
            std::process::abort()
        }
        other => panic!("failpoint `{}` is to return {other:?}: there are `error` and `abort`", point.name()),
    }
}
