//! Samples of contracts with everything that a contract can have: they are made, kept, and read.

use std::{collections::BTreeMap, fs, process};

use tegami::{Service, testing::archive};
use tegami_heavy_tests::heavy;

#[test]
fn of_everything_that_a_contract_can_have_there_are_samples_that_are_read() {
    let service = Service::new("heavy")
        .publishes::<heavy::v1::CustomerGreeted>()
        .publishes::<heavy::v1::EverythingTold>()
        .publishes::<heavy::json::v1::EverythingHappened>();
    let folder = std::env::temp_dir().join(format!("tegami-heavy-archive-{}", process::id()));
    let samples = service.samples();
    for event in &samples.events {
        assert!(event.samples.len() > 5, "{}", event.event);
    }
    archive::add(&folder, &samples, &BTreeMap::new()).unwrap();
    let read = archive::check(&folder, &service);
    fs::remove_dir_all(&folder).unwrap();
    assert!(read.unwrap() > 100);
}
