//! Cron expressions: five fields, or six with seconds first, or seven with years last.

use super::{
    error::Wrong,
    field::{DAY, FIELDS, Field, Mark, Part, Values, WEEKDAY},
    pattern::Pattern,
};

const NICKNAMES: [(&str, &str); 8] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
    ("@minutely", "* * * * *"),
];

/// The calendar that the expression asks for.
pub(super) fn parse(text: &str) -> Result<Pattern, Wrong> {
    let lower = text.trim().to_ascii_lowercase();
    match NICKNAMES.iter().find(|(nickname, _)| *nickname == lower) {
        Some((_, meant)) => read(meant),
        None if lower.starts_with('@') => Err(no_nickname(text)),
        None => read(text),
    }
}

fn no_nickname(text: &str) -> Wrong {
    let at = 1 + text.chars().take_while(|c| c.is_whitespace()).count();
    let known = NICKNAMES.map(|(nickname, _)| nickname).join(", ");
    let hint = match text.trim().to_ascii_lowercase() {
        text if text.starts_with("@every") => " (use `Schedule::every(…)`)",
        text if text.starts_with("@reboot") => " (use `.immediately()`)",
        _ => "",
    };
    Wrong::new(at, format!("there is no such nickname; expected {known}{hint}"))
}

fn read(text: &str) -> Result<Pattern, Wrong> {
    let parts = fields(text);
    if let Some(zone) = parts.first().filter(|part| part.text.contains("TZ=")) {
        return Err(Wrong::new(zone.at, "a zone is no field; expected none here (set it by `.in_zone(…)`)"));
    }
    let first = match parts.len() {
        5 => 1,
        6 | 7 => 0,
        _ => return Err(miscounted(text, &parts)),
    };
    let mut values: [Values; 7] = std::array::from_fn(|_| Values::any());
    if first == 1 {
        values[0] = Values::only(0);
    }
    for (part, place) in parts.iter().zip(first..) {
        values[place] = field(place, *part)?;
    }
    Pattern::new(&values, parts[DAY - first].at)
}

/// What stands between the spaces.
pub(super) fn fields(text: &str) -> Vec<Part<'_>> {
    let mut parts = Part { text, at: 1 }.split(char::is_whitespace);
    parts.retain(|part| !part.text.is_empty());
    parts
}

fn miscounted(text: &str, parts: &[Part<'_>]) -> Wrong {
    let at = parts.get(7).map_or(text.chars().count() + 1, |part| part.at);
    let there = match parts.len() {
        0 => "there is nothing".to_owned(),
        1 => "there is 1 field".to_owned(),
        number => format!("there are {number} fields"),
    };
    let expected = "expected 5 (minute hour day month weekday), 6 (a second before) or 7 (a year after)";
    Wrong::new(at, format!("{there}; {expected}"))
}

fn field(place: usize, part: Part<'_>) -> Result<Values, Wrong> {
    if part.text == "*" || (part.text == "?" && (place == DAY || place == WEEKDAY)) {
        return Ok(Values::any());
    }
    let mut values = Values::default();
    for item in part.split(|c| c == ',') {
        if !mark(place, item, &mut values)? {
            range(&FIELDS[place], item, &mut values)?;
        }
    }
    alone(part, &values)?;
    let all = FIELDS[place].low..=FIELDS[place].high;
    values.any = place != DAY && place != WEEKDAY && all.clone().count() == values.numbers.len();
    Ok(values)
}

/// `a`, `a-b`, `*`, and with a step.
fn range(field: &Field, item: Part<'_>, values: &mut Values) -> Result<(), Wrong> {
    let (span, step) = match item.halves('/') {
        Some((span, step)) => (span, Some(field.step(step)?)),
        None => (item, None),
    };
    let (low, high) = match (span.text, span.halves('-')) {
        ("*", _) => (field.low, field.high),
        (_, Some((low, _))) if low.text.is_empty() => return Err(field.wrong(span)),
        (_, Some((low, high))) => bounds(field, span, (low, high))?,
        (_, None) => {
            let number = field.number(span)?;
            step.map_or(Ok(()), |step| Err(no_end(field, item, (number, step))))?;
            (number, number)
        }
    };
    // Sunday is 0 and 7; a `*` must not count it twice.
    let high = if span.text == "*" && field.high == 7 { 6 } else { high };
    let week = |number| if field.high == 7 { number % 7 } else { number };
    values.numbers.extend((low..=high).step_by(step.unwrap_or(1).into()).map(week));
    Ok(())
}

fn bounds(field: &Field, span: Part<'_>, (low, high): (Part<'_>, Part<'_>)) -> Result<(u16, u16), Wrong> {
    let (from, mut to) = (field.number(low)?, field.number(high)?);
    if field.high == 7 && to == 0 && from > 0 {
        to = 7;
    }
    if from <= to {
        return Ok((from, to));
    }
    let last = if field.high == 7 { 6 } else { field.high };
    let text = format!("`{}` goes backwards; expected the lower one first", span.text.escape_debug());
    let hint = format!(" (around the end it is `{from}-{last},{}-{to}`)", field.low);
    Err(Wrong::new(span.at, format!("{text}{hint}")))
}

/// `5/15`: dialects differ on what that is.
fn no_end(field: &Field, item: Part<'_>, (number, step): (u16, u16)) -> Wrong {
    let text = format!("`{}` has a step, but no end; expected `*` or a range before it", item.text.escape_debug());
    Wrong::new(item.at, format!("{text} (write `{number}-{}/{step}`)", field.high))
}

/// `L`, `LW`, `15W`, `5L`, `5#2`; is it one of these?
fn mark(place: usize, item: Part<'_>, values: &mut Values) -> Result<bool, Wrong> {
    let field = &FIELDS[place];
    let upper = item.text.to_ascii_uppercase();
    let mark = match (place, upper.as_str()) {
        (DAY, "L") => Mark::LastDay,
        (DAY, "LW" | "WL") => Mark::LastWorkday,
        (WEEKDAY, "L") => {
            let text = "`L` alone is no weekday; expected a weekday before it (the last Friday is `5L`)";
            return Err(Wrong::new(item.at, text));
        }
        (DAY, _) => match item.without_last('W') {
            Some(day) => Mark::Nearest(field.number(day)?),
            None => return Ok(false),
        },
        (WEEKDAY, _) => match (item.halves('#'), item.without_last('L')) {
            (Some((weekday, number)), _) => Mark::Nth(field.number(weekday)? % 7, nth(number)?),
            (None, Some(weekday)) => Mark::Last(field.number(weekday)? % 7),
            (None, None) => return Ok(false),
        },
        _ => return Ok(false),
    };
    values.marks.push(mark);
    Ok(true)
}

fn nth(part: Part<'_>) -> Result<u16, Wrong> {
    let week = Field { name: "week of a month", low: 1, high: 5, words: &[] };
    week.number(part)
}

/// The day nearest to another one is asked for alone.
fn alone(part: Part<'_>, values: &Values) -> Result<(), Wrong> {
    let workday = |mark: &Mark| matches!(mark, Mark::Nearest(_) | Mark::LastWorkday);
    if values.marks.iter().any(workday) && values.marks.len() + values.numbers.len() > 1 {
        return Err(Wrong::new(part.at, "`W` stands beside other days; expected it alone (make it two schedules)"));
    }
    Ok(())
}
