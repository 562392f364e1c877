//! Each folder of `snapshots/` holds contracts and, beside them, the exact Rust they become.
//!
//! `BLESS=1 cargo test -p tegami-codegen` writes what is generated now; read the difference by eye.

mod common;

use std::path::Path;

use common::{cases, compare, read};

/// A snapshot has to fit on so many screens of so many lines.
const SCREENS: usize = 3;
const SCREEN: usize = 60;

/// Everything that comes out of one case: the index, with each package's file in its place.
fn generate(case: &Path) -> String {
    let files = tegami_codegen::compile_to_strings(case).expect("the contracts of snapshots have no mistakes");
    let index = files["all-packages.rs"].lines().map(|line| {
        let name = line.trim().strip_prefix("include!(\"").and_then(|rest| rest.strip_suffix("\");"));
        name.map_or_else(|| format!("{line}\n"), |name| files[name].clone())
    });
    index.collect()
}

#[test]
fn contracts_become_the_rust_beside_them() {
    compare(cases("tests/snapshots").into_iter().map(|case| (case.join("expected.rs"), generate(&case))));
}

#[test]
fn same_contracts_become_the_same_bytes() {
    for case in cases("tests/snapshots") {
        assert_eq!(generate(&case), generate(&case));
    }
}

#[test]
fn every_snapshot_fits_on_three_screens() {
    for case in cases("tests/snapshots") {
        let lines = read(&case.join("expected.rs")).lines().count();
        assert!(lines <= SCREENS * SCREEN, "{} has {lines} lines", case.display());
    }
}

#[test]
fn builders_can_be_left_out() {
    let files = tegami_codegen::configure().builders(false).compile_to_strings(Path::new("tests/snapshots/rules"));
    assert!(!files.unwrap()["shop.v1.rs"].contains("uilder"));
}
