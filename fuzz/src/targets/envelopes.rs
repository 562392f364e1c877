//! Envelopes: what opens can be sealed, and opens again as the same; nothing is larger than it may be.

use std::io::Read;

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use tegami::envelope::{DecodeErrorKind, Envelope, Head, JsonBase, ProtobufBase, Sealed};

use super::{assert_plain, text};

/// The most that what is opened may hold, in bytes: above where envelopes begin to compress.
const LIMIT: usize = 64 * 1024;
/// The same for what is compressed: below what fits into an input.
const PACKED_LIMIT: usize = 2048;

pub fn json(data: &[u8]) {
    opened(&JsonBase::default().decompressed_limit(LIMIT), data);
}

pub fn protobuf(data: &[u8]) {
    let envelope = ProtobufBase::default().decompressed_limit(LIMIT);
    opened(&envelope, data);
    opened(&envelope, STANDARD.encode(data).as_bytes());
}

fn sealed(body: &[u8]) -> Sealed {
    Sealed { body: body.to_vec().into(), ..Sealed::default() }
}

fn opened(envelope: &impl Envelope, body: &[u8]) {
    let message = match envelope.open(&sealed(body)) {
        Ok(message) => message,
        Err(error) => {
            assert!(!error.is_transient(), "{error}");
            return assert_plain(&error.to_string());
        }
    };
    assert!(message.content.bytes.len() <= LIMIT);
    let once = match envelope.seal(message.clone()) {
        Ok(once) => once,
        // Compressed, a payload stands a level higher than as it is.
        Err(error) => return assert!(error.to_string().contains("nested 127 deep"), "{error}"),
    };
    let again = envelope.open(&once).expect("what was sealed can be opened");
    assert_eq!(lasting(&again.head), lasting(&message.head));
    assert_eq!(again.content.encoding, message.content.encoding);
    let twice = envelope.seal(again).expect("what was opened can be sealed");
    assert_eq!(text(&twice.body), text(&once.body));
}

/// What a head says, without its time: that is a float on the wire, which may not have all its digits.
fn lasting(head: &Head) -> Head {
    let mut head = head.clone();
    head.time = None;
    head
}

/// Data in JSON envelopes that is base64 of a zlib stream, or is said to be.
pub fn packed(data: &[u8]) {
    a_stream(data);
    a_text(data);
    contents(data);
}

fn open(data: &str) -> Result<Vec<u8>, DecodeErrorKind> {
    let body = format!(r#"{{"metadata": {{"data_encoding": "base64_gzip_json"}}, "data": {data}}}"#);
    let opened = JsonBase::default().decompressed_limit(PACKED_LIMIT).open(&sealed(body.as_bytes()));
    opened.map(|message| message.content.bytes.to_vec()).map_err(|error| error.kind())
}

fn a_stream(stream: &[u8]) {
    let Ok(bytes) = open(&format!("\"{}\"", STANDARD.encode(stream))) else { return };
    assert!(bytes.len() <= PACKED_LIMIT);
    let mut there = Vec::new();
    ZlibDecoder::new(stream).read_to_end(&mut there).expect("it was decompressed");
    assert_eq!(bytes, there);
}

fn a_text(data: &[u8]) {
    let data = text(data);
    if open(&serde_json::to_string(&data).expect("text is JSON")).is_ok() {
        STANDARD.decode(data.as_bytes()).expect("only standard base64 is read");
    }
}

fn contents(data: &[u8]) {
    // Repeated, so that it compresses to far less.
    let json = serde_json::to_vec(&text(data).repeat(3)).expect("text is JSON");
    let mut stream = ZlibEncoder::new(Vec::new(), Compression::fast());
    std::io::Write::write_all(&mut stream, &json).expect("there is memory");
    let stream = stream.finish().expect("there is memory");
    let expected = if json.len() > PACKED_LIMIT { Err(DecodeErrorKind::TooLarge) } else { Ok(json) };
    assert_eq!(open(&format!("\"{}\"", STANDARD.encode(stream))), expected);
}
