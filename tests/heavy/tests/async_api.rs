//! The AsyncAPI document of a service, held against the schema that AsyncAPI publishes.

use serde_json::Value;
use tegami::{Context, Error, Event, HandlerError, Service};
use tegami_heavy_tests::heavy::{
    json::v1::EverythingHappened,
    v1::{Answered, Asked, EverythingTold},
};

async fn ignore<E: Event>(_: E, _: Context) -> Result<(), HandlerError> {
    Ok(())
}

fn document() -> Result<Value, Error> {
    let service = Service::new("billing")
        .prefix("staging-")
        .on::<EverythingTold>(ignore)
        .on_with::<EverythingHappened>(ignore, |s| s.filter(EverythingHappened::flag().is(true)))
        .on::<Asked>(ignore)
        .publishes::<Answered>();
    Ok(serde_json::from_str(&service.async_api()?).expect("it is JSON"))
}

fn published() -> jsonschema::Validator {
    let schema = serde_json::from_str(include_str!("../asyncapi/3.0.0.json")).expect("it is JSON");
    jsonschema::draft7::new(&schema).expect("it is a schema")
}

fn mistakes(document: &Value) -> Vec<String> {
    published().iter_errors(document).map(|error| format!("{} {error}", error.instance_path())).collect()
}

#[test]
fn the_document_of_a_service_is_valid() -> Result<(), Error> {
    assert_eq!(mistakes(&document()?), Vec::<String>::new());
    Ok(())
}

#[test]
fn the_published_schema_tells_what_is_wrong() -> Result<(), Error> {
    for (part, name) in [("", "info"), ("/operations/billing.publishes.heavy.v1.Answered", "channel")] {
        let mut broken = document()?;
        broken.pointer_mut(part).and_then(Value::as_object_mut).expect("it is there").remove(name);
        assert!(!mistakes(&broken).is_empty(), "`{name}` is needed");
    }
    Ok(())
}

#[test]
fn every_reference_in_the_document_leads_somewhere() -> Result<(), Error> {
    fn references(of: &Value, found: &mut Vec<String>) {
        match of {
            Value::Object(members) => {
                // Within a payload they are the schema's own.
                for (name, value) in members.iter().filter(|(name, _)| *name != "payload") {
                    match (name.as_str(), value.as_str()) {
                        ("$ref", Some(target)) => found.push(target.to_owned()),
                        _ => references(value, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let (document, mut found) = (document()?, Vec::new());
    references(&document, &mut found);
    assert!(found.len() > 10, "{found:?}");
    for target in found {
        let pointer = target.strip_prefix('#').expect("within the document");
        assert!(document.pointer(pointer).is_some(), "{target} leads nowhere");
    }
    let messages = document["components"]["messages"].as_object().expect("an object");
    assert_eq!(messages.len(), 4);
    assert!(messages.values().all(|message| message["payload"]["schema"].is_object()));
    assert!(messages["heavy.v1.Answered"]["examples"][0]["payload"].is_object());
    // Each example was written and read again, in each encoding that its contract has.
    let tried =
        |event: &str| messages[event]["x-tried"].as_object().map(|sizes| sizes.keys().cloned().collect::<Vec<_>>());
    assert_eq!(tried("heavy.v1.Answered"), Some(vec!["json".to_owned(), "protobuf".to_owned()]));
    assert_eq!(tried("heavy.json.v1.EverythingHappened"), Some(vec!["json".to_owned()]));
    Ok(())
}
