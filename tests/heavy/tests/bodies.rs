//! Events as bodies, against every kind of rule: what a client is told of each.

use prost::Message;
use serde_json::{Value, json};
use tegami::{
    Error, Event as Contract,
    http::{
        Event,
        axum::{Router, routing::post},
    },
    service::Running,
    transport::Memory,
};
use tegami_heavy_tests::heavy::{
    json::v1::EverythingHappened,
    v1::{CustomerGreeted, customer_greeted::Visit},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

async fn take<E: Contract>(Event(_): Event<E>) -> &'static str {
    "taken"
}

async fn serve() -> Result<Running, Error> {
    let router = Router::new().route("/json", post(take::<EverythingHappened>));
    let router = router.route("/protobuf", post(take::<CustomerGreeted>));
    let service = tegami::Service::new("billing").transport(Memory::new()).routes(router);
    service.http(|http| http.address("127.0.0.1:0")).start().await
}

/// The status and the fields that are told to be wrong, with why.
async fn told(service: &Running, path: &str, kind: &str, body: &[u8]) -> (u16, Vec<(String, String)>) {
    let mut client = TcpStream::connect(service.http_address().expect("it has routes")).await.expect("it listens");
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/{kind}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    client.write_all(&[head.as_bytes(), body].concat()).await.expect("it is sent");
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.expect("text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head[9..12].parse().expect("a status");
    let problem: Value = serde_json::from_str(body).unwrap_or_default();
    let text = |error: &Value, name: &str| error[name].as_str().expect("text").to_owned();
    let errors = problem["errors"].as_array().into_iter().flatten();
    (status, errors.map(|error| (text(error, "field"), text(error, "reason"))).collect())
}

fn wrong(errors: &[(&str, &str)]) -> (u16, Vec<(String, String)>) {
    (422, errors.iter().map(|(field, reason)| ((*field).to_owned(), (*reason).to_owned())).collect())
}

/// An event, but for one field.
fn happened(name: &str, value: Value) -> Value {
    let mut event = json!({
        "id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
        "colour": "red",
        "must_be_told": null,
    });
    event[name] = value;
    event
}

#[tokio::test]
async fn every_rule_of_a_json_schema_is_told_with_its_field() -> Result<(), Error> {
    let service = serve().await?;
    let right = happened("text", json!("abc")).to_string();
    assert_eq!(told(&service, "/json", "json", right.as_bytes()).await, (200, vec![]));
    for (name, value, field, reason) in [
        ("text", json!("a"), "text", "is shorter than 2"),
        ("text", json!("abcde"), "text", "is longer than 4"),
        ("text", json!(7), "text", "invalid type: integer, expected a string"),
        ("pattern", json!("A-7"), "pattern", "does not match `^[a-z]+-[0-9]{2}$`"),
        ("colour", json!("blue"), "colour", "unknown variant, expected `red` or `light-blue`"),
        ("id", json!("7c9e"), "id", "invalid value: string, expected a UUID"),
        ("whole", json!(11), "whole", "is more than 10"),
        ("above", json!(0), "above", "is not more than 0"),
        ("number", json!(1.5), "number", "is not less than 1.5"),
        ("mail", json!("me"), "mail", "is not an e-mail address"),
        ("tags", json!(["a", "a"]), "tags", "has an item twice"),
        ("tags", json!(["a", ""]), "tags.1", "is shorter than 1"),
        ("grid", json!([[0], [1, "2"]]), "grid.1.1", "invalid type: string, expected a whole number of 64 bits"),
        ("inline", json!({}), "inline.deep", "is missing"),
        ("tree", json!({"name": "a", "left": {}}), "tree.left.name", "is missing"),
        ("colours", json!(1), "colours", "unknown field"),
    ] {
        let body = happened(name, value).to_string();
        let (status, errors) = told(&service, "/json", "json", body.as_bytes()).await;
        let [(told_field, told_reason)] = &errors[..] else { panic!("{body}: {status} {errors:?}") };
        assert_eq!((status, told_field.as_str()), (422, field), "{body}: {errors:?}");
        assert!(told_reason.starts_with(reason), "{body}: {told_reason}");
    }
    let several = happened("text", json!("a")).as_object().cloned().map(|mut event| {
        event.insert("whole".to_owned(), json!(-6));
        Value::from(event).to_string()
    });
    let several = told(&service, "/json", "json", several.expect("an object").as_bytes()).await;
    assert_eq!(several, wrong(&[("text", "is shorter than 2"), ("whole", "is less than -5")]));
    assert_eq!(told(&service, "/json", "json", b"[]").await, wrong(&[("", "is not an object")]));
    for text in ["", "{", "{}{}", "hello", "\u{feff}{}"] {
        assert_eq!(told(&service, "/json", "json", text.as_bytes()).await, (400, vec![]), "{text}");
    }
    Ok(())
}

#[tokio::test]
async fn every_rule_of_a_protobuf_contract_is_told_with_its_field() -> Result<(), Error> {
    let service = serve().await?;
    let good = CustomerGreeted {
        id: "c-1".to_owned(),
        email: "a@b".to_owned(),
        age: Some(18),
        colour: 1,
        visits: vec![Visit { place: "Bergen".to_owned() }],
    };
    let but = |change: &dyn Fn(&mut CustomerGreeted)| {
        let mut event = good.clone();
        change(&mut event);
        event
    };
    let cases: [(CustomerGreeted, &[(&str, &str)]); 7] = [
        (but(&|event| event.id.clear()), &[("id", "is empty")]),
        (but(&|event| event.email = "ab".into()), &[("email", "does not match `^[^@]+@[^@]+$`")]),
        (but(&|event| event.email = "a@".to_owned() + &"b".repeat(19)), &[("email", "is longer than 20")]),
        (but(&|event| event.age = None), &[("age", "is missing")]),
        (but(&|event| event.age = Some(17)), &[("age", "is less than 18")]),
        (but(&|event| event.colour = 0), &[("colour", "is not set")]),
        (
            but(&|event| (event.age, event.visits) = (Some(151), vec![Visit::default()])),
            &[("age", "is more than 150"), ("visits.0.place", "is empty")],
        ),
    ];
    for (event, errors) in cases {
        let json = serde_json::to_vec(&event).expect("it has a JSON form");
        assert_eq!(told(&service, "/protobuf", "protobuf", &event.encode_to_vec()).await, wrong(errors));
        assert_eq!(told(&service, "/protobuf", "json", &json).await, wrong(errors));
    }
    for (json, field, reason) in [
        (r#"{"id":7}"#, "id", "invalid type: integer"),
        (r#"{"id":"a","age":"many"}"#, "age", "invalid"),
        (r#"{"id":"a","colour":"COLOUR_BLUE"}"#, "colour", ""),
        (r#"{"id":"a","visits":[{"place":"a"},{"place":[]}]}"#, "visits.1.place", "invalid type: sequence"),
    ] {
        let (status, errors) = told(&service, "/protobuf", "json", json.as_bytes()).await;
        assert!(status == 422 && errors.len() == 1 && errors[0].0 == field, "{json}: {status} {errors:?}");
        assert!(errors[0].1.starts_with(reason) && !errors[0].1.contains("BLUE"), "{json}: {errors:?}");
    }
    assert_eq!(told(&service, "/protobuf", "protobuf", b"\x0a\x05c").await, (400, vec![]), "it is cut");
    assert_eq!(told(&service, "/protobuf", "protobuf", &good.encode_to_vec()).await, (200, vec![]));
    Ok(())
}
