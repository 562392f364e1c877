//! WebSockets: each mistake of a client has its code, and is nobody else's.

mod floods;
mod frames;
mod handshakes;

use tegami::{
    Error,
    http::{
        HttpOptions,
        axum::{
            Router,
            routing::{MethodRouter, any, get as on_get},
        },
    },
    service::Running,
};
use tokio::time::timeout;

use super::beside;
use crate::{
    LONG,
    sockets::{BINARY, CLOSE, TEXT, echo, frame, next, open},
};
pub use floods::endless;

const INPUTS: usize = 91;

/// What becomes of an attack.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum End {
    /// It is closed with this code.
    Closed(u16),
    /// It is closed without one.
    Gone,
    /// It is a message like others, and is echoed.
    Echo(&'static str),
}

/// What is sent on a socket of its own, and what becomes of it.
pub struct Attack {
    what: String,
    pub bytes: Vec<u8>,
    end: End,
}

pub fn attack(what: impl Into<String>, bytes: impl AsRef<[u8]>, end: End) -> Attack {
    Attack { what: what.into(), bytes: bytes.as_ref().to_vec(), end }
}

/// The route that echoes.
pub fn route() -> MethodRouter {
    any(echo)
}

async fn serve(choose: impl FnOnce(HttpOptions) -> HttpOptions + Send + 'static) -> Result<Running, Error> {
    crate::serve(Router::new().route("/echo", route()).route("/", on_get(async || "hello")), choose).await
}

pub fn all() -> Vec<Attack> {
    frames::all().collect()
}

/// What becomes of this.
async fn end_of(service: &Running, attack: &Attack) -> Result<End, Vec<u8>> {
    let mut client = open(service, "/echo").await;
    client.send(&attack.bytes).await;
    loop {
        let Some((kind, payload)) = next(&mut client).await else { return Ok(End::Gone) };
        match (kind, attack.end) {
            (CLOSE, _) if payload.is_empty() => return Ok(End::Gone),
            (CLOSE, _) => return Ok(End::Closed(u16::from_be_bytes([payload[0], payload[1]]))),
            (TEXT | BINARY, End::Echo(text)) if payload == text.as_bytes() => return Ok(attack.end),
            (TEXT | BINARY, End::Echo(_)) => return Err(payload),
            // What came before the mistake is answered, or is not.
            _ => {}
        }
    }
}

#[tokio::test]
async fn w6_each_mistake_of_a_websocket_has_its_code_and_is_nobody_elses() -> Result<(), Error> {
    let service = serve(|http| http).await?;
    let (attacks, mut wrong) = (all(), Vec::new());
    let mut good = open(&service, "/echo").await;
    for attack in &attacks {
        let end = beside(&service, timeout(LONG, end_of(&service, attack))).await;
        if end != Ok(Ok(attack.end)) {
            wrong.push(format!("{}: {end:?} and not {:?}", attack.what, attack.end));
        }
        good.send(frame(TEXT, b"hello")).await;
        assert_eq!(next(&mut good).await, Some((TEXT, b"hello".to_vec())), "{}: a good client is served", attack.what);
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(attacks.len(), INPUTS, "the corpus only grows");
    Ok(())
}
