//! Heads that are no request's: pseudo-headers, names, values, and headers of one connection.

use super::{
    Attack,
    End::{Answer, Connection, Stream},
    PROTOCOL, attack,
};
use crate::frames::{HEADERS, REQUEST, frame};

/// A head of these headers, each of them spelled out.
fn head(headers: &[(&str, &str)]) -> Vec<u8> {
    let spelled = headers.iter().flat_map(|(name, value)| {
        [&[0, name.len() as u8], name.as_bytes(), &[value.len() as u8], value.as_bytes()].concat()
    });
    frame(HEADERS, 0x5, 1, &spelled.collect::<Vec<_>>())
}

/// A good head, in which this pseudo-header is something else.
fn but(name: &str, value: &str) -> Vec<u8> {
    let good = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a")];
    head(&good.map(|(known, usual)| (known, if known == name { value } else { usual })))
}

/// A good head, without this pseudo-header.
fn without(name: &str) -> Vec<u8> {
    let good = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a")];
    head(&good.into_iter().filter(|(known, _)| *known != name).collect::<Vec<_>>())
}

/// A good head, with this header after it.
fn with(name: &str, value: &str) -> Vec<u8> {
    let header = [&[0, name.len() as u8], name.as_bytes(), &[value.len() as u8], value.as_bytes()].concat();
    frame(HEADERS, 0x5, 1, &[REQUEST, &header].concat())
}

pub fn all() -> impl Iterator<Item = Attack> {
    pseudo().into_iter().chain(values()).chain(names()).chain(connections())
}

fn pseudo() -> Vec<Attack> {
    let late = head(&[(":method", "GET"), (":scheme", "http"), ("x", "y"), (":path", "/"), (":authority", "a")]);
    vec![
        attack("no method", without(":method"), Stream(PROTOCOL)),
        attack("no scheme", without(":scheme"), Stream(PROTOCOL)),
        attack("no path", without(":path"), Stream(PROTOCOL)),
        attack("two methods", with(":method", "POST"), Stream(PROTOCOL)),
        attack("two schemes", with(":scheme", "https"), Stream(PROTOCOL)),
        attack("two paths", with(":path", "/much"), Stream(PROTOCOL)),
        attack("two authorities", with(":authority", "b"), Stream(PROTOCOL)),
        attack("an answer's status", with(":status", "200"), Stream(PROTOCOL)),
        attack("a pseudo-header that is none", with(":what", "ever"), Connection(PROTOCOL)),
        attack("a pseudo-header without a name", with(":", "y"), Connection(PROTOCOL)),
        attack("a pseudo-header in capitals", with(":Path", "/"), Connection(PROTOCOL)),
        attack("a path after a header", late, Stream(PROTOCOL)),
        attack("a protocol that was not agreed", with(":protocol", "websocket"), Stream(PROTOCOL)),
    ]
}

fn values() -> Vec<Attack> {
    let connect = |more: &[(&str, &str)]| head(&[&[(":method", "CONNECT"), (":authority", "a:1")], more].concat());
    vec![
        attack("an empty method", but(":method", ""), Connection(PROTOCOL)),
        attack("a method of two words", but(":method", "GET /"), Connection(PROTOCOL)),
        attack("a method with a line's end", but(":method", "GET\r\n"), Connection(PROTOCOL)),
        attack("an empty scheme", but(":scheme", ""), Answer(200)),
        attack("a scheme that is none", but(":scheme", "a b"), Stream(PROTOCOL)),
        attack("an empty path", but(":path", ""), Stream(PROTOCOL)),
        attack("a path without its slash", but(":path", "much"), Stream(PROTOCOL)),
        attack("a path with a space", but(":path", "/a b"), Stream(PROTOCOL)),
        attack("a path with a line's end", but(":path", "/\r\nx: y"), Stream(PROTOCOL)),
        attack("a path with a zero", but(":path", "/\0"), Stream(PROTOCOL)),
        attack("an empty authority", but(":authority", ""), Stream(PROTOCOL)),
        attack("an authority with a name and a password", but(":authority", "user:tiger@a"), Answer(400)),
        attack("an authority with a line's end", but(":authority", "a\r\nx: y"), Stream(PROTOCOL)),
        attack("an authority with a path", but(":authority", "a/much"), Stream(PROTOCOL)),
        attack("another host than the authority", with("host", "b"), Answer(400)),
        attack(
            "two other hosts",
            head(&[(":method", "GET"), (":scheme", "http"), (":path", "/"), ("host", "a"), ("host", "b")]),
            Answer(400),
        ),
        attack("a tunnel", connect(&[]), Answer(404)),
        attack("a tunnel with a path", connect(&[(":scheme", "http"), (":path", "/")]), Stream(PROTOCOL)),
        attack("a tunnel to nowhere", head(&[(":method", "CONNECT")]), Answer(400)),
    ]
}

fn names() -> Vec<Attack> {
    let refused = [
        ("capitals", "X-Upper", "y"),
        ("a name that is empty", "", "y"),
        ("a name with a space", "x y", "y"),
        ("a name with a colon", "x:y", "y"),
        ("a name with a line's end", "x\r\ny", "y"),
        ("a name with a zero", "x\0", "y"),
        ("a name beyond ASCII", "\u{e9}", "y"),
        ("a value with a line's end", "x", "y\r\nset-cookie: z"),
        ("a value with a bare line feed", "x", "y\nz"),
        ("a value with a return", "x", "y\rz"),
        ("a value with a zero", "x", "y\0z"),
    ];
    refused.into_iter().map(|(what, name, value)| attack(what, with(name, value), Connection(PROTOCOL))).collect()
}

/// RFC 9113, 8.2.2.
fn connections() -> Vec<Attack> {
    let refused = [
        ("a connection's header", "connection", "close"),
        ("a connection's age", "keep-alive", "timeout=5"),
        ("a proxy's connection", "proxy-connection", "close"),
        ("an encoding of a transfer", "transfer-encoding", "chunked"),
        ("an upgrade", "upgrade", "h2c"),
        ("an encoding of trailers", "te", "gzip"),
    ];
    let refused = refused.into_iter().map(|(what, name, value)| attack(what, with(name, value), Stream(PROTOCOL)));
    refused.chain([attack("trailers that are welcome", with("te", "trailers"), Answer(200))]).collect()
}
