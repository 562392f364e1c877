//! Text from elsewhere, as a terminal may show it.

use std::fmt;

/// Text without what would steer a terminal or turn the line round.
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&tegami_codegen::clean(self.0))
    }
}

/// The same data, in which texts have such characters as escapes (RFC 8259, 7).
pub(crate) fn json(text: &str) -> String {
    let steers = |c: char| c != '\n' && tegami_codegen::clean(c.encode_utf8(&mut [0; 4])) != c.to_string();
    let mut units = [0; 2];
    let mut escaped = |c: char| c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect();
    text.chars().map(|c| if steers(c) { escaped(c) } else { c.to_string() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_the_terminal() {
        let text = Shown("é \u{1b}[31mred\u{9b}1m\n\u{202e}back\u{feff}").to_string();
        assert_eq!(json("{\n\"é\u{9b}\": \"\u{202e}\"}"), "{\n\"é\\u009b\": \"\\u202e\"}");
        assert_eq!(text, "é \\u{1b}[31mred\\u{9b}1m\\u{a}\\u{202e}back\\u{feff}");
    }
}
