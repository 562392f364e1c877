//! Expressions of schedules: what is taken comes at moments that follow each other; what is not is told in one line.

use std::time::{Duration, SystemTime};

use tegami::schedule::Schedule;

use super::{assert_plain, text};

pub fn cron(data: &[u8]) {
    let data = text(data);
    for read in [Schedule::cron, Schedule::tomodachi, Schedule::at] {
        follows(|| read(data.as_ref().to_owned()));
        follows(|| read(data.as_ref().to_owned()).in_zone("Europe/Stockholm"));
    }
    let (expression, zone) = data.split_once('\0').unwrap_or_default();
    follows(|| Schedule::cron(expression).in_zone(zone));
}

fn follows(schedule: impl Fn() -> Schedule) {
    /// A moment in winter, with a change to summer time behind it.
    const SOME_TIME: Duration = Duration::from_secs(1_773_000_000);
    let after = SystemTime::UNIX_EPOCH + SOME_TIME;
    let told = schedule().to_string();
    assert_plain(&told);
    match schedule().upcoming(after, 4) {
        Ok(moments) => {
            assert!(moments.first().is_none_or(|first| *first > after), "{told}: {moments:?}");
            assert!(moments.is_sorted_by(|one, next| one < next), "{told}: {moments:?}");
            assert_eq!(schedule().upcoming(after, 4).expect("it was taken"), moments);
        }
        Err(error) => assert_plain(&error.to_string()),
    }
}
