//! HTML in the making: the one place that writes markup's characters, and the frame around every page.

use std::fmt::{self, Display, Write};

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

/// How every page looks.
pub(super) const STYLE: &str = include_str!("style.css");

/// A piece of HTML. Markup comes from this crate's source alone: whatever else goes in is escaped.
#[derive(Default)]
pub(super) struct Html(String);

impl Html {
    /// Begins with this markup.
    pub(super) fn of(markup: &'static str) -> Self {
        Self(markup.to_owned())
    }

    /// Markup.
    pub(super) fn raw(mut self, markup: &'static str) -> Self {
        self.0 += markup;
        self
    }

    /// Text, or the value of an attribute between quotes.
    pub(super) fn text(mut self, text: impl Display) -> Self {
        write!(Escape(&mut self.0), "{text}").expect("a string takes all");
        self
    }

    /// An element with a text in it.
    pub(super) fn element(self, name: &'static str, text: impl Display) -> Self {
        self.raw("<").raw(name).raw(">").text(text).raw("</").raw(name).raw(">")
    }

    /// Text that people copy: a name, a topic. A long one is broken where its parts meet.
    pub(super) fn code(self, text: impl Display) -> Self {
        let text = text.to_string();
        let parts = text.split_inclusive(['.', '/', ':', '_']);
        let html = parts.enumerate().fold(self.raw("<code>"), |html, (n, part)| match n > 0 && part.len() > 1 {
            true => html.raw("<wbr>").text(part),
            false => html.text(part),
        });
        html.raw("</code>")
    }

    /// A link below `root` to what this name stands for.
    pub(super) fn link(self, root: &'static str, name: &str) -> Self {
        let html = self.raw("<a href=\"").raw(root).text(segment(name)).raw("\">");
        html.code(name).raw("</a>")
    }

    /// Another piece.
    pub(super) fn html(mut self, other: Html) -> Self {
        self.0 += &other.0;
        self
    }

    /// One piece after the other.
    pub(super) fn each<T>(self, items: impl IntoIterator<Item = T>, piece: impl Fn(T) -> Html) -> Self {
        items.into_iter().fold(self, |html, item| html.html(piece(item)))
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

/// A page of the service, with its way to the others.
pub(super) fn page(service: &str, title: &str, body: Html) -> Response {
    let html = Html::of("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        .raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
        .raw("<meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n<title>")
        .text(format_args!("{title} · {service}"))
        .raw("</title>\n<style>")
        .raw(STYLE)
        .raw("</style>\n</head>\n<body>\n<nav><a class=\"home\" href=\"/\">")
        .text(service)
        .raw("</a> <a href=\"/topology\">Topology</a> <a href=\"/contracts\">Contracts</a></nav>\n<main>\n")
        .html(body)
        .raw("\n</main>\n<footer>tegami ")
        .raw(env!("CARGO_PKG_VERSION"))
        .raw("</footer>\n</body>\n</html>\n");
    (StatusCode::OK, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html.0).into_response()
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
        let link = Html::default().link("/contracts/", "../\"><b>?#%").0;
        assert_eq!(
            link,
            "<a href=\"/contracts/..%2F%22%3E%3Cb%3E%3F%23%25\"><code>../<wbr>&quot;&gt;&lt;b&gt;?#%</code></a>"
        );
    }
}
