//! Enums and unions, and numbers that are read as such.

use std::collections::BTreeSet;

use super::{
    super::{
        Encoding,
        rule::Cause,
        scalar::{Fit, fit},
        values,
    },
    Both, Effect, NO_RULES, Value, Walk,
};
use crate::{
    lock::{Body, Enum, Kind, Union},
    model::Rules,
};

impl<'a> Walk<'a> {
    pub(super) fn enums(
        &mut self,
        (theirs, from): (&Enum, Value<'a>),
        (ours, into): (&Enum, Value<'a>),
        is_left_out: bool,
        at: Both<'a>,
    ) {
        if into.is_filled && !from.is_filled {
            self.differ(Cause::Empty, Effect::Refused, at);
        }
        let mut known = BTreeSet::new();
        // Of several names of a number the first is written.
        for (name, number) in
            theirs.values.iter().filter(|(_, number)| number.is_none_or(|number| known.insert(number)))
        {
            let names = |values: &[(String, Option<i32>)]| {
                values.iter().filter(|(_, other)| other == number).map(|(name, _)| name.clone()).collect::<Vec<_>>()
            };
            let (their_names, our_names) = (names(&theirs.values), names(&ours.values));
            let means_same = our_names.iter().any(|name| their_names.contains(name));
            let is_by_number = self.encoding == Encoding::Protobuf || (is_left_out && *number == Some(0));
            let known_as = ours.values.iter().find(|(known, _)| known == name).map(|(_, number)| *number);
            let (is_known, is_empty) = (known_as.is_some(), known_as == Some(Some(0)) && *number != Some(0));
            let (is_wrong, cause, effect) = match number {
                Some(_) if is_by_number => (!our_names.is_empty() && !means_same, Cause::EnumNumber, Effect::Misread),
                _ if into.is_filled && is_empty => (true, Cause::EnumNumber, Effect::Refused),
                _ => (!is_known, Cause::EnumValue, Effect::Refused),
            };
            if is_wrong {
                self.note_value(name, cause, effect, at);
            }
        }
    }

    pub(super) fn unions(&mut self, theirs: &'a Union, ours: &'a Union, at: Both<'a>) {
        if theirs.tag != ours.tag {
            return self.differ(Cause::Tag, Effect::Refused, at);
        }
        for (value, object) in &theirs.variants {
            match ours.variants.get(value) {
                Some(known) => self.later(object, known),
                None => self.note_value(value, Cause::Variant, Effect::Refused, at),
            }
        }
    }

    pub(super) fn enum_as(&mut self, (theirs, from): (&str, Value<'a>), (ours, into): (Kind, Value<'a>), at: Both<'a>) {
        let Some(Body::Enum(theirs)) = self.writer.items.get(theirs).map(|item| &item.body) else {
            return self.differ(Cause::Type, Effect::Misread, at);
        };
        let numbers: Option<Vec<i32>> = theirs.values.iter().map(|(_, number)| *number).collect();
        match (numbers, ours, self.encoding) {
            // Its values are known, each of them.
            (None, Kind::Text, _) => {
                let is_wrong = |(name, _): &&(String, _)| !values::text_fits(name, into.rules, into.is_filled);
                if let Some((name, _)) = theirs.values.iter().find(is_wrong) {
                    self.note_value(name, Cause::Pattern, Effect::Refused, at);
                }
            }
            (Some(numbers), kind, Encoding::Protobuf) if fit(Kind::Int32, kind, self.encoding) == Fit::Same => {
                let numbers: Vec<_> = numbers.iter().filter(|number| !from.is_filled || **number != 0).collect();
                let ends = numbers.iter().min().zip(numbers.iter().max());
                let (least, most) = ends.map_or((0.0, 0.0), |(least, most)| (f64::from(**least), f64::from(**most)));
                let rules = Rules { minimum: Some(least), maximum: Some(most), ..Rules::default() };
                if !values::range_fits((Kind::Int32, &rules), (kind, into.rules)) {
                    self.differ(Cause::Fits, Effect::Misread, at);
                }
            }
            _ => self.differ(Cause::Type, Effect::Misread, at),
        }
    }

    pub(super) fn number_as_enum(
        &mut self,
        (theirs, from): (Kind, Value<'a>),
        (ours, into): (&str, Value<'a>),
        at: Both<'a>,
    ) {
        let is_enum = self.reader.items.get(ours).is_some_and(|item| matches!(item.body, Body::Enum(_)));
        // Longer numbers are text in JSON, and text is a name.
        let is_long =
            self.encoding == Encoding::Json && values::whole(theirs).is_none_or(|(_, most)| most > u32::MAX.into());
        let is_number = fit(theirs, Kind::Int32, self.encoding) == Fit::Same && !is_long;
        if !is_enum || !is_number {
            return self.differ(Cause::Type, Effect::Misread, at);
        }
        // A number is never empty; an enum's 0 is.
        if into.is_filled && values::written(theirs, from.rules).is_some_and(|(least, most)| least <= 0 && 0 <= most) {
            self.differ(Cause::Empty, Effect::Refused, at);
        }
        self.kinds((theirs, from.rules), (Kind::Int32, &NO_RULES), at);
    }
}
