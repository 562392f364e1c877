//! Reads the file of a lock: strictly, for what it does not know it could not compare.

use std::collections::BTreeMap;

use super::{ALL, Body, Enum, Event, Field, Item, Lock, Object, Presence, Service, Type, Union, VERSION};
use crate::{
    json_schema::{
        node::{Member, Node, Value},
        text,
    },
    model::{Dialect, Format, Location, Mistakes, Reserved, Rules},
};

/// What to do about a lock that is not as one is written.
const HINT: &str = "do not edit the file: write it anew with `tegami contracts lock`, or take it from git again";

/// What is wrong, and where.
type Fault = (Location, String);

/// The lock in a file; `None`, and one mistake, when it is broken.
pub(crate) fn read(file: &str, text: &str, mistakes: &mut Mistakes) -> Option<Lock> {
    let before = mistakes.0.len();
    let parsed = text::parse(file, text, mistakes);
    if let Some(first) = mistakes.0.get_mut(before) {
        first.hint = HINT.to_owned();
        mistakes.0.truncate(before + 1);
        return None;
    }
    let (root, ..) = parsed?;
    let lock = lock(&root).map_err(|(at, reason)| mistakes.add(&at, format!("broken lock: {reason}"), HINT));
    lock.ok()
}

fn lock(root: &Node) -> Result<Lock, Fault> {
    let file = Members::of(root)?;
    let version = file.need("lock")?;
    if version.number() != Some(VERSION as f64) {
        let at = version.at.clone();
        return Err((at, format!("it is of another version; this tegami reads version {VERSION}")));
    }
    let items = named(file.need("contracts")?, item)?;
    let services = file.get("services").map_or_else(|| Ok(BTreeMap::new()), |node| named(node, service))?;
    file.only(&["lock", "contracts", "services"])?;
    let lock = Lock { items, services };
    check_names(&lock, root)?;
    Ok(lock)
}

/// Every type that is named is there.
fn check_names(lock: &Lock, root: &Node) -> Result<(), Fault> {
    for (name, item) in &lock.items {
        let variants = match &item.body {
            Body::Union(union) => union.variants.values().map(|to| (to.as_str(), &item.at)).collect(),
            _ => Vec::new(),
        };
        let fields = item.fields().iter().filter_map(|field| Some((field.ty.named()?, &field.at)));
        let builtin = |to: &str| item.dialect == Dialect::Protobuf && to.starts_with("google.protobuf.");
        for (to, at) in fields.chain(variants).filter(|(to, _)| !builtin(to)) {
            if !lock.items.contains_key(to) {
                return Err((at.clone(), format!("`{name}` needs the type `{to}`, which is not there")));
            }
        }
    }
    for (name, service) in &lock.services {
        let events = service.publishes.iter().chain(service.subscribes.keys());
        if let Some(event) = events.into_iter().find(|event| lock.event(event).is_none()) {
            return Err((root.at.clone(), format!("service `{name}` names the event `{event}`, which is not there")));
        }
    }
    Ok(())
}

/// The members of an object, of which none may be left over.
struct Members<'a>(&'a Node);

impl<'a> Members<'a> {
    fn of(node: &'a Node) -> Result<Self, Fault> {
        if node.is_object() { Ok(Self(node)) } else { Err(wrong(node, "an object")) }
    }

    fn get(&self, name: &str) -> Option<&'a Node> {
        self.0.get(name)
    }

    fn need(&self, name: &str) -> Result<&'a Node, Fault> {
        self.get(name).ok_or_else(|| (self.0.at.clone(), format!("`{name}` is missing")))
    }

    fn only(&self, names: &[&str]) -> Result<(), Fault> {
        match self.0.members().iter().find(|member| !names.contains(&member.name.as_str())) {
            Some(Member { name, at, .. }) => Err((at.clone(), format!("there is no `{name}` in a lock"))),
            None => Ok(()),
        }
    }

    fn text(&self, name: &str) -> Result<String, Fault> {
        text_of(self.need(name)?)
    }

    fn flag(&self, name: &str) -> Result<bool, Fault> {
        self.get(name).map_or(Ok(false), |node| node.bool().ok_or_else(|| wrong(node, "true or false")))
    }

    fn float(&self, name: &str) -> Result<Option<f64>, Fault> {
        self.get(name).map(|node| node.number().ok_or_else(|| wrong(node, "a number"))).transpose()
    }

    fn whole(&self, name: &str) -> Result<Option<u64>, Fault> {
        let whole = |node: &'a Node| match &node.value {
            Value::Number(text) => text.parse().map_err(|_| wrong(node, "a whole number")),
            _ => Err(wrong(node, "a whole number")),
        };
        self.get(name).map(whole).transpose()
    }

    fn small(&self, name: &str) -> Result<Option<u32>, Fault> {
        let Some(number) = self.whole(name)? else { return Ok(None) };
        u32::try_from(number).map(Some).map_err(|_| wrong(self.0, "a number below 2^32"))
    }
}

fn wrong(node: &Node, expected: &str) -> Fault {
    (node.at.clone(), format!("`{}` is not {expected}", node.pointer))
}

fn text_of(node: &Node) -> Result<String, Fault> {
    node.text().map(str::to_owned).ok_or_else(|| wrong(node, "a string"))
}

fn texts(node: &Node) -> Result<Vec<String>, Fault> {
    if node.is_list() { node.items().iter().map(text_of).collect() } else { Err(wrong(node, "a list")) }
}

/// Every member by its name.
fn named<T>(node: &Node, read: fn(&Node, &Location) -> Result<T, Fault>) -> Result<BTreeMap<String, T>, Fault> {
    Members::of(node)?;
    node.members().iter().map(|member| Ok((member.name.clone(), read(&member.value, &member.at)?))).collect()
}

fn item(node: &Node, at: &Location) -> Result<Item, Fault> {
    let members = Members::of(node)?;
    let dialect = match members.text("format")?.as_str() {
        "protobuf" => Dialect::Protobuf,
        "json-schema" => Dialect::JsonSchema,
        _ => return Err(wrong(members.need("format")?, "\"protobuf\" or \"json-schema\"")),
    };
    members.only(&["format", "event", "closed", "fields", "values", "tag", "variants", "reserved"])?;
    let event = members.get("event").map(event).transpose()?;
    let reserved = reserved(members.get("reserved"))?;
    let body = match (members.get("fields"), members.get("values"), members.get("variants")) {
        (Some(fields), None, None) => {
            let fields = named(fields, field)?.into_iter().map(|(name, field)| named_field(name, field));
            let mut fields: Vec<_> = fields.collect();
            fields.sort_by(|left, right| (left.number, &left.name).cmp(&(right.number, &right.name)));
            Body::Object(Object { fields, closed: members.flag("closed")?, reserved })
        }
        (None, Some(values), None) => Body::Enum(Enum { values: self::values(values)?, reserved }),
        (None, None, Some(variants)) => {
            let variants = named(variants, |node, _| text_of(node))?;
            Body::Union(Union { tag: members.text("tag")?, variants })
        }
        _ => return Err((at.clone(), "a type has one of `fields`, `values` and `variants`".to_owned())),
    };
    Ok(Item { dialect, event, body, at: at.clone() })
}

fn event(node: &Node) -> Result<Event, Fault> {
    let members = Members::of(node)?;
    members.only(&["version", "topic", "routing_key", "ordered", "encodings", "fingerprint", "source"])?;
    texts(members.need("encodings")?)?;
    Ok(Event {
        version: members.small("version")?.ok_or_else(|| wrong(node, "of a version"))?,
        topic: members.text("topic")?,
        routing_key: members.text("routing_key")?,
        ordered: members.flag("ordered")?,
        fingerprint: members.text("fingerprint")?,
        source: members.text("source")?,
    })
}

fn named_field(name: String, field: Field) -> Field {
    let json = if field.json.is_empty() { name.clone() } else { field.json };
    Field { name, json, ..field }
}

fn field(node: &Node, at: &Location) -> Result<Field, Fault> {
    let members = Members::of(node)?;
    let own = ["number", "json", "type", "oneof", "optional", "nullable", "key", "attribute", "personal", "subject"];
    members.only(&[&own[..], &RULES[..]].concat())?;
    let ty = members.text("type")?;
    let ty = Type::parse(&ty).ok_or_else(|| (at.clone(), format!("there is no type `{ty}`")))?;
    let oneof = members.get("oneof").map(text_of).transpose()?;
    let presence = match (members.flag("optional")? || oneof.is_some(), members.flag("nullable")?) {
        (true, _) => Presence::Optional,
        (false, true) => Presence::Nullable,
        (false, false) => Presence::Always,
    };
    Ok(Field {
        name: String::new(),
        json: members.get("json").map(text_of).transpose()?.unwrap_or_default(),
        number: members.small("number")?,
        ty,
        presence,
        oneof,
        key: members.flag("key")?,
        attribute: members.flag("attribute")?,
        personal: members.flag("personal")?,
        subject: members.flag("subject")?,
        rules: rules(&members)?,
        at: at.clone(),
    })
}

const RULES: [&str; 11] = [
    "required",
    "min_length",
    "max_length",
    "pattern",
    "minimum",
    "maximum",
    "above",
    "below",
    "unique",
    "format",
    "items",
];

fn rules(members: &Members<'_>) -> Result<Rules, Fault> {
    let format = match members.get("format").map(|node| (node, node.text())) {
        None => None,
        Some((_, Some("date"))) => Some(Format::Date),
        Some((_, Some("email"))) => Some(Format::Email),
        Some((_, Some("uri"))) => Some(Format::Uri),
        Some((node, _)) => return Err(wrong(node, "a format that is known")),
    };
    let items = |node: &Node| {
        let members = Members::of(node)?;
        members.only(&RULES)?;
        rules(&members).map(Box::new)
    };
    let pattern = members.get("pattern").map(text_of).transpose()?;
    if let Some(pattern) = pattern.as_deref().filter(|pattern| regex_lite::Regex::new(pattern).is_err()) {
        return Err((members.0.at.clone(), format!("`{pattern}` is no regular expression")));
    }
    Ok(Rules {
        required: members.flag("required")?,
        min_length: members.whole("min_length")?,
        max_length: members.whole("max_length")?,
        pattern,
        minimum: members.float("minimum")?,
        maximum: members.float("maximum")?,
        above: members.float("above")?,
        below: members.float("below")?,
        unique: members.flag("unique")?,
        format,
        items: members.get("items").map(items).transpose()?,
    })
}

fn values(node: &Node) -> Result<Vec<(String, Option<i32>)>, Fault> {
    if node.is_list() {
        return node.items().iter().map(|item| Ok((text_of(item)?, None))).collect();
    }
    let number = |member: &Member| match &member.value.value {
        Value::Number(text) => text.parse().map(Some).map_err(|_| wrong(&member.value, "a number of 32 bits")),
        _ => Err(wrong(&member.value, "a number of 32 bits")),
    };
    Members::of(node)?;
    node.members().iter().map(|member| Ok((member.name.clone(), number(member)?))).collect()
}

fn reserved(node: Option<&Node>) -> Result<Reserved, Fault> {
    let mut reserved = Reserved::default();
    for item in node.map_or(&[][..], Node::items) {
        if let Some(name) = item.text() {
            reserved.names.push(name.to_owned());
            continue;
        }
        let ends: Vec<i32> = item.items().iter().filter_map(|end| Some(end.number()? as i32)).collect();
        let [first, last] = ends[..] else { return Err(wrong(item, "a name, or two numbers")) };
        reserved.numbers.push((first, last));
    }
    Ok(reserved)
}

fn service(node: &Node, _: &Location) -> Result<Service, Fault> {
    let members = Members::of(node)?;
    members.only(&["publishes", "subscribes"])?;
    let subscribes = named(members.need("subscribes")?, |node, _| texts(node))?;
    let subscribes = subscribes.into_iter().map(|(event, reads)| {
        let reads = if reads.iter().any(|field| field == ALL) { vec![ALL.to_owned()] } else { reads };
        (event, reads)
    });
    Ok(Service { publishes: texts(members.need("publishes")?)?, subscribes: subscribes.collect() })
}
