//! What is said of persons: where it would travel in the clear, or could not be taken away.

use crate::model::{Contracts, Dialect, Field, MOST_PATHS, Mistakes, Presence, Scalar, Struct, Type, personal_paths};

pub(super) fn check(set: &Contracts, mistakes: &mut Mistakes) {
    for item in set.structs() {
        item.fields.iter().filter(|field| field.personal).for_each(|field| check_personal(field, item, mistakes));
        match item.event {
            Some(_) => {
                check_subject(item, mistakes);
                check_paths(item, set, mistakes);
            }
            None => refuse_subjects(&item.fields, mistakes),
        }
    }
    set.unions().for_each(|item| refuse_subjects(&item.variants, mistakes));
}

fn check_personal(field: &Field, item: &Struct, mistakes: &mut Mistakes) {
    let name = &field.name;
    let both = [(field.key, "the key"), (field.attribute, "an attribute")];
    for (_, word) in both.into_iter().filter(|(is, _)| *is) {
        let reason = format!("`{name}` is personal, and {word}, which travels in the clear");
        let hint = "take an id that says nothing of the person, or leave `personal` away if the value says nothing";
        mistakes.add(&field.at, reason, hint);
    }
    let is_named = matches!(field.ty, Type::Struct(_) | Type::Union(_) | Type::Enum(_));
    if item.dialect == Dialect::JsonSchema && field.presence == Presence::Plain && is_named {
        let reason = format!("`{name}` is personal and required, and has no value that says nothing");
        let hint =
            "leave it out of `required`, or mark the properties inside: once it is erased, something must be read";
        mistakes.add(&field.at, reason, hint);
    }
}

fn check_paths(item: &Struct, set: &Contracts, mistakes: &mut Mistakes) {
    if personal_paths(item, set).is_none() {
        let reason = format!("too many paths lead to what is personal in `{}`: {MOST_PATHS} at most", item.name);
        let hint = "mark what holds such fields as personal as a whole, or hold fewer messages inside one another";
        mistakes.add(&item.at, reason, hint);
    }
}

fn check_subject(item: &Struct, mistakes: &mut Mistakes) {
    let subjects: Vec<_> = item.fields.iter().filter(|field| field.subject).collect();
    for second in subjects.iter().skip(1) {
        let reason = format!("event `{}` has two subjects, `{}` and `{}`", item.name, subjects[0].name, second.name);
        mistakes.add(&second.at, reason, "an event has the data of one: keep one `subject`, or make two events");
    }
    for field in subjects {
        let name = &field.name;
        let fits = match &field.ty {
            Type::Scalar(scalar) => !matches!(scalar, Scalar::Bytes | Scalar::Float | Scalar::Double | Scalar::Bool),
            _ => false,
        };
        if !fits {
            let reason = format!("`{name}` cannot say whose data it is");
            mistakes.add(&field.at, reason, "a subject is a string or a whole number");
        } else if field.presence != Presence::Plain {
            let reason = format!("the subject `{name}` may be absent");
            let hint = match item.dialect {
                Dialect::Protobuf => "remove `optional`: without it nothing could be encrypted",
                Dialect::JsonSchema => {
                    "add it to `required`, and do not allow null: without it nothing could be encrypted"
                }
            };
            mistakes.add(&field.at, reason, hint);
        }
        if field.personal {
            let reason = format!("the subject `{name}` is personal itself");
            mistakes.add(
                &field.at,
                reason,
                "it is kept in the clear, to find the key by: take an id that says nothing",
            );
        }
    }
}

fn refuse_subjects(fields: &[Field], mistakes: &mut Mistakes) {
    for field in fields.iter().filter(|field| field.subject) {
        let reason = format!("`{}` is a subject, but not a field of an event itself", field.name);
        mistakes.add(&field.at, reason, "only what stands directly in an event can be one: move it there");
    }
}
