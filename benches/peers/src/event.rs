//! The event by hand, as protobuf.

/// What tegami's `OrderPaid` has.
#[derive(Clone, PartialEq, prost::Message)]
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
