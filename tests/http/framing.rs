//! Requests framed in every way that two readers could take differently: each has one answer, and hides no other.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use tegami::{
    Error,
    http::axum::{
        Router,
        body::Bytes,
        routing::{MethodRouter, any, get as on_get},
    },
};

use crate::{
    client::{Client, ask, get},
    serve,
};

const INPUTS: usize = 559;

/// A request, and what becomes of it.
pub struct Case {
    request: Vec<u8>,
    fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fate {
    /// Answered with 200, and so is the request after it.
    Served,
    /// Answered with one of these, and the connection closes.
    Refused(&'static [u16]),
}

pub const BAD: Fate = Fate::Refused(&[400]);
const TE: [&str; 4] = ["Transfer-Encoding", "transfer-encoding", "TRANSFER-ENCODING", "tRANSFER-eNCODING"];
const CL: [&str; 3] = ["Content-Length", "content-length", "CONTENT-LENGTH"];
/// What comes after each request: of a refused one it must never be seen.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
const CHUNKED: &str = "5\r\nhello\r\n0\r\n\r\n";

fn posted(headers: &str, body: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\n{headers}\r\n\r\n{body}")
}

pub fn case(request: impl Into<Vec<u8>>, fate: Fate) -> Case {
    Case { request: request.into(), fate }
}

/// Both a length and chunks.
fn length_and_chunks() -> impl Iterator<Item = Case> {
    let values = ["chunked", "CHUNKED", "Chunked", "  chunked  ", "\tchunked"];
    let all = TE.iter().flat_map(|te| CL.iter().map(move |cl| (te, cl)));
    all.flat_map(move |(te, cl)| {
        values.into_iter().flat_map(move |value| {
            let (te, cl) = (format!("{te}: {value}"), format!("{cl}: 5"));
            [format!("{te}\r\n{cl}"), format!("{cl}\r\n{te}")].map(|headers| case(posted(&headers, CHUNKED), BAD))
        })
    })
}

/// Two lengths.
fn two_lengths() -> impl Iterator<Item = Case> {
    let values = ["0", "5", "6", "30", "05"];
    let pairs = values.into_iter().flat_map(move |one| values.into_iter().map(move |other| (one, other)));
    pairs.map(|(one, other)| {
        let number = |text: &str| text.parse::<u8>().expect("a number");
        let same = number(one) == number(other);
        let request =
            posted(&format!("Content-Length: {one}\r\nContent-Length: {other}"), &"a".repeat(number(one).into()));
        case(request, if same { Fate::Served } else { BAD })
    })
}

/// One length that is no number of bytes.
fn odd_lengths() -> impl Iterator<Item = Case> {
    let values = [
        "+5",
        "-5",
        "0x5",
        "5,5",
        "5, 6",
        "",
        "5 5",
        "5a",
        "a",
        "1e1",
        "5;",
        "5.0",
        "\"5\"",
        "99999999999999999999",
        "18446744073709551616",
        "\u{665}",
        "5\u{b}",
        "_5",
    ];
    CL.iter()
        .flat_map(move |cl| values.into_iter().map(move |value| case(posted(&format!("{cl}: {value}"), "hello"), BAD)))
}

/// Encodings that are not `chunked` alone.
fn odd_encodings() -> impl Iterator<Item = Case> {
    let values = [
        "gzip",
        "identity",
        "chunked, gzip",
        "gzip, chunked",
        "chunked, chunked",
        "xchunked",
        "chunked;q=1",
        "chunk",
        "",
        "chunked,",
        ",chunked",
        "\"chunked\"",
        "chunked identity",
        "chunked\u{b}",
        "chunked\r\nTransfer-Encoding: chunked",
        "chunked\r\nTransfer-Encoding: identity",
        "identity\r\nTransfer-Encoding: chunked",
    ];
    TE.iter()
        .flat_map(move |te| values.into_iter().map(move |value| case(posted(&format!("{te}: {value}"), CHUNKED), BAD)))
}

/// Chunks before there were any.
fn old_versions() -> impl Iterator<Item = Case> {
    let hosts = ["Host: a\r\n", ""];
    TE.iter().flat_map(move |te| {
        hosts.into_iter().map(move |host| {
            case(format!("POST / HTTP/1.0\r\n{host}Connection: keep-alive\r\n{te}: chunked\r\n\r\n{CHUNKED}"), BAD)
        })
    })
}

/// Names with space about them, and values on two lines.
fn odd_spaces() -> impl Iterator<Item = Case> {
    let lines = ["Content-Length: 5", "Transfer-Encoding: chunked", "X-Other: y"];
    lines.into_iter().flat_map(|line| {
        let (name, value) = line.split_once(": ").expect("a header");
        let spaced = [" ", "\t", "  "].map(|space| format!("{name}{space}: {value}"));
        let folded = [" ", "\t"].map(|space| format!("{name}:\r\n{space}{value}"));
        let begun = [" ", "\t"].map(|space| format!("{space}{line}"));
        let odd = ["\r", "\0", "\u{b}"].map(|space| format!("{name}{space}: {value}"));
        spaced.into_iter().chain(folded).chain(begun).chain(odd).map(|headers| case(posted(&headers, "hello"), BAD))
    })
}

/// Lines that end in a line feed alone.
fn bare_line_feeds() -> impl Iterator<Item = Case> {
    let heads = [
        ["GET / HTTP/1.1", "Host: a", "X: y", ""],
        ["POST / HTTP/1.1", "Host: a", "Content-Length: 0", ""],
        ["POST / HTTP/1.1", "Content-Length: 0", "Host: a", ""],
    ];
    heads.into_iter().flat_map(|head| {
        (0..16_u32).map(move |bare| {
            let ends = (0..4).map(|n| if bare >> n & 1 == 1 { "\n" } else { "\r\n" });
            let request: String = head.iter().zip(ends).map(|(line, end)| format!("{line}{end}")).collect();
            case(request, if bare == 0 { Fate::Served } else { BAD })
        })
    })
}

/// Chunks that are none, with a handler that reads them.
fn odd_chunks() -> impl Iterator<Item = Case> {
    let sizes = ["-5", "+5", "0x5", "g", "5 5", "", "5,", "FFFFFFFFFFFFFFFFF", "10000000000000000", "5\r", "\u{665}"];
    let bodies = [
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhelloX\r\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "4\r\nhello\r\n0\r\n\r\n",
        "5;a\nb\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\nbad trailer\r\n\r\n",
    ];
    let sized = sizes.into_iter().map(|size| format!("{size}\r\nhello\r\n0\r\n\r\n"));
    let all: Vec<String> = sized.chain(bodies.map(str::to_owned)).collect();
    TE.iter().flat_map(move |te| {
        all.clone().into_iter().map(move |body| case(posted(&format!("{te}: chunked"), &body), BAD))
    })
}

/// Chunks as they may be.
fn good_chunks() -> impl Iterator<Item = Case> {
    let bodies = [
        "5\r\nhello\r\n0\r\n\r\n",
        "05\r\nhello\r\n00\r\n\r\n",
        "1\r\nh\r\n4\r\nello\r\n0\r\n\r\n",
        "0\r\n\r\n",
        "5;a=b\r\nhello\r\n0;c\r\n\r\n",
        "a\r\nhellohello\r\n0\r\n\r\n",
        "A\r\nhellohello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\nX-Trailer: y\r\n\r\n",
        "5;a=\"b\"\r\nhello\r\n0\r\nX: y\r\nZ: z\r\n\r\n",
    ];
    let values = ["chunked", "Chunked", " chunked\t"];
    TE.iter().flat_map(move |te| {
        values.into_iter().flat_map(move |value| {
            bodies.into_iter().map(move |body| case(posted(&format!("{te}:{value}"), body), Fate::Served))
        })
    })
}

/// Hosts, versions, methods and targets.
fn odd_first_lines() -> impl Iterator<Item = Case> {
    let heads = [
        "GET / HTTP/1.1\r\nX: y",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a",
        "GET / HTTP/1.1\r\nHost: a\r\nhost: b",
        "GET / HTTP/1.1\r\nHost: user:tiger@a",
        "GET http://user:tiger@a/ HTTP/1.1\r\nHost: a",
        "GET / HTTP/1.2\r\nHost: a",
        "GET / HTTP/3.0\r\nHost: a",
        "GET / HTTP/0.9\r\nHost: a",
        "GET / http/1.1\r\nHost: a",
        "GET / HTTP/1.1 \r\nHost: a",
        "GET / HTTP/1\r\nHost: a",
        "GET / HTTP/11\r\nHost: a",
        "GET / HTTP/1.1x\r\nHost: a",
        "GET /\r\nHost: a",
        "GET\r\nHost: a",
        "G\0T / HTTP/1.1\r\nHost: a",
        "G(T / HTTP/1.1\r\nHost: a",
        "GET  / HTTP/1.1\r\nHost: a",
        "GET /a b HTTP/1.1\r\nHost: a",
        "GET /\0 HTTP/1.1\r\nHost: a",
        "GET / HTTP/1.1\r\nHost: a\r\nX\0: y",
        "GET / HTTP/1.1\r\nHost: a\r\n: y",
        "GET / HTTP/1.1\r\nHost: a\r\nno colon",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb",
        "GET / HTTP/1.1\r\nHost: a\r\nX: \u{7f}",
    ];
    heads.into_iter().map(|head| case(format!("{head}\r\n\r\n"), BAD))
}

fn all() -> Vec<Case> {
    length_and_chunks()
        .chain(two_lengths())
        .chain(odd_lengths())
        .chain(odd_encodings())
        .chain(old_versions())
        .chain(odd_spaces())
        .chain(bare_line_feeds())
        .chain(odd_chunks())
        .chain(good_chunks())
        .chain(odd_first_lines())
        .collect()
}

/// Each of them has its fate, and what follows it is seen only if it was served.
pub async fn each_has_its_fate(inside: MethodRouter, cases: Vec<Case>) -> Result<(), Error> {
    let hidden = Arc::new(AtomicUsize::new(0));
    let counts = hidden.clone();
    let found = async move || {
        counts.fetch_add(1, Relaxed);
    };
    let router = Router::new().route("/", inside).route("/hidden", on_get(found));
    let service = serve(router, |http| http).await?;
    let (mut wrong, mut served) = (Vec::new(), 0);
    for Case { request, fate } in cases {
        let mut client = Client::connect(&service).await;
        client.send([&request, HIDDEN.as_bytes()].concat()).await;
        let told = client.answers_or_end(2).await;
        let statuses: Vec<u16> = told.iter().map(|answer| answer.status).collect();
        let right = match fate {
            Fate::Served => statuses == [200, 200] && told[0].text() == "hello",
            Fate::Refused(allowed) => statuses.len() == 1 && allowed.contains(&statuses[0]),
        };
        served += usize::from(fate == Fate::Served);
        if !right {
            wrong.push(format!("{} was answered with {told:?} and not {fate:?}", request.escape_ascii()));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(hidden.load(Relaxed), served, "only what follows a request that was served is seen");
    assert_eq!(ask(&service, get("/")).await.status, 200);
    Ok(())
}

#[tokio::test]
async fn w2_every_way_to_frame_a_request_has_one_answer() -> Result<(), Error> {
    let cases = all();
    assert_eq!(cases.len(), INPUTS, "the corpus only grows");
    each_has_its_fate(any(async |_: Bytes| "hello"), cases).await
}
