//! What values a field has, and whether another field takes them all.

use regex_lite::Regex;

use crate::{
    lock::{Field, Kind, Presence, Type},
    model::Rules,
};

/// Beyond this a bound, which is a float, no longer tells neighbouring whole numbers apart.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The whole numbers a type holds; none for what is no whole number.
pub(super) fn whole(kind: Kind) -> Option<(i128, i128)> {
    Some(match kind {
        Kind::Bool => (0, 1),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => (i32::MIN.into(), i32::MAX.into()),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 | Kind::Integer => (i64::MIN.into(), i64::MAX.into()),
        Kind::Uint32 | Kind::Fixed32 => (0, u32::MAX.into()),
        Kind::Uint64 | Kind::Fixed64 => (0, u64::MAX.into()),
        _ => return None,
    })
}

/// The whole numbers that may be written: at least all that the rules let through.
pub(super) fn written(kind: Kind, rules: &Rules) -> Option<(i128, i128)> {
    // A larger bound lets through what is rounded to it.
    let exact = |bound: Option<f64>| bound.filter(|bound| bound.abs() <= EXACT);
    let rules = Rules {
        minimum: exact(rules.minimum),
        maximum: exact(rules.maximum),
        above: exact(rules.above),
        below: exact(rules.below),
        ..Rules::default()
    };
    within(whole(kind)?, &rules)
}

/// The whole numbers that are certainly read; none where the rules let none through.
pub(super) fn read(kind: Kind, rules: &Rules) -> Option<(i128, i128)> {
    within(whole(kind)?, rules)
}

fn within((least, most): (i128, i128), rules: &Rules) -> Option<(i128, i128)> {
    let lows = [rules.minimum.map(f64::ceil), rules.above.map(|above| above.floor() + 1.0)];
    let highs = [rules.maximum.map(f64::floor), rules.below.map(|below| below.ceil() - 1.0)];
    let least = lows.into_iter().flatten().fold(least, |least, low| least.max(low as i128));
    let most = highs.into_iter().flatten().fold(most, |most, high| most.min(high as i128));
    (least <= most).then_some((least, most))
}

/// Are all the numbers that one side writes read by the other? Bounds that are the same need no look.
pub(super) fn range_fits(from: (Kind, &Rules), into: (Kind, &Rules)) -> bool {
    let (theirs, ours) = (from.1, into.1);
    if (theirs.minimum, theirs.above, theirs.maximum, theirs.below)
        == (ours.minimum, ours.above, ours.maximum, ours.below)
    {
        return true;
    }
    match (written(from.0, theirs), read(into.0, ours)) {
        (Some(theirs), Some(ours)) => ours.0 <= theirs.0 && theirs.1 <= ours.1,
        // Of two types of whole numbers, one takes none.
        _ if whole(from.0).is_some() && whole(into.0).is_some() => false,
        _ => low_fits(from, ours) && high_fits(from, ours),
    }
}

/// Floats, or whole numbers read as such.
fn low_fits((kind, theirs): (Kind, &Rules), ours: &Rules) -> bool {
    let (least, excluded) = match written(kind, theirs) {
        Some((least, _)) => (least as f64, false),
        None => low(theirs),
    };
    let (bound, open) = low(ours);
    bound < least || (bound == least && (!open || excluded))
}

fn high_fits((kind, theirs): (Kind, &Rules), ours: &Rules) -> bool {
    let (most, excluded) = match written(kind, theirs) {
        Some((_, most)) => (most as f64, false),
        None => high(theirs),
    };
    let (bound, open) = high(ours);
    most < bound || (bound == most && (!open || excluded))
}

/// The lower bound, and whether it is itself out of bounds. Without one even what is no number is taken.
fn low(rules: &Rules) -> (f64, bool) {
    let minimum = rules.minimum.unwrap_or(f64::NEG_INFINITY);
    match rules.above {
        Some(above) if above >= minimum => (above, true),
        _ => (minimum, false),
    }
}

fn high(rules: &Rules) -> (f64, bool) {
    let maximum = rules.maximum.unwrap_or(f64::INFINITY);
    match rules.below {
        Some(below) if below <= maximum => (below, true),
        _ => (maximum, false),
    }
}

/// Has the rule a bound? Then "not a number" is refused by it.
pub(super) fn is_bounded(rules: &Rules) -> bool {
    [rules.minimum, rules.maximum, rules.above, rules.below].iter().any(Option::is_some)
}

/// Characters, bytes or items: the least and the most that a value has.
pub(super) fn lengths(ty: &Type, rules: &Rules, is_filled: bool) -> (u64, Option<u64>) {
    const UUID: u64 = 36;
    if *ty == Type::Scalar(Kind::Uuid) {
        return (UUID, Some(UUID));
    }
    (rules.min_length.unwrap_or(0).max(u64::from(is_filled)), rules.max_length)
}

/// Must there be something in the field's value, where it is there?
pub(super) fn is_filled(field: &Field) -> bool {
    field.key || field.rules.required
}

/// Does the text keep the rules?
pub(super) fn text_fits(text: &str, rules: &Rules, is_filled: bool) -> bool {
    let length = text.chars().count() as u64;
    let (least, most) = lengths(&Type::Scalar(Kind::Text), rules, is_filled);
    let matches = |pattern: &String| Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(text));
    length >= least
        && most.is_none_or(|most| length <= most)
        && rules.pattern.as_ref().is_none_or(matches)
        && rules.format.is_none()
}

/// Is the value that protobuf leaves out one that the field takes?
pub(super) fn takes_default(field: &Field, is_enum: bool) -> bool {
    let (rules, is_filled) = (&field.rules, is_filled(field));
    let is_empty_taken = || lengths(&field.ty, rules, is_filled).0 == 0;
    match &field.ty {
        Type::Scalar(Kind::Text) => text_fits("", rules, is_filled),
        Type::Scalar(Kind::Bytes) | Type::List(_) | Type::Map(..) => is_empty_taken(),
        Type::Scalar(Kind::Float | Kind::Double) => range_fits((Kind::Bool, &only_zero()), (Kind::Double, rules)),
        Type::Scalar(kind) => range_fits((Kind::Bool, &only_zero()), (*kind, rules)),
        Type::Named(_) => !(is_enum && is_filled),
    }
}

fn only_zero() -> Rules {
    Rules { maximum: Some(0.0), ..Rules::default() }
}

/// Can the field be without a trace in what protobuf writes?
pub(super) fn may_be_absent(field: &Field, is_enum: bool) -> bool {
    match field.presence {
        Presence::Optional => !is_filled(field),
        _ => takes_default(field, is_enum),
    }
}
