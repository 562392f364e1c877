//! Rows as a user has them by hand who codes them: the values that tegami's `Stored` has, from a row and into one.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prost::Message;
use serde::{Deserialize, Serialize};

use super::Template;
use crate::event::Bare;

/// An event with its places and its head.
#[derive(Debug)]
pub struct Stored<P> {
    /// Its place in all.
    pub position: P,
    /// Its stream.
    pub stream: String,
    /// Its place in it.
    pub version: i64,
    /// Who it is.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub time: SystemTime,
    /// What is known beside.
    pub beside: Beside<String>,
    /// The event.
    pub event: Bare,
}

/// What is in the column `head`, as tegami writes it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Beside<T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causation_id: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_field: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<T>,
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    attributes: Vec<(T, Value<T>)>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Value<T> {
    Text(T),
    Integer(String),
    Float(String),
    Bool(bool),
}

/// The columns of a row that are read.
#[derive(Debug)]
pub struct Columns<'a, P> {
    /// Its place in all.
    pub position: P,
    /// Its stream.
    pub stream: &'a str,
    /// Its place in it.
    pub version: i64,
    /// Who it is.
    pub id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Nanoseconds since 1970.
    pub time: i64,
    /// The event's bytes.
    pub payload: &'a [u8],
    /// What is known beside, as JSON.
    pub head: &'a str,
}

impl<P> Columns<'_, P> {
    /// What the row says.
    ///
    /// # Panics
    /// tegami did not write it.
    pub fn decoded(self) -> Stored<P> {
        Stored {
            position: self.position,
            stream: self.stream.to_owned(),
            version: self.version,
            id: self.id.to_owned(),
            name: self.name.to_owned(),
            time: UNIX_EPOCH + Duration::from_nanos(self.time.unsigned_abs()),
            beside: serde_json::from_str(self.head).expect("tegami wrote it"),
            event: Bare::decode(self.payload).expect("it is an order"),
        }
    }
}

/// The bytes of an event, and what is kept beside them.
///
/// # Panics
/// Never.
pub fn encoded(template: &Template) -> (Vec<u8>, String) {
    let order = &template.order;
    let beside = Beside {
        service: Some("billing"),
        instance: None,
        topic: Some("bench-orders-v1"),
        correlation_id: None,
        causation_id: None,
        key_field: Some("order_id"),
        key: Some(&order.order_id),
        attributes: vec![("currency", Value::Text(&order.currency))],
    };
    (order.encode_to_vec(), serde_json::to_string(&beside).expect("it has a JSON form"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::bare;

    #[test]
    fn what_is_encoded_by_hand_is_decoded_again() {
        let template = Template::new(String::new(), Vec::new(), String::new());
        let (payload, head) = encoded(&template);
        let columns = Columns {
            position: 1,
            stream: "order/1",
            version: 1,
            id: "1",
            name: template.event,
            time: 1,
            payload: &payload,
            head: &head,
        };
        let stored = columns.decoded();
        assert!(stored.event == bare());
        assert_eq!(serde_json::to_string(&stored.beside).unwrap(), head);
    }
}
