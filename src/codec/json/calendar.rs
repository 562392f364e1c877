//! Days and dates of the Gregorian calendar, from the year 1 on; for `timestamp`.

/// Year, month and day of a day counted from 1970, after Howard Hinnant's "chrono-compatible date algorithms".
pub(super) fn date(day: i64) -> (u32, u32, u32) {
    // From 1 March of the year 0, in eras of 400 years; in range, all of it is positive and small.
    let day = u32::try_from(day + 719_468).unwrap_or(0);
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let march = (5 * day + 2) / 153;
    let month = if march < 10 { march + 3 } else { march - 9 };
    (era * 400 + year + u32::from(month <= 2), month, day - (153 * march + 2) / 5 + 1)
}

/// The day of a date counted from 1970; the inverse of [`date`].
pub(super) fn days(year: u32, month: u32, day: u32) -> i64 {
    let year = year - u32::from(month <= 2);
    let (era, year) = (year / 400, year % 400);
    let march = if month > 2 { month - 3 } else { month + 9 };
    let day = (153 * march + 2) / 5 + day - 1 + 365 * year + year / 4 - year / 100;
    i64::from(era * 146_097 + day) - 719_468
}

pub(super) fn month_length(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
