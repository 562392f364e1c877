//! JSON text into [`Node`]s: strictly, within limits, no key twice.
//!
//! `serde_json` decides what is JSON and how deep it may nest; `jsonc_parser` reads the same text again for
//! the positions.

use jsonc_parser::{
    ast::{self, Value as Ast},
    common::{Range, Ranged},
};

use super::node::{Member, Node, Value, pointer};
use crate::model::{Location, Mistakes};

/// The most values one file may hold.
const MAX_NODES: usize = 10_000;

/// Reads one file; `None` after a mistake that leaves nothing to look at.
pub(crate) fn read(file: &str, text: &str, mistakes: &mut Mistakes) -> Option<(Node, serde_json::Value)> {
    let whole = Location { file: file.to_owned(), line: 1, column: 1 };
    let (node, json, nodes) = parse(file, text, mistakes)?;
    if nodes > MAX_NODES {
        let reason = format!("the file has {nodes} values; at most {MAX_NODES} are read");
        mistakes.add(&whole, reason, "split it into several files");
        return None;
    }
    Some((node, json))
}

/// The same of any length; with it how many values there are.
pub(crate) fn parse(file: &str, text: &str, mistakes: &mut Mistakes) -> Option<(Node, serde_json::Value, usize)> {
    let whole = Location { file: file.to_owned(), line: 1, column: 1 };
    let json = match serde_json::from_str::<serde_json::Value>(text) {
        Ok(json) => json,
        Err(error) => {
            let at = Location { line: error.line() as u32, column: error.column() as u32, ..whole };
            mistakes.add(
                &at,
                format!("not JSON: {}", reason(&error)),
                "it must be plain JSON, nested 127 deep at most",
            );
            return None;
        }
    };
    // What `serde_json` took as JSON has one value, and no error for a reader that allows more.
    let ast = jsonc_parser::parse_to_ast(text, &Default::default(), &Default::default()).ok()?.value?;
    let mut reader = Reader { file, lines: Lines::of(text), nodes: 0, mistakes };
    let node = reader.node(&ast, String::new());
    Some((node, json, reader.nodes))
}

/// The error's text without its position, which is told beside it.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

struct Reader<'a> {
    file: &'a str,
    lines: Lines<'a>,
    nodes: usize,
    mistakes: &'a mut Mistakes,
}

impl Reader<'_> {
    fn node(&mut self, ast: &Ast<'_>, path: String) -> Node {
        self.nodes += 1;
        let value = match ast {
            Ast::NullKeyword(_) => Value::Null,
            Ast::BooleanLit(truth) => Value::Bool(truth.value),
            Ast::NumberLit(number) => Value::Number(number.value.to_owned()),
            Ast::StringLit(text) => Value::Text(text.value.to_string()),
            Ast::Array(list) => {
                let items = list.elements.iter().enumerate();
                Value::List(items.map(|(n, item)| self.node(item, pointer(&path, &n.to_string()))).collect())
            }
            Ast::Object(object) => Value::Object(self.members(object, &path)),
        };
        Node { at: self.location(ast.range()), pointer: path, value }
    }

    fn members(&mut self, object: &ast::Object<'_>, path: &str) -> Vec<Member> {
        let mut members: Vec<Member> = Vec::new();
        for property in &object.properties {
            let name = property.name.as_str();
            let at = self.location(property.name.range());
            if members.iter().any(|member| member.name == name) {
                self.mistakes.add(&at, format!("`{}` is there twice", pointer(path, name)), "keep one of the two");
                continue;
            }
            let value = self.node(&property.value, pointer(path, name));
            members.push(Member { name: name.to_owned(), at, value });
        }
        members
    }

    fn location(&self, range: Range) -> Location {
        let (line, column) = self.lines.place(range.start);
        Location { file: self.file.to_owned(), line, column }
    }
}

/// Where the lines of a text begin.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let ends = text.match_indices('\n').map(|(end, _)| end + 1);
        Self { text, starts: std::iter::once(0).chain(ends).collect() }
    }

    /// Line and column, in characters from 1, of a byte.
    fn place(&self, byte: usize) -> (u32, u32) {
        let line = self.starts.partition_point(|start| *start <= byte);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let column = self.text.get(start..byte).map_or(0, |before| before.chars().count());
        (line as u32, column as u32 + 1)
    }
}
