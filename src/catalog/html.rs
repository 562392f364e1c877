//! HTML in the making: the one place that writes markup's characters.

use std::fmt::{self, Display, Write};

/// A piece of HTML. Markup comes from this crate's source alone: whatever else goes in is escaped.
#[derive(Default)]
pub(crate) struct Html(String);

impl Html {
    /// Begins with this markup.
    pub(crate) fn of(markup: &'static str) -> Self {
        Self(markup.to_owned())
    }

    /// Markup.
    pub(crate) fn raw(mut self, markup: &'static str) -> Self {
        self.0 += markup;
        self
    }

    /// Text, or the value of an attribute between quotes.
    pub(crate) fn text(mut self, text: impl Display) -> Self {
        write!(Escape(&mut self.0), "{text}").expect("a string takes all");
        self
    }

    /// Text that people copy: a name, a topic. A long one is broken where its parts meet.
    pub(crate) fn code(self, text: impl Display) -> Self {
        let text = text.to_string();
        let parts = text.split_inclusive(['.', '/', ':', '_']);
        let html = parts.enumerate().fold(self.raw("<code>"), |html, (n, part)| match n > 0 && part.len() > 1 {
            true => html.raw("<wbr>").text(part),
            false => html.text(part),
        });
        html.raw("</code>")
    }

    /// A name as one segment of an address.
    pub(crate) fn segment(mut self, name: &str) -> Self {
        self.0 += &segment(name);
        self
    }

    /// A line that may be overlooked; none for no text.
    pub(crate) fn soft(text: &str) -> Self {
        match text.is_empty() {
            true => Self::default(),
            false => Self::of("<p class=\"soft\">").text(text).raw("</p>"),
        }
    }

    /// A link below `root` to what this name stands for.
    pub(crate) fn link(self, root: &'static str, name: &str) -> Self {
        self.link_to(root, name, name)
    }

    /// A link below `root` to what has this id.
    pub(crate) fn link_to(self, root: &'static str, id: &str, name: &str) -> Self {
        let html = self.raw("<a href=\"").raw(root).segment(id).raw("\">");
        html.code(name).raw("</a>")
    }

    /// Another piece.
    pub(crate) fn html(mut self, other: Html) -> Self {
        self.0 += &other.0;
        self
    }

    /// One piece after the other.
    pub(crate) fn each<T>(self, items: impl IntoIterator<Item = T>, piece: impl Fn(T) -> Html) -> Self {
        items.into_iter().fold(self, |html, item| html.html(piece(item)))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of it.
    pub(crate) fn finish(self) -> String {
        self.0
    }
}

/// Escapes what goes through it.
struct Escape<'a>(&'a mut String);

impl fmt::Write for Escape<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                '\n' | '\t' => self.0.push(c),
                // Also those that turn the direction of what follows.
                c if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
                    self.0.push('\u{fffd}');
                }
                c => self.0.push(c),
            }
        }
        Ok(())
    }
}

/// A name as one segment of a path.
fn segment(name: &str) -> String {
    let mut segment = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => segment.push(byte.into()),
            _ => write!(segment, "%{byte:02X}").expect("a string takes all"),
        }
    }
    segment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k3_nothing_that_goes_in_as_text_is_markup() {
        let attack = "<script>alert('a' & \"b\")</script>\u{202e}\u{0}\u{1b}";
        let shown = Html::of("<p>").text(attack).raw("</p>").0;
        let safe = "&lt;script&gt;alert(&#39;a&#39; &amp; &quot;b&quot;)&lt;/script&gt;\u{fffd}\u{fffd}\u{fffd}";
        assert_eq!(shown, format!("<p>{safe}</p>"));
        let link = Html::default().link("#event-", "../\"><b>?#%").0;
        assert_eq!(
            link,
            "<a href=\"#event-..%2F%22%3E%3Cb%3E%3F%23%25\"><code>../<wbr>&quot;&gt;&lt;b&gt;?#%</code></a>"
        );
    }
}
