//! The dialect of tomodachi: its interval words, and its cron expressions, whose steps are congruences.
//!
//! What it takes in silence and never runs as written is refused here, with the way out.

use std::{sync::Arc, time::Duration};

use super::{
    cron::fields,
    error::Wrong,
    field::{DAY, FIELDS, Field, Mark, Part, Values, WEEKDAY},
    pattern::Pattern,
    when::When,
};

/// Words for intervals, and the expressions that they stand for.
const WORDS: [(&[&str], &str); 16] = [
    (&["@yearly", "@annually", "annually"], "0 0 1 1"),
    (&["@monthly"], "0 0 1"),
    (&["@weekly"], "0 0 * * 0"),
    (&["@daily", "nightly"], "0 0"),
    (&["@hourly"], "0"),
    (&["@minutely"], "*"),
    (&["weekly", "once per week", "week", "every week"], "0 0 * * 1"),
    (&["mon", "monday", "mondays", "every monday", "once per monday"], "0 0 * * 1"),
    (&["tue", "tuesday", "tuesdays", "every tuesday", "once per tuesday"], "0 0 * * 2"),
    (&["wed", "wednesday", "wednesdays", "every wednesday", "once per wednesday"], "0 0 * * 3"),
    (&["thu", "thursday", "thursdays", "every thursday", "once per thursday"], "0 0 * * 4"),
    (&["fri", "friday", "fridays", "every friday", "once per friday"], "0 0 * * 5"),
    (&["sat", "saturday", "saturdays", "every saturday", "once per saturday"], "0 0 * * 6"),
    (&["sun", "sunday", "sundays", "every sunday", "once per sunday"], "0 0 * * 0"),
    (&["weekday", "weekdays", "every weekday"], "0 0 * * 1-5"),
    (&["weekend", "weekends", "every weekend"], "0 0 * * 0,6"),
];

/// Units that may stand alone, after `1`, `every` and `once per`, and with `ly`.
const UNITS: [(&str, &str, &str, &str); 5] = [
    ("minute", "m", "minutely", "*"),
    ("hour", "h", "hourly", "0"),
    ("day", "d", "daily", "0 0"),
    ("month", "month", "monthly", "0 0 1"),
    ("year", "y", "yearly", "0 0 1 1"),
];

/// Reads an interval.
pub(super) fn parse(text: &str) -> Result<When, Wrong> {
    let lower = text.trim().to_lowercase();
    if let Some(seconds) = seconds(&lower) {
        return Ok(When::Every(Duration::from_secs(seconds)));
    }
    let pattern = match word(&lower) {
        Some(meant) => read(meant)?,
        None if begins_like_a_word(&lower) => return Err(no_interval(text, &lower)),
        None => read(text)?,
    };
    Ok(When::Calendar(Arc::new(pattern)))
}

/// `5s`, `5 seconds`, `every second`.
fn seconds(lower: &str) -> Option<u64> {
    if ["every second", "1second", "1 second", "second", "secondly", "once per second"].contains(&lower) {
        return Some(1);
    }
    let number = lower.strip_suffix("seconds").or_else(|| lower.strip_suffix('s'))?.trim();
    number.parse().ok().filter(|_| number.bytes().all(|digit| digit.is_ascii_digit()))
}

fn word(lower: &str) -> Option<&'static str> {
    let unit = UNITS.iter().find(|(unit, short, adverb, _)| {
        let counted = lower.strip_prefix('1').map(|rest| rest.strip_prefix(' ').unwrap_or(rest));
        let told = lower.strip_prefix("every ").or_else(|| lower.strip_prefix("once per "));
        lower == *unit || lower == *adverb || told == Some(unit) || counted.is_some_and(|c| c == *unit || c == *short)
    });
    let words = || WORDS.iter().find(|(words, _)| words.contains(&lower));
    unit.map(|(.., meant)| *meant).or_else(|| words().map(|(_, meant)| *meant))
}

/// A letter is not how an expression begins, and no expression is a number with a unit.
fn begins_like_a_word(lower: &str) -> bool {
    let unit = lower.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
    let counted = unit.len() < lower.len() && unit.starts_with(|c: char| c.is_alphabetic());
    lower.starts_with('@') || lower.starts_with(|c: char| c.is_alphabetic()) || counted
}

fn no_interval(text: &str, lower: &str) -> Wrong {
    let at = 1 + text.chars().take_while(|c| c.is_whitespace()).count();
    let count = lower.chars().take_while(char::is_ascii_digit).collect::<String>();
    let unit = lower[count.len()..].trim_start();
    let hint = match (count.as_str(), unit.as_bytes().first()) {
        ("", _) => String::new(),
        (count, Some(b'm')) => format!(" (write `*/{count} * * * *`)"),
        (count, Some(b'h')) => format!(" (write `0 */{count} * * *`)"),
        (count, Some(b'd')) => format!(" (use `Schedule::every` for {count} days)"),
        _ => String::new(),
    };
    Wrong::new(at, format!("it is no interval of tomodachi; expected `30s`, `hourly`, `monday` or an expression{hint}"))
}

/// Minute, hour, day, month, weekday, year; what is left out is `*`.
fn read(text: &str) -> Result<Pattern, Wrong> {
    let parts = fields(text);
    if parts.is_empty() {
        return Err(Wrong::new(1, "there is nothing; expected an interval or an expression"));
    }
    if let Some(seventh) = parts.get(6) {
        let text = "there are more than 6 fields; expected minute hour day month weekday year";
        return Err(Wrong::new(seventh.at, text));
    }
    let mut values: [Values; 7] = std::array::from_fn(|_| Values::any());
    values[0] = Values::only(0);
    for (part, place) in parts.iter().zip(1..) {
        values[place] = field(place, *part)?;
    }
    let days = parts.get(DAY - 1).or(parts.get(WEEKDAY - 1)).or(parts.first()).map_or(1, |part| part.at);
    days_exist(&values, days)?;
    Pattern::new(&values, days)
}

/// A day that no month has is refused, also where weekdays stand beside it.
fn days_exist(values: &[Values; 7], at: usize) -> Result<(), Wrong> {
    if values[DAY].any || values[WEEKDAY].any || !values[DAY].marks.is_empty() {
        return Ok(());
    }
    let [second, minute, hour, day, month, _, year] = values;
    let copy = |field: &Values| Values { any: field.any, numbers: field.numbers.clone(), marks: Vec::new() };
    let alone = [second, minute, hour, day, month, &Values::any(), year].map(copy);
    Pattern::new(&alone, at).map(drop)
}

fn field(place: usize, part: Part<'_>) -> Result<Values, Wrong> {
    if part.text == "*" {
        return Ok(Values::any());
    }
    let (field, mut values) = (&FIELDS[place], Values::default());
    for item in part.split(|c| c == ',') {
        match last(place, item)? {
            Some(Last::Day) => values.marks.push(Mark::LastDay),
            Some(Last::Weekdays(item)) => {
                let weekdays = if item.text.is_empty() { (0..=6).collect() } else { numbers(field, item)? };
                values.marks.extend(weekdays.into_iter().map(Mark::Last));
            }
            None => values.numbers.extend(numbers(field, item)?),
        }
    }
    if !values.marks.is_empty() && !values.numbers.is_empty() {
        let text = "`L` stands beside other days, which tomodachi never runs; expected it alone";
        return Err(Wrong::new(part.at, text));
    }
    values.any = place != DAY && place != WEEKDAY && values.numbers.len() == usize::from(field.high - field.low + 1);
    Ok(values)
}

/// What an `L` asks for.
enum Last<'a> {
    Day,
    /// The last ones of these in the month.
    Weekdays(Part<'a>),
}

fn last(place: usize, item: Part<'_>) -> Result<Option<Last<'_>>, Wrong> {
    let Some(rest) = item.text.strip_prefix(['l', 'L']) else { return Ok(None) };
    match place {
        DAY if rest.is_empty() => Ok(Some(Last::Day)),
        WEEKDAY if !rest.contains('/') => Ok(Some(Last::Weekdays(Part { text: rest, at: item.at + 1 }))),
        DAY => Err(Wrong::new(item.at, "`L` is the last day of the month; expected nothing after it")),
        WEEKDAY => Err(Wrong::new(item.at, "`L` has a step; expected a weekday or a range of them after it")),
        _ => Err(FIELDS[place].wrong(item)),
    }
}

/// The numbers of one part of a list.
fn numbers(field: &Field, item: Part<'_>) -> Result<Vec<u16>, Wrong> {
    let (span, step) = match item.halves('/') {
        Some((span, step)) => (span, Some(field.step(step)?)),
        None => (item, None),
    };
    let all = field.low..=field.high;
    let (first, found): (u16, Vec<u16>) = match (span.text, span.halves('-')) {
        ("*" | "?", _) => (0, all.collect()),
        (_, Some((low, _))) if low.text.is_empty() => return Err(field.wrong(span)),
        (_, Some((low, high))) => {
            let (from, to) = bounds(field, span, (low, high))?;
            (from, (from.min(to)..=from.max(to)).collect())
        }
        (_, None) => {
            let number = field.number(span)?;
            (number, if step.is_some() { all.collect() } else { vec![number] })
        }
    };
    let step = step.unwrap_or(1);
    let week = |number: u16| if field.high == 7 { number % 7 } else { number };
    let found: Vec<u16> = found.into_iter().filter(|number| number % step == first % step).map(week).collect();
    if found.is_empty() {
        return Err(Wrong::new(item.at, format!("`{}` is no {} at all", item.text.escape_debug(), field.name)));
    }
    Ok(found)
}

/// Ranges count from the lower to the higher, however they are written; but weekdays by name do not go backwards.
fn bounds(field: &Field, span: Part<'_>, (low, high): (Part<'_>, Part<'_>)) -> Result<(u16, u16), Wrong> {
    let (from, to) = (field.number(low)?, field.number(high)?);
    let named = |part: Part<'_>| field.words.iter().any(|word| word.eq_ignore_ascii_case(part.text));
    if field.high != 7 || !named(low) {
        return Ok((from, to));
    }
    match (named(high), high.text.eq_ignore_ascii_case("sun")) {
        (true, true) if to < from => Ok((from, 7)),
        (true, _) if from <= to => Ok((from, to)),
        _ => {
            let text = span.text.escape_debug();
            let expected = "expected two names, the earlier day first, or two numbers";
            Err(Wrong::new(span.at, format!("`{text}` is no range of weekdays; {expected}")))
        }
    }
}
