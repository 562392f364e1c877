//! Contracts from seeds: the same seed, the same contract.

use crate::contract::{Contract, Dialect, Enum, Field, Label, Object, Rules, Ty, Union};

/// Numbers from a seed.
pub struct Dice(u64);

impl Dice {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }

    /// A number below this one.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end.max(1)
    }

    /// One of them.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn one_in(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }
}

/// The scalars of protobuf.
pub const PROTO: [&str; 15] = [
    "int32", "sint32", "sfixed32", "int64", "sint64", "sfixed64", "uint32", "fixed32", "uint64", "fixed64", "bool",
    "float", "double", "string", "bytes",
];
/// The scalars of JSON Schema.
pub const SCHEMA: [&str; 6] = ["string", "integer", "number", "boolean", "uuid", "date-time"];
/// Patterns that samples match.
pub const PATTERNS: [&str; 4] = ["^[A-Z]+$", "^[a-z]*$", "^[0-9]", "^a"];

/// A contract of a seed.
pub fn contract(dialect: Dialect, seed: u64) -> Contract {
    let mut dice = Dice::new(seed + 1);
    let mut contract = Contract { dialect, objects: Vec::new(), enums: Vec::new(), unions: Vec::new() };
    let prefix = if dialect == Dialect::Protobuf { "SIZE_" } else { "" };
    let values = ["NONE", "SMALL", "MIDDLE", "LARGE"].iter().zip([0, 1, 2, 7]);
    let values = values.take(2 + dice.below(3)).map(|(name, number)| (format!("{prefix}{name}"), number)).collect();
    contract.enums.push(Enum { name: "Size".to_owned(), values });
    contract.objects.push(object("Happened", dialect, &["Size", "Line"], &mut dice));
    contract.objects.push(object("Line", dialect, &["Size", "Part"], &mut dice));
    contract.objects.push(object("Part", dialect, &["Size"], &mut dice));
    match dialect {
        Dialect::Protobuf => {
            let members = [Ty::Scalar("string"), Ty::Scalar("int64"), Ty::Named("Part".to_owned())];
            for (number, (name, ty)) in (40..).zip(["card", "account", "cash"].iter().zip(members)) {
                let field = Field { oneof: Some("payment".to_owned()), ..Field::new(name, number, ty) };
                contract.objects[0].fields.push(field);
            }
        }
        Dialect::JsonSchema => {
            for name in ["Card", "Cash"] {
                let mut variant = object(name, dialect, &["Size"], &mut dice);
                variant.fields.truncate(3);
                contract.objects.push(variant);
            }
            let variants = vec![("card".to_owned(), "Card".to_owned()), ("cash".to_owned(), "Cash".to_owned())];
            contract.unions.push(Union { name: "Payment".to_owned(), tag: "kind".to_owned(), variants });
            let payment =
                Field { required: dice.one_in(2), ..Field::new("payment", 40, Ty::Named("Payment".to_owned())) };
            contract.objects[0].fields.push(payment);
        }
    }
    contract
}

fn object(name: &str, dialect: Dialect, named: &[&str], dice: &mut Dice) -> Object {
    let scalars = if dialect == Dialect::Protobuf { &PROTO[..] } else { &SCHEMA[..] };
    let mut fields = Vec::new();
    let count = 5 + dice.below(4);
    for n in 0..count {
        let mut ty = Ty::Scalar(scalars[dice.below(scalars.len())]);
        if n < named.len() {
            ty = Ty::Named(named[n].to_owned());
        }
        let number = u32::try_from(n * 2 + 1).expect("few fields");
        let mut field = Field::new(&format!("{}_{n}", ["first", "other", "last"][n % 3]), number, ty);
        field.label = match dice.below(8) {
            0 | 1 => Label::Many,
            2 => Label::Map(map_key(dialect, dice)),
            3 | 4 if dialect == Dialect::Protobuf => Label::Optional,
            _ => Label::One,
        };
        field.rules = rules(&field, dialect, dice);
        let is_message = matches!(&field.ty, Ty::Named(name) if name != "Size");
        field.required = match dialect {
            Dialect::JsonSchema => dice.one_in(2),
            Dialect::Protobuf => can_be_required(&field) && !is_message && dice.one_in(5),
        };
        field.nullable =
            dialect == Dialect::JsonSchema && field.label == Label::One && ty_nullable(&field) && dice.one_in(5);
        fields.push(field);
    }
    Object {
        name: name.to_owned(),
        fields,
        closed: dialect == Dialect::JsonSchema && dice.one_in(3),
        reserved: Vec::new(),
    }
}

/// A bool that is always there has nothing to require.
pub fn can_be_required(field: &Field) -> bool {
    field.oneof.is_none() && !(field.ty == Ty::Scalar("bool") && field.label == Label::One)
}

/// Types that may be null.
pub fn ty_nullable(field: &Field) -> bool {
    matches!(&field.ty, Ty::Scalar(_))
}

/// A type for the keys of a map.
pub fn map_key(dialect: Dialect, dice: &mut Dice) -> &'static str {
    match dialect {
        Dialect::JsonSchema => "string",
        Dialect::Protobuf => dice.pick(&["string", "int32", "int64", "uint32", "sint64", "bool", "fixed32"]),
    }
}

/// Rules that fit a field.
pub fn rules(field: &Field, dialect: Dialect, dice: &mut Dice) -> Rules {
    match field.label {
        Label::Many | Label::Map(_) => {
            let mut rules = lengths(dice);
            if dialect == Dialect::JsonSchema {
                rules.unique = field.label == Label::Many && dice.one_in(3);
                let items = single(&field.ty, dialect, dice);
                rules.items = (items != Rules::default()).then(|| Box::new(items));
            }
            rules
        }
        _ => single(&field.ty, dialect, dice),
    }
}

fn lengths(dice: &mut Dice) -> Rules {
    let least = dice.one_in(3).then(|| dice.below(3) as u64);
    let most = dice.one_in(3).then(|| 3 + dice.below(4) as u64);
    Rules { min_length: least, max_length: most, ..Rules::default() }
}

fn single(ty: &Ty, dialect: Dialect, dice: &mut Dice) -> Rules {
    let Ty::Scalar(word) = ty else { return Rules::default() };
    match *word {
        "string" if dice.one_in(4) => Rules { pattern: Some(PATTERNS[dice.below(4)]), ..Rules::default() },
        "string" if dialect == Dialect::JsonSchema && dice.one_in(5) => {
            Rules { format: Some(["date", "email", "uri"][dice.below(3)]), ..Rules::default() }
        }
        "string" | "bytes" => lengths(dice),
        "bool" | "boolean" | "uuid" | "date-time" => Rules::default(),
        _ => {
            let exclusive = dialect == Dialect::JsonSchema && dice.one_in(2);
            let low = dice.one_in(3).then(|| dice.below(3) as f64);
            let high = dice.one_in(3).then(|| 10.0 + dice.below(100) as f64);
            match exclusive {
                true => Rules { above: low, below: high, ..Rules::default() },
                false => Rules { minimum: low, maximum: high, ..Rules::default() },
            }
        }
    }
}
