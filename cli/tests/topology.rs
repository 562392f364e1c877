//! `tegami plan`, `verify`, `apply`, `explain` and `dlq` ask a service's program, and say what it answers.

#![cfg(unix)]

use std::process::{Command, Output};

/// What the command says when the program prints this and ends with this code.
fn asked(arguments: &[&str], answer: &str, code: i32) -> (Option<i32>, String, String) {
    // The program shows that it was asked, and prints something else before its answer.
    let script = r#"echo "hello"; echo "task: $TEGAMI_TASK" >&2; printf '%s\n' "$0"; exit "$1""#;
    let mut command = Command::new(env!("CARGO_BIN_EXE_tegami"));
    command.args(arguments).args(["--", "sh", "-c", script, answer, &code.to_string()]);
    let Output { status, stdout, stderr } = command.output().expect("the command runs");
    (status.code(), String::from_utf8(stdout).expect("text"), String::from_utf8(stderr).expect("text"))
}

const DESCRIPTION: &str = r#"{"service":"billing",
    "publishes":[{"event":"shop.ReceiptSent","topic":"shop","routing_key":"shop.ReceiptSent"}],
    "topics":[{"name":"orders","ordered":false}],
    "queues":[{"name":"billing-orders","per_instance":false,"ordered":true,"halts_on_dead_letters":false,
      "concurrency":10,"dead_letters":"billing-orders-dead","events":[{"event":"shop.v1.OrderPaid","topic":"orders",
        "routing_key":"shop.v1.OrderPaid","upcast_to":"shop.v2.OrderPaid","filter":"currency is \"EUR\"",
        "handler":"billing::charge","timeout_seconds":60.0,"retry_after_seconds":[1.0,10.0]}]}]}"#;

fn description() -> String {
    DESCRIPTION.split('\n').map(str::trim).collect()
}

const WAY: &str = "    <- shop.v1.OrderPaid from orders
       made into shop.v2.OrderPaid
       if currency is \"EUR\"
       handled by billing::charge, 60 s an attempt, again after 1 s, 10 s
";

#[test]
fn plan_shows_what_the_program_describes() {
    let (code, said, errors) = asked(&["plan"], &description(), 0);
    assert_eq!(code, Some(0), "{errors}");
    assert_eq!(errors, "task: describe\n");
    let plan = format!(
        "billing\n\n  publishes shop.ReceiptSent\n    to shop\n\n  queue billing-orders (in order per key)\n{WAY}    \
         dead letters in billing-orders-dead\n"
    );
    assert_eq!(said, plan);
    let (_, json, _) = asked(&["plan", "--json"], &description(), 0);
    assert!(json.contains("\"dead_letters\": \"billing-orders-dead\""), "{json}");
}

#[test]
fn explain_tells_the_way_or_why_there_is_none() {
    let queue = format!(
        "queue billing-orders\n{WAY}    filtered out: shop.v1.OrderPaid unless currency is \"EUR\"\n    \
         given up on, it goes to billing-orders-dead, with its reason\n"
    );
    for name in ["OrderPaid", "shop.v1.OrderPaid", "billing-orders", "billing-orders-dead", "charge"] {
        let (code, said, _) = asked(&["explain", name], &description(), 0);
        assert_eq!((code, said), (Some(0), queue.clone()), "{name}");
    }
    let (code, said, _) = asked(&["explain", "ReceiptSent"], &description(), 0);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("billing publishes shop.ReceiptSent\n    to shop"), "{said}");
    assert!(said.contains("\n    not handled by billing; `--with`"), "{said}");
    assert_eq!(
        asked(&["explain", "billing"], &description(), 0),
        (Some(0), said + &queue, "task: describe\n".to_owned())
    );
    let (code, said, _) = asked(&["explain", "Paid"], &description(), 0);
    assert_eq!(code, Some(1), "{said}");
    let parts = ["billing neither handles nor publishes Paid", "    shop.v1.OrderPaid", "    shop.ReceiptSent"];
    assert!(parts.iter().all(|part| said.contains(part)), "{said}");
    let (code, said, _) = asked(&["explain", "shop.v3.OrderPaid"], &description(), 0);
    assert!(code == Some(1) && said.contains("\n  shop.v1.OrderPaid is another version"), "{said}");
}

#[test]
fn explain_knows_of_a_fleet_who_handles_what_and_on_which_topic() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let explained = |other: &str| {
        let plan = folder.join(format!("other-plan-{}.json", std::process::id()));
        std::fs::write(&plan, other).expect("a file");
        let told = asked(&["explain", "ReceiptSent", "--with", plan.to_str().expect("text")], &description(), 0);
        std::fs::remove_file(plan).expect("it was ours");
        told
    };
    let mail = description().replace(r#""service":"billing""#, r#""service":"mail""#).replace("billing-", "mail-");
    let (code, said, _) = explained(&mail);
    assert!(code == Some(1) && said.contains("\n    not handled by billing, mail\n"), "{said}");
    let handles = mail
        .replace(r#""publishes":[{"event":"shop.ReceiptSent","topic":"shop","routing_key":"shop.ReceiptSent"}],"#, "")
        .replace("shop.v1.OrderPaid", "shop.ReceiptSent");
    let (code, said, _) = explained(&handles.replace(r#""topic":"orders""#, r#""topic":"shop""#));
    assert!(code == Some(0) && said.contains("\nqueue mail-orders\n") && !said.contains("not handled"), "{said}");
    let (code, said, _) = explained(&handles);
    assert!(code == Some(1) && said.contains("\n    mail expects it on orders\n"), "{said}");
    let other_key = handles
        .replace(r#""topic":"orders""#, r#""topic":"shop""#)
        .replace(r#""routing_key":"shop.ReceiptSent""#, r#""routing_key":"receipts""#);
    let (code, said, _) = explained(&other_key);
    let told = "\n    mail expects it with the routing key receipts: on RabbitMQ it does not come\n";
    assert!(code == Some(1) && said.contains(told) && !said.contains("not handled"), "{said}");
    let (code, said, errors) = explained("[]");
    assert!(code == Some(2) && said.is_empty() && errors.contains("is no plan: "), "{errors}");
}

#[test]
fn verify_and_apply_answer_by_their_exit_codes() {
    let (code, said, errors) = asked(&["verify"], r#"{"transport":"amqp","differs":[]}"#, 0);
    assert_eq!((code, &*said, &*errors), (Some(0), "amqp has what the service needs\n", "task: verify\n"));
    let (code, said, errors) = asked(&["apply"], r#"{"transport":"amqp","differs":["queue `a`","\u001bb"]}"#, 0);
    let told = "amqp differs: queue `a`\namqp differs: \\u{1b}b\n";
    assert_eq!((code, &*said, &*errors), (Some(1), told, "task: provision\n"));
}

#[test]
fn a_program_that_fails_or_says_nothing_fit_is_no_answer() {
    for (answer, code, words) in [
        ("{}", 3, "could not `verify`: exit status: 3"),
        ("hello", 0, "gave no answer to `verify`"),
        ("", 0, "gave no answer to `verify`"),
        ("{\"service\":1}", 0, "gave no answer to `verify`"),
    ] {
        let (code, said, errors) = asked(&["verify"], answer, code);
        assert_eq!((code, &*said), (Some(2), ""), "{errors}");
        assert!(errors.contains(words), "{errors}");
    }
    let none = Command::new(env!("CARGO_BIN_EXE_tegami")).args(["plan", "--", "/no/such/program"]).output();
    let Output { status, stderr, .. } = none.expect("the command runs");
    assert_eq!(status.code(), Some(2));
    assert!(String::from_utf8_lossy(&stderr).contains("`/no/such/program` cannot be run"));
}

const LETTERS: &str = r#"[
    {"id":"m-1","queue":"q","size":20,"key":"o-1","payload":{"order_id":"o-1\u001b[31m"},
     "reason":{"kind":"handler-error","error":"no ink\u009b1m","event":"shop.OrderPaid","service":"billing","queue":"q",
       "attempts":6,"first":"2026-01-01T00:00:00Z","last":"2026-01-01T00:00:00Z"}},
    {"id":null,"queue":"q","size":3,"unreadable":"the payload is not a `shop.OrderPaid`: amount_minor",
     "reason":{"kind":"undecodable","error":"bad","event":null,"service":"billing","queue":"q",
       "attempts":1,"first":"2026-01-01T00:00:00Z","last":"2026-01-01T00:00:00Z"}}]"#;

fn letters() -> String {
    LETTERS.split('\n').map(str::trim).collect()
}

#[test]
fn dlq_groups_shows_and_tries_dead_letters() {
    let (code, said, errors) = asked(&["dlq", "ls"], &letters(), 0);
    assert_eq!((code, &*errors), (Some(1), "task: dead-letters\n"));
    assert_eq!(said, "      1  handler-error       q\n      1  undecodable         q\n");
    let (code, said, errors) = asked(&["dlq", "show", "q"], &letters(), 0);
    assert_eq!((code, &*errors), (Some(1), "task: dead-letters q\n"));
    let shown = "m-1 in q
  handler-error, tried 6 times: no ink\\u{9b}1m
  key o-1
  shop.OrderPaid {\"order_id\":\"o-1\\u001b[31m\"}

(no id) in q
  undecodable, tried once: bad
  3 bytes that cannot be read: the payload is not a `shop.OrderPaid`: amount_minor
";
    assert_eq!(said, shown);
    let (code, said, _) = asked(&["dlq", "try"], &letters(), 0);
    assert_eq!(code, Some(1));
    assert!(said.starts_with("1 of 2 can be read today\n  (no id): the payload is not"), "{said}");
    let (code, said, _) = asked(&["dlq", "show", "--json"], &letters(), 0);
    assert!(code == Some(1) && said.contains("\"order_id\":\"o-1\\u001b[31m\""), "{said}");
    for command in ["ls", "show"] {
        let (code, said, _) = asked(&["dlq", command], "[]", 0);
        assert_eq!((code, &*said), (Some(0), "no dead letters\n"));
    }
}

#[test]
fn dlq_redrive_names_the_queue() {
    let (code, said, errors) = asked(&["dlq", "redrive", "q"], r#"{"queue":"q","redriven":2}"#, 0);
    assert_eq!((code, &*said, &*errors), (Some(0), "2 put back into q\n", "task: redrive q\n"));
    let Output { status, .. } =
        Command::new(env!("CARGO_BIN_EXE_tegami")).args(["dlq", "redrive"]).output().expect("the command runs");
    assert_eq!(status.code(), Some(2), "a queue is needed");
}

#[test]
fn export_writes_the_files_that_the_program_names_and_no_others() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("export-{}", std::process::id()));
    let out = folder.to_str().expect("text");
    let (code, said, errors) = asked(&["export", "--out", out], r#"{"a.json":"{}\n","b.json":"[]"}"#, 0);
    assert_eq!((code, &*errors), (Some(0), "task: export\n"));
    assert_eq!(said, format!("{out}/a.json\n{out}/b.json\n"));
    assert_eq!(std::fs::read_to_string(folder.join("a.json")).expect("a file"), "{}\n");
    for (answer, words) in [
        ("{}", "nothing to load"),
        (r#"{"../c.json":""}"#, "no name of a file"),
        (r#"{"d.json":"","/tmp/e.json":""}"#, "no name of a file"),
    ] {
        let (code, said, errors) = asked(&["export", "--out", out], answer, 0);
        assert_eq!((code, &*said), (Some(2), ""), "{errors}");
        assert!(errors.contains(words), "{errors}");
    }
    let names: Vec<_> =
        std::fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("one").file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    std::fs::remove_dir_all(folder).expect("it was ours");
}

#[test]
fn asyncapi_takes_in_other_documents_and_takes_its_name() {
    let document = |event: &str, kind: &str| {
        format!(
            r#"{{"asyncapi":"3.0.0","info":{{"title":"billing","version":"unversioned"}},"channels":{{}},
                "operations":{{}},"components":{{"messages":{{"{event}":{{"payload":"{kind}"}}}}}}}}"#
        )
        .replace('\n', "")
    };
    let other = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("other-{}.json", std::process::id()));
    std::fs::write(&other, document("Paid", "text")).expect("a file");
    let with = other.to_str().expect("text");
    let (code, said, errors) =
        asked(&["asyncapi", "--with", with, "--title", "shop", "--version", "7"], &document("Placed", "text"), 0);
    assert_eq!((code, &*errors), (Some(0), "task: async-api\n"));
    assert!(["\"Paid\"", "\"Placed\"", "\"shop\"", "\"7\""].iter().all(|part| said.contains(part)), "{said}");
    let (code, said, errors) = asked(&["asyncapi", "--with", with], &document("Paid", "number"), 0);
    assert_eq!((code, &*said), (Some(2), ""), "{errors}");
    assert!(errors.contains("services have different contracts of `Paid`"), "{errors}");
    let (code, _, errors) = asked(&["asyncapi", "--with", "/no/such/file"], &document("Paid", "text"), 0);
    assert!(code == Some(2) && errors.contains("`/no/such/file` cannot be taken in"), "{errors}");
    std::fs::remove_file(other).expect("it was ours");
}

#[test]
fn prune_gives_the_program_earlier_plans_and_tells_what_goes_and_what_stays() {
    let plan = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("former-{}.json", std::process::id()));
    std::fs::write(&plan, description()).expect("a file");
    let former = plan.to_str().expect("text");
    // The program shows what it is given.
    let script = r#"echo "task: $TEGAMI_TASK"; wc -c; printf '%s\n' "$0""#;
    let pruned = |answer: &str, more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tegami"));
        command.args(["prune", "--former", former, "--former", former]).args(more);
        command.args(["--", "sh", "-c", &format!("({script}) | tee /dev/stderr"), answer]);
        let Output { status, stdout, stderr } = command.output().expect("the command runs");
        let [said, errors] = [stdout, stderr].map(|text| String::from_utf8(text).expect("text"));
        (status.code(), said, errors)
    };
    let left = r#"[{"transport":"amqp","remnants":[{"queue":"billing-a","with":["billing-a-dead"]},
        {"queue":"billing-b","kept":"`billing-b` holds\u001b[31m 2 messages"}]}]"#
        .replace('\n', "");
    let stays = "amqp: stays: billing-b: `billing-b` holds\\u{1b}[31m 2 messages\n";
    let (code, said, errors) = pruned(&left, &[]);
    assert_eq!((code, said), (Some(1), format!("amqp: may go: billing-a, billing-a-dead\n{stays}")), "{errors}");
    let given = format!("task: prune\n{}\n", 2 * description().len());
    assert!(errors.replace(' ', "").starts_with(&given.replace(' ', "")), "{errors}");
    let (code, said, errors) = pruned(&left, &["--yes"]);
    assert_eq!((code, said), (Some(1), format!("amqp: deleted billing-a, billing-a-dead\n{stays}")), "{errors}");
    assert!(errors.starts_with("task: prune delete\n"), "{errors}");
    let all = r#"[{"transport":"amqp","remnants":[{"queue":"billing-a"}]}]"#;
    assert_eq!(pruned(all, &["--yes"]).0, Some(0));
    assert_eq!(pruned(all, &[]).0, Some(1));
    let (code, said, _) = pruned(r#"[{"transport":"amqp","remnants":[]}]"#, &[]);
    assert_eq!((code, &*said), (Some(0), "nothing is left of earlier plans\n"));
    let (code, said, _) = pruned(&left, &["--json"]);
    assert!(code == Some(1) && said.contains("\"billing-a-dead\""), "{said}");
    std::fs::write(&plan, "{}").expect("a file");
    let (code, said, errors) = pruned(all, &["--yes"]);
    assert_eq!((code, &*said), (Some(2), ""), "{errors}");
    assert!(
        errors.contains(former) && errors.contains("is not what `tegami plan --json` prints: missing field"),
        "{errors}"
    );
    std::fs::remove_file(&plan).expect("it was ours");
    let (code, said, errors) = pruned(all, &["--yes"]);
    assert_eq!((code, &*said), (Some(2), ""), "{errors}");
    assert!(errors.contains("cannot be read"), "{errors}");
}
