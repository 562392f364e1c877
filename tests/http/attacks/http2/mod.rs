//! HTTP/2: each mistake of a client has one end, and where the standard lets the connection go on, it does.

mod bodies;
mod floods;
mod frames;
mod heads;
mod hpack;

use futures_util::{StreamExt, stream};
use tegami::{
    Error,
    http::axum::{
        Router,
        body::{Body, Bytes},
        routing::{get as on_get, post as on_post},
    },
    service::Running,
};
use tokio::time::timeout;

use super::beside;
use crate::{
    LONG,
    client::{Client, get},
    frames::{DATA, GOAWAY, HEADERS, RESET, next, opening, request},
    serve,
};
pub use floods::{bombs, endless};

pub const PRIORITY: u8 = 2;
pub const PUSH: u8 = 5;
pub const ROOM: u8 = 8;
pub const CONTINUATION: u8 = 9;
// RFC 9113, 7.
pub const PROTOCOL: u32 = 1;
pub const FLOW: u32 = 3;
pub const CLOSED: u32 = 5;
pub const SIZE: u32 = 6;
pub const CALM: u32 = 11;

const INPUTS: usize = 176;
/// Where a client asks that has attacked, once its attack is over.
const PROBE: u32 = 9_999;

/// What becomes of an attack.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum End {
    /// The connection ends with this code.
    Connection(u32),
    /// The connection ends without a word, for no HTTP/2 is spoken on it.
    Silence,
    /// Its stream ends with this code, and the connection goes on.
    Stream(u32),
    /// It is answered with this status, and the connection goes on.
    Answer(u16),
    /// Nothing comes of it, and the connection goes on.
    Nothing,
}

/// What is sent on a connection of its own, and what becomes of it.
pub struct Attack {
    pub what: &'static str,
    pub bytes: Vec<u8>,
    pub end: End,
}

/// One that begins as a client should.
pub fn attack(what: &'static str, bytes: impl AsRef<[u8]>, end: End) -> Attack {
    Attack { what, bytes: [&opening(), bytes.as_ref()].concat(), end }
}

pub fn router() -> Router {
    let parts = || stream::repeat(Bytes::from_static(&[0; 1 << 14])).take(1 << 10).map(Ok::<_, std::io::Error>);
    Router::new()
        .route("/", on_get(async || "hello").merge(on_post(async |body: Bytes| body.len().to_string())))
        .route("/much", on_get(async move || Body::from_stream(parts())))
        .route("/hold", on_post(async |_: Body| std::future::pending::<()>().await))
}

pub fn all() -> Vec<Attack> {
    frames::all().chain(bodies::all()).chain(hpack::all()).chain(heads::all()).collect()
}

/// What becomes of this.
async fn end_of(service: &Running, attack: &Attack) -> End {
    let mut client = Client::connect(service).await;
    client.send(&attack.bytes).await;
    let goes_on = !matches!(attack.end, End::Connection(_) | End::Silence);
    if goes_on {
        client.send(request(PROBE)).await;
    }
    let (mut end, mut probed) = (End::Nothing, false);
    while !probed {
        let Some((kind, stream, payload)) = next(&mut client).await else { break };
        match kind {
            GOAWAY => end = End::Connection(code(&payload[4..])),
            // 0 is no mistake: the answer went out before the body came in.
            RESET if code(&payload) > 0 => end = End::Stream(code(&payload)),
            HEADERS if stream != PROBE => end = End::Answer(status(&payload)),
            DATA => probed = goes_on && stream == PROBE,
            _ => {}
        }
    }
    match end {
        // It closed, and said nothing.
        End::Nothing if !probed => End::Silence,
        // It closed after that.
        End::Stream(_) | End::Answer(_) if !probed => End::Silence,
        end => end,
    }
}

fn code(bytes: &[u8]) -> u32 {
    bytes[..4].try_into().map(u32::from_be_bytes).expect("four bytes")
}

/// The first of a connection's answers: its status stands first, from HPACK's table or as three digits in Huffman's code.
fn status(head: &[u8]) -> u16 {
    // An update of the table's size may come before it.
    let head = if head[0] & 0xe0 == 0x20 { &head[1..] } else { head };
    match head {
        [indexed @ 0x88..=0x8e, ..] => [200, 204, 206, 304, 400, 404, 500][usize::from(indexed - 0x88)],
        [_, length, rest @ ..] if length & 0x80 == 0 => {
            rest[..3].iter().fold(0, |sum, digit| 10 * sum + u16::from(digit - b'0'))
        }
        [_, length, rest @ ..] => digits(&rest[..usize::from(length & 0x7f)]),
        _ => panic!("no status: {head:?}"),
    }
}

/// RFC 7541, B: 0, 1 and 2 are five bits, the other digits six.
fn digits(coded: &[u8]) -> u16 {
    let bits: Vec<u16> =
        coded.iter().flat_map(|byte| (0..8).rev().map(move |bit| u16::from(byte >> bit & 1))).collect();
    let (mut at, mut number) = (0, 0);
    for _ in 0..3 {
        let take = |count: usize| bits[at..at + count].iter().fold(0, |sum, bit| 2 * sum + bit);
        let (length, digit) = if take(5) < 3 { (5, take(5)) } else { (6, take(6) - 0x19 + 3) };
        (at, number) = (at + length, 10 * number + digit);
    }
    number
}

#[tokio::test]
async fn w6_each_mistake_of_http2_has_its_end_and_is_nobody_elses() -> Result<(), Error> {
    // No limit of time ends them: they would be waited for in vain.
    let service = serve(router(), |http| http).await?;
    let (attacks, mut wrong) = (all(), Vec::new());
    let mut good = Client::connect(&service).await;
    for attack in &attacks {
        let end = beside(&service, timeout(LONG, end_of(&service, attack))).await;
        if end != Ok(attack.end) {
            wrong.push(format!("{}: {end:?} and not {:?}", attack.what, attack.end));
        }
        assert_eq!(good.ask(get("/")).await.status, 200, "{}: whoever was there before goes on", attack.what);
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(attacks.len(), INPUTS, "the corpus only grows");
    Ok(())
}
