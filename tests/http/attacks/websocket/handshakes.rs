//! Handshakes that are none: what is wrong is told, and no socket is opened.

use super::{Error, LONG, Running, beside, serve, timeout};
use crate::client::Client;

const INPUTS: usize = 30;
/// A good handshake; each of the tests has another line in it.
const GOOD: [(&str, &str); 6] = [
    ("", "GET /echo HTTP/1.1"),
    ("Host", "a"),
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
];

/// A handshake in which this line is something else; none, if that is empty.
fn but(line: &str, value: &str) -> String {
    let lines = GOOD.iter().map(|(name, usual)| (*name, if *name == line { value } else { *usual }));
    let lines = lines.filter(|(_, value)| !value.is_empty());
    let text = |(name, value): (&str, &str)| {
        if name.is_empty() { format!("{value}\r\n") } else { format!("{name}: {value}\r\n") }
    };
    lines.map(text).collect::<String>() + "\r\n"
}

/// A good handshake with more in its head, and after it.
fn with(more: &str) -> String {
    but("", GOOD[0].1).replacen("\r\n\r\n", &format!("\r\n{more}"), 1)
}

fn all() -> Vec<(&'static str, String, u16)> {
    let key = "Sec-WebSocket-Key";
    let version = "Sec-WebSocket-Version";
    vec![
        ("a good one", but("", GOOD[0].1), 101),
        ("another method", but("", "POST /echo HTTP/1.1"), 405),
        ("a method that changes", but("", "PUT /echo HTTP/1.1"), 405),
        ("a tunnel", but("", "CONNECT /echo HTTP/1.1"), 405),
        ("an old version", but("", "GET /echo HTTP/1.0"), 426),
        ("no connection", but("Connection", ""), 400),
        ("a connection that closes", but("Connection", "close"), 400),
        ("a connection that is kept", but("Connection", "keep-alive"), 400),
        ("no upgrade", but("Upgrade", ""), 400),
        ("another upgrade", but("Upgrade", "h2c"), 400),
        ("half an upgrade", but("Upgrade", "web"), 400),
        ("no key", but(key, ""), 400),
        ("a key that is too short", but(key, "dGhlIHNhbXBsZQ=="), 400),
        ("a key that is too long", but(key, "dGhlIHNhbXBsZSBub25jZSBub25jZQ=="), 400),
        ("a key that is none", but(key, "the sample nonce"), 400),
        ("a key without its end", but(key, "dGhlIHNhbXBsZSBub25jZQ"), 400),
        ("two keys", with("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"), 400),
        ("no version", but(version, ""), 400),
        ("a version before", but(version, "8"), 426),
        ("a version to come", but(version, "14"), 426),
        ("a version that is none", but(version, "thirteen"), 426),
        ("a list of versions", but(version, "13, 8"), 426),
        ("two versions", with("Sec-WebSocket-Version: 8\r\n\r\n"), 426),
        ("no host", but("Host", ""), 400),
        ("a body", with("Content-Length: 5\r\n\r\nhello"), 400),
        ("a body in chunks", with("Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400),
        ("a foreign origin", with("Origin: https://evil.example\r\n\r\n"), 403),
        ("two origins", with("Origin: http://a\r\nOrigin: https://evil.example\r\n\r\n"), 403),
        ("an extension that nobody knows", with("Sec-WebSocket-Extensions: x-what; ever\r\n\r\n"), 101),
        ("a protocol that nobody speaks", with("Sec-WebSocket-Protocol: \x7f, ,,x\r\n\r\n"), 400),
    ]
}

#[tokio::test]
async fn w6_each_mistake_of_a_handshake_is_told_and_opens_nothing() -> Result<(), Error> {
    let service: Running = serve(|http| http).await?;
    let (all, mut wrong) = (all(), Vec::new());
    for (what, handshake, expected) in &all {
        let attack = async {
            let mut client = Client::connect(&service).await;
            client.head(handshake).await
        };
        let status = beside(&service, timeout(LONG, attack)).await;
        if status != Ok(*expected) {
            wrong.push(format!("{what}: {status:?} and not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(all.len(), INPUTS, "the corpus only grows");
    Ok(())
}
