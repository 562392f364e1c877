//! Two types of a value, and the rules for it.

use super::{
    super::{
        Encoding,
        rule::Cause,
        scalar::{Fit, fit},
        values,
    },
    Both, Effect, NO_RULES, Open, Value, Walk, Way,
};
use crate::{
    lock::{Body, Kind, Presence, Type},
    model::Rules,
};

impl<'a> Walk<'a> {
    pub(super) fn value(&mut self, from: Value<'a>, into: Value<'a>, at: Both<'a>) {
        match (from.ty, into.ty) {
            (Type::Scalar(theirs), Type::Scalar(ours)) => self.scalar((*theirs, from), (*ours, into), at),
            (Type::List(theirs), Type::List(ours)) => {
                self.lengths(from, into, at);
                if into.rules.unique && !from.rules.unique && from.rules.max_length.is_none_or(|most| most > 1) {
                    self.differ(Cause::Unique, Effect::Refused, at);
                }
                self.items((theirs, from), (ours, into), at);
            }
            (Type::Map(their_key, theirs), Type::Map(our_key, ours)) => {
                self.lengths(from, into, at);
                // In JSON every key is text.
                if self.encoding == Encoding::Protobuf || *our_key != Kind::Text {
                    self.kinds((*their_key, &NO_RULES), (*our_key, &NO_RULES), at);
                }
                self.items((theirs, from), (ours, into), at);
            }
            (Type::Named(theirs), Type::Named(ours)) => self.named((theirs, from), (ours, into), at),
            (Type::Named(theirs), Type::Scalar(ours)) => self.enum_as((theirs, from), (*ours, into), at),
            (Type::Scalar(theirs), Type::Named(ours)) => self.number_as_enum((*theirs, from), (ours, into), at),
            _ => self.differ(Cause::Type, Effect::Misread, at),
        }
    }

    pub(super) fn items(
        &mut self,
        (theirs, from): (&'a Type, Value<'a>),
        (ours, into): (&'a Type, Value<'a>),
        at: Both<'a>,
    ) {
        fn item<'a>(ty: &'a Type, rules: &'a Rules) -> Value<'a> {
            Value { ty, rules: rules.items.as_deref().unwrap_or(&NO_RULES), is_filled: false }
        }
        self.value(item(theirs, from.rules), item(ours, into.rules), at);
    }

    pub(super) fn scalar(&mut self, (theirs, from): (Kind, Value<'a>), (ours, into): (Kind, Value<'a>), at: Both<'a>) {
        if !self.kinds((theirs, from.rules), (ours, into.rules), at) {
            return;
        }
        if matches!(ours, Kind::Text | Kind::Bytes) {
            self.lengths(from, into, at);
        }
        if into.rules.pattern.is_some() && into.rules.pattern != from.rules.pattern {
            self.differ(Cause::Pattern, Effect::Refused, at);
        }
        if into.rules.format.is_some() && into.rules.format != from.rules.format {
            self.differ(Cause::TextFormat, Effect::Refused, at);
        }
    }

    /// Are the values of one type those of the other? Numbers are looked at with their bounds.
    pub(super) fn kinds(&mut self, from: (Kind, &Rules), into: (Kind, &Rules), at: Both<'a>) -> bool {
        let fits = fit(from.0, into.0, self.encoding);
        if fits == Fit::Wrong {
            self.differ(Cause::Type, Effect::Misread, at);
            return false;
        }
        const EXACT: i128 = 1 << 53;
        let holds = match (values::written(from.0, from.1), values::whole(into.0)) {
            (Some(written), Some(whole)) => whole.0 <= written.0 && written.1 <= whole.1,
            (Some(written), None) => -EXACT <= written.0 && written.1 <= EXACT,
            _ => true,
        };
        if !holds && from.0 != into.0 {
            let effect = if self.encoding == Encoding::Json { Effect::Refused } else { Effect::Misread };
            self.differ(Cause::Fits, effect, at);
        }
        if values::is_bounded(into.1) && !values::range_fits(from, into) {
            self.differ(Cause::Range, Effect::Refused, at);
        }
        true
    }

    pub(super) fn lengths(&mut self, from: Value<'a>, into: Value<'a>, at: Both<'a>) {
        // A character is up to four bytes.
        let is_text = |ty: &Type| *ty == Type::Scalar(Kind::Text);
        let unit = if is_text(from.ty) && !is_text(into.ty) { 4 } else { 1 };
        let theirs = values::lengths(from.ty, from.rules, from.is_filled);
        let ours = values::lengths(into.ty, into.rules, into.is_filled);
        let reaches = |most: u64| theirs.1.is_some_and(|theirs| theirs.saturating_mul(unit) <= most);
        let is_too_long = ours.1.is_some_and(|most| !reaches(most));
        if is_too_long || into.rules.min_length.is_some_and(|least| least > theirs.0) {
            self.differ(Cause::Length, Effect::Refused, at);
        } else if ours.0 > theirs.0 {
            self.differ(Cause::Empty, Effect::Refused, at);
        }
    }

    pub(super) fn named(
        &mut self,
        (theirs, from): (&'a str, Value<'a>),
        (ours, into): (&'a str, Value<'a>),
        at: Both<'a>,
    ) {
        let items = self.writer.items.get(theirs).zip(self.reader.items.get(ours));
        let Some((from_item, into_item)) = items else {
            return match theirs == ours {
                true => self.well_known((theirs, from), into, at),
                false => self.differ(Cause::Type, Effect::Misread, at),
            };
        };
        match (&from_item.body, &into_item.body) {
            (Body::Object(_), Body::Object(_)) => self.later(theirs, ours),
            (Body::Enum(theirs), Body::Enum(ours)) => {
                let is_left_out = at.from.presence == Presence::Always && !at.from.ty.is_collection();
                self.enums((theirs, from), (ours, into), is_left_out, at);
            }
            (Body::Union(theirs), Body::Union(ours)) => self.unions(theirs, ours, at),
            _ => self.differ(Cause::Type, Effect::Misread, at),
        }
    }

    /// Looks at two objects when all fields of these are done, once, however many fields have them.
    pub(super) fn later(&mut self, theirs: &str, ours: &str) {
        let (pair, next) = ((theirs.to_owned(), ours.to_owned()), self.seen.len() + 1);
        let to = *self.seen.entry(pair).or_insert(next);
        self.ways.push(Way { from: self.object, member: self.path.clone(), to });
        if to == next {
            let path = self.whole_path();
            self.open.push(Open { object: to, from: theirs.to_owned(), into: ours.to_owned(), path });
        }
    }

    /// Protobuf's own types; some hold one value, on which there may be rules.
    pub(super) fn well_known(&mut self, (name, from): (&str, Value<'a>), into: Value<'a>, at: Both<'a>) {
        let kind = match name.strip_prefix("google.protobuf.").unwrap_or(name) {
            "StringValue" => Kind::Text,
            "BytesValue" => Kind::Bytes,
            "Int32Value" => Kind::Int32,
            "Int64Value" => Kind::Int64,
            "UInt32Value" => Kind::Uint32,
            "UInt64Value" => Kind::Uint64,
            "FloatValue" => Kind::Float,
            "DoubleValue" => Kind::Double,
            _ => return,
        };
        // What is required of such a field is that it is there.
        self.scalar((kind, Value { is_filled: false, ..from }), (kind, Value { is_filled: false, ..into }), at);
    }
}
