//! The lock and the gate through the public API: what is written, what is refused, and who is told to be hurt.

mod common;

use std::{fs, path::Path, path::PathBuf, process::Command};

use common::{cases, folder};
use tegami_codegen::{Check, Direction, Horizon, Lockfile, RULES, Report, Severity, check};

const PROTO: &str = r#"syntax = "proto3";
package shop.orders.v1;
import "tegami/v1/options.proto";
message OrderPaid {
  option (tegami.v1.event) = {};
  string order_id = 1 [(tegami.v1.field) = { key: true }];
  string currency = 2 [(tegami.v1.field) = { attribute: true }];
  optional int32 discount = 3;
  Line line = 4;
  message Line { string sku = 1; }
}
"#;
const EVENT: &str = "shop.orders.v1.OrderPaid";

/// A folder of one test with `old/` and `new/`.
struct Change(PathBuf);

impl Change {
    /// The contract, with one part in place of another.
    fn new(name: &str, from: &str, to: &str) -> Self {
        assert!(PROTO.contains(from), "{from}");
        Self::of(name, PROTO, &PROTO.replacen(from, to, 1))
    }

    fn of(name: &str, old: &str, new: &str) -> Self {
        let change = Self(folder(name));
        change.write("old/orders.proto", old);
        change.write("new/orders.proto", new);
        change
    }

    fn write(&self, file: &str, text: &str) -> PathBuf {
        let path = self.0.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn check(&self) -> Check {
        Check::of(self.0.join("new")).against(self.0.join("old").to_string_lossy())
    }

    fn report(&self) -> Report {
        self.check().run().unwrap()
    }

    /// The lock of a service that subscribes by the old contract.
    fn consumer(&self, name: &str, subscribes: &str) -> PathBuf {
        let lock = Lockfile::of(self.0.join("old")).unwrap().service(name, &[], &[subscribes]).unwrap();
        self.write(&format!("{name}.lock"), &lock.text())
    }
}

/// The rules that were broken, notes among them.
fn rules(report: &Report) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.rule.id).collect()
}

#[test]
fn a_lock_says_all_that_its_contracts_say() {
    let mut compared = 0;
    for case in cases("tests/snapshots") {
        let Ok(lock) = Lockfile::of(&case) else { continue };
        let text = lock.text();
        assert_eq!(Lockfile::of(&case).unwrap().text(), text);
        let file = folder("round").join("contracts.lock");
        fs::write(&file, &text).unwrap();
        let report = check(&case, file.to_str().unwrap()).unwrap();
        assert_eq!(report.findings, [], "{}", case.display());
        let report = Check::of(&file).against(case.to_string_lossy()).run().unwrap();
        assert_eq!(report.findings, [], "{}", case.display());
        compared += report.events;
    }
    assert!(compared >= 3, "{compared}");
}

#[test]
fn a_lock_has_a_line_for_each_field() {
    let change = Change::new("lines", "Line line = 4;", "Line line = 4;");
    let text = Lockfile::of(change.0.join("old")).unwrap().text();
    for line in [
        r#"        "order_id": { "number": 1, "json": "orderId", "type": "string", "key": true },"#,
        r#"        "discount": { "number": 3, "type": "int32", "optional": true },"#,
        r#"        "line": { "number": 4, "type": "shop.orders.v1.OrderPaid.Line", "optional": true }"#,
        r#"        "source": "orders.proto""#,
    ] {
        assert!(text.lines().any(|known| known == line), "{line}\n{text}");
    }
}

#[test]
fn every_rule_beside_the_payload_has_a_case() {
    let two = format!("{PROTO}message OrderLost {{ option (tegami.v1.event) = {{}}; }}\n");
    let part = |from: &str, to: &str| (PROTO.to_owned(), PROTO.replacen(from, to, 1));
    let turned = |(old, new): (String, String)| (new, old);
    let event = "option (tegami.v1.event) = {};";
    let optional = "  optional int32 discount = 3;\n";
    let cases = [
        ("event-removed", part("message OrderPaid", "message OrderSettled")),
        ("topic-changed", part(event, "option (tegami.v1.event) = { topic: \"other\" };")),
        ("routing-key-changed", part(event, "option (tegami.v1.event) = { routing_key: \"other\" };")),
        ("ordering-changed", part(event, "option (tegami.v1.event) = { ordered: true };")),
        ("key-changed", part("[(tegami.v1.field) = { key: true }]", "")),
        ("subject-changed", turned(part("{ key: true }", "{ key: true, subject: true }"))),
        ("personal-added", part("discount = 3;", "discount = 3 [(tegami.v1.field) = { personal: true }];")),
        ("personal-removed", turned(part("discount = 3;", "discount = 3 [(tegami.v1.field) = { personal: true }];"))),
        ("attribute-removed", part("[(tegami.v1.field) = { attribute: true }]", "")),
        ("attribute-added", part("{ key: true }", "{ key: true, attribute: true }")),
        ("attribute-type-changed", part("string currency", "int32 currency")),
        ("topic-shared", (PROTO.to_owned(), two)),
        ("presence-changed", part("optional int32", "int32")),
        ("number-not-reserved", part(optional, "")),
        ("reserved-used", (PROTO.replacen(optional, "  reserved 3;\n", 1), PROTO.to_owned())),
    ];
    for (rule, (old, new)) in cases {
        let report = Change::of("beside", &old, &new).report();
        assert!(rules(&report).contains(&rule), "{rule}: {report}");
        let is_note =
            ["personal-added", "personal-removed", "attribute-added", "presence-changed", "number-not-reserved"]
                .contains(&rule);
        let severity = if is_note { Severity::Note } else { Severity::Breaking };
        assert!(report.findings.iter().any(|found| found.rule.id == rule && found.severity == severity), "{report}");
    }
}

#[test]
fn a_contract_in_another_language_is_another_format() {
    let change = Change::new("language", "Line line", "Line line");
    fs::remove_file(change.0.join("new/orders.proto")).unwrap();
    let schema = format!(
        r#"{{ "$id": "{EVENT}", "type": "object", "x-tegami": {{ "event": {{}}, "key": "order_id" }},
             "properties": {{ "order_id": {{ "type": "string" }} }}, "required": ["order_id"] }}"#
    );
    change.write("new/orders.schema.json", &schema);
    assert!(rules(&change.report()).contains(&"format-changed"));
}

#[test]
fn an_object_that_is_closed_is_told() {
    let change = Change(folder("closed"));
    let schema = |closed: &str| {
        format!(
            r#"{{ "$id": "a.v1.B", "type": "object", "x-tegami": {{ "event": {{}} }}, "properties": {{}}{closed} }}"#
        )
    };
    change.write("old/a.schema.json", &schema(""));
    change.write("new/a.schema.json", &schema(r#", "additionalProperties": false"#));
    assert_eq!(rules(&change.report()), ["object-closed"]);
}

#[test]
fn a_finding_says_where_what_and_for_how_long() {
    let report = Change::new("words", "int32 discount", "string discount").report();
    let [finding] = &report.findings[..] else { panic!("{report}") };
    assert_eq!((finding.rule.id, finding.path.as_str()), ("type-changed", "discount"));
    assert_eq!((finding.place.line, finding.place.column), (8, 19));
    assert!(finding.place.file.ends_with("words/new/orders.proto"), "{}", finding.place);
    assert_eq!((finding.before.as_str(), finding.after.as_str()), ("int32 = 3, optional", "string = 3, optional"));
    assert_eq!(finding.directions, [Direction::NewReadsOld, Direction::OldReadsNew]);
    assert_eq!(finding.horizons, [Horizon::InFlight, Horizon::DeadLetters, Horizon::Store]);
    let text = report.clone().into_result().unwrap_err();
    assert_eq!(text.to_string(), "NOT compatible: 1 breaking change, 1 event compared");
    assert!(format!("{text:?}").contains("hint: "));
    assert!(RULES.contains(&finding.rule));
}

#[test]
fn a_change_is_safe_for_those_who_do_not_read_what_it_takes() {
    let change = Change::new("who", "optional int32 discount = 3;", "reserved 3; reserved \"discount\";");
    let billing = change.consumer("billing", "shop.orders.v1.OrderPaid:order_id,discount");
    let shipping = change.consumer("shipping", "shop.orders.v1.OrderPaid:order_id,line");
    let report = change.check().consumer(&billing).consumer(&shipping).run().unwrap();
    let [finding] = &report.findings[..] else { panic!("{report}") };
    assert_eq!((finding.rule.id, finding.path.as_str()), ("field-removed", "discount"));
    assert_eq!(
        (finding.breaks.as_slice(), finding.safe_for.as_slice()),
        (&["billing".into()][..], &["shipping".into()][..])
    );
    assert!(!report.is_compatible());
    let report = change.check().consumer(&shipping).run().unwrap();
    assert!(report.is_compatible(), "{report}");
    assert_eq!(report.findings[0].safe_for, ["shipping"]);
}

/// Whom it breaks and for whom it is safe that a field is gone from a type which is in `billing`, in `shipping` and in the
/// `parcel` of a list that may hold itself.
fn hurt_by_what_is_gone_from_a_shared_type(change: &Change, event: &str) -> (Vec<String>, Vec<String>) {
    let readers = [
        ("first", "billing.city"),
        ("second", "shipping.city"),
        ("third", "parcels.to.city"),
        ("deep", "parcels.inner.inner.to.city"),
        ("whole", "shipping"),
        ("all", ""),
        ("neither", "billing.street,shipping.street,parcels.to.street"),
        ("around", "order_id,parcels.label"),
    ];
    let locks: Vec<_> =
        readers.map(|(name, fields)| change.consumer(name, format!("{event}:{fields}").trim_end_matches(':'))).into();
    let check = locks.iter().fold(change.check(), |check, lock| check.consumer(lock));
    let report = check.run().unwrap();
    let removed: Vec<_> = report.findings.iter().filter(|found| found.rule.id == "field-removed").collect();
    let [finding] = &removed[..] else { panic!("{report}") };
    assert!(!report.is_compatible());
    for (lock, (name, _)) in locks.iter().zip(readers) {
        let alone = change.check().consumer(lock).run().unwrap();
        assert_eq!(alone.is_compatible(), finding.safe_for.iter().any(|safe| safe == name), "{name}: {alone}");
    }
    (finding.breaks.clone(), finding.safe_for.clone())
}

#[test]
fn a_field_that_is_gone_from_a_type_hurts_who_reads_it_on_any_way() {
    let old = r#"syntax = "proto3";
package shop.orders.v1;
import "tegami/v1/options.proto";
message OrderPlaced {
  option (tegami.v1.event) = {};
  string order_id = 1;
  Address billing = 2;
  Address shipping = 3;
  repeated Parcel parcels = 4;
}
message Parcel { string label = 1; Address to = 2; Parcel inner = 3; }
message Address { string street = 1; string city = 2; }
"#;
    let gone = old.replace("string city = 2;", "reserved 2; reserved \"city\";");
    let change = Change::of("ways", old, &gone);
    let hurt = hurt_by_what_is_gone_from_a_shared_type(&change, "shop.orders.v1.OrderPlaced");
    assert_eq!(hurt, (names(&["all", "deep", "first", "second", "third", "whole"]), names(&["neither", "around"])));

    let change = Change(folder("ways-json"));
    let schema = |city: &str| {
        format!(
            r##"{{ "$id": "a.v1.B", "type": "object", "x-tegami": {{ "event": {{}} }},
                 "properties": {{ "order_id": {{ "type": "string" }}, "billing": {{ "$ref": "#/$defs/Address" }},
                   "shipping": {{ "$ref": "#/$defs/Address" }},
                   "parcels": {{ "type": "array", "items": {{ "$ref": "#/$defs/Parcel" }} }} }},
                 "$defs": {{
                   "Address": {{ "type": "object", "properties": {{ "street": {{ "type": "string" }}{city} }} }},
                   "Parcel": {{ "type": "object", "properties": {{ "label": {{ "type": "string" }},
                     "to": {{ "$ref": "#/$defs/Address" }}, "inner": {{ "$ref": "#/$defs/Parcel" }} }} }} }} }}"##
        )
    };
    change.write("old/a.schema.json", &schema(r#", "city": { "type": "string" }"#));
    change.write("new/a.schema.json", &schema(""));
    assert_eq!(hurt_by_what_is_gone_from_a_shared_type(&change, "a.v1.B"), hurt);
}

#[test]
fn a_type_that_is_another_on_one_way_hurts_who_goes_that_way() {
    let old = r#"syntax = "proto3";
package shop.orders.v1;
import "tegami/v1/options.proto";
message OrderPlaced { option (tegami.v1.event) = {}; Address billing = 1; Address shipping = 2; }
message Address { string street = 1; string city = 2; }
message Door { string street = 1; }
"#;
    let change = Change::of("forked", old, &old.replace("Address shipping", "Door shipping"));
    let billing = change.consumer("billing", "shop.orders.v1.OrderPlaced:billing.city");
    let shipping = change.consumer("shipping", "shop.orders.v1.OrderPlaced:shipping.city");
    let report = change.check().consumer(&billing).consumer(&shipping).run().unwrap();
    let [finding] = &report.breaking().collect::<Vec<_>>()[..] else { panic!("{report}") };
    assert_eq!((finding.rule.id, finding.path.as_str()), ("field-removed", "shipping.city"));
    assert_eq!((&finding.breaks, &finding.safe_for), (&names(&["shipping"]), &names(&["billing"])));
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn an_attribute_that_no_longer_travels_hurts_those_who_filter_on_it() {
    let change = Change::new("filters", "currency = 2 [(tegami.v1.field) = { attribute: true }]", "currency = 2");
    let billing = change.consumer("billing", "shop.orders.v1.OrderPaid:order_id,currency");
    let shipping = change.consumer("shipping", "shop.orders.v1.OrderPaid:order_id");
    let report = change.check().consumer(&billing).consumer(&shipping).run().unwrap();
    let [finding] = &report.findings[..] else { panic!("{report}") };
    assert_eq!((finding.rule.id, finding.path.as_str()), ("attribute-removed", "currency"));
    assert_eq!(
        (finding.breaks.as_slice(), finding.safe_for.as_slice()),
        (&["billing".into()][..], &["shipping".into()][..])
    );
    assert!(change.check().consumer(&shipping).run().unwrap().is_compatible());
}

#[test]
fn a_narrower_contract_of_its_own_is_what_a_consumer_reads() {
    let change = Change::new("narrow", "Line line = 4;", "");
    let narrow = PROTO.replace("  Line line = 4;\n", "").replace("  optional int32 discount = 3;\n", "");
    change.write("narrow/orders.proto", &narrow);
    let lock = Lockfile::of(change.0.join("narrow")).unwrap().service("mail", &[], &[EVENT]).unwrap();
    let mail = change.write("mail.lock", &lock.text());
    let wide = change.consumer("wide", EVENT);
    assert!(change.check().consumer(&mail).run().unwrap().is_compatible());
    let report = change.check().consumer(&mail).consumer(&wide).run().unwrap();
    let breaking: Vec<_> = report.breaking().collect();
    assert_eq!(
        (breaking.len(), &breaking[0].breaks, &breaking[0].safe_for),
        (1, &vec!["wide".into()], &vec!["mail".into()])
    );
}

#[test]
fn a_consumer_that_could_not_read_the_old_data_is_told_all_the_same() {
    let change = Change::new("strict", "Line line = 4;", "Line line = 4;");
    let strict = PROTO.replace("{ attribute: true }", "{ attribute: true, max_length: 3 }");
    change.write("strict/orders.proto", &strict);
    let lock = Lockfile::of(change.0.join("strict")).unwrap().service("till", &[], &[EVENT]).unwrap();
    let till = change.write("till.lock", &lock.text());
    let report = change.check().consumer(&till).run().unwrap();
    assert_eq!(rules(&report), ["length-widened"], "{report}");
    assert_eq!(report.findings[0].breaks, ["till"]);
}

#[test]
fn what_services_do_stays_when_a_lock_is_written_anew() {
    let change = Change::new("keep", "Line line = 4;", "Line line = 4; string note = 5;");
    let old = Lockfile::of(change.0.join("old"))
        .unwrap()
        .service("billing", &[], &["shop.orders.v1.OrderPaid:line.sku"])
        .unwrap();
    let new = || Lockfile::of(change.0.join("new")).unwrap();
    let text = new().keeping("contracts.lock", &old.text(), None).unwrap().text();
    assert!(text.contains(r#""shop.orders.v1.OrderPaid": ["line.sku"]"#), "{text}");
    let other = new().keeping("contracts.lock", &old.text(), Some("billing")).unwrap().text();
    assert!(!other.contains("line.sku"));
    let error = new().service("billing", &["shop.orders.v1.OrderLost"], &[]).unwrap_err().to_string();
    assert!(error.contains("service `billing` names the event `shop.orders.v1.OrderLost`"), "{error}");
    let error = new().service("billing", &[], &["shop.orders.v1.OrderPaid:line.price"]).unwrap_err().to_string();
    assert!(error.contains("the field `line.price`"), "{error}");
}

#[test]
fn a_broken_lock_is_one_error_with_its_line() {
    let change = Change::new("broken", "Line line = 4;", "Line line = 4;");
    let text = Lockfile::of(change.0.join("old")).unwrap().service("a", &[EVENT], &[EVENT]).unwrap().text();
    let cases = [
        ("\"lock\": 1", "\"lock\": 2", ":2:", "it is of another version; this tegami reads version 1"),
        ("\"type\": \"int32\"", "\"type\": \"int33\"", ":18:", "there is no type `int33`"),
        ("\"optional\": true", "\"optionally\": true", ":18:", "there is no `optionally` in a lock"),
        ("\"number\": 3", "\"number\": \"3\"", ":18:", "is not a whole number"),
        ("\"number\": 3", "\"number\": -3", ":18:", "is not a whole number"),
        ("\"format\": \"protobuf\"", "\"format\": \"xml\"", ":5:", "is not \"protobuf\" or \"json-schema\""),
        ("        \"topic\": \"shop-orders-v1\",\n", "", ":6:", "`topic` is missing"),
        ("\"shop.orders.v1.OrderPaid.Line\": {", "\"shop.orders.v1.OrderPaid.Lines\": {", ":19:", "which is not there"),
        (
            "\"publishes\": [\n        \"shop.orders.v1.OrderPaid\"",
            "\"publishes\": [\n        \"shop.orders.v1.Other\"",
            ":1:",
            "names the event",
        ),
        ("\"discount\"", "\"order_id\"", ":18:", "is there twice"),
        ("  }\n}\n", "  }\n", ":", "not JSON"),
    ];
    for (from, to, line, reason) in cases {
        assert!(text.contains(from), "{from}\n{text}");
        let lock = change.write("contracts.lock", &text.replacen(from, to, 1));
        let error = check(change.0.join("new"), lock.to_str().unwrap()).unwrap_err().to_string();
        assert!(error.contains(&format!("contracts.lock{line}")) && error.contains(reason), "{to}: {error}");
        assert_eq!(error.matches("hint: do not edit the file").count(), 1, "{error}");
    }
}

/// Locks with one line left out, or one character changed: an answer each time, and never a panic.
#[test]
fn damaged_locks_are_told_or_read() {
    let change = Change::new("damaged_locks", "Line line = 4;", "Line line = 4;");
    let text = Lockfile::of(change.0.join("old")).unwrap().service("a", &[EVENT], &[EVENT]).unwrap().text();
    let lines: Vec<_> = text.lines().collect();
    let without = (0..lines.len()).map(|n| [&lines[..n], &lines[n + 1..]].concat().join("\n"));
    let letters = text.char_indices().step_by(3);
    let changed =
        letters.flat_map(|(n, _)| ["9", "\"", "{", "x"].map(|by| format!("{}{by}{}", &text[..n], &text[n + 1..])));
    for damaged in without.chain(changed) {
        let lock = change.write("contracts.lock", &damaged);
        let _ = check(change.0.join("new"), lock.to_str().unwrap());
    }
}

#[test]
fn two_services_of_one_name_and_a_lock_of_nobody_are_refused() {
    let change = Change::new("names_of_services", "Line line = 4;", "Line line = 4;");
    let first = change.consumer("billing", EVENT);
    let second = change.write("second.lock", &fs::read_to_string(&first).unwrap());
    let error = change.check().consumer(&first).consumer(&second).run().unwrap_err().to_string();
    assert!(
        error.contains("second.lock: the service `billing` is in ") && error.contains("billing.lock too"),
        "{error}"
    );
    let nobody = change.write("nobody.lock", &Lockfile::of(change.0.join("old")).unwrap().text());
    let error = change.check().consumer(&nobody).run().unwrap_err().to_string();
    assert!(error.contains("names no service"), "{error}");
    let error = change.check().consumer(change.0.join("gone.lock")).run().unwrap_err().to_string();
    assert!(error.contains("gone.lock: the lock cannot be read"), "{error}");
}

#[test]
fn contracts_with_mistakes_cannot_be_compared() {
    let change = Change::new("mistaken", "Line line = 4;", "Lime line = 4;");
    let error = change.check().run().unwrap_err().to_string();
    assert!(error.contains("orders.proto:9:") && error.contains("Lime"), "{error}");
}

#[test]
fn nothing_that_a_contract_says_steers_a_terminal() {
    let old = r#"{ "$id": "a.v1.B", "type": "object", "x-tegami": { "event": {} },
        "properties": { "c\u001b[31m": { "enum": ["d\u009b", "e\u202e"] }, "f": { "type": "string", "pattern": "a\u001b" } } }"#;
    let change = Change(folder("terminal"));
    change.write("old/a.schema.json", old);
    change.write("new/a.schema.json", &old.replace("\"e\\u202e\"", "\"g\\u0007\"").replace("a\\u001b", "b\\u001b"));
    let report = change.report();
    assert!(rules(&report).contains(&"enum-value-removed") && rules(&report).contains(&"pattern-changed"));
    let text = report.to_string();
    assert!(text.contains("\\u{1b}"), "{text}");
    let harmful = |letter: char| letter.is_control() && letter != '\n' || letter == '\u{202e}';
    assert!(!text.contains(harmful), "{text:?}");
}

/// A git repository with the old contract and its lock committed.
fn repository(name: &str) -> Option<Change> {
    let change = Change::new(name, "int32 discount", "string discount");
    let lock = Lockfile::of(change.0.join("old")).unwrap().text();
    change.write("contracts.lock", &lock);
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"];
        Command::new("git")
            .current_dir(&change.0)
            .args(identity)
            .args(arguments)
            .output()
            .is_ok_and(|output| output.status.success())
    };
    let is_made = git(&["init", "-q"]) && git(&["add", "-A"]) && git(&["commit", "-qm", "a"]) && git(&["tag", "v1"]);
    is_made.then_some(change)
}

/// git looks at the current folder, which belongs to the whole process: each question gets one of its own.
fn ask_git(folder: &Path, against: &str) -> String {
    let test = std::env::current_exe().unwrap();
    let mut command = Command::new(test);
    command.args(["--exact", "asks_git_in_the_current_folder", "--ignored", "--nocapture"]).current_dir(folder);
    let output = command.env("TEGAMI_AGAINST", against).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "started by the tests of git, in a process with its own folder"]
fn asks_git_in_the_current_folder() {
    let against = std::env::var("TEGAMI_AGAINST").expect("the other test sets it");
    match check("new", &against) {
        Ok(report) => println!("answer: {}", report.summary()),
        Err(error) => println!("answer: {error}"),
    }
}

#[test]
fn contracts_of_before_come_from_git() {
    let Some(change) = repository("git") else {
        return assert!(Command::new("git").arg("--version").output().is_err());
    };
    for against in ["git:HEAD", "git:v1:contracts.lock", "git:HEAD:old", "git:HEAD~0:./old/"] {
        let answer = ask_git(&change.0, against);
        assert!(answer.contains("answer: NOT compatible: 1 breaking change, 1 event compared"), "{against}: {answer}");
    }
    assert!(ask_git(&change.0, "git:HEAD:new").contains("answer: compatible"));
    // Seen from a folder inside.
    fs::create_dir_all(change.0.join("inside/new")).unwrap();
    fs::copy(change.0.join("new/orders.proto"), change.0.join("inside/new/orders.proto")).unwrap();
    assert!(ask_git(&change.0.join("inside"), "git:HEAD:../old").contains("answer: NOT compatible"));
}

#[test]
fn what_leads_out_of_a_folder_in_git_is_told() {
    let Some(change) = repository("git_leads_out") else {
        return assert!(Command::new("git").arg("--version").output().is_err());
    };
    let git = |arguments: &[&str]| {
        let output = Command::new("git").current_dir(&change.0).args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let commit = git(&["rev-parse", "HEAD"]);
    let link = git(&["rev-parse", "HEAD:old/orders.proto"]);
    for (mode, object, what) in [("160000", commit, "a submodule"), ("120000", link, "a link")] {
        git(&["update-index", "--add", "--cacheinfo", &format!("{mode},{object},old/common")]);
        let identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"];
        git(&[&identity[..], &["commit", "-qm", "b"]].concat());
        let told = format!("git:HEAD:old: could not tell what `common` was: it is {what}");
        let answer = ask_git(&change.0, "git:HEAD:old");
        assert!(answer.contains(&told), "{answer}");
        // What is beside the folder does not matter, and the lock holds all.
        assert!(ask_git(&change.0, "git:HEAD:new").contains("answer: compatible"));
        assert!(ask_git(&change.0, "git:HEAD").contains("answer: NOT compatible"));
    }
}

#[test]
fn what_git_does_not_have_is_told() {
    let Some(change) = repository("no_git") else {
        return assert!(Command::new("git").arg("--version").output().is_err());
    };
    for (against, reason) in [
        ("git:nowhere", "git:nowhere:contracts.lock: git knows no such revision"),
        ("git:", "git knows no such revision"),
        ("git:--help", "git knows no such revision"),
        ("git:HEAD:gone", "git:HEAD:gone: there is no such file or folder in that revision"),
        ("git:HEAD:old/orders.proto", "not JSON"),
    ] {
        let answer = ask_git(&change.0, against);
        assert!(answer.contains(reason), "{against}: {answer}");
    }
}
