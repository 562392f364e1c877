//! The rules: every way in which a change of contracts hurts somebody, with a name that stays.

/// One rule of the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// Its name, which stays the same for good.
    pub id: &'static str,
    /// What it catches, and what happens then.
    pub catches: &'static str,
    /// What to do about it.
    pub hint: &'static str,
}

const fn rule(id: &'static str, catches: &'static str, hint: &'static str) -> Rule {
    Rule { id, catches, hint }
}

const NEW_VERSION: &str = "make a new package (`v2`) with it, and publish both until nobody reads the old one";
const READERS_FIRST: &str = "bring the new contract to every reader first, and publish by it then";
const NEW_FIELD: &str = "leave the field as it is and add another, with a new name and number";

/// Every rule, by what it is about.
pub const RULES: [Rule; 45] = [
    rule(
        "event-removed",
        "an event is gone or has another name: who subscribes to it hears nothing more",
        "publish it until nobody subscribes",
    ),
    rule("format-changed", "the contract is in another language: the encodings are others", NEW_VERSION),
    rule("topic-changed", "the event is published elsewhere: queues of the old topic get no more of it", NEW_VERSION),
    rule(
        "topic-shared",
        "an event was alone on its topic: readers built before get the other one too, and dead-letter it",
        "give the new event a topic of its own",
    ),
    rule(
        "routing-key-changed",
        "on RabbitMQ, queues of readers built before are not bound to the new key",
        READERS_FIRST,
    ),
    rule(
        "ordering-changed",
        "`ordered` names topic and queues anew (`.fifo`): readers and publishers no longer meet",
        NEW_VERSION,
    ),
    rule("key-changed", "another field is the key: what belonged together no longer comes in order", NEW_VERSION),
    rule(
        "subject-changed",
        "another field says whose data an event has: what is encrypted in stored events no longer opens",
        "let the same field say it",
    ),
    rule(
        "personal-removed",
        "a field is no longer personal: logs and `Debug` tell it, and stores keep it in the clear from now on",
        "leave the mark, if it is data about a person",
    ),
    rule(
        "personal-added",
        "a field is personal: stores encrypt it from now on, and keep in the clear what they have",
        "rewrite what is stored, if it must be erasable",
    ),
    rule(
        "attribute-removed",
        "the attribute no longer travels: a filter on it lets nothing through",
        "let it travel until nobody filters on it",
    ),
    rule(
        "attribute-added",
        "data from before lacks the attribute: a filter on it lets none of that through",
        "filter on it when the old data is gone",
    ),
    rule(
        "attribute-type-changed",
        "the attribute's values are of another kind: a filter made for the old kind never fits",
        NEW_FIELD,
    ),
    rule(
        "field-removed",
        "a field is no longer written: who reads it sees nothing, or refuses the message",
        "keep writing it until nobody reads it",
    ),
    rule(
        "field-required",
        "data from before may lack what must be there now, and is refused",
        "leave it optional in this version",
    ),
    rule(
        "field-no-longer-required",
        "new data may lack what readers built before insist on, and is refused by them",
        READERS_FIRST,
    ),
    rule(
        "number-changed",
        "a field has another number: in protobuf, old data of it is not found",
        "give the field its number back",
    ),
    rule(
        "number-reused",
        "a number belongs to another field now: data of the one is read as the other",
        "use a number that was never used",
    ),
    rule(
        "json-name-changed",
        "a field has another name in JSON: data under the old one is not found",
        "keep the name, or set `json_name` to the old one",
    ),
    rule(
        "json-name-reused",
        "a name in JSON belongs to another field now: data of the one is read as the other",
        "use a name that was never used",
    ),
    rule(
        "type-changed",
        "a value of the one type is refused by readers of the other, or read as another value",
        NEW_FIELD,
    ),
    rule("type-narrowed", "old numbers may not fit the new type", NEW_FIELD),
    rule("type-widened", "new numbers may not fit the type that readers built before have", READERS_FIRST),
    rule("null-refused", "old data may say null where a value must be now", "go on allowing null"),
    rule("null-allowed", "new data may say null where readers built before insist on a value", READERS_FIRST),
    rule(
        "range-narrowed",
        "old numbers may be outside the new bounds, and are refused",
        "keep the old bounds in this version",
    ),
    rule("range-widened", "new numbers may be outside the bounds of readers built before", READERS_FIRST),
    rule(
        "length-narrowed",
        "old values may be shorter or longer than is allowed now, and are refused",
        "keep the old lengths in this version",
    ),
    rule("length-widened", "new values may be shorter or longer than readers built before allow", READERS_FIRST),
    rule(
        "pattern-changed",
        "text that matches the one pattern may not match the other",
        "keep the pattern; check the new one where values are made",
    ),
    rule(
        "text-format-changed",
        "text of the one format may not be of the other",
        "keep the format; check the new one where values are made",
    ),
    rule("items-unique", "old lists may have an item twice, and are refused", "check it where lists are made"),
    rule(
        "items-no-longer-unique",
        "new lists may have an item twice, which readers built before refuse",
        READERS_FIRST,
    ),
    rule(
        "enum-value-removed",
        "old data may have the value, which has no name any more",
        "keep the value, and say in a comment that it is no longer used",
    ),
    rule("enum-value-added", "readers built before do not know the value, and refuse it in JSON", READERS_FIRST),
    rule(
        "enum-number-changed",
        "a number stands for another value now: the one is read as the other",
        "give each value its number back",
    ),
    rule("variant-removed", "old data may be of the variant, which is not known any more", "keep the variant"),
    rule("variant-added", "readers built before do not know the variant, and refuse it", READERS_FIRST),
    rule("tag-changed", "another property tells the variants apart: nothing is recognised", NEW_VERSION),
    rule(
        "oneof-changed",
        "fields that could be there together became one of several: only one is read, and JSON with both is refused",
        NEW_FIELD,
    ),
    rule(
        "property-unknown",
        "the object takes no property that it does not declare, and data has one",
        "leave `additionalProperties` open",
    ),
    rule(
        "object-closed",
        "data of still older versions, or of others, may have properties that are not declared here",
        "leave `additionalProperties` open",
    ),
    rule(
        "presence-changed",
        "absent and empty are told apart on one side only",
        "treat both the same where it is read",
    ),
    rule(
        "number-not-reserved",
        "the number or name of a removed field is free to be used again for something else",
        "reserve its own number and name: `reserved <number>; reserved \"<name>\";`",
    ),
    rule(
        "reserved-used",
        "a number or name was kept from use, because data has it in another meaning",
        "use one that was never used",
    ),
];

/// The rule of that name.
pub(super) fn find(id: &str) -> Rule {
    *RULES.iter().find(|rule| rule.id == id).expect("every rule that is named is in the table")
}

/// Why one side cannot read the other, whichever of the two is the older.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    Dialect,
    Absent,
    Lost,
    Empty,
    Number,
    NumberReused,
    JsonName,
    JsonNameReused,
    Type,
    Fits,
    Null,
    Range,
    Length,
    Pattern,
    TextFormat,
    Unique,
    EnumValue,
    EnumNumber,
    Variant,
    Tag,
    Oneof,
    Unknown,
}

impl Cause {
    /// The rule's name where the new contract reads, and where the old one does.
    pub(super) fn ids(self) -> (&'static str, &'static str) {
        match self {
            Self::Dialect => ("format-changed", "format-changed"),
            Self::Absent => ("field-required", "field-removed"),
            Self::Lost => ("field-removed", "field-removed"),
            Self::Empty => ("field-required", "field-no-longer-required"),
            Self::Number => ("number-changed", "number-changed"),
            Self::NumberReused => ("number-reused", "number-reused"),
            Self::JsonName => ("json-name-changed", "json-name-changed"),
            Self::JsonNameReused => ("json-name-reused", "json-name-reused"),
            Self::Type => ("type-changed", "type-changed"),
            Self::Fits => ("type-narrowed", "type-widened"),
            Self::Null => ("null-refused", "null-allowed"),
            Self::Range => ("range-narrowed", "range-widened"),
            Self::Length => ("length-narrowed", "length-widened"),
            Self::Pattern => ("pattern-changed", "pattern-changed"),
            Self::TextFormat => ("text-format-changed", "text-format-changed"),
            Self::Unique => ("items-unique", "items-no-longer-unique"),
            Self::EnumValue => ("enum-value-removed", "enum-value-added"),
            Self::EnumNumber => ("enum-number-changed", "enum-number-changed"),
            Self::Variant => ("variant-removed", "variant-added"),
            Self::Tag => ("tag-changed", "tag-changed"),
            Self::Oneof => ("oneof-changed", "oneof-changed"),
            Self::Unknown => ("property-unknown", "property-unknown"),
        }
    }
}
