//! `tegami ledger` answers by its exit code, and says why.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tegami::{
    testing::ledger::{Answer, Checksum, Ended, Entry, Ledger},
    time::Clock,
};

/// A folder of one test's own, removed with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A ledger in it with one message published ok.
    fn with_publish(name: &str) -> (Self, Ledger) {
        let folder = Self::new(name);
        let ledger = Ledger::open(&folder.0, "service", Clock::system()).unwrap();
        let (id, checksum, to) = ("m-1".to_owned(), Checksum::of(&Default::default()), vec!["billing".to_owned()]);
        ledger.write(Entry::PublishBegin { id, key: None, sequence: 1, checksum, to });
        ledger.publish_end("m-1", Answer::Ok);
        (folder, ledger)
    }

    /// What `tegami ledger` says to it.
    fn check(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tegami"));
        let Output { status, stdout, stderr } = command.arg("ledger").arg(&self.0).args(arguments).output().unwrap();
        (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn complete(ledger: &Ledger) {
    let (id, subscription) = ("m-1".to_owned(), "billing".to_owned());
    ledger.write(Entry::RunEnd { id, subscription, attempt: 1, ended: Ended::Ok, retry_after: None });
}

#[test]
fn clean_ledgers_exit_with_0() {
    let (folder, ledger) = Folder::with_publish("clean");
    complete(&ledger);
    let (code, table, errors) = folder.check(&[]);
    assert_eq!((code, table.lines().last(), errors.as_str()), (Some(0), Some("clean"), ""));
}

#[test]
fn ledgers_that_are_not_clean_exit_with_1_and_name_the_message() {
    let (folder, _) = Folder::with_publish("lost");
    let (code, table, _) = folder.check(&[]);
    assert_eq!((code, table.lines().last()), (Some(1), Some("NOT clean: lost 1")));
    assert!(table.contains("m-1 at billing: published ok, never seen"), "{table}");
    assert!(!table.contains('\u{1b}'), "colour where no terminal is");
}

#[test]
fn a_folder_without_ledgers_exits_with_2() {
    let folder = Folder::new("empty");
    let (code, table, errors) = folder.check(&[]);
    assert_eq!((code, table.as_str()), (Some(2), ""));
    assert!(errors.contains("tells of a publish"), "{errors}");
}

#[test]
fn ledgers_that_tell_of_no_publish_prove_nothing_and_exit_with_2() {
    let folder = Folder::new("vacuous");
    complete(&Ledger::open(&folder.0, "consumer", Clock::system()).unwrap());
    let (code, table, errors) = folder.check(&[]);
    assert_eq!((code, table.as_str()), (Some(2), ""));
    assert!(errors.contains("tells of a publish"), "{errors}");
}

#[test]
fn a_folder_that_is_not_there_exits_with_2() {
    let folder = Folder::new("gone");
    fs::remove_dir_all(&folder.0).unwrap();
    let (code, _, errors) = folder.check(&[]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("gone-") && errors.contains("cannot be read\n  because: "), "{errors}");
}

#[test]
fn a_malformed_line_exits_with_2_and_is_named() {
    let (folder, ledger) = Folder::with_publish("malformed");
    let text = fs::read_to_string(ledger.path()).unwrap();
    fs::write(ledger.path(), text.replace("publish-end", "publish-ended")).unwrap();
    let (code, _, errors) = folder.check(&[]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("service-1.ledger:2 is not a line of a ledger\n  because: "), "{errors}");
}

#[test]
fn json_tells_the_same() {
    let (folder, _) = Folder::with_publish("json");
    let (code, json, _) = folder.check(&["--json"]);
    assert_eq!(code, Some(1));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let lost = serde_json::json!([{ "id": "m-1", "subscription": "billing", "words": "published ok, never seen" }]);
    assert_eq!((&json["clean"], &json["figures"]["lost"]), (&false.into(), &lost));
    assert_eq!((&json["figures"]["left-over"], &json["counts"]["ok"]), (&serde_json::json!([]), &1.into()));
}

#[test]
fn help_teaches_the_exit_codes() {
    let folder = Folder::new("help");
    let (code, help, _) = folder.check(&["--help"]);
    assert_eq!(code, Some(0));
    assert!(["*.ledger", "Exit codes:", "Examples:"].iter().all(|part| help.contains(part)), "{help}");
}
