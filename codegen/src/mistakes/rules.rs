//! Rules that do not fit their field, or that no value could meet.

use crate::model::{Contracts, EXACT, Field, Mistakes, Presence, Rules, Scalar, Type};

pub(super) fn check(set: &Contracts, mistakes: &mut Mistakes) {
    set.structs().flat_map(|item| &item.fields).for_each(|field| check_field(field, mistakes));
    set.unions().flat_map(|item| &item.variants).for_each(|member| check_field(member, mistakes));
    let members = set.unions().flat_map(|item| &item.variants);
    for member in members.filter(|member| member.number.is_some() && member.rules.required) {
        let reason = format!("`{}` is required, but one of several in a `oneof`", member.name);
        mistakes.add(&member.at, reason, "remove `required`: only one of them can be there");
    }
}

fn check_field(field: &Field, mistakes: &mut Mistakes) {
    let Field { name, at, rules, .. } = field;
    let kind = Kind::of(&field.ty);
    let mut refuse = |set: bool, rule: &str, for_what: &str| {
        if set {
            let reason = format!("rule `{rule}` does not fit `{name}`");
            mistakes.add(at, reason, format!("it is for {for_what}"));
        }
    };
    let has_length = matches!(kind, Kind::Text | Kind::Sized);
    refuse(rules.min_length.is_some() && !has_length, "min_length", "strings, bytes, lists and maps");
    refuse(rules.max_length.is_some() && !has_length, "max_length", "strings, bytes, lists and maps");
    refuse(rules.pattern.is_some() && kind != Kind::Text, "pattern", "strings");
    refuse(rules.minimum.is_some() && kind != Kind::Number, "minimum", "numbers");
    refuse(rules.maximum.is_some() && kind != Kind::Number, "maximum", "numbers");
    let is_bool = field.ty == Type::Scalar(Scalar::Bool) && field.presence == Presence::Plain;
    refuse(rules.required && is_bool && field.number.is_some(), "required", "what can be empty; `false` is a value");
    check_bounds(field, mistakes);
    if let Some(Err(error)) = rules.pattern.as_deref().map(regex_lite::Regex::new) {
        let reason = format!("the pattern of `{name}` is no regular expression: {error}");
        mistakes.add(at, reason, "backslashes are written twice in a contract's strings");
    }
}

fn check_bounds(Field { name, at, ty, rules, .. }: &Field, mistakes: &mut Mistakes) {
    let Rules { min_length, max_length, minimum, maximum, above, below, .. } = rules;
    if min_length.zip(*max_length).is_some_and(|(min, max)| min > max) {
        mistakes.add(at, format!("`{name}` has a `min_length` over its `max_length`"), "exchange them");
    }
    let lows = [*minimum, *above].into_iter().flatten();
    let highs: Vec<_> = [*maximum, *below].into_iter().flatten().collect();
    if lows.clone().any(|low| highs.iter().any(|high| low > *high)) {
        mistakes.add(at, format!("`{name}` has a `minimum` over its `maximum`"), "exchange them");
    }
    let mut bounds = lows.chain(highs);
    if bounds.clone().any(|bound| !bound.is_finite()) {
        mistakes.add(at, format!("`{name}` has a bound that is no number"), "leave the rule out to allow every number");
    } else if is_whole(ty) && bounds.any(|bound| bound.abs() >= EXACT) {
        let reason = format!("`{name}` is a whole number, and has a bound of 2^53 or more");
        mistakes.add(at, reason, "leave the rule out to allow every 64-bit number");
    }
}

fn is_whole(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Scalar(Scalar::Int32 | Scalar::Int64 | Scalar::UInt32 | Scalar::UInt64)
            | Type::WellKnown("Int32" | "Int64" | "UInt32" | "UInt64")
    )
}

/// What rules a type can have.
#[derive(PartialEq)]
enum Kind {
    Text,
    Number,
    Sized,
    Other,
}

impl Kind {
    fn of(ty: &Type) -> Self {
        match ty {
            Type::Scalar(Scalar::Text) | Type::WellKnown("Text") => Kind::Text,
            Type::Scalar(Scalar::Bytes) | Type::WellKnown("Blob") | Type::List(_) | Type::Map(..) => Kind::Sized,
            Type::Scalar(Scalar::Bool | Scalar::Uuid) => Kind::Other,
            Type::Scalar(_) => Kind::Number,
            Type::WellKnown("Int32" | "Int64" | "UInt32" | "UInt64" | "Float" | "Double") => Kind::Number,
            _ => Kind::Other,
        }
    }
}
