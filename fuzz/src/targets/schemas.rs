//! Payloads of contracts: what is accepted keeps its contract, and comes back the same in every encoding it has.

use std::fmt::Debug;

use tegami::{
    Event,
    codec::{self, EncodeErrorKind, Payload},
    event::Encoding,
};

use super::assert_plain;

mod contracts {
    tegami::include_contracts!();
}
use contracts::shop::{customers::v1::GuestInvited, orders::v1::OrderPaid, shipping::v1::ParcelShipped};

pub fn checked(data: &[u8]) {
    read::<GuestInvited>(data, Encoding::Json);
    read::<ParcelShipped>(data, Encoding::Json);
    read::<OrderPaid>(data, Encoding::Json);
    read::<OrderPaid>(data, Encoding::Protobuf);
}

fn read<E: Event + PartialEq + Debug>(data: &[u8], encoding: Encoding) {
    let payload = Payload { encoding, bytes: data.to_vec().into() };
    let event: E = match codec::decode(&payload) {
        Ok(event) => event,
        Err(error) => return assert_plain(&error.to_string()),
    };
    event.validate().expect("what was accepted keeps its contract");
    for other in [Encoding::Json, Encoding::Protobuf] {
        let written = match codec::encode(&event, other) {
            Ok(written) => written,
            // Bytes can tell a time that JSON has no text for.
            Err(error) => {
                assert!(other != encoding && error.kind() == EncodeErrorKind::Unencodable, "{error}");
                continue;
            }
        };
        assert_eq!(codec::decode::<E>(&written).expect("what was written is accepted"), event);
        assert_eq!(codec::encode(&event, other).expect("it can be written"), written, "in one way only");
    }
}
