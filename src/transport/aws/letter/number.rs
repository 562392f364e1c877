//! Numbers as SNS and SQS carry them: text, with a precision and a range.

use crate::event::Value;

/// The digits that SQS keeps of a number, as a bound on whole ones.
const DIGITS: u128 = 10_u128.pow(38);
/// Sizes that SQS takes.
const RANGE: std::ops::Range<f64> = 1e-128..1e126;
/// SNS promises no more of a number than this size and so many decimals; what is beyond may change on the way.
const CERTAIN: u32 = 1_000_000_000;
const DECIMALS: usize = 5;
/// What is no number in JSON, as we spell it for ourselves.
const NO_NUMBERS: [(&str, f64); 3] = [("NaN", f64::NAN), ("inf", f64::INFINITY), ("-inf", f64::NEG_INFINITY)];

/// A float as the shortest text that reads back as it. It has a point, by which everyone tells it from a whole number.
pub(super) fn spelled(number: f64) -> String {
    let text = format!("{number:?}");
    match text.split_once('e') {
        Some((digits, power)) if !digits.contains('.') => format!("{digits}.0e{power}"),
        _ => text,
    }
}

/// The number that a text spells, never rounded to another whole one; a text that spells none is text.
pub(super) fn read(text: String) -> Value {
    if let Ok(number) = text.parse() {
        return Value::Integer(number);
    }
    if let Some((_, number)) = NO_NUMBERS.iter().find(|(name, _)| *name == text) {
        return Value::Float(*number);
    }
    let is_whole = !text.contains(['.', 'e', 'E']);
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && !is_whole => Value::Float(number),
        _ => Value::from(text),
    }
}

pub(super) fn is_carried_integer(number: i128) -> bool {
    number.unsigned_abs() < DIGITS
}

pub(super) fn is_carried_float(number: f64) -> bool {
    number == 0.0 || RANGE.contains(&number.abs())
}

pub(super) fn is_certain_integer(number: i128) -> bool {
    number.unsigned_abs() <= CERTAIN.into()
}

/// "Leading and trailing zeroes are trimmed", says SNS; without its zero `1.0` would come back as a whole number.
pub(super) fn is_certain_float(number: f64) -> bool {
    let text = spelled(number);
    let decimals = text.split_once('.').map_or(DECIMALS + 1, |(_, decimals)| decimals.len());
    let is_plain = !text.contains('e') && !text.ends_with(".0");
    is_plain && decimals <= DECIMALS && number.abs() <= CERTAIN.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn float(text: &str) -> Option<f64> {
        match read(text.to_owned()) {
            Value::Float(number) => Some(number),
            _ => None,
        }
    }

    #[test]
    fn p9_every_float_has_a_point_and_reads_back_as_it_was() {
        let plain = [0.0, -0.0, 1.0, -1.5, 0.1, 1e-5, 1e15, 1e16, 1e20, 1e300, f64::MAX, f64::MIN_POSITIVE, 5e-324];
        for number in plain.into_iter().chain([1e9, 123_456.789_012_345, 0.1 + 0.2]) {
            let text = spelled(number);
            assert!(text.contains('.'), "{text}");
            assert_eq!(float(&text).map(f64::to_bits), Some(number.to_bits()), "{text}");
        }
        for number in [f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(float(&spelled(number)), Some(number));
        }
        assert!(float(&spelled(f64::NAN)).is_some_and(f64::is_nan));
    }

    #[test]
    fn numbers_of_others_are_read_generously_and_never_rounded_to_another() {
        for (text, number) in
            [("1e5", 1e5), ("1e+20", 1e20), ("1.10", 1.1), ("-2.5E-3", -0.0025), (".5", 0.5), ("5.", 5.0)]
        {
            assert_eq!(float(text), Some(number), "{text}");
        }
        for (text, number) in
            [("4711", 4711), ("-7", -7), ("+7", 7), ("007", 7), ("9007199254740993", 9_007_199_254_740_993)]
        {
            assert_eq!(read(text.to_owned()), Value::Integer(number), "{text}");
        }
        let long = "1".repeat(40);
        for text in ["", " 1", "0x10", "1_000", "١", "1e400", "infinity", "nan", "INF", "1.2.3", "-", "true", &long] {
            assert_eq!(read(text.to_owned()), Value::from(text), "{text}");
        }
    }

    #[test]
    fn p9_what_may_be_trimmed_or_cut_on_the_way_is_not_relied_on() {
        for number in [1.5, -0.25, 0.12345, 999_999_999.5] {
            assert!(is_certain_float(number), "{number}");
        }
        for number in [1.0, 0.0, -0.0, 0.123_456, 0.00001, 1_000_000_000.5, 1e300, f64::NAN, f64::INFINITY] {
            assert!(!is_certain_float(number), "{number}");
        }
        assert!(is_certain_integer(1_000_000_000) && !is_certain_integer(-1_000_000_001));
        assert!(is_carried_integer(10_i128.pow(38) - 1) && !is_carried_integer(-(10_i128.pow(38))));
        assert!(is_carried_integer(i128::from(i64::MIN)) && !is_carried_integer(i128::MIN));
        assert!(is_carried_float(-0.0) && is_carried_float(1e125) && !is_carried_float(1e126));
        assert!(!is_carried_float(1e-129) && !is_carried_float(f64::NAN) && !is_carried_float(f64::INFINITY));
    }
}
