//! Each folder of `mistakes/` holds wrong contracts and, beside them, exactly what is said about them.
//!
//! `BLESS=1 cargo test -p tegami-codegen` writes what is said now; read the difference by eye.

mod common;

use std::{env, fs, path::Path};

use common::{cases, compare, folder};

/// What is said about one case.
fn mistakes(case: &Path) -> String {
    let error = tegami_codegen::compile_to_strings(case).expect_err("the contracts have mistakes");
    format!("{error}\n")
}

#[test]
fn every_mistake_is_told_with_place_and_hint() {
    compare(cases("tests/mistakes").into_iter().map(|case| (case.join("expected.txt"), mistakes(&case))));
}

#[test]
fn every_mistake_has_a_hint() {
    for case in cases("tests/mistakes") {
        let text = mistakes(&case);
        let hints = text.lines().filter(|line| line.starts_with("  hint: ")).count();
        assert_eq!(text.lines().count(), 2 * hints, "{text}");
    }
}

#[test]
fn an_unknown_option_is_told_those_that_there_are() {
    let text = mistakes(Path::new("tests/mistakes/unknown_option"));
    let options = fs::read_to_string("proto/tegami/v1/options.proto").unwrap();
    let (_, inside) = options.split_once("message EventOptions").unwrap();
    let fields = inside.lines().filter(|line| line.contains(" = ") && !line.trim_start().starts_with("//"));
    let names: Vec<_> = fields.filter_map(|line| line.split(" = ").next()?.split_whitespace().last()).collect();
    assert_eq!(names.len(), 13, "{names:?}");
    assert!(names.iter().all(|name| text.contains(&format!("`{name}`"))), "{names:?}\n{text}");
}

#[test]
fn files_that_the_compiler_brings_along_are_its_own() {
    let folder = folder("brought_along");
    fs::create_dir_all(folder.join("google/protobuf")).unwrap();
    fs::write(folder.join("google/protobuf/descriptor.proto"), "syntax = \"proto3\";\n").unwrap();
    let text = "syntax = \"proto3\";\npackage shop.v1;\nimport \"tegami/v1/options.proto\";\n\
        message A { option (tegami.v1.event) = {}; }\n";
    fs::write(folder.join("a.proto"), text).unwrap();
    assert!(common::compile(&folder).unwrap()["shop.v1.rs"].contains("Event for A"));
}

#[test]
fn debug_shows_every_mistake_because_builds_print_it() {
    let error = tegami_codegen::compile_to_strings(Path::new("tests/mistakes/two_keys")).unwrap_err();
    assert_eq!(format!("{error:?}"), format!("the contracts have mistakes\n{error}"));
}

#[test]
fn missing_folder_is_told() {
    assert!(mistakes(Path::new("tests/nowhere")).starts_with("tests/nowhere: the folder cannot be read"));
}

#[test]
fn file_over_the_limit_is_told() {
    let folder = folder("large");
    fs::write(folder.join("large.proto"), "/".repeat(1024 * 1024 + 1)).unwrap();
    assert!(mistakes(&folder).contains("the file is too large: 1048577 bytes, and the limit is 1048576"));
}

#[test]
fn file_that_is_no_text_is_told() {
    let folder = folder("bytes");
    fs::write(folder.join("bytes.proto"), [0xff, 0xfe, 0x00]).unwrap();
    assert!(mistakes(&folder).contains("bytes.proto: the file is not UTF-8 text"));
}

#[test]
fn mark_before_the_text_is_no_mistake() {
    let folder = folder("mark");
    fs::write(folder.join("a.proto"), "\u{feff}syntax = \"proto3\";\r\npackage shop.v1;\r\nmessage A {}\r\n").unwrap();
    let schema = "\u{feff}{ \"$id\": \"shop.v1.B\", \"type\": \"object\", \"properties\": {} }";
    fs::write(folder.join("b.schema.json"), schema).unwrap();
    assert!(common::compile(&folder).is_ok());
}

#[test]
fn columns_count_characters() {
    let folder = folder("columns");
    let head = "syntax = \"proto3\";\npackage shop.v1;\nimport \"tegami/v1/options.proto\";\n";
    let message = "message A { /* äöü */ bytes b = 1 [(tegami.v1.field) = { pattern: \"a\" }]; }\n";
    fs::write(folder.join("a.proto"), format!("{head}{message}")).unwrap();
    assert!(mistakes(&folder).contains("a.proto:4:29: rule `pattern` does not fit `b`"), "{}", mistakes(&folder));
}

#[test]
fn file_of_an_odd_name_is_told() {
    let folder = folder("names");
    fs::write(folder.join("a\nb.proto"), "").unwrap();
    fs::write(folder.join("B.PROTO"), "").unwrap();
    let told = mistakes(&folder);
    assert!(told.contains("B.PROTO: the file's name ends in capitals"), "{told}");
    assert!(told.contains("a\\nb.proto: the file's name has a control character"), "{told}");
}

#[cfg(unix)]
mod unix {
    use std::{ffi::OsStr, fs, os::unix};

    use super::{common, folder, mistakes};

    #[test]
    fn links_are_followed_once() {
        let folder = folder("links");
        fs::create_dir(folder.join("a")).unwrap();
        fs::write(folder.join("a/a.proto"), "syntax = \"proto3\";\npackage shop.v1;\nmessage A {}\n").unwrap();
        unix::fs::symlink("..", folder.join("a/around")).unwrap();
        unix::fs::symlink("a", folder.join("b")).unwrap();
        let files = common::compile(&folder).unwrap();
        assert!(files["shop.v1.rs"].contains("/links/a/a.proto. Do not"));
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let folder = folder("unreadable");
        unix::fs::symlink("nowhere", folder.join("link.proto")).unwrap();
        let _socket = unix::net::UnixListener::bind(folder.join("s.proto")).unwrap();
        fs::write(folder.join(<OsStr as unix::ffi::OsStrExt>::from_bytes(b"\xff.proto")), "").unwrap();
        let told = mistakes(&folder);
        assert!(told.contains("link.proto: the file cannot be read: "), "{told}");
        assert!(told.contains("s.proto: this is no file"), "{told}");
        assert!(told.contains(".proto: the file's name is not UTF-8"), "{told}");
    }
}

/// Contracts with one line left out, or one character changed: an answer each time, and never a fault of ours.
#[test]
fn damaged_contracts_are_told_or_compiled() {
    let folder = folder("damaged");
    for case in cases("tests/snapshots") {
        let Ok(text) = fs::read_to_string(case.join("contract.proto")) else { continue };
        let lines: Vec<_> = text.lines().collect();
        let without = (0..lines.len()).map(|n| [&lines[..n], &lines[n + 1..]].concat().join("\n"));
        let places = text.char_indices().step_by(7).map(|(place, _)| place);
        let changed = places.map(|place| format!("{}9{}", &text[..place], text.get(place + 1..).unwrap_or_default()));
        for damaged in without.chain(changed) {
            fs::write(folder.join("contract.proto"), &damaged).unwrap();
            let answer = tegami_codegen::compile_to_strings(&folder).map_err(|error| error.to_string());
            assert!(!answer.is_err_and(|text| text.contains("fault of tegami")), "{damaged}");
        }
    }
}

/// `OUT_DIR` belongs to the whole process, so each compilation gets one of its own.
#[test]
fn output_is_whole_or_left_alone() {
    let out = folder("out");
    let run = |contracts: &str| {
        let test = env::current_exe().unwrap();
        let mut command = std::process::Command::new(test);
        command.args(["--exact", "compiles_the_folder_in_the_environment", "--ignored"]);
        command.env("OUT_DIR", &out).env("TEGAMI_CONTRACTS", contracts).output().unwrap().status.success()
    };
    assert!(run("tests/snapshots/event"));
    let files = || {
        cases(&out.join("tegami").to_string_lossy())
            .iter()
            .map(|file| (file.clone(), common::read(file)))
            .collect::<Vec<_>>()
    };
    let before = files();
    assert_eq!(before.len(), 2);
    assert!(!run("tests/mistakes/many_at_once"));
    assert_eq!(files(), before);
    assert!(run("tests/snapshots/enum"));
    assert!(files().iter().any(|(file, _)| file.ends_with("shop.parcels.v2.rs")));
    assert_eq!(files().len(), 2);
}

#[test]
#[ignore = "started by `output_is_whole_or_left_alone`, in a process with its own environment"]
fn compiles_the_folder_in_the_environment() {
    let contracts = env::var("TEGAMI_CONTRACTS").expect("the other test sets it");
    tegami_codegen::compile(contracts).unwrap();
}
