//! The event that is measured, as its contract has it and as serde and prost have it without tegami.

use serde::{Deserialize, Serialize};
use tegami::{Event, envelope::Message};
pub use tegami_counts::event::{OrderNoted, OrderPaid, message, order};

/// The note of an order that makes a message of tegami's 1 KiB long.
const NOTE: usize = 571;

/// An order that is noted in a message of about 1 KiB.
pub fn noted(number: u32) -> OrderNoted {
    OrderNoted::builder().order_id("o-1000001").number(number).note("n".repeat(NOTE)).build()
}

/// The message about it, as a publisher makes it.
pub fn noted_message(number: u32) -> Message<OrderNoted> {
    let (order, contract) = (noted(number), OrderNoted::CONTRACT);
    let attributes = order.attributes().with("tegami-event", contract.name);
    let head = message().head.event(contract.name).topic(contract.topic).attributes(attributes);
    Message::new(head, order)
}

/// [`OrderNoted`] as a plain struct.
#[derive(Clone, PartialEq, Serialize, Deserialize, ruststream::Outgoing)]
#[serde(rename_all = "camelCase")]
pub struct BareNote {
    /// The order.
    pub order_id: String,
    /// Which of the messages this is.
    pub number: u32,
    /// What was remarked.
    pub note: String,
}

impl BareNote {
    /// One whose JSON has so many bytes.
    pub fn of(bytes: usize) -> Self {
        let empty = Self { order_id: "o-1000001".to_owned(), number: 0, note: String::new() };
        let around = serde_json::to_vec(&empty).expect("it can be encoded").len();
        Self { note: "n".repeat(bytes - around), ..empty }
    }
}

/// The same event as a plain struct: the same JSON, the same protobuf.
#[derive(Clone, PartialEq, Serialize, Deserialize, prost::Message, ruststream::Outgoing)]
#[serde(rename_all = "camelCase")]
pub struct Bare {
    /// The order.
    #[prost(string, tag = "1")]
    pub order_id: String,
    /// Three letters.
    #[prost(string, tag = "2")]
    pub currency: String,
    /// The amount in the currency's smallest unit.
    #[prost(int32, tag = "3")]
    pub amount_minor: i32,
    /// How many things were bought.
    #[prost(uint32, tag = "4")]
    pub items: u32,
}

/// The same order as [`order`].
pub fn bare() -> Bare {
    Bare { order_id: "o-1000001".to_owned(), currency: "EUR".to_owned(), amount_minor: 129_900, items: 3 }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;

    #[test]
    fn bare_event_is_the_same_bytes() {
        assert_eq!(serde_json::to_vec(&bare()).unwrap(), serde_json::to_vec(&order()).unwrap());
        assert_eq!(bare().encode_to_vec(), order().encode_to_vec());
    }
}
