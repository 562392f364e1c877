//! Properties that hold for everything of a kind, tried with generated cases.

#[path = "../json/arbitrary.rs"]
mod arbitrary;
mod envelopes;
mod filters;
mod heads;
mod names;
mod numbers;
mod retries;

use proptest::{prelude::ProptestConfig, test_runner::RngAlgorithm};

/// So many cases: 10,000 of each property, unless a test says why fewer.
fn cases(cases: u32) -> ProptestConfig {
    // The default generator takes most of the time in a debug build.
    ProptestConfig { cases, rng_algorithm: RngAlgorithm::XorShift, ..ProptestConfig::default() }
}
