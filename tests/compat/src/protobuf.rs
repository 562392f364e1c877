//! Protobuf by prost-reflect, which reads contracts as they run: what is written by one, and read by another.

use std::collections::{BTreeMap, HashMap};

use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value as Dynamic,
};
use protox::{
    Compiler,
    file::{ChainFileResolver, File, FileResolver, GoogleFileResolver},
};

use crate::{
    contract::Contract,
    valid::is_valid,
    value::{Fields, Value},
};

/// How an event is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Protobuf's binary form.
    Binary,
    /// JSON.
    Json,
}

/// The codec of one contract.
pub struct Codec {
    contract: Contract,
    message: MessageDescriptor,
}

struct InMemory(String);

impl FileResolver for InMemory {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match name {
            "contract.proto" => File::from_source(name, &self.0),
            "tegami/v1/options.proto" => {
                File::from_source(name, include_str!("../../../codegen/proto/tegami/v1/options.proto"))
            }
            _ => Err(protox::Error::file_not_found(name)),
        }
    }
}

impl Codec {
    /// The codec of a contract; it must be one that protobuf takes.
    pub fn of(contract: &Contract) -> Self {
        let mut resolver = ChainFileResolver::new();
        resolver.add(InMemory(contract.text("compat.v1")));
        resolver.add(GoogleFileResolver::new());
        let mut compiler = Compiler::with_file_resolver(resolver);
        compiler.open_file("contract.proto").expect("the contract compiles");
        let pool: DescriptorPool = compiler.descriptor_pool();
        let name = format!("compat.v1.{}", contract.event().name);
        let message = pool.get_message_by_name(&name).expect("the event is there");
        Self { contract: contract.clone(), message }
    }

    /// The bytes of an event.
    pub fn write(&self, fields: &Fields, form: Form) -> Vec<u8> {
        let message = dynamic(fields, &self.message);
        match form {
            Form::Binary => prost_reflect::prost::Message::encode_to_vec(&message),
            Form::Json => serde_json::to_vec(&message).expect("it has a JSON form"),
        }
    }

    /// What a reader makes of the bytes; `None` where it refuses them.
    pub fn read(&self, bytes: &[u8], form: Form) -> Option<Fields> {
        let fields = self.read_any(bytes, form)?;
        is_valid(&self.contract, self.contract.event(), &fields).then_some(fields)
    }

    fn read_any(&self, bytes: &[u8], form: Form) -> Option<Fields> {
        let message = match form {
            Form::Binary => DynamicMessage::decode(self.message.clone(), bytes).ok()?,
            Form::Json => {
                let mut deserializer = serde_json::Deserializer::from_slice(bytes);
                let options = prost_reflect::DeserializeOptions::new().deny_unknown_fields(false);
                DynamicMessage::deserialize_with_options(self.message.clone(), &mut deserializer, &options).ok()?
            }
        };
        Some(fields(&message))
    }

    /// What the contract is.
    pub fn contract(&self) -> &Contract {
        &self.contract
    }
}

fn dynamic(fields: &Fields, message: &MessageDescriptor) -> DynamicMessage {
    let mut built = DynamicMessage::new(message.clone());
    for (name, value) in fields {
        let field = message.get_field_by_name(name).expect("the value is of the contract");
        built.set_field(&field, to_dynamic(value, &field));
    }
    built
}

fn to_dynamic(value: &Value, field: &FieldDescriptor) -> Dynamic {
    if let Value::Map(entries) = value {
        let kind = field.kind();
        let entry = kind.as_message().expect("a map's field is a list of entries");
        let (key, item) = (entry.map_entry_key_field(), entry.map_entry_value_field());
        let entries = entries.iter().map(|(name, value)| (map_key(name, &key.kind()), scalar(value, &item.kind())));
        return Dynamic::Map(entries.collect::<HashMap<_, _>>());
    }
    match value {
        Value::List(items) => Dynamic::List(items.iter().map(|item| scalar(item, &field.kind())).collect()),
        value => scalar(value, &field.kind()),
    }
}

fn map_key(text: &str, kind: &Kind) -> MapKey {
    let wrong = "the key is of its type";
    match kind {
        Kind::Bool => MapKey::Bool(text == "true"),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => MapKey::I32(text.parse().expect(wrong)),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => MapKey::I64(text.parse().expect(wrong)),
        Kind::Uint32 | Kind::Fixed32 => MapKey::U32(text.parse().expect(wrong)),
        Kind::Uint64 | Kind::Fixed64 => MapKey::U64(text.parse().expect(wrong)),
        _ => MapKey::String(text.to_owned()),
    }
}

fn scalar(value: &Value, kind: &Kind) -> Dynamic {
    match (value, kind) {
        (Value::Int(number), Kind::Int32 | Kind::Sint32 | Kind::Sfixed32) => Dynamic::I32(*number as i32),
        (Value::Int(number), Kind::Int64 | Kind::Sint64 | Kind::Sfixed64) => Dynamic::I64(*number as i64),
        (Value::Int(number), Kind::Uint32 | Kind::Fixed32) => Dynamic::U32(*number as u32),
        (Value::Int(number), _) => Dynamic::U64(*number as u64),
        (Value::Float(number), Kind::Float) => Dynamic::F32(*number as f32),
        (Value::Float(number), _) => Dynamic::F64(*number),
        (Value::Bool(truth), _) => Dynamic::Bool(*truth),
        (Value::Text(text), _) => Dynamic::String(text.clone()),
        (Value::Bytes(bytes), _) => Dynamic::Bytes(bytes.clone().into()),
        (Value::Name(_, number), _) => Dynamic::EnumNumber(*number),
        (Value::Object(inside), Kind::Message(message)) => Dynamic::Message(dynamic(inside, message)),
        (value, kind) => unreachable!("{value:?} is no {kind:?}"),
    }
}

fn fields(message: &DynamicMessage) -> Fields {
    message.fields().map(|(field, value)| (field.name().to_owned(), from_dynamic(value, &field))).collect()
}

fn from_dynamic(value: &Dynamic, field: &FieldDescriptor) -> Value {
    match value {
        Dynamic::Map(entries) => {
            let kind = field.kind();
            let item = kind.as_message().expect("a map's field is a list of entries").map_entry_value_field();
            let entries = entries.iter().map(|(key, value)| (key_text(key), from_dynamic(value, &item)));
            Value::Map(entries.collect::<BTreeMap<_, _>>())
        }
        Dynamic::List(items) => Value::List(items.iter().map(|item| from_dynamic(item, field)).collect()),
        Dynamic::Bool(truth) => Value::Bool(*truth),
        Dynamic::I32(number) => Value::Int((*number).into()),
        Dynamic::I64(number) => Value::Int((*number).into()),
        Dynamic::U32(number) => Value::Int((*number).into()),
        Dynamic::U64(number) => Value::Int((*number).into()),
        Dynamic::F32(number) => Value::Float((*number).into()),
        Dynamic::F64(number) => Value::Float(*number),
        Dynamic::String(text) => Value::Text(text.clone()),
        Dynamic::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
        Dynamic::EnumNumber(number) => {
            let kind = field.kind();
            let name = kind.as_enum().and_then(|item| item.get_value(*number)).map(|value| value.name().to_owned());
            Value::Name(name, *number)
        }
        Dynamic::Message(message) => Value::Object(fields(message)),
    }
}

fn key_text(key: &MapKey) -> String {
    match key {
        MapKey::Bool(truth) => truth.to_string(),
        MapKey::I32(number) => number.to_string(),
        MapKey::I64(number) => number.to_string(),
        MapKey::U32(number) => number.to_string(),
        MapKey::U64(number) => number.to_string(),
        MapKey::String(text) => text.clone(),
    }
}
