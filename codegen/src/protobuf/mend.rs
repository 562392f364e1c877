//! Past a mistake: a file in which one thing is wrong is compiled again without it, to find the rest.
//!
//! What is wrong is overwritten in a copy, byte for byte, so that every other place stays where it is. Nothing is ever
//! generated from such a copy.

use std::collections::{BTreeMap, BTreeSet};

use miette::Diagnostic;
use protox::file::File;

/// Types that can stand in for one that is not defined, the longest first.
const STAND_INS: [&str; 3] = ["string", "int32", "bool"];

/// Overwrites what the error and those that came with it complain of; `false` when nothing could be.
pub(super) fn past(error: &protox::Error, opened: &str, texts: &mut BTreeMap<String, String>) -> bool {
    let name = error.file().unwrap_or(opened);
    let Some(text) = texts.get_mut(name).filter(|text| File::from_source(name, text).is_ok()) else { return false };
    let related = error.related().into_iter().flatten();
    let (mut changed, mut seen) = (false, BTreeSet::new());
    for error in std::iter::once(error as &dyn Diagnostic).chain(related) {
        let Some(label) = error.labels().into_iter().flatten().last() else { continue };
        let span = (label.offset(), label.offset() + label.len());
        if !seen.insert(span) {
            continue;
        }
        let undefined = error.to_string().ends_with("is not defined");
        let gentle = if undefined { stand_in(text, span) } else { empty_value(text, span) };
        let without = gentle.filter(|copy| copy != text).or_else(|| blank_statement(text, span));
        // A copy that has lost its shape would only be told of the loss.
        if let Some(without) = without.filter(|copy| copy != text && File::from_source(name, copy).is_ok()) {
            *text = without;
            changed = true;
        }
    }
    changed
}

/// Is this the loss of what was overwritten, and no mistake of the file's?
pub(super) fn is_loss(reason: &str) -> bool {
    reason.contains("must have at least one")
}

/// Puts a known type in place of the name.
fn stand_in(text: &str, (start, end): (usize, usize)) -> Option<String> {
    let room = text.get(start..end)?.len();
    let known = STAND_INS.iter().find(|known| known.len() <= room)?;
    Some(format!("{}{known:room$}{}", &text[..start], &text[end..]))
}

/// Empties the `{…}` that an option is set to.
fn empty_value(text: &str, (start, end): (usize, usize)) -> Option<String> {
    let to = statement_end(text, end)?;
    let open = start + text.get(start..to)?.find('{')? + 1;
    let close = open + text[open..to].rfind('}')?;
    Some(blank(text, open, close))
}

/// Blanks the statement around the place: from behind the one before to its `;`.
fn blank_statement(text: &str, (start, end): (usize, usize)) -> Option<String> {
    let from = text.get(..start)?.rfind([';', '{', '}']).map_or(0, |place| place + 1);
    Some(blank(text, from, statement_end(text, end)?))
}

/// Where the `;` of the statement is; the place may reach up to it and over it.
fn statement_end(text: &str, end: usize) -> Option<usize> {
    let from = if text.get(..end)?.ends_with(';') { end - 1 } else { end };
    let mut depth = 0_i32;
    let length = text.get(from..)?.find(|c| {
        depth += match c {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        depth < 0 || (depth == 0 && c == ';')
    })?;
    Some(from + length)
}

fn blank(text: &str, from: usize, to: usize) -> String {
    let blank: String = text[from..to].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
    format!("{}{blank}{}", &text[..from], &text[to..])
}
