//! Arbitrary messages of any type, from a seed.

use std::path::Path;

use fastrand::Rng;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage, Value};

/// As deep as messages nest in each other.
const DEPTH: usize = 3;

/// The message with every kind of field.
pub fn descriptor() -> MessageDescriptor {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto");
    let mut compiler = protox::Compiler::new([folder]).unwrap();
    compiler.include_imports(true).open_file("heavy/v1/everything.proto").unwrap();
    compiler.descriptor_pool().get_message_by_name("heavy.v1.Everything").unwrap()
}

/// How a message is made.
pub struct Arbitrary {
    pub rng: Rng,
    /// The most entries of a map. prost-reflect writes them in no order.
    pub entries: usize,
}

impl Arbitrary {
    pub fn message(&mut self, of: &MessageDescriptor, depth: usize) -> DynamicMessage {
        let mut message = DynamicMessage::new(of.clone());
        if !self.well_known(&mut message, depth) {
            let chance = if depth == 0 { 0.4 } else { 0.12 };
            for field in of.fields() {
                let nests = matches!(field.kind(), Kind::Message(_));
                if self.rng.f64() < chance && !(nests && depth >= DEPTH) {
                    let value = self.field(&field, depth);
                    message.set_field(&field, value);
                }
            }
        }
        message
    }

    fn field(&mut self, field: &FieldDescriptor, depth: usize) -> Value {
        if let (true, Kind::Message(entry)) = (field.is_map(), field.kind()) {
            let keys = entry.map_entry_key_field().kind();
            let values = entry.map_entry_value_field().kind();
            let length = self.rng.usize(0..=self.entries);
            return Value::Map((0..length).map(|_| (self.key(&keys), self.value(&values, depth))).collect());
        }
        if field.is_list() {
            return Value::List((0..self.rng.usize(0..4)).map(|_| self.value(&field.kind(), depth)).collect());
        }
        self.value(&field.kind(), depth)
    }

    fn value(&mut self, kind: &Kind, depth: usize) -> Value {
        match kind {
            Kind::Double => Value::F64(self.double()),
            Kind::Float => Value::F32(self.float()),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(self.integer() as i32),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(self.integer() as i64),
            Kind::Uint32 | Kind::Fixed32 => Value::U32(self.integer() as u32),
            Kind::Uint64 | Kind::Fixed64 => Value::U64(self.integer()),
            Kind::Bool => Value::Bool(self.rng.bool()),
            Kind::String => Value::String(self.text()),
            Kind::Bytes => Value::Bytes((0..self.rng.usize(0..9)).map(|_| self.rng.u8(..)).collect()),
            Kind::Enum(_) => Value::EnumNumber([0, 1, -3, 2, i32::MAX, i32::MIN][self.rng.usize(0..6)]),
            Kind::Message(of) => Value::Message(self.message(of, depth + 1)),
        }
    }

    fn key(&mut self, kind: &Kind) -> MapKey {
        match kind {
            Kind::Bool => MapKey::Bool(self.rng.bool()),
            Kind::Int32 => MapKey::I32(self.integer() as i32),
            Kind::Int64 => MapKey::I64(self.integer() as i64),
            Kind::Uint32 => MapKey::U32(self.integer() as u32),
            Kind::Uint64 => MapKey::U64(self.integer()),
            _ => MapKey::String(self.text()),
        }
    }

    /// Types whose fields are not free; the answer is whether it is one.
    fn well_known(&mut self, message: &mut DynamicMessage, depth: usize) -> bool {
        let name = message.descriptor().full_name().to_owned();
        match name.as_str() {
            "google.protobuf.Timestamp" => {
                message.set_field_by_name("seconds", Value::I64(self.rng.i64(-62_135_596_800..=253_402_300_799)));
                message.set_field_by_name("nanos", Value::I32(self.nanos()));
            }
            "google.protobuf.Duration" => {
                let sign = if self.rng.bool() { 1 } else { -1 };
                message.set_field_by_name("seconds", Value::I64(i64::from(sign) * self.rng.i64(0..315_576_000_000)));
                message.set_field_by_name("nanos", Value::I32(sign * self.nanos()));
            }
            "google.protobuf.FieldMask" => {
                let paths = ["a", "order_id", "part.weight_grams", "inner.part.name_of_it"];
                let chosen = (0..self.rng.usize(0..4)).map(|n| Value::String(paths[n].to_owned())).collect();
                message.set_field_by_name("paths", Value::List(chosen));
            }
            "google.protobuf.Value" => self.any(message, depth),
            // prost-reflect writes `null` for a wrapped float that is no number.
            "google.protobuf.FloatValue" => {
                message.set_field_by_name("value", Value::F32(1.0 / self.rng.f32().max(1e-9)))
            }
            "google.protobuf.DoubleValue" => message.set_field_by_name("value", Value::F64(self.rng.f64() * 1e30)),
            _ if name.starts_with("google.protobuf.") && name.ends_with("Value") && !name.ends_with("ListValue") => {
                if let Some(field) = message.descriptor().get_field_by_name("value") {
                    let value = self.value(&field.kind(), depth);
                    message.set_field(&field, value);
                }
            }
            _ => return false,
        }
        true
    }

    fn any(&mut self, message: &mut DynamicMessage, depth: usize) {
        let kinds = if depth >= DEPTH { 4 } else { 6 };
        let (name, value) = match self.rng.usize(0..kinds) {
            0 => ("null_value", Value::EnumNumber(0)),
            1 => ("bool_value", Value::Bool(self.rng.bool())),
            2 => ("string_value", Value::String(self.text())),
            3 => ("number_value", Value::F64(self.rng.f64() - 0.5)),
            _ => {
                let name = if self.rng.bool() { "struct_value" } else { "list_value" };
                let field = message.descriptor().get_field_by_name(name).expect("Value has it");
                (name, self.value(&field.kind(), depth))
            }
        };
        message.set_field_by_name(name, value);
    }

    fn integer(&mut self) -> u64 {
        match self.rng.u8(0..4) {
            0 => self.rng.u64(0..3),
            1 => [u64::MAX, i64::MAX as u64, i64::MIN as u64, u64::from(u32::MAX), 1 << 53][self.rng.usize(0..5)],
            _ => self.rng.u64(..),
        }
    }

    fn nanos(&mut self) -> i32 {
        [0, 500_000_000, self.rng.i32(0..1_000_000) * 1_000, self.rng.i32(0..1_000_000_000)][self.rng.usize(0..4)]
    }

    pub fn double(&mut self) -> f64 {
        match self.rng.u8(0..4) {
            0 => [0.0, -0.0, 1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, 5e-324][self.rng.usize(0..8)],
            1 => f64::from(self.rng.i32(..)),
            _ => Some(f64::from_bits(self.rng.u64(..))).filter(|float| !float.is_nan()).unwrap_or(f64::NAN),
        }
    }

    // prost-reflect does not read the largest float.
    fn float(&mut self) -> f32 {
        match self.rng.u8(0..3) {
            0 => {
                [0.0, 0.1, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 3.4e38, f32::MIN_POSITIVE][self.rng.usize(0..7)]
            }
            _ => Some(f32::from_bits(self.rng.u32(..))).filter(|float| !float.is_nan()).unwrap_or(f32::NAN),
        }
    }

    pub fn text(&mut self) -> String {
        let known = ["", "a", "é", "\u{2028}", "𝄞", "\"", "\\", "\n", "\u{0}", "\u{7f}", "/", "\u{ffff}"];
        (0..self.rng.usize(0..6))
            .map(
                |_| {
                    if self.rng.bool() {
                        known[self.rng.usize(0..12)].to_owned()
                    } else {
                        self.rng.char(..).to_string()
                    }
                },
            )
            .collect()
    }
}
