//! The samples are worth something: of every contract there is an event with everything in it.

use tegami_compat_tests::{contract::Dialect, grow::contract, sample::samples};

#[test]
fn of_every_contract_there_is_an_event_with_everything_in_it() {
    let mut poor = Vec::new();
    for dialect in [Dialect::Protobuf, Dialect::JsonSchema] {
        for seed in 0..104 {
            let contract = contract(dialect, seed);
            let fields = contract.event().fields.iter().filter(|field| field.oneof.is_none()).count();
            let fullest = samples(&contract, &contract).iter().map(|sample| sample.len()).max();
            if fullest.is_none_or(|most| most < fields) {
                poor.push(format!("{dialect:?} {seed}: {fullest:?} of {fields}\n{}", contract.text("compat.v1")));
            }
        }
    }
    assert!(poor.is_empty(), "{} are poor: {}", poor.len(), poor.first().map_or("", String::as_str));
}
