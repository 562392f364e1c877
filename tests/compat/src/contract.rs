//! A contract as data, that edits can change, and its text.

use std::fmt::Write;

/// The language of a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Protobuf.
    Protobuf,
    /// JSON Schema.
    JsonSchema,
}

/// A contract with one event: its first object.
#[derive(Debug, Clone, PartialEq)]
pub struct Contract {
    /// Its language.
    pub dialect: Dialect,
    /// Messages or objects; the first is the event.
    pub objects: Vec<Object>,
    /// Enums.
    pub enums: Vec<Enum>,
    /// Unions, in JSON Schema.
    pub unions: Vec<Union>,
}

/// A message or object.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Its name.
    pub name: String,
    /// Its fields.
    pub fields: Vec<Field>,
    /// Are other properties refused?
    pub closed: bool,
    /// Numbers and names kept from use.
    pub reserved: Vec<(u32, String)>,
}

/// A field.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its name in JSON, where that is set.
    pub json: Option<String>,
    /// Its number.
    pub number: u32,
    /// Its type.
    pub ty: Ty,
    /// How many values.
    pub label: Label,
    /// The oneof it is in.
    pub oneof: Option<String>,
    /// Must it be there?
    pub required: bool,
    /// May it be null?
    pub nullable: bool,
    /// What is asked of it.
    pub rules: Rules,
}

/// How many values a field has.
#[derive(Debug, Clone, PartialEq)]
pub enum Label {
    /// One.
    One,
    /// One or none, told apart.
    Optional,
    /// A list.
    Many,
    /// A map with keys of this type.
    Map(&'static str),
}

/// A type.
#[derive(Debug, Clone, PartialEq)]
pub enum Ty {
    /// By the word of its language.
    Scalar(&'static str),
    /// An object, enum or union of the contract.
    Named(String),
}

/// What is asked of values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rules {
    /// The least length.
    pub min_length: Option<u64>,
    /// The most.
    pub max_length: Option<u64>,
    /// A regular expression.
    pub pattern: Option<&'static str>,
    /// The least number.
    pub minimum: Option<f64>,
    /// The most.
    pub maximum: Option<f64>,
    /// More than this.
    pub above: Option<f64>,
    /// Less than this.
    pub below: Option<f64>,
    /// No item twice.
    pub unique: bool,
    /// A format of text.
    pub format: Option<&'static str>,
    /// What is asked of each item.
    pub items: Option<Box<Rules>>,
}

/// An enum; the values of JSON Schema have numbers that nobody sees.
#[derive(Debug, Clone, PartialEq)]
pub struct Enum {
    /// Its name.
    pub name: String,
    /// Its values.
    pub values: Vec<(String, i32)>,
}

/// Objects told apart by the property `kind`, or another.
#[derive(Debug, Clone, PartialEq)]
pub struct Union {
    /// Its name.
    pub name: String,
    /// The property.
    pub tag: String,
    /// Its value, and the object.
    pub variants: Vec<(String, String)>,
}

impl Field {
    /// A field with nothing special to it.
    pub fn new(name: &str, number: u32, ty: Ty) -> Self {
        Self {
            name: name.to_owned(),
            json: None,
            number,
            ty,
            label: Label::One,
            oneof: None,
            required: false,
            nullable: false,
            rules: Rules::default(),
        }
    }

    /// Its name in JSON.
    pub fn json_name(&self) -> String {
        self.json.clone().unwrap_or_else(|| camel(&self.name))
    }
}

impl Contract {
    /// The object of that name.
    pub fn object(&self, name: &str) -> Option<&Object> {
        self.objects.iter().find(|object| object.name == name)
    }

    /// The enum of that name.
    pub fn find_enum(&self, name: &str) -> Option<&Enum> {
        self.enums.iter().find(|item| item.name == name)
    }

    /// The union of that name.
    pub fn union(&self, name: &str) -> Option<&Union> {
        self.unions.iter().find(|item| item.name == name)
    }

    /// The event.
    pub fn event(&self) -> &Object {
        &self.objects[0]
    }

    /// The name of its file.
    pub fn file(&self) -> &'static str {
        match self.dialect {
            Dialect::Protobuf => "contract.proto",
            Dialect::JsonSchema => "contract.schema.json",
        }
    }

    /// Its text, in a package.
    pub fn text(&self, package: &str) -> String {
        match self.dialect {
            Dialect::Protobuf => self.proto(package),
            Dialect::JsonSchema => self.schema(package).to_string(),
        }
    }

    fn proto(&self, package: &str) -> String {
        let mut text = format!("syntax = \"proto3\";\npackage {package};\nimport \"tegami/v1/options.proto\";\n");
        for (n, object) in self.objects.iter().enumerate() {
            let _ = writeln!(text, "message {} {{", object.name);
            if n == 0 {
                text.push_str("  option (tegami.v1.event) = {};\n");
            }
            for (number, name) in &object.reserved {
                let _ = writeln!(text, "  reserved {number}; reserved \"{name}\";");
            }
            let mut oneofs: Vec<&String> = object.fields.iter().filter_map(|field| field.oneof.as_ref()).collect();
            oneofs.sort();
            oneofs.dedup();
            for oneof in oneofs {
                let members = object.fields.iter().filter(|field| field.oneof.as_ref() == Some(oneof));
                let members: String = members.map(proto_field).collect();
                let _ = writeln!(text, "  oneof {oneof} {{\n{members}  }}");
            }
            object
                .fields
                .iter()
                .filter(|field| field.oneof.is_none())
                .for_each(|field| text.push_str(&proto_field(field)));
            text.push_str("}\n");
        }
        for item in &self.enums {
            let mut numbers: Vec<i32> = item.values.iter().map(|(_, number)| *number).collect();
            numbers.sort_unstable();
            let is_alias = numbers.windows(2).any(|pair| pair[0] == pair[1]);
            let alias = if is_alias { "  option allow_alias = true;\n" } else { "" };
            let values: String = item.values.iter().map(|(name, number)| format!("  {name} = {number};\n")).collect();
            let _ = writeln!(text, "enum {} {{\n{alias}{values}}}", item.name);
        }
        text
    }

    /// The text of a JSON Schema.
    pub fn schema(&self, package: &str) -> serde_json::Value {
        let mut root = self.schema_object(self.event());
        root["$id"] = format!("{package}.{}", self.event().name).into();
        root["x-tegami"] = serde_json::json!({ "event": {} });
        let objects = self.objects.iter().skip(1).map(|object| (object.name.clone(), self.schema_object(object)));
        let enums = self.enums.iter().map(|item| {
            let values: Vec<_> = item.values.iter().map(|(name, _)| name.clone()).collect();
            (item.name.clone(), serde_json::json!({ "enum": values }))
        });
        let unions = self.unions.iter().map(|item| {
            let branches = item.variants.iter().map(|(value, object)| {
                let mut branch = self.schema_object(self.object(object).expect("it is there"));
                branch["properties"][&item.tag] = serde_json::json!({ "const": value });
                branch["required"].as_array_mut().expect("it is a list").push(item.tag.clone().into());
                branch
            });
            (item.name.clone(), serde_json::json!({ "oneOf": branches.collect::<Vec<_>>() }))
        });
        // Objects of variants stand in their union.
        let inside: Vec<_> =
            self.unions.iter().flat_map(|union| union.variants.iter().map(|(_, object)| object)).collect();
        let objects = objects.filter(|(name, _)| !inside.contains(&name));
        root["$defs"] = objects.chain(enums).chain(unions).collect::<serde_json::Map<_, _>>().into();
        root
    }

    fn schema_object(&self, object: &Object) -> serde_json::Value {
        let properties = object.fields.iter().map(|field| (field.name.clone(), schema_field(field)));
        let required = object.fields.iter().filter(|field| field.required).map(|field| field.name.clone());
        let mut schema = serde_json::json!({
            "type": "object",
            "properties": properties.collect::<serde_json::Map<_, _>>(),
            "required": required.collect::<Vec<_>>(),
        });
        if object.closed {
            schema["additionalProperties"] = false.into();
        }
        schema
    }
}

fn proto_field(field: &Field) -> String {
    let ty = match &field.ty {
        Ty::Scalar(word) => (*word).to_owned(),
        Ty::Named(name) => name.clone(),
    };
    let declared = match &field.label {
        _ if field.oneof.is_some() => ty,
        Label::One => ty,
        Label::Optional => format!("optional {ty}"),
        Label::Many => format!("repeated {ty}"),
        Label::Map(key) => format!("map<{key}, {ty}>"),
    };
    let Rules { min_length, max_length, pattern, minimum, maximum, .. } = &field.rules;
    let rules = [
        field.required.then(|| "required: true".to_owned()),
        min_length.map(|bound| format!("min_length: {bound}")),
        max_length.map(|bound| format!("max_length: {bound}")),
        pattern.map(|pattern| format!("pattern: {pattern:?}")),
        minimum.map(|bound| format!("minimum: {bound}")),
        maximum.map(|bound| format!("maximum: {bound}")),
    ];
    let rules: Vec<_> = rules.into_iter().flatten().collect();
    let rules = (!rules.is_empty()).then(|| format!("(tegami.v1.field) = {{ {} }}", rules.join(", ")));
    let json = field.json.as_ref().map(|json| format!("json_name = {json:?}"));
    let options: Vec<_> = json.into_iter().chain(rules).collect();
    let options = if options.is_empty() { String::new() } else { format!(" [{}]", options.join(", ")) };
    format!("  {declared} {} = {}{options};\n", field.name, field.number)
}

fn schema_field(field: &Field) -> serde_json::Value {
    let one = |rules: &Rules| schema_type(&field.ty, rules, field.nullable && field.label == Label::One);
    let items = field.rules.items.as_deref().cloned().unwrap_or_default();
    match field.label {
        Label::Many => {
            let mut schema = serde_json::json!({ "type": "array", "items": one(&items) });
            put(&mut schema, &[("minItems", field.rules.min_length), ("maxItems", field.rules.max_length)]);
            if field.rules.unique {
                schema["uniqueItems"] = true.into();
            }
            schema
        }
        Label::Map(_) => {
            let mut schema = serde_json::json!({ "type": "object", "additionalProperties": one(&items) });
            put(&mut schema, &[("minProperties", field.rules.min_length), ("maxProperties", field.rules.max_length)]);
            schema
        }
        _ => one(&field.rules),
    }
}

fn schema_type(ty: &Ty, rules: &Rules, nullable: bool) -> serde_json::Value {
    let word = match ty {
        Ty::Named(name) => {
            let reference = serde_json::json!({ "$ref": format!("#/$defs/{name}") });
            return if nullable { serde_json::json!({ "oneOf": [reference, { "type": "null" }] }) } else { reference };
        }
        Ty::Scalar(word) => *word,
    };
    let (kind, format) = match word {
        "uuid" | "date-time" => ("string", Some(word)),
        word => (word, rules.format),
    };
    let mut schema = serde_json::json!({ "type": kind });
    if nullable {
        schema["type"] = serde_json::json!([kind, "null"]);
    }
    if let Some(format) = format {
        schema["format"] = format.into();
    }
    if let Some(pattern) = rules.pattern {
        schema["pattern"] = pattern.into();
    }
    put(&mut schema, &[("minLength", rules.min_length), ("maxLength", rules.max_length)]);
    let bounds = [
        ("minimum", rules.minimum),
        ("maximum", rules.maximum),
        ("exclusiveMinimum", rules.above),
        ("exclusiveMaximum", rules.below),
    ];
    for (name, bound) in bounds {
        if let Some(bound) = bound {
            schema[name] = if bound.fract() == 0.0 { (bound as i64).into() } else { bound.into() };
        }
    }
    schema
}

fn put(schema: &mut serde_json::Value, bounds: &[(&str, Option<u64>)]) {
    for (name, bound) in bounds {
        if let Some(bound) = bound {
            schema[*name] = (*bound).into();
        }
    }
}

/// The name that protobuf's JSON makes of a field's.
fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |name, part| {
        let mut letters = part.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        name + &first.into_iter().chain(letters).collect::<String>()
    })
}
