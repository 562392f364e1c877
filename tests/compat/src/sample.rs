//! Values that a writer may write, chosen where a reader of another contract could stumble: at bounds of both sides, at
//! the ends of types, empty, absent.

use std::collections::BTreeMap;

use crate::{
    contract::{Contract, Dialect, Field, Label, Object, Rules, Ty},
    valid::is_valid,
    value::{Fields, Value},
};

/// Texts that are dates.
pub const DATES: [&str; 3] = ["2026-02-28", "2024-02-29", "1999-12-31"];
/// Texts that are addresses.
pub const EMAILS: [&str; 3] = ["a.b@example.org", "c@example.org", "d@example.org"];
/// Texts that are URIs.
pub const URIS: [&str; 3] = ["urn:isbn:0451450523", "https://example.org/a", "mailto:a@example.org"];
const UUIDS: [&str; 3] = [
    "67e55044-10b1-426f-9247-bb680e5fe0c8",
    "00000000-0000-4000-8000-000000000000",
    "00000000-0000-4000-8000-000000000001",
];
const TIMES: [&str; 3] = ["2026-02-28T10:00:00Z", "2026-02-28T10:00:01Z", "2026-02-28T10:00:02Z"];
/// How deep objects are filled.
const DEPTH: usize = 3;

/// Valid events of the writer, for a reader with this other contract.
pub fn samples(writer: &Contract, reader: &Contract) -> Vec<Fields> {
    let sampler = Sampler { writer, reader };
    let mut samples = sampler.objects(writer.event(), reader.object(&writer.event().name), 0);
    samples.retain(|sample| is_valid(writer, writer.event(), sample));
    samples
}

struct Sampler<'a> {
    writer: &'a Contract,
    reader: &'a Contract,
}

impl Sampler<'_> {
    /// One object with everything in it, one with as little as can be, and each other value of each field in the first.
    fn objects(&self, object: &Object, other: Option<&Object>, depth: usize) -> Vec<Fields> {
        let full = self.full(object, other, depth);
        let mut samples = vec![full.clone(), self.bare(object, other, depth)];
        for field in &object.fields {
            let others: Vec<_> = other
                .map_or(&[][..], |other| &other.fields)
                .iter()
                .filter(|other| other.name == field.name || other.number == field.number)
                .collect();
            if others.first().is_some_and(|other| *other == field) && !self.differs(&field.ty, 0) {
                continue;
            }
            for value in self.values(field, &others, depth) {
                let mut sample = full.clone();
                // Of a oneof one is there.
                let siblings = object.fields.iter().filter(|other| other.oneof.is_some() && other.oneof == field.oneof);
                siblings.for_each(|sibling| drop(sample.remove(&sibling.name)));
                sample.insert(field.name.clone(), value);
                samples.push(sample);
            }
            let mut without = full.clone();
            without.remove(&field.name);
            samples.push(without);
        }
        samples
    }

    /// Does the reader have another type of that name, or one that holds one?
    fn differs(&self, ty: &Ty, depth: usize) -> bool {
        let Ty::Named(name) = ty else { return false };
        if depth > DEPTH {
            return false;
        }
        if self.writer.find_enum(name) != self.reader.find_enum(name)
            || self.writer.union(name) != self.reader.union(name)
        {
            return true;
        }
        let object = self.writer.object(name);
        let variants = self.writer.union(name).map_or(&[][..], |union| &union.variants);
        object != self.reader.object(name)
            || object.is_some_and(|object| object.fields.iter().any(|field| self.differs(&field.ty, depth + 1)))
            || variants.iter().any(|(_, object)| self.differs(&Ty::Named(object.clone()), depth + 1))
    }

    fn full(&self, object: &Object, other: Option<&Object>, depth: usize) -> Fields {
        let mut fields = Fields::new();
        let mut chosen = Vec::new();
        for field in &object.fields {
            if field.oneof.is_some() {
                if chosen.contains(&field.oneof) {
                    continue;
                }
                chosen.push(field.oneof.clone());
            }
            fields.extend(self.typical(field, object, other, depth).map(|value| (field.name.clone(), value)));
        }
        fields
    }

    /// A valid value that is not the default, if there is one.
    fn typical(&self, field: &Field, object: &Object, other: Option<&Object>, depth: usize) -> Option<Value> {
        if depth > DEPTH {
            return None;
        }
        if let Some(value) = self.typical_named(field, depth) {
            return Some(value);
        }
        let others: Vec<_> =
            other.and_then(|other| other.fields.iter().find(|other| other.name == field.name)).into_iter().collect();
        let alone = Object { fields: vec![field.clone()], ..object.clone() };
        let is_good = |value: &&Value| {
            let fields = Fields::from([(field.name.clone(), (*value).clone())]);
            is_valid(self.writer, &alone, &fields)
        };
        let values = self.values(field, &others, depth);
        let is_default = |value: &Value| *value == crate::value::default_of(field, self.writer);
        let filled = values.iter().filter(is_good).find(|value| !is_default(value));
        filled.or_else(|| values.iter().find(is_good)).cloned()
    }

    /// An object with everything in it; a list or map of as many as must be.
    fn typical_named(&self, field: &Field, depth: usize) -> Option<Value> {
        let Ty::Named(name) = &field.ty else { return None };
        let single = match (self.writer.union(name), self.writer.object(name)) {
            (Some(union), _) => {
                let (value, to) = union.variants.first()?;
                let object = self.writer.object(to)?;
                Value::Union(value.clone(), self.full(object, self.reader.object(to), depth + 1))
            }
            (None, Some(object)) => Value::Object(self.full(object, self.reader.object(name), depth + 1)),
            (None, None) => return None,
        };
        let least = field.rules.min_length.unwrap_or(0).max(1) as usize;
        match &field.label {
            Label::Many if field.rules.unique && least > 1 => None,
            label @ (Label::Many | Label::Map(_)) => Some(collection(label, vec![single; least])),
            _ => Some(single),
        }
    }

    fn bare(&self, object: &Object, other: Option<&Object>, depth: usize) -> Fields {
        let alone = |field: &Field| Object { fields: vec![field.clone()], ..object.clone() };
        let needed = object.fields.iter().filter(|field| !is_valid(self.writer, &alone(field), &Fields::new()));
        let values = needed.filter_map(|field| Some((field.name.clone(), self.typical(field, object, other, depth)?)));
        values.collect()
    }

    fn values(&self, field: &Field, others: &[&Field], depth: usize) -> Vec<Value> {
        let rules: Vec<&Rules> = [&field.rules].into_iter().chain(others.iter().map(|other| &other.rules)).collect();
        match &field.label {
            Label::Many | Label::Map(_) => {
                let items: Vec<_> = rules.iter().filter_map(|rules| rules.items.as_deref()).collect();
                let single = self.single(field, &items, depth);
                let own = field.rules.items.as_deref().cloned().unwrap_or_default();
                let alone = Field { label: Label::One, rules: own, required: true, ..field.clone() };
                let holder = Object { name: String::new(), fields: vec![alone], closed: false, reserved: Vec::new() };
                let keeps = |value: &Value| {
                    is_valid(self.writer, &holder, &Fields::from([(field.name.clone(), value.clone())]))
                        || matches!(value, Value::Name(..))
                        || (self.writer.dialect == Dialect::Protobuf && !matches!(value, Value::Object(_)))
                };
                let single: Vec<_> = single.into_iter().filter(keeps).collect();
                collections(&field.label, &single, &rules)
            }
            _ => self.single(field, &rules, depth),
        }
    }

    fn single(&self, field: &Field, rules: &[&Rules], depth: usize) -> Vec<Value> {
        match &field.ty {
            Ty::Scalar(word) => scalars(word, rules),
            Ty::Named(_) if depth > DEPTH => Vec::new(),
            Ty::Named(name) => {
                if let Some(item) = self.writer.find_enum(name) {
                    let value = |(name, number): &(String, i32)| Value::Name(Some(name.clone()), *number);
                    // Of several names the first is written.
                    let firsts = item.values.iter().enumerate().filter(|(n, (_, number))| {
                        item.values[..*n].iter().all(|(_, known)| known != number)
                            || self.writer.dialect == Dialect::JsonSchema
                    });
                    return firsts.map(|(_, entry)| value(entry)).collect();
                }
                if let Some(union) = self.writer.union(name) {
                    let objects = union.variants.iter().filter_map(|(value, to)| {
                        let object = self.writer.object(to)?;
                        let objects = self.objects(object, self.reader.object(to), depth + 1).into_iter();
                        Some(objects.map(|fields| Value::Union(value.clone(), fields)))
                    });
                    return objects.flatten().collect();
                }
                let Some(object) = self.writer.object(name) else { return Vec::new() };
                // What reads it may be of another name.
                let other = self.reader.object(name);
                self.objects(object, other, depth + 1).into_iter().map(Value::Object).collect()
            }
        }
    }
}

fn collections(label: &Label, single: &[Value], rules: &[&Rules]) -> Vec<Value> {
    let bounds = rules.iter().flat_map(|rules| [rules.min_length, rules.max_length]).flatten();
    let mut lengths: Vec<usize> =
        bounds.flat_map(|bound| [bound.saturating_sub(1), bound, bound + 1]).map(|length| length as usize).collect();
    lengths.extend([1, 0, 2]);
    let mut values = Vec::new();
    for length in lengths.iter().filter(|length| **length < 20 && !single.is_empty()) {
        let items: Vec<_> = single.iter().cycle().take(*length).cloned().collect();
        values.push(collection(label, items));
    }
    // Each item with as few others as can be; and one twice.
    let least = rules.first().and_then(|rules| rules.min_length).unwrap_or(0).max(1) as usize;
    for n in 0..single.len() {
        values.push(collection(label, single.iter().cycle().skip(n).take(least).cloned().collect()));
    }
    if let (true, Some(first), Label::Many) = (least > 1, single.first(), label) {
        values.push(Value::List(vec![first.clone(); least]));
    }
    if let (Some(first), Label::Many) = (single.first(), label) {
        values.push(Value::List(vec![first.clone(), first.clone()]));
    }
    if let (Label::Map(key), Some(first)) = (label, single.first()) {
        let ends = keys(key).into_iter().map(|key| Value::Map(BTreeMap::from([(key, first.clone())])));
        values.extend(ends);
    }
    values
}

fn collection(label: &Label, items: Vec<Value>) -> Value {
    match label {
        Label::Map(key) => {
            let ends = keys(key);
            let plain = |n: usize| match *key {
                "string" => format!("k{n}"),
                _ => (n + 10).to_string(),
            };
            let name = |n: usize| match *key {
                "bool" => n.is_multiple_of(2).to_string(),
                _ => ends.get(n).cloned().unwrap_or_else(|| plain(n)),
            };
            Value::Map(items.into_iter().enumerate().map(|(n, item)| (name(n), item)).collect())
        }
        _ => Value::List(items),
    }
}

/// Keys at the ends of their type.
fn keys(word: &str) -> Vec<String> {
    match word {
        "string" => vec![String::new(), "7".to_owned(), "ä".to_owned()],
        "bool" => vec!["true".to_owned(), "false".to_owned()],
        word => whole(word)
            .into_iter()
            .flat_map(|(least, most)| [least.to_string(), most.to_string(), "3".to_owned()])
            .collect(),
    }
}

fn whole(word: &str) -> Option<(i128, i128)> {
    Some(match word {
        "int32" | "sint32" | "sfixed32" => (i32::MIN.into(), i32::MAX.into()),
        "int64" | "sint64" | "sfixed64" | "integer" => (i64::MIN.into(), i64::MAX.into()),
        "uint32" | "fixed32" => (0, u32::MAX.into()),
        "uint64" | "fixed64" => (0, u64::MAX.into()),
        _ => return None,
    })
}

fn scalars(word: &str, rules: &[&Rules]) -> Vec<Value> {
    let bounds: Vec<f64> =
        rules.iter().flat_map(|rules| [rules.minimum, rules.maximum, rules.above, rules.below]).flatten().collect();
    if let Some((least, most)) = whole(word) {
        let exact = 1_i128 << 53;
        let mut numbers =
            vec![7, 0, 1, 2, -1, i32::MAX.into(), i128::from(i32::MAX) + 1, i32::MIN.into(), i128::from(i32::MIN) - 1];
        numbers.extend([
            u32::MAX.into(),
            i128::from(u32::MAX) + 1,
            exact + 1,
            -exact - 1,
            i64::MAX.into(),
            least,
            most,
        ]);
        let near = |bound: &f64| [*bound as i128 - 1, *bound as i128, *bound as i128 + 1];
        numbers.extend(bounds.iter().flat_map(near));
        let fits = numbers.into_iter().filter(|number| (least..=most).contains(number));
        return fits.map(Value::Int).collect();
    }
    match word {
        "bool" | "boolean" => vec![Value::Bool(true), Value::Bool(false)],
        "float" | "double" | "number" => {
            let mut numbers = vec![1.5, 0.0, 0.5, -2.25, 3.0, 1e20];
            numbers.extend(bounds.iter().flat_map(|bound| [bound - 0.5, *bound, bound + 0.5]));
            if word != "number" {
                numbers.extend([f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.1]);
            }
            let narrow = |number: f64| if word == "float" { f64::from(number as f32) } else { number };
            numbers.into_iter().map(narrow).map(Value::Float).collect()
        }
        "uuid" => UUIDS.map(|text| Value::Text(text.to_owned())).to_vec(),
        "date-time" => TIMES.map(|text| Value::Text(text.to_owned())).to_vec(),
        "bytes" => texts(rules)
            .into_iter()
            .map(|text| Value::Bytes(text.into_bytes()))
            .chain([Value::Bytes(vec![255, 254])])
            .collect(),
        _ => texts(rules).into_iter().map(Value::Text).collect(),
    }
}

fn texts(rules: &[&Rules]) -> Vec<String> {
    let mut texts =
        vec!["abc".to_owned(), "ABC".to_owned(), "123".to_owned(), "a".to_owned(), "A".to_owned(), "1".to_owned()];
    texts.extend([String::new(), "äöüß".to_owned(), "true".to_owned()]);
    texts.extend([DATES, EMAILS, URIS].concat().iter().map(|text| (*text).to_owned()));
    let bounds = rules.iter().flat_map(|rules| [rules.min_length, rules.max_length]).flatten();
    for bound in bounds.filter(|bound| *bound < 100) {
        for length in [bound.saturating_sub(1), bound, bound + 1] {
            texts.extend(["a", "A", "1", "ä", "😀"].map(|letter| letter.repeat(length as usize)));
        }
    }
    texts
}
