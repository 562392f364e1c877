//! CloudEvents as the specification has them, and as others write them.

use std::time::{Duration, SystemTime};

use tegami::envelope::{
    CloudEvents,
    DecodeErrorKind::{self, Undecodable, VersionMismatch},
    Envelope, Head, Message,
};

use crate::{full_head, id, json, outcome, protobuf, sealed};

fn written(envelope: &CloudEvents, message: Message<tegami::codec::Payload>) -> serde_json::Value {
    serde_json::from_slice(&envelope.seal(message).unwrap().body).unwrap()
}

#[test]
fn members_are_those_of_the_specification() {
    let found = written(&CloudEvents::json(), Message::new(full_head(), json(r#"{"a": 1}"#)));
    let expected = serde_json::json!({
        "specversion": "1.0",
        "id": full_head().id.unwrap().as_str(),
        "source": "svc/5d0b530f-5c44-4981-b01f-342801bd48f5",
        "type": "shop.orders.v1.OrderPaid",
        "time": "2026-11-21T01:29:10.768429518Z",
        "subject": "o-1 é",
        "datacontenttype": "application/json",
        "correlationid": "c-1",
        "causationid": "c-2",
        "tegamitopic": "t.o",
        "data": { "a": 1 },
    });
    assert_eq!(found, expected);
}

#[test]
fn protobuf_travels_as_base64() {
    let found = written(&CloudEvents::protobuf(), Message::new(full_head(), protobuf(b"\x0a\x05hello".as_slice())));
    assert_eq!(found["datacontenttype"], "application/protobuf");
    assert_eq!(found["data_base64"], "CgVoZWxsbw==");
    assert_eq!(found.get("data"), None);
}

#[test]
fn the_specifications_own_example_is_read() {
    let body = r#"{
        "specversion" : "1.0", "type" : "com.example.someevent", "source" : "/mycontext", "subject": null,
        "id" : "C234-1234-1234", "time" : "2018-04-05T17:31:00Z", "comexampleextension1" : "value",
        "comexampleothervalue" : 5, "datacontenttype" : "application/vnd.apache.thrift+json; charset=utf-8",
        "data" : { "appinfoA" : "abc", "appinfoB" : 123, "appinfoC" : true }
    }"#;
    let message = CloudEvents::json().open(&sealed(body)).unwrap();
    let head = Head::new()
        .id(id("C234-1234-1234"))
        .event("com.example.someevent")
        .instance("mycontext")
        .time(SystemTime::UNIX_EPOCH + Duration::from_secs(1_522_949_460));
    assert_eq!(message.head, head);
    assert_eq!(message.content, json(r#"{ "appinfoA" : "abc", "appinfoB" : 123, "appinfoC" : true }"#));
}

#[test]
fn what_the_specification_forbids_is_refused() {
    let required = r#""specversion": "1.0", "id": "1", "source": "/", "type": "t""#;
    let with = |more: &str| format!("{{{required}, {more}}}");
    let without = |member: &str| format!("{{{}, \"data\": 1}}", required.replace(member, "\"x\""));
    let table: Vec<(&str, String, DecodeErrorKind)> = vec![
        ("no version", without("\"specversion\""), Undecodable),
        ("no id", without("\"id\""), Undecodable),
        ("no source", without("\"source\""), Undecodable),
        ("no type", without("\"type\""), Undecodable),
        ("no data at all", format!("{{{required}}}"), Undecodable),
        ("empty id", with("\"data\": 1").replace("\"1\"", "\"\""), Undecodable),
        ("empty source", with("\"data\": 1").replace("\"/\"", "\"\""), Undecodable),
        ("empty type", with("\"data\": 1").replace("\"t\"", "\"\""), Undecodable),
        ("null id", with("\"data\": 1").replace("\"1\"", "null"), Undecodable),
        ("other version", with("\"data\": 1").replace("1.0", "0.3"), VersionMismatch),
        ("later version", with("\"data\": 1").replace("1.0", "2.0"), VersionMismatch),
        ("both kinds of data", with(r#""data": 1, "data_base64": "MQ==""#), Undecodable),
        ("data_base64 no text", with(r#""data_base64": 1"#), Undecodable),
        ("data_base64 null", with(r#""data_base64": null"#), Undecodable),
        ("protobuf in data", with(r#""datacontenttype": "application/protobuf", "data": "x""#), Undecodable),
        ("unknown content type", with(r#""datacontenttype": "text/xml", "data": "<x/>""#), Undecodable),
        ("content type of nothing", with(r#""datacontenttype": "", "data": 1"#), Undecodable),
        ("time without an offset", with(r#""time": "2018-04-05T17:31:00", "data": 1"#), Undecodable),
        ("time a number", with(r#""time": 5, "data": 1"#), Undecodable),
        ("id with a blank", with("\"data\": 1").replace("\"1\"", "\"1 2\""), Undecodable),
        ("a name twice", with(r#""data": 1, "ext": "a", "ext": "b""#), Undecodable),
        ("a batch", format!("[{}]", with("\"data\": 1")), Undecodable),
        ("text after", with("\"data\": 1") + "x", Undecodable),
    ];
    assert!(outcome(&CloudEvents::json(), &sealed(with("\"data\": 1"))).is_ok());
    for (name, body, kind) in table {
        assert_eq!(outcome(&CloudEvents::json(), &sealed(body)), Err(kind), "{name}");
    }
}

#[test]
fn json_may_travel_as_base64_too() {
    let body = r#"{"specversion": "1.0", "id": "1", "source": "/", "type": "t", "data_base64": "MQ=="}"#;
    assert_eq!(outcome(&CloudEvents::json(), &sealed(body)), Ok(json("1")));
}

#[test]
fn messages_without_an_id_or_a_name_do_not_leave() {
    let (no_id, no_name) = (Head::new().event("e"), Head::new().id(id("1")));
    for head in [no_id, no_name] {
        assert!(CloudEvents::json().seal(Message::new(head, json("1"))).is_err());
    }
}
