//! The event that is measured, as its contract has it and as serde and prost have it without tegami.

use serde::{Deserialize, Serialize};

pub use crate::contracts::bench::orders::v1::OrderPaid;

/// The order that every message is about; all are alike, so that each costs the same.
pub fn order() -> OrderPaid {
    OrderPaid::builder().order_id("o-1000001").currency("EUR").amount_minor(129_900).items(3).build()
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
    use prost::Message;

    use super::*;

    #[test]
    fn bare_event_is_the_same_bytes() {
        assert_eq!(serde_json::to_vec(&bare()).unwrap(), serde_json::to_vec(&order()).unwrap());
        assert_eq!(bare().encode_to_vec(), order().encode_to_vec());
    }
}
