//! `tegami contracts` answers by its exit code, says why in each format, and writes nothing when something is wrong.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const PROTO: &str = r#"syntax = "proto3";
package shop.orders.v1;
import "tegami/v1/options.proto";
message OrderPaid {
  option (tegami.v1.event) = {};
  string order_id = 1 [(tegami.v1.field) = { key: true }];
  optional int32 discount = 3;
}
"#;

/// A folder of one test's own, removed with the value.
struct Folder(PathBuf);

impl Folder {
    /// With the contracts in it, and their lock.
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        let folder = Self(path);
        folder.write("proto/orders.proto", PROTO);
        assert_eq!(folder.run(&["lock"]).0, Some(0));
        folder
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn change(&self, from: &str, to: &str) {
        assert!(PROTO.contains(from));
        self.write("proto/orders.proto", &PROTO.replace(from, to));
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.0.join(file)).unwrap()
    }

    /// What `tegami contracts` says in it.
    fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tegami"));
        command.current_dir(&self.0).arg("contracts").args(arguments).env("GIT_CEILING_DIRECTORIES", &self.0);
        let Output { status, stdout, stderr } = command.output().unwrap();
        (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn compatible_contracts_exit_with_0() {
    let folder = Folder::new("compatible");
    folder.change("}\n", "  string note = 4;\n}\n");
    let (code, text, errors) = folder.run(&["check"]);
    assert_eq!((code, text.as_str(), errors.as_str()), (Some(0), "compatible: 1 event compared\n", ""));
}

#[test]
fn what_breaks_exits_with_1_and_is_told_to_people() {
    let folder = Folder::new("breaking");
    folder.change("int32", "string");
    let (code, text, errors) = folder.run(&["check"]);
    assert_eq!((code, errors.as_str()), (Some(1), ""));
    for line in [
        "proto/orders.proto:7:19: breaking[type-changed]: shop.orders.v1.OrderPaid.discount",
        "  before: int32 = 3, optional",
        "  after:  string = 3, optional",
        "NOT compatible: 1 breaking change, 1 event compared",
    ] {
        assert!(text.lines().any(|known| known == line), "{text}");
    }
    assert!(!text.contains('\u{1b}'), "colour where no terminal is");
}

#[test]
fn one_direction_and_one_encoding_can_be_asked_alone() {
    let folder = Folder::new("alone");
    folder.change("int32 discount", "int32 rebate");
    assert_eq!(folder.run(&["check"]).0, Some(1));
    assert_eq!(folder.run(&["check", "--encoding", "protobuf"]).0, Some(0));
    folder.change("  optional int32 discount = 3;\n", "");
    assert_eq!(folder.run(&["check", "--direction", "forward"]).0, Some(1));
    assert_eq!(folder.run(&["check", "--direction", "backward"]).0, Some(0));
}

#[test]
fn consumers_are_asked_by_name() {
    let folder = Folder::new("consumers");
    let lock = |out: &str, name: &str, reads: &str| {
        let reads = format!("shop.orders.v1.OrderPaid:{reads}");
        assert_eq!(folder.run(&["lock", "--out", out, "--service", name, "--subscribes", &reads]).0, Some(0));
    };
    lock("billing.lock", "billing", "discount");
    lock("shipping.lock", "shipping", "order_id");
    folder.change("  optional int32 discount = 3;\n", "  reserved 3; reserved \"discount\";\n");
    let (code, text, _) = folder.run(&["check", "--consumers", "billing.lock", "shipping.lock"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("  breaks: billing\n  safe for: shipping\n"), "{text}");
    assert_eq!(folder.run(&["check", "--consumers", "shipping.lock"]).0, Some(0));
}

#[test]
fn what_cannot_be_told_exits_with_2() {
    let folder = Folder::new("untold");
    folder.write("broken.lock", "{");
    fs::copy(folder.0.join("contracts.lock"), folder.0.join("nobody.lock")).unwrap();
    for (arguments, reason) in [
        (&["check", "--against", "gone.lock"][..], "gone.lock: the lock cannot be read"),
        (&["check", "--against", "gone"], "gone: the folder cannot be read"),
        (&["check", "--against", "broken.lock"], "broken.lock:1:1: not JSON"),
        (&["check", "--against", "git:nowhere"], "git:nowhere:contracts.lock: "),
        (&["check", "--consumers", "nobody.lock"], "names no service"),
        (&["check", "nowhere"], "nowhere: the folder cannot be read"),
        (&["lock", "--service", "a", "--publishes", "b.C"], "service `a` names the event `b.C`"),
    ] {
        let (code, text, errors) = folder.run(arguments);
        assert_eq!((code, text.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(errors.contains(reason), "{arguments:?}: {errors}");
    }
}

#[test]
fn a_lock_that_cannot_be_made_leaves_the_file_as_it_was() {
    let folder = Folder::new("left");
    let before = folder.read("contracts.lock");
    folder.change("int32", "int33");
    assert_eq!(folder.run(&["lock"]).0, Some(2));
    assert_eq!(folder.read("contracts.lock"), before);
    folder.change("int32", "int64");
    folder.write("contracts.lock", "{}");
    assert_eq!(folder.run(&["lock"]).0, Some(2));
    assert_eq!(folder.read("contracts.lock"), "{}");
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 2, "nothing else is left");
}

#[test]
fn a_lock_that_is_not_up_to_date_is_told() {
    let folder = Folder::new("dated");
    assert_eq!(folder.run(&["lock", "--check"]).0, Some(0));
    let before = folder.read("contracts.lock");
    folder.change("int32", "int64");
    let (code, text, _) = folder.run(&["lock", "--check"]);
    assert_eq!((code, text.as_str()), (Some(1), "contracts.lock is not up to date: run `tegami contracts lock`\n"));
    assert_eq!(folder.read("contracts.lock"), before);
    assert_eq!(folder.run(&["lock"]).0, Some(0));
    assert!(folder.read("contracts.lock").contains("\"int64\""));
}

#[test]
fn programs_are_told_the_same() {
    let folder = Folder::new("programs");
    folder.change("int32", "string");
    let (code, json, _) = folder.run(&["check", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let finding = &json["findings"][0];
    assert_eq!((code, &json["compatible"]), (Some(1), &false.into()));
    assert_eq!((&finding["rule"], &finding["line"]), (&"type-changed".into(), &7.into()));
    let (code, sarif, _) = folder.run(&["check", "--format", "sarif"]);
    let sarif: serde_json::Value = serde_json::from_str(&sarif).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!((code, &sarif["version"], &result["level"]), (Some(1), &"2.1.0".into(), &"error".into()));
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(
        (&place["artifactLocation"]["uri"], &place["region"]["startLine"]),
        (&"proto/orders.proto".into(), &7.into())
    );
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(rules.iter().any(|rule| rule["id"] == result["ruleId"]));
    let (code, text, _) = folder.run(&["check", "--format", "github"]);
    let line = text.lines().next().unwrap();
    let begin =
        "::error file=proto/orders.proto,line=7,col=19,title=type-changed::shop.orders.v1.OrderPaid.discount%0A";
    assert!(code == Some(1) && line.starts_with(begin), "{line}");
}

#[test]
fn every_rule_is_listed_with_what_to_do() {
    let folder = Folder::new("rules");
    let (code, text, _) = folder.run(&["rules"]);
    assert_eq!(code, Some(0));
    assert_eq!(text.matches("\n  hint: ").count(), tegami_codegen::RULES.len());
}

#[test]
fn help_teaches_the_exit_codes() {
    let folder = Folder::new("help-contracts");
    for command in ["archive", "lock", "check"] {
        let (code, help, _) = folder.run(&[command, "--help"]);
        assert_eq!(code, Some(0));
        assert!(["Exit codes:", "Examples:"].iter().all(|part| help.contains(part)), "{help}");
    }
}

#[cfg(unix)]
#[test]
fn a_services_program_says_what_it_does_and_the_fields_it_reads() {
    let folder = Folder::new("program");
    let description = r#"{"service":"billing","topics":[],
        "publishes":[],"queues":[{"name":"q","per_instance":false,"ordered":false,"halts_on_dead_letters":false,
        "concurrency":1,"dead_letters":"d","events":[{"event":"shop.orders.v1.OrderPaid","topic":"t","routing_key":"k",
        "fields":["order_id","discount"],"handler":"h","timeout_seconds":1.0,"retry_after_seconds":[]}]}]}"#;
    let description = description.replace('\n', "");
    let program = ["--", "printf", "%s", &*description];
    let lock = |options: &[&str]| folder.run(&[&["lock"], options, &program].concat());
    assert_eq!(lock(&["--check"]).0, Some(1), "the lock names no service yet");
    let (code, _, errors) = lock(&[]);
    assert_eq!(code, Some(0), "{errors}");
    assert!(
        folder.read("contracts.lock").contains(r#""shop.orders.v1.OrderPaid": ["order_id", "discount"]"#),
        "{}",
        folder.read("contracts.lock")
    );
    assert_eq!(lock(&["--check"]).0, Some(0));
    let read = "shop.orders.v1.OrderPaid:order_id";
    assert_eq!(folder.run(&["lock", "--service", "billing", "--subscribes", read]).0, Some(0));
    assert_eq!(lock(&["--check"]).0, Some(1), "the program knows better");
    let before = folder.read("contracts.lock");
    let (code, _, errors) = folder.run(&["lock", "--", "false"]);
    assert_eq!((code, folder.read("contracts.lock")), (Some(2), before));
    assert!(errors.contains("could not `describe`"), "{errors}");
    assert_eq!(folder.run(&["lock", "--service", "billing", "--", "true"]).0, Some(2), "one of both");
}

#[cfg(unix)]
#[test]
fn what_a_release_writes_is_archived_once_and_stays() {
    let folder = Folder::new("archive");
    let lock = folder.read("contracts.lock");
    let fingerprint = lock.split("fingerprint\": \"").nth(1).unwrap().split('"').next().unwrap();
    let answer = |name: &str, fingerprint: &str| {
        format!(
            r#"{{"service":"billing","release":"7","events":[{{"event":"shop.orders.v1.OrderPaid","version":1,
            "fingerprint":"{fingerprint}","samples":[{{"name":"{name}","json":{{"orderId":"o-1"}},"protobuf":"CgNvLTE="}}]}}]}}"#
        )
        .replace('\n', "")
    };
    let archive = |answer: &str| folder.run(&["archive", "--", "printf", "%s", answer]);
    let (code, text, errors) = archive(&answer("all", "0123456789abcdef"));
    assert_eq!((code, &*text), (Some(2), ""));
    assert!(errors.contains("`billing` was built from other contracts than `proto`"), "{errors}");
    assert!(!folder.0.join("archive").exists());
    let (code, text, errors) = archive(&answer("all", fingerprint));
    let added = format!("added  shop.orders.v1.OrderPaid {fingerprint}, 1 samples\n");
    assert_eq!((code, &*text, &*errors), (Some(0), &*added, ""));
    let file = |name: &str| folder.read(&format!("archive/shop.orders.v1.OrderPaid/{fingerprint}/{name}"));
    assert!(file("manifest.json").contains("\"release\": \"7\""));
    assert!(file("contracts.lock").contains("discount") && !file("contracts.lock").contains("services"));
    let before = file("samples.jsonl");
    let (code, text, _) = archive(&answer("another", fingerprint));
    assert_eq!((code, text.starts_with("known  shop.orders.v1.OrderPaid")), (Some(0), true), "{text}");
    assert_eq!(file("samples.jsonl"), before);
    folder.write(&format!("archive/shop.orders.v1.OrderPaid/{fingerprint}/samples.jsonl"), &before[..9]);
    let (code, _, errors) = archive(&answer("all", fingerprint));
    assert_eq!((code, errors.contains("samples.jsonl`: it is not as it was written")), (Some(2), true), "{errors}");
}

#[test]
fn a_narrower_contract_says_what_is_read() {
    let folder = Folder::new("narrower");
    let lock = |service: &str, field: &str| {
        folder.write(&format!("{service}/orders.proto"), &PROTO.replace("  optional int32 discount = 3;\n", field));
        let (contracts, out) = (service, format!("{service}.lock"));
        let event = "shop.orders.v1.OrderPaid";
        let arguments = ["lock", contracts, "--out", &out, "--service", service, "--subscribes", event];
        assert_eq!(folder.run(&arguments).0, Some(0));
    };
    lock("billing", "  optional int32 discount = 3;\n");
    lock("shipping", "");
    folder.change("  optional int32 discount = 3;\n", "  reserved 3; reserved \"discount\";\n");
    let (code, text, _) = folder.run(&["check", "--consumers", "billing.lock", "shipping.lock"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("  breaks: billing\n  safe for: shipping\n"), "{text}");
    assert_eq!(folder.run(&["check", "--consumers", "shipping.lock"]).0, Some(0));
}
