//! Events generated from contracts, in every envelope.

use tegami::envelope::{CloudEvents, Envelope, JsonBase, Message, ProtobufBase, Raw};

use crate::full_head;

// Not every generated item is used here.
#[allow(dead_code, missing_docs)]
mod generated {
    ::tegami::include_contracts!();
}

use generated::shop::orders::v1::OrderPaid;

fn order() -> Message<OrderPaid> {
    let order = OrderPaid::builder().order_id("o-1").currency("EUR").amount_minor(i64::MAX).build();
    Message::new(full_head(), order)
}

#[test]
fn protobuf_events_have_their_canonical_json_in_json_envelopes() {
    let body = JsonBase::default().encode(&order()).unwrap().body;
    let data = r#""data": {"orderId": "o-1", "currency": "EUR", "amountMinor": "9223372036854775807"}, "tegami": {"#;
    let text = String::from_utf8_lossy(&body);
    assert!(text.contains(data), "{text}");
}

#[test]
fn generated_events_come_back_from_every_envelope() {
    macro_rules! comes_back {
        // `Envelope::encode` is generic, so envelopes do not fit into one list.
        ($($envelope:expr),*) => {$(
            let sealed = $envelope.encode(&order()).unwrap();
            assert_eq!($envelope.decode::<OrderPaid>(&sealed).unwrap(), order());
        )*};
    }
    comes_back!(JsonBase::default(), ProtobufBase::default(), CloudEvents::json(), CloudEvents::protobuf());
    comes_back!(Raw::json(), Raw::protobuf());
}
