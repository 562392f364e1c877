//! Messages of other versions of a contract or an envelope, older and newer.

use super::{
    super::{
        Done, Trial,
        office::{LETTER, enveloped},
    },
    open,
    packed::{field, in_base64, letter, protobuf},
};
use crate::{
    envelope::ProtobufBase,
    transport::ReasonKind::{self, Invalid, UnknownType, VersionMismatch},
};

/// A body for a message of this id, and why it is dead, unless it is handled.
type Sample = (fn(&str) -> String, Option<ReasonKind>);

/// X2: what an older or newer version of the contract says is handled where it can be and dead where not.
pub async fn x_09_unknown_and_versions(trial: &Trial) -> Done {
    let service = trial.service("billing").await;
    each_as_promised(trial, &open(trial, service).await, &IN_JSON).await;
    let service = trial.service("shipping").await.prefix(format!("{}p-", trial.prefix()));
    each_as_promised(trial, &open(trial, service.envelope(ProtobufBase::default())).await, &IN_PROTOBUF).await;
    Done::Kept
}

async fn each_as_promised(trial: &Trial, office: &super::Office, samples: &[Sample]) {
    let handled = trial.tally().done();
    for (number, (body, reason)) in samples.iter().enumerate() {
        let before = trial.tally().attempts();
        let id = office.put(trial, |message| message.sealed.body = body(message.id.as_str()).into()).await;
        let good = samples[..=number].iter().filter(|(_, reason)| reason.is_none()).count();
        trial.tally().until_done(handled + good).await;
        let dead = office.dead(number + 1 - good).await;
        let found = dead.iter().find(|letter| letter.id() == Some(&id));
        assert_eq!(found.map(|letter| letter.reason()), *reason, "{}", body("m"));
        assert_eq!(trial.tally().attempts() - before, usize::from(reason.is_none()), "{}", body("m"));
    }
}

fn named(id: &str, event: &str) -> String {
    let extra = format!(r#"{{"tegami": {{"event": "{event}"}}, "service""#);
    enveloped(id, LETTER).replace("{\"service\"", &extra)
}

const IN_JSON: [Sample; 9] = [
    (|id| named(id, "letters.v1.LetterPosted"), None),
    (|id| named(id, "letters.v1.LetterLost"), Some(UnknownType)),
    (|id| named(id, "tegami.testing.v2.LetterPosted"), Some(UnknownType)),
    (|id| enveloped(id, LETTER).replace("1.0.0", "1.9.3"), None),
    (|id| enveloped(id, LETTER).replace("1.0.0", "2.0.0"), Some(VersionMismatch)),
    (|id| enveloped(id, &LETTER.replace('}', r#", "stamp": {"worth": [1]}}"#)), None),
    (|id| enveloped(id, LETTER).replace("\"service\"", "\"new\": [{}], \"service\""), None),
    (|id| enveloped(id, r#"{"box": "a"}"#), None),
    (|id| enveloped(id, r#"{"number": "1", "text": "no box"}"#), Some(Invalid)),
];

/// The mark of what tomodachi does not know.
const TEGAMI: u32 = 7364;

fn in_protobuf(id: &str, extra: &[u8], data: &[u8]) -> String {
    in_base64([protobuf(id, "proto", data), extra.to_vec()].concat())
}

fn named_in_protobuf(id: &str, event: &str) -> String {
    in_protobuf(id, &field(TEGAMI, &field(1, event.as_bytes())), &letter())
}

const IN_PROTOBUF: [Sample; 8] = [
    (|id| named_in_protobuf(id, "letters.v1.LetterPosted"), None),
    (|id| named_in_protobuf(id, "letters.v1.LetterLost"), Some(UnknownType)),
    (|id| named_in_protobuf(id, "tegami.testing.v2.LetterPosted"), Some(UnknownType)),
    // Metadata is given twice, and the second wins.
    (|id| in_protobuf(id, &field(2, &field(2, b"tomodachi-protobuf-base--2.0.0")), &letter()), Some(VersionMismatch)),
    (|id| in_protobuf(id, b"", &[letter(), field(99, b"stamp")].concat()), None),
    (|id| in_protobuf(id, &field(99, b"new"), &letter()), None),
    (|id| in_protobuf(id, b"", &field(1, b"a")), None),
    (|id| in_protobuf(id, b"", &field(3, b"no box")), Some(Invalid)),
];
