//! An envelope of a user's own, and the one that is none.

use tegami::{
    codec::Payload,
    envelope::{
        DecodeError, DecodeErrorKind, EncodeError, EncodeErrorKind, Envelope, Head, Message, MessageId, Raw, Sealed,
    },
    event::{Attributes, Encoding},
};

use crate::{events::Anything, full_head, id, json, outcome, protobuf, sealed};

/// One line of id, event and service, then the payload.
struct Lines;

impl Envelope for Lines {
    fn encoding(&self) -> Encoding {
        Encoding::Json
    }

    fn seal(&self, message: Message<Payload>) -> Result<Sealed, EncodeError> {
        let Message { head, content } = message;
        let (Some(id), Some(event)) = (head.id, head.event) else {
            return Err(EncodeError::new(EncodeErrorKind::Unencodable, "id or event is missing"));
        };
        let line = format!("{id} {event} {}\n", head.source.service.unwrap_or_default());
        Ok(Sealed { body: [line.as_bytes(), &content.bytes].concat().into(), attributes: head.attributes })
    }

    fn open(&self, sealed: &Sealed) -> Result<Message<Payload>, DecodeError> {
        let undecodable = || DecodeError::new(DecodeErrorKind::Undecodable, "the first line is not a head");
        let text = std::str::from_utf8(&sealed.body).map_err(|error| undecodable().caused_by(error))?;
        let (line, payload) = text.split_once('\n').ok_or_else(undecodable)?;
        let [id, event, service] = line.split(' ').collect::<Vec<_>>()[..] else { return Err(undecodable()) };
        let head = Head::new()
            .id(MessageId::parse(id).ok_or_else(undecodable)?)
            .event(event.to_owned())
            .service(service.to_owned())
            .attributes(sealed.attributes.clone());
        Ok(Message::new(head, json(payload.to_owned())))
    }
}

#[test]
fn an_envelope_of_ones_own_carries_typed_events() {
    let head = Head::new().id(id("m-1")).event("e").service("svc");
    let message = Message::new(head, Anything(serde_json::json!({ "a": 1 })));
    let sealed = Lines.encode(&message).unwrap();
    assert!(sealed.body.starts_with(b"m-1 e svc\n{"));
    assert_eq!(Lines.decode::<Anything>(&sealed).unwrap(), message);
    assert_eq!(outcome(&Lines, &crate::sealed("{}")), Err(DecodeErrorKind::Undecodable));
}

#[test]
fn an_envelope_may_be_chosen_at_run_time() {
    let envelopes: [Box<dyn Envelope>; 2] = [Box::new(Lines), Box::new(Raw::json())];
    for envelope in envelopes {
        let message = Message::new(Head::new().id(id("1")).event("e").service("s"), json("1"));
        assert_eq!(envelope.open(&envelope.seal(message.clone()).unwrap()).unwrap(), message);
    }
}

#[test]
fn raw_bodies_are_the_payload_and_nothing_else() {
    let sealed = Raw::json().seal(Message::new(full_head(), json("{\"a\": 1}"))).unwrap();
    assert_eq!(sealed.body, "{\"a\": 1}");
    assert_eq!(sealed.attributes.len(), full_head().attributes.len() + 1);
    let head = sealed.attributes.text("tegami-head").unwrap();
    assert!(head.starts_with(r#"{"encoding":"json","id":"5d0b530f-"#), "{head}");
}

#[test]
fn raw_takes_foreign_messages_as_they_come() {
    let foreign = Sealed { body: "{}".into(), attributes: Attributes::new().with("a", 1_i64) };
    let message = Raw::json().open(&foreign).unwrap();
    assert_eq!(message.head, Head::new().attributes(Attributes::new().with("a", 1_i64)));
    assert_eq!(message.content, json("{}"));
    assert_eq!(outcome(&Raw::protobuf(), &sealed("x")), Ok(protobuf("x")));
}

#[test]
fn raw_refuses_foreign_messages_without_a_byte() {
    for raw in [Raw::json(), Raw::protobuf()] {
        assert_eq!(outcome(&raw, &sealed("")), Err(DecodeErrorKind::Undecodable));
    }
}

#[test]
fn raw_refuses_a_head_that_is_none() {
    let heads = [
        "",
        "null",
        "[]",
        "{}",
        "[\"json\"]",
        "{\"encoding\":\"yaml\"}",
        "{\"encoding\":\"json\"}x",
        "{\"encoding\":\"json\",\"id\":\"a b\"}",
        "{\"encoding\":\"json\",\"time\":\"noon\"}",
        "{\"encoding\":\"json\",\"encoding\":\"json\"}",
        "{\"encoding\":\"json\",\"x\":1,\"x\":1}",
        "{\"encoding\":\"json\",\"key\":5}",
    ];
    for head in heads {
        let sealed = Sealed { body: "{}".into(), attributes: Attributes::new().with("tegami-head", head) };
        assert_eq!(outcome(&Raw::json(), &sealed), Err(DecodeErrorKind::Undecodable), "{head}");
    }
    let number = Sealed { body: "{}".into(), attributes: Attributes::new().with("tegami-head", 5_i64) };
    assert_eq!(outcome(&Raw::json(), &number), Err(DecodeErrorKind::Undecodable));
}
