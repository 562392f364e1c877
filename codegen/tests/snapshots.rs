//! Each folder of `snapshots/` holds contracts and, beside them, the exact Rust they become.
//!
//! `TEGAMI_BLESS=1 cargo test -p tegami-codegen` writes what is generated now; read the difference by eye.

use std::{collections::BTreeMap, env, fs, path::Path};

/// A snapshot has to fit on so many screens of so many lines.
const SCREENS: usize = 3;
const SCREEN: usize = 60;

/// Everything that comes out of one case, a file after the other.
fn generate(case: &Path) -> String {
    let files = tegami_codegen::compile_to_strings(case).expect("the contracts of snapshots have no mistakes");
    let text = |(name, text): (String, String)| format!("// ---- {name}\n{text}");
    files.into_iter().filter(|(name, _)| name != "contracts.rs").map(text).collect::<Vec<_>>().join("\n")
}

fn cases(folder: &str) -> BTreeMap<String, std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), path)).collect()
}

/// Compares a text with the file it should be in, or writes it there.
fn compare(actual: &str, file: &Path, different: &mut Vec<String>) {
    if env::var_os("TEGAMI_BLESS").is_some() {
        fs::write(file, actual).unwrap();
    } else if fs::read_to_string(file).unwrap_or_default() != actual {
        different.push(format!("{} should be:\n{actual}", file.display()));
    }
}

#[test]
fn contracts_become_the_rust_beside_them() {
    let mut different = Vec::new();
    for case in cases("tests/snapshots").values() {
        compare(&generate(case), &case.join("expected.rs"), &mut different);
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn same_contracts_become_the_same_bytes() {
    for case in cases("tests/snapshots").values() {
        assert_eq!(generate(case), generate(case));
    }
}

#[test]
fn every_snapshot_fits_on_three_screens() {
    for (name, case) in cases("tests/snapshots") {
        let lines = fs::read_to_string(case.join("expected.rs")).unwrap().lines().count();
        assert!(lines <= SCREENS * SCREEN, "{name} has {lines} lines");
    }
}
