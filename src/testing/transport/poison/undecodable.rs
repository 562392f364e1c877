//! Bodies that are no message of ours, and messages of others that tell less than ours do.

use bytes::Bytes;

use super::{
    super::{
        Done, Trial,
        office::{LETTER, Office, enveloped},
    },
    open,
    packed::{self, field, in_base64, zlib, zlibbed},
};
use crate::{
    envelope::{JsonBase, ProtobufBase, Raw, Sealed},
    event::Attributes,
    transport::{
        DeadLetter,
        ReasonKind::{self, Invalid, TooLarge, Undecodable, UnknownType, VersionMismatch},
    },
};

/// X1, X2, X3: what cannot be read is a dead letter at once, bytes and attributes as they were, with the right reason;
/// no handler runs.
pub async fn x_01_undecodable(trial: &Trial) -> Done {
    let office = open(trial, trial.service("billing").await.envelope(JsonBase::default())).await;
    let kinds = kinds();
    for (number, (body, _)) in kinds.iter().enumerate() {
        office.put(trial, |message| message.sealed = sealed(number, body)).await;
    }
    let letters = office.dead(kinds.len()).await;
    assert_eq!(letters.len(), kinds.len(), "each is one dead letter");
    for (number, (body, reason)) in kinds.iter().enumerate() {
        let wanted = sealed(number, body);
        let letter = letters.iter().find(|letter| letter.attributes() == &wanted.attributes);
        let letter = letter.unwrap_or_else(|| panic!("the attributes of {} have changed", shown(body)));
        assert_eq!(letter.payload(), body, "the body of {} has changed", shown(body));
        is_dead_at_once(letter, *reason);
    }
    assert_eq!(trial.tally().attempts(), 0, "no handler runs");
    office.close().await;
    Done::Kept
}

fn sealed(number: usize, body: &Bytes) -> Sealed {
    Sealed { body: body.clone(), attributes: Attributes::new().with("number", number as u64).with("kind", "poison") }
}

fn is_dead_at_once(letter: &DeadLetter, reason: ReasonKind) {
    let body = shown(letter.payload());
    assert_eq!(letter.reason(), reason, "{body}: {}", letter.error());
    assert_eq!(letter.attempts(), 1, "{body} was tried again");
}

/// The beginning of a body.
fn shown(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(400)]).escape_debug().to_string()
}

/// Bodies that a service with JSON envelopes cannot read, each with why.
fn kinds() -> Vec<(Bytes, ReasonKind)> {
    let mut kinds: Vec<(Bytes, ReasonKind)> = Vec::new();
    kinds.extend(no_text().map(|body| (body, Undecodable)));
    kinds.extend(no_envelope().map(|body| (body.into(), Undecodable)));
    kinds.extend(other_envelopes().map(|(body, reason)| (body.into(), reason)));
    kinds.extend(no_letter().map(|data| (enveloped("m", data).into(), Undecodable)));
    kinds.extend(badly_packed().map(|(data, reason)| (zlibbed("m", &data).into(), reason)));
    kinds
}

fn no_text() -> [Bytes; 7] {
    let letter = enveloped("m", LETTER);
    let wide: Vec<u8> = letter.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cut_in_character = enveloped("m", &LETTER.replace("hand", "漢"));
    let at = cut_in_character.find('漢').expect("it is there") + 1;
    let latin = letter.replace("hand", "#").bytes().map(|byte| if byte == b'#' { 0xe9 } else { byte }).collect();
    [
        Bytes::new(),
        Bytes::from_static(&[0]),
        Bytes::from_static(&[0xff, 0xfe, 0x00]),
        wide.into(),
        cut_in_character.as_bytes()[..at].to_vec().into(),
        Vec::<u8>::into(latin),
        in_base64(field(3, b"\x0a\x01a")).into(),
    ]
}

fn no_envelope() -> [String; 14] {
    let letter = enveloped("m", LETTER);
    [
        " \n\t".to_owned(),
        "not json".to_owned(),
        "null".to_owned(),
        "5".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        "\"text\"".to_owned(),
        LETTER.to_owned(),
        letter[..letter.len() / 2].to_owned(),
        format!("{letter}x"),
        format!("{letter}{letter}"),
        format!("\u{feff}{letter}"),
        letter.replace("{\"service\"", "{\"data\": {}, \"service\""),
        letter.replace("metadata", "meta"),
    ]
}

fn other_envelopes() -> [(String, ReasonKind); 9] {
    let letter = enveloped("m", LETTER);
    let with = |extra: &str| letter.replace("{\"service\"", &format!("{{\"tegami\": {extra}, \"service\""));
    [
        (letter.replace("1.0.0", "2.0.0"), VersionMismatch),
        (letter.replace("tomodachi-json-base--1.0.0", "something else"), VersionMismatch),
        (with(r#"{"event": "letters.v1.LetterLost"}"#), UnknownType),
        (with("[]"), Undecodable),
        (letter.replace("\"raw\"", "\"rot13\""), Undecodable),
        (letter.replace("\"m\"", "\"a b\""), Undecodable),
        (letter.replace("\"m\"", &format!("{:?}", "m".repeat(10_000))), Undecodable),
        (letter.replace("1.5", "1e999"), Undecodable),
        (enveloped("m", "{}"), Invalid),
    ]
}

fn no_letter() -> [&'static str; 9] {
    [
        "5",
        "[]",
        "\"text\"",
        r#"{"box": 5}"#,
        r#"{"box": "a", "box": "b"}"#,
        r#"{"box": "a", "number": "-1"}"#,
        r#"{"box": "a", "number": "18446744073709551616"}"#,
        r#"{"box": "a", "number": 1.5}"#,
        r#"{"box": "a", "text": "\ud800"}"#,
    ]
}

fn badly_packed() -> [(String, ReasonKind); 9] {
    let (good, text) = (zlib(LETTER.as_bytes()), in_base64(zlib(LETTER.as_bytes())));
    [
        (String::new(), Undecodable),
        ("not base64!".to_owned(), Undecodable),
        (format!("{text}="), Undecodable),
        (text.replacen(&text[4..5], "\\n", 1), Undecodable),
        (in_base64("not zlib"), Undecodable),
        (in_base64(&good[..good.len() - 1]), Undecodable),
        (in_base64([good.as_slice(), b"x"].concat()), Undecodable),
        (in_base64(zlib(b"not json")), Undecodable),
        (in_base64(zlib(&vec![b' '; 8 * 1024 * 1024 + 1])), TooLarge),
    ]
}

/// X3, P9: a message without an id or any word about itself is handled or dead, never hanging.
pub async fn x_02_no_id(trial: &Trial) -> Done {
    let letter = enveloped("m", LETTER).replace(r#""message_uuid": "m", "#, "");
    let bare = letter.replace(r#""service": {"name": "foreign", "uuid": "f"}, "#, "");
    let json = [bare.replace("\"letters\"", "null"), bare, letter];
    let service = trial.service("billing").await;
    handled_or_dead(trial, &open(trial, service).await, &json, &[LETTER, "{}"]).await;
    let letter = packed::letter();
    let unnamed = field(3, &letter);
    let protobuf = [in_base64([field(2, &field(5, b"proto")), unnamed.clone()].concat())];
    let service = trial.service("shipping").await.prefix(format!("{}p-", trial.prefix()));
    let service = service.envelope(ProtobufBase::default());
    handled_or_dead(trial, &open(trial, service).await, &protobuf, &[&in_base64(unnamed), &in_base64(letter), ""])
        .await;
    let service = trial.service("archive").await.prefix(format!("{}r-", trial.prefix())).envelope(Raw::json());
    handled_or_dead(trial, &open(trial, service).await, &[LETTER.to_owned()], &["{}", "5"]).await;
    Done::Kept
}

/// Puts these bodies; some are handled, the others dead.
async fn handled_or_dead(trial: &Trial, office: &Office, good: &[String], bad: &[&str]) {
    let before = trial.tally().done();
    for body in bad.iter().copied().chain(good.iter().map(String::as_str)) {
        office.put(trial, |message| message.sealed.body = body.to_owned().into()).await;
    }
    trial.tally().until_done(before + good.len()).await;
    let dead = office.dead(bad.len()).await;
    assert_eq!(dead.len(), bad.len(), "{dead:?}");
    assert_eq!(trial.tally().attempts(), trial.tally().done(), "what is handled is handled once");
}
