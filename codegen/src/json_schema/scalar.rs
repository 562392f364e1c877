//! Strings, numbers and the rules on them.

use super::{
    node::Node,
    reader::Reader,
    shape::{Kind, Shape},
};
use crate::model::{EXACT, Format, Rules, Scalar, Type};

impl Reader<'_> {
    pub(crate) fn text(&mut self, node: &Node) -> Option<Shape> {
        let ty = match node.get("format").and_then(Node::text) {
            Some("date-time") => Type::WellKnown("Timestamp"),
            Some("uuid") => Type::Scalar(Scalar::Uuid),
            _ => Type::Scalar(Scalar::Text),
        };
        if ty != Type::Scalar(Scalar::Text) {
            self.allow(node, &["type", "format"]);
            return Some(Shape::plain(ty));
        }
        self.allow(node, &["type", "format", "minLength", "maxLength", "pattern"]);
        let mut rules = Rules { format: self.format(node), pattern: self.pattern(node), ..Rules::default() };
        self.lengths(node, ["minLength", "maxLength"], &mut rules);
        Some(Shape { rules, ..Shape::plain(ty) })
    }

    fn format(&mut self, node: &Node) -> Option<Format> {
        let format = node.get("format")?;
        let known = match format.text() {
            Some("date") => Some(Format::Date),
            Some("email") => Some(Format::Email),
            Some("uri") => Some(Format::Uri),
            _ => None,
        };
        if known.is_none() {
            self.refuse(format, "this `format` is not supported", "known: date-time, date, uuid, email, uri");
        }
        known
    }

    fn pattern(&mut self, node: &Node) -> Option<String> {
        let pattern = node.get("pattern")?;
        let Some(text) = pattern.text() else {
            self.refuse(pattern, "`pattern` is a string", "write a regular expression in quotes");
            return None;
        };
        if let Err(error) = regex_lite::Regex::new(text) {
            let hint = "look-around, back-references and \\p{…} are not known";
            self.refuse(pattern, &format!("`pattern` is not a regular expression: {error}"), hint);
            return None;
        }
        Some(text.to_owned())
    }

    pub(crate) fn number(&mut self, node: &Node, kind: Kind) -> Option<Shape> {
        self.allow(node, &["type", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]);
        let whole = kind == Kind::Integer;
        let mut rules = Rules {
            minimum: self.bound(node, "minimum", whole),
            maximum: self.bound(node, "maximum", whole),
            above: self.bound(node, "exclusiveMinimum", whole),
            below: self.bound(node, "exclusiveMaximum", whole),
            ..Rules::default()
        };
        let low = rules.minimum.into_iter().chain(rules.above).reduce(f64::max);
        let high = rules.maximum.into_iter().chain(rules.below).reduce(f64::min);
        let (open, met) = (rules.above.is_some() || rules.below.is_some(), low.zip(high));
        if met.is_some_and(|(low, high)| low > high || (open && low == high)) {
            self.refuse(node, "no number meets these bounds", "the lower bound must be below the upper one");
            rules = Rules::default();
        }
        let scalar = if whole { Scalar::Int64 } else { Scalar::Double };
        Some(Shape { rules, ..Shape::plain(Type::Scalar(scalar)) })
    }

    fn bound(&mut self, node: &Node, name: &str, whole: bool) -> Option<f64> {
        let bound = node.get(name)?;
        let number = bound.number();
        if whole && number.is_some_and(|number| number.fract() != 0.0 || number.abs() >= EXACT) {
            self.refuse(
                bound,
                &format!("`{name}` of an integer is a whole number below 2^53"),
                "leave the bound out to allow every 64-bit number",
            );
            return None;
        }
        if number.is_none() {
            self.refuse(bound, &format!("`{name}` is a number, not {}", bound.kind()), "write it without quotes");
        }
        number
    }

    /// Reads the smallest and the largest length, by the names they have here.
    pub(crate) fn lengths(&mut self, node: &Node, [least, most]: [&str; 2], rules: &mut Rules) {
        rules.min_length = self.length(node, least);
        rules.max_length = self.length(node, most);
        if rules.min_length.zip(rules.max_length).is_some_and(|(least, most)| least > most) {
            self.refuse(node, &format!("`{least}` is above `{most}`"), "no value could meet both");
            rules.max_length = None;
        }
    }

    fn length(&mut self, node: &Node, name: &str) -> Option<u64> {
        let length = node.get(name)?;
        match length.number() {
            Some(number) if (0.0..=EXACT).contains(&number) && number.fract() == 0.0 => Some(number as u64),
            _ => {
                self.refuse(
                    length,
                    &format!("`{name}` is a whole number, 0 or more"),
                    "write a number without sign and fraction",
                );
                None
            }
        }
    }

    pub(crate) fn flag(&mut self, node: &Node, name: &str) -> bool {
        let Some(flag) = node.get(name) else { return false };
        flag.bool().unwrap_or_else(|| {
            self.refuse(
                flag,
                &format!("`{name}` is true or false, not {}", flag.kind()),
                "write `true` or `false`, without quotes",
            );
            false
        })
    }
}
