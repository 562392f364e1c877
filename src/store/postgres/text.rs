//! Texts as PostgreSQL has them: without the character NUL. Different texts stay different.

use std::borrow::Cow;

/// The text as a table has it.
pub(crate) fn written(text: &str) -> Cow<'_, str> {
    match text.contains(['\u{0}', '\u{1}']) {
        true => text.replace('\u{1}', "\u{1}1").replace('\u{0}', "\u{1}0").into(),
        false => text.into(),
    }
}

/// The text that is [`written`] so.
pub(crate) fn read(text: &str) -> String {
    text.replace("\u{1}0", "\u{0}").replace("\u{1}1", "\u{1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_as_they_were() {
        for text in ["", "o-1 é", "\u{0}", "\u{1}", "\u{1}0", "\u{1}1", "\u{0}0", "\u{1}\u{0}1", "a\u{0}\u{1}b"] {
            let there = written(text);
            assert!(!there.contains('\u{0}'), "{text:?}");
            assert_eq!(read(&there), text, "{there:?}");
        }
    }
}
