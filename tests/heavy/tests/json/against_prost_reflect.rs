//! The same messages, through our JSON and through prost-reflect's.

use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};
use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use serde_json::Value;
use tegami::codec::json;
use tegami_heavy_tests::heavy::v1::Everything;

use crate::arbitrary::{Arbitrary, descriptor};

fn reflected(text: &str, of: &MessageDescriptor) -> serde_json::Result<DynamicMessage> {
    DynamicMessage::deserialize(of.clone(), &mut serde_json::Deserializer::from_str(text))
}

/// NaN differs from itself, so messages are compared by their bytes.
fn bytes(message: &DynamicMessage) -> Vec<u8> {
    Everything::decode(message.encode_to_vec().as_slice()).unwrap().encode_to_vec()
}

#[test]
fn json_is_that_of_prost_reflect() {
    let of = descriptor();
    proptest!(ProptestConfig::with_cases(2_000), |(seed in any::<u64>(), entries in 1..4_usize)| {
        let mut arbitrary = Arbitrary { rng: fastrand::Rng::with_seed(seed), entries };
        let binary = arbitrary.message(&of, 0).encode_to_vec();
        let theirs = DynamicMessage::decode(of.clone(), binary.as_slice()).unwrap();
        let ours = Everything::decode(binary.as_slice()).unwrap();
        let their_text = serde_json::to_string(&theirs).unwrap();
        let our_text = serde_json::to_string(&ours).unwrap();

        if entries == 1 {
            prop_assert_eq!(&our_text, &their_text);
        }
        let laid_out = String::from_utf8(json::to_vec(&ours).unwrap()).unwrap();
        let value: Value = serde_json::from_str(&their_text).unwrap();
        prop_assert_eq!(&json::from_slice::<Value>(laid_out.as_bytes()).unwrap(), &value);

        let read: Everything = json::from_slice(their_text.as_bytes()).unwrap();
        prop_assert_eq!(read.encode_to_vec(), ours.encode_to_vec());
        prop_assert_eq!(bytes(&reflected(&laid_out, &of).unwrap()), ours.encode_to_vec());
    });
}
