//! Two fields: whether one carries what the other has, and what stands for nothing.

use std::collections::BTreeSet;

use super::{
    super::{
        Encoding,
        rule::Cause,
        values::{self, is_filled},
    },
    Both, Effect, Side, Value, Walk, counterpart, join, none, side,
};
use crate::{
    lock::{Field, Item, Object, Presence},
    model::Dialect,
};

impl<'a> Walk<'a> {
    pub(super) fn field(
        &mut self,
        (from, theirs): (&'a Item, &'a Object),
        (into, ours): (&'a Item, &'a Object),
        field: &'a Field,
    ) {
        let same = counterpart(field, ours, theirs);
        let carriers: Vec<_> =
            theirs.fields.iter().filter(|theirs| self.carries(into.dialect, theirs, field)).collect();
        let (moved, reused) = match self.encoding {
            Encoding::Protobuf => (Cause::Number, Cause::NumberReused),
            Encoding::Json => (Cause::JsonName, Cause::JsonNameReused),
        };
        match (same, carriers.as_slice()) {
            (Some(same), [carrier]) if std::ptr::eq(same, *carrier) => {
                self.both(from.dialect, Both { from: same, into: field });
            }
            (Some(same), []) => self.note(moved, Effect::Lost, [side(same), side(field)]),
            (None, []) => self.absent(from, field),
            (_, [.., other]) => self.note(reused, Effect::Misread, [side(other), side(field)]),
        }
    }

    /// Does what the writer writes of its field reach the reader's?
    pub(super) fn carries(&self, dialect: Dialect, theirs: &Field, ours: &Field) -> bool {
        match self.encoding {
            Encoding::Protobuf => theirs.number == ours.number,
            // Readers of protobuf's JSON take the contract's own name too.
            Encoding::Json => theirs.json == ours.json || (dialect == Dialect::Protobuf && theirs.json == ours.name),
        }
    }

    /// The writer has no such field.
    pub(super) fn absent(&mut self, from: &Item, field: &'a Field) {
        let is_taken = match (field.presence, from.dialect) {
            (Presence::Optional, _) => !is_filled(field),
            (Presence::Always, Dialect::Protobuf) => values::takes_default(field, self.is_enum(self.reader, &field.ty)),
            _ => false,
        };
        let (cause, effect) = if is_taken { (Cause::Lost, Effect::Lost) } else { (Cause::Absent, Effect::Refused) };
        self.note(cause, effect, [none(&from.at), side(field)]);
    }

    pub(super) fn both(&mut self, dialect: Dialect, both: Both<'a>) {
        let Both { from, into } = both;
        if let Some((cause, effect)) = self.absence(dialect, both) {
            self.note(cause, effect, [side(from), side(into)]);
        }
        self.value(Value::of(from), Value::of(into), both);
    }

    /// What the writer may leave out, and the reader insists on.
    pub(super) fn absence(&self, dialect: Dialect, Both { from, into }: Both<'a>) -> Option<(Cause, Effect)> {
        let is_refused = match dialect {
            Dialect::JsonSchema => {
                if from.presence == Presence::Nullable && into.presence == Presence::Always {
                    return Some((Cause::Null, Effect::Refused));
                }
                from.presence == Presence::Optional && into.presence != Presence::Optional
            }
            Dialect::Protobuf => match (from.presence, into.presence) {
                (Presence::Always, Presence::Always) => false,
                (Presence::Optional, Presence::Always) => {
                    !is_filled(from) && !values::takes_default(into, self.is_enum(self.reader, &into.ty))
                }
                _ => is_filled(into) && values::may_be_absent(from, self.is_enum(self.writer, &from.ty)),
            },
        };
        is_refused.then_some((Cause::Empty, Effect::Refused))
    }

    /// What the writer can set together, and the reader has one of.
    pub(super) fn oneofs(&mut self, theirs: &'a Object, into: &Item, ours: &'a Object) {
        let names: BTreeSet<_> = ours.fields.iter().filter_map(|field| field.oneof.as_ref()).collect();
        for name in names {
            let members = ours.fields.iter().filter(|field| field.oneof.as_ref() == Some(name));
            let carriers = members
                .filter_map(|field| theirs.fields.iter().find(|theirs| self.carries(into.dialect, theirs, field)));
            let carriers: Vec<_> = carriers.collect();
            let first = carriers.first().and_then(|field| field.oneof.as_ref());
            let Some(apart) =
                carriers.iter().skip(1).find(|field| field.oneof.is_none() || field.oneof.as_ref() != first)
            else {
                continue;
            };
            let place = self.path.clone();
            self.path = join(&place, name);
            let reader = Side { text: format!("in the oneof `{name}`"), at: into.at.clone() };
            self.note(Cause::Oneof, Effect::Misread, [side(apart), reader]);
            self.path = place;
        }
    }
}
