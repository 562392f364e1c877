//! Comments of a contract as rustdoc.

use syn::{Attribute, parse_quote};

/// One attribute a line. What rustdoc would take for a link, a tag or Rust to be tested is made plain.
pub(crate) fn docs(text: &str) -> Vec<Attribute> {
    let mut in_code = false;
    let mut attributes = Vec::new();
    for line in text.trim().lines() {
        let line = line.strip_prefix(' ').unwrap_or(line).trim_end();
        let line = if line.trim_start().starts_with("```") {
            in_code = !in_code;
            // A block of code that names no language would be compiled by `cargo test`.
            if in_code { "```text".to_owned() } else { "```".to_owned() }
        } else if in_code {
            line.to_owned()
        } else {
            plain(line)
        };
        let line = if line.is_empty() { line } else { format!(" {line}") };
        attributes.push(parse_quote!(#[doc = #line]));
    }
    attributes
}

fn plain(line: &str) -> String {
    let indent = line.len() - line.trim_start().len();
    // Four spaces begin a block of code too.
    let line = if indent > 3 { line.trim_start() } else { line };
    let words = line.split(' ').map(|word| match word {
        _ if word.starts_with("http://") || word.starts_with("https://") => {
            let address = word.trim_end_matches(['.', ',', ';', ':', ')']);
            format!("<{address}>{}", &word[address.len()..])
        }
        _ => word.replace('[', "\\[").replace(']', "\\]").replace('<', "\\<"),
    });
    words.collect::<Vec<_>>().join(" ")
}
