//! Reads the options of `tegami/v1/options.proto`.

use prost_reflect::{DynamicMessage, FieldDescriptor, FileDescriptor, MessageDescriptor, Value};

use crate::model::Rules;

/// What a message says with `(tegami.v1.event)`.
pub(super) struct EventOptions {
    pub(super) topic: String,
    pub(super) routing_key: String,
    pub(super) ordered: bool,
}

/// What a field says with `(tegami.v1.field)`.
#[derive(Default)]
pub(super) struct FieldOptions {
    pub(super) key: bool,
    pub(super) attribute: bool,
    pub(super) personal: bool,
    pub(super) subject: bool,
    pub(super) rules: Rules,
}

/// The topic of the file's events, if the file names one.
pub(super) fn topic(file: &FileDescriptor) -> Option<String> {
    let value = extension(file.parent_pool(), &file.options(), "tegami.v1.topic")?;
    value.as_str().filter(|topic| !topic.is_empty()).map(str::to_owned)
}

/// `None` when the message is no event.
pub(super) fn event(message: &MessageDescriptor) -> Option<EventOptions> {
    let value = extension(message.parent_pool(), &message.options(), "tegami.v1.event")?;
    let options = value.as_message()?;
    Some(EventOptions {
        topic: text(options, "topic"),
        routing_key: text(options, "routing_key"),
        ordered: truth(options, "ordered"),
    })
}

pub(super) fn field(field: &FieldDescriptor) -> FieldOptions {
    let value = extension(field.parent_pool(), &field.options(), "tegami.v1.field");
    let Some(options) = value.as_ref().and_then(Value::as_message) else { return FieldOptions::default() };
    let rules = Rules {
        required: truth(options, "required"),
        min_length: length(options, "min_length"),
        max_length: length(options, "max_length"),
        pattern: Some(text(options, "pattern")).filter(|pattern| !pattern.is_empty()),
        minimum: number(options, "minimum"),
        maximum: number(options, "maximum"),
        ..Rules::default()
    };
    FieldOptions {
        key: truth(options, "key"),
        attribute: truth(options, "attribute"),
        personal: truth(options, "personal"),
        subject: truth(options, "subject"),
        rules,
    }
}

fn extension(pool: &prost_reflect::DescriptorPool, options: &DynamicMessage, name: &str) -> Option<Value> {
    let extension = pool.get_extension_by_name(name).expect("the options are in the pool");
    options.has_extension(&extension).then(|| options.get_extension(&extension).into_owned())
}

/// The value of an option that is set.
fn set(options: &DynamicMessage, name: &str) -> Option<Value> {
    options.has_field_by_name(name).then(|| options.get_field_by_name(name))?.map(|value| value.into_owned())
}

fn text(options: &DynamicMessage, name: &str) -> String {
    set(options, name).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn truth(options: &DynamicMessage, name: &str) -> bool {
    set(options, name).and_then(|value| value.as_bool()).unwrap_or_default()
}

fn length(options: &DynamicMessage, name: &str) -> Option<u64> {
    set(options, name)?.as_u32().map(u64::from)
}

fn number(options: &DynamicMessage, name: &str) -> Option<f64> {
    set(options, name)?.as_f64()
}
