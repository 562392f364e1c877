//! A calendar that a cron expression asks for. What is written is checked here and in the dialects; croner finds the
//! next time that fits.

use croner::{
    Cron, CronDateTime,
    parser::{CronParser, Seconds, Year},
};
use jiff::civil::{self, DateTime};

use super::{
    error::Wrong,
    field::{DAY, Mark, Values, WEEKDAY},
    when::{Local, Pace},
};

/// Years in which each kind of leap day comes, for expressions that name no year.
const ANY_YEARS: std::ops::RangeInclusive<u16> = 2000..=2040;

/// Seconds to years, in fields.
#[derive(Debug)]
pub(super) struct Pattern {
    cron: Cron,
    hours: usize,
}

impl Pattern {
    /// The calendar of these fields; `days` is where the expression names days.
    ///
    /// # Errors
    /// No such day ever comes.
    pub(super) fn new(fields: &[Values; 7], days: usize) -> Result<Self, Wrong> {
        let text: Vec<String> = fields.iter().map(written).collect();
        let parser = CronParser::builder().seconds(Seconds::Required).year(Year::Required).build();
        let cron = parser.parse(&text.join(" ")).map_err(|error| Wrong::new(1, error.to_string()))?;
        let hours = if fields[2].any { 24 } else { fields[2].numbers.len() };
        let pattern = Self { cron, hours };
        if !pattern.comes(fields) {
            return Err(Wrong::never(days, "no such day ever comes; expected one that its months and years have"));
        }
        Ok(pattern)
    }

    /// Is there any day that fits? A look at each, for the search of croner would take long.
    fn comes(&self, fields: &[Values; 7]) -> bool {
        let [.., months, _, years] = fields;
        let months: Vec<u16> = if months.any { (1..=12).collect() } else { months.numbers.iter().copied().collect() };
        let years: Vec<u16> = if years.any { ANY_YEARS.collect() } else { years.numbers.iter().copied().collect() };
        if fields[DAY].any && fields[WEEKDAY].any {
            return true;
        }
        let pairs = years.iter().flat_map(|year| months.iter().map(move |month| (*year, *month)));
        pairs.into_iter().any(|(year, month)| self.comes_in(year, month))
    }

    fn comes_in(&self, year: u16, month: u16) -> bool {
        let Ok(first) = civil::Date::new(year.cast_signed(), month as i8, 1) else { return false };
        first.series(jiff::Span::new().days(1)).take_while(|day| day.month() == first.month()).any(|day| {
            let (year, month, date) = (day.year(), day.month(), day.day());
            let weekday = day.at(0, 0, 0, 0).civil_weekday();
            self.cron.pattern.day_match(year.into(), month as u32, date as u32, weekday).unwrap_or(false)
        })
    }
}

impl Local for Pattern {
    fn next(&self, from: DateTime, inclusive: bool) -> Option<DateTime> {
        self.cron.find_next_occurrence(&from, inclusive).ok()
    }

    fn pace(&self) -> Pace {
        if self.hours == 24 { Pace::Hours } else { Pace::Wall }
    }
}

/// The field as croner reads it.
fn written(values: &Values) -> String {
    if values.any {
        return "*".to_owned();
    }
    let marks = values.marks.iter().map(|mark| match mark {
        Mark::LastDay => "L".to_owned(),
        Mark::LastWorkday => "LW".to_owned(),
        Mark::Nearest(day) => format!("{day}W"),
        Mark::Last(weekday) => format!("{weekday}L"),
        Mark::Nth(weekday, number) => format!("{weekday}#{number}"),
    });
    values.numbers.iter().map(u16::to_string).chain(marks).collect::<Vec<_>>().join(",")
}
