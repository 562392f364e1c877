//! `tegami dlq redrive` and `drop`, `publish`, `peek` and `tail` ask a service's program, and say what it answers.

#![cfg(unix)]

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Output, Stdio},
};

fn tegami(arguments: &[&str], script: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tegami"));
    command.args(arguments).args(["--", "sh", "-c", script]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn said(arguments: &[&str], script: &str, input: &str) -> (Option<i32>, String, String) {
    let mut child = tegami(arguments, script).spawn().expect("the command runs");
    // One that reads nothing may be gone by now.
    let _ = child.stdin.take().expect("it is piped").write_all(input.as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().expect("it ends");
    (status.code(), String::from_utf8(stdout).expect("text"), String::from_utf8(stderr).expect("text"))
}

const LETTER: &str = r#"{"id":"m-1","queue":"q","size":3,"key":"o-1","payload":{"order_id":"o-1"},
    "reason":{"kind":"handler-error","error":"no ink\u009b1m","event":"shop.OrderPaid","service":"billing",
       "queue":"q","attempts":6,"first":"2026-01-01T00:00:00Z","last":"2026-01-01T00:01:00Z"}}"#;

/// Tells a letter and then the answer.
fn telling(answer: &str) -> String {
    let letter: String = LETTER.split('\n').map(str::trim).collect();
    format!("echo hello; echo \"task: $TEGAMI_TASK\" >&2; printf '%s\\n' '{letter}' '{answer}'")
}

#[test]
fn dlq_redrive_hands_on_what_is_chosen() {
    let words = ["dlq", "redrive", "q", "--id", "a b", "--id", "c", "--reason", "no ink", "--readable"];
    let words = [&words[..], &["--limit", "3", "--rate", "30/min", "--dry-run"]].concat();
    let (code, text, errors) = said(&words, &telling(r#"{"queue":"q","redriven":1}"#), "");
    assert_eq!(code, Some(0), "{errors}");
    let task = r#"task: redrive {"queue":"q","ids":["a b","c"],"reason":"no ink","readable":true,"limit":3,"rate":0.5,"dry_run":true}"#;
    assert_eq!(errors.trim_end(), task);
    assert!(text.starts_with("m-1 in q\n  handler-error, tried 6 times: no ink\\u{9b}1m\n"), "{text}");
    assert!(text.ends_with("\n1 would be put back into q\n"), "{text}");
    for (rate, good) in
        [("20", true), ("2.5/s", true), ("0", false), ("-1/s", false), ("1/day", false), ("fast", false)]
    {
        let (code, ..) = said(&["dlq", "redrive", "q", "--rate", rate], &telling(r#"{"queue":"q","redriven":1}"#), "");
        assert_eq!(code == Some(0), good, "{rate}");
    }
}

#[test]
fn dlq_drop_needs_a_choice_and_a_yes() {
    let answer = telling(r#"{"queue":"q","dropped":1}"#);
    let (code, text, errors) = said(&["dlq", "drop", "q", "--readable"], &answer, "");
    assert_eq!((code, &*text, &*errors), (Some(2), "", "error: say which: --id, --reason or --all\n"));
    for command in ["drop", "redrive"] {
        for reason in ["", " \n"] {
            let (code, text, errors) = said(&["dlq", command, "q", "--reason", reason], &answer, "");
            assert_eq!((code, &*text), (Some(2), ""), "it is in every error: {errors}");
            assert!(errors.contains("give a kind of reason") && !errors.contains("task:"), "{errors}");
        }
    }
    let (code, text, errors) = said(&["dlq", "drop", "q", "--all"], &answer, "");
    assert_eq!((code, errors.trim_end()), (Some(0), r#"task: drop {"queue":"q","all":true,"dry_run":true}"#));
    assert!(text.starts_with("m-1 in q\n") && text.ends_with("\n1 would be deleted of q; --yes does it\n"), "{text}");
    let (code, text, errors) = said(&["dlq", "drop", "q", "--id", "m-1", "--yes"], &answer, "");
    assert_eq!((code, errors.trim_end()), (Some(0), r#"task: drop {"queue":"q","ids":["m-1"]}"#));
    assert!(text.ends_with("\n1 deleted of q\n"), "{text}");
}

/// A letter that is told is about to be gone: whatever follows, it has to be seen.
#[test]
fn dlq_drop_shows_each_letter_when_it_is_told() {
    let letter: String = LETTER.split('\n').map(str::trim).collect();
    let words = ["dlq", "drop", "q", "--all", "--yes"];
    let (code, text, errors) = said(&words, &format!("printf '%s\\n' '{letter}'; exit 1"), "");
    assert!(code == Some(2) && text.starts_with("m-1 in q\n"), "the last before it fails: {text} {errors}");
    // The program goes on once the first letter was seen.
    let seen = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("seen-{}", std::process::id()));
    let waits =
        format!("i=0; until [ -e '{}' ]; do sleep 0.01; i=$((i + 1)); [ $i -lt 3000 ] || exit 1; done", seen.display());
    let script = format!("printf '%s\\n' '{letter}'; {waits}; echo '{{\"queue\":\"q\",\"dropped\":1}}'");
    let mut child = tegami(&words, &script).spawn().expect("the command runs");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    assert_eq!(lines.next().expect("a line").expect("text"), "m-1 in q");
    std::fs::write(&seen, "").expect("a file");
    let rest: Vec<String> = lines.map(|line| line.expect("text")).collect();
    std::fs::remove_file(seen).expect("it was ours");
    assert!(child.wait().expect("it ends").success(), "it was seen only at the end");
    assert_eq!(rest.last().map(String::as_str), Some("1 deleted of q"));
    assert_eq!(rest.iter().filter(|line| line.contains("m-1")).count(), 0, "once: {rest:?}");
}

/// Runs until it is asked to stop, and then does this.
fn stoppable(at_the_end: &str) -> String {
    format!(
        "trap '{at_the_end}' TERM; echo ready >&2; i=0; while [ $i -lt 3000 ]; do sleep 0.01; i=$((i + 1)); done; exit 9"
    )
}

/// What the command says when it gets this signal once its program runs.
fn stopped(words: &[&str], script: &str, signals: &[&str]) -> (Option<i32>, String) {
    let mut child = tegami(words, script).spawn().expect("the command runs");
    let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
    for signal in signals {
        assert_eq!(lines.next().expect("a line").expect("text"), "ready");
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().expect("it runs").success());
    }
    let Output { status, stdout, .. } = child.wait_with_output().expect("it ends");
    (status.code(), String::from_utf8(stdout).expect("text"))
}

#[test]
fn s1_a_signal_stops_the_program_and_its_answer_counts() {
    let redriven = stoppable(r#"echo "{\"queue\":\"q\",\"redriven\":7}"; exit 0"#);
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let told = stopped(&["dlq", "redrive", "q"], &redriven, &[signal]);
        assert_eq!(told, (Some(code), "7 put back into q\n".to_owned()), "{signal}");
        assert_eq!(stopped(&["tail", "q"], &stoppable("exit 0"), &[signal]), (Some(0), String::new()), "{signal}");
    }
    let told = stopped(&["dlq", "redrive", "q"], &stoppable("exit 1"), &["TERM"]);
    assert_eq!(told, (Some(143), String::new()), "it gave no answer");
    let told = stopped(&["dlq", "redrive", "q"], &stoppable("echo ready >&2"), &["INT", "INT"]);
    assert_eq!(told, (Some(130), String::new()), "it did not stop, and a second signal ends both");
}

#[test]
fn what_cannot_be_given_is_told_before_the_program_is_asked() {
    for (words, told) in [
        (&["peek", "q", "--limit", "0"][..], "0 is not in 1..=100"),
        (&["peek", "q", "--limit", "101"], "101 is not in 1..=100"),
        (&["publish", "OrderPaid", "@/no/such/file"], "the event cannot be read: `/no/such/file`: No such file"),
    ] {
        let (code, text, errors) = said(words, "echo asked >&2", "");
        assert_eq!((code, &*text), (Some(2), ""), "{errors}");
        assert!(errors.contains(told) && !errors.contains("asked"), "{errors}");
    }
}

#[test]
fn publish_takes_json_as_it_stands_from_a_file_and_from_standard_input() {
    let script = r#"echo "task: $TEGAMI_TASK" >&2; cat >&2; echo '{"event":"shop.OrderPaid","id":"m-1","payload":{"orderId":"o-1"}}'"#;
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("event-{}.json", std::process::id()));
    std::fs::write(&file, r#"{"order_id":"o-1"}"#).expect("a file");
    let at = format!("@{}", file.display());
    for (json, input) in [(r#"{"order_id":"o-1"}"#, ""), (&*at, ""), ("-", r#"{"order_id":"o-1"}"#)] {
        let (code, text, errors) = said(&["publish", "OrderPaid", json], script, input);
        assert_eq!((code, &*text), (Some(0), "shop.OrderPaid published as m-1\n  {\"orderId\":\"o-1\"}\n"), "{errors}");
        assert_eq!(errors, "task: publish OrderPaid\n{\"order_id\":\"o-1\"}");
    }
    std::fs::remove_file(file).expect("it was ours");
    let (code, _, errors) = said(&["publish", "OrderPaid", "@/no/such/file"], script, "");
    assert!(code == Some(2) && errors.contains("cannot be read"), "{errors}");
    let (code, _, errors) = said(&["publish", "OrderPaid", "{}"], "exit 1", "");
    assert!(code == Some(2) && errors.contains("could not `publish OrderPaid`"), "{errors}");
}

const MESSAGES: [&str; 2] = [
    r#"{"id":"m-1","event":"shop.OrderPaid","size":9,"key":"o\u001b-1","payload":{"order_id":"\u001b[31m"}}"#,
    r#"{"id":null,"size":3,"unreadable":"no envelope\u009b"}"#,
];

const SHOWN: &str = "m-1 key o\\u{1b}-1 shop.OrderPaid {\"order_id\":\"\\u001b[31m\"}
(no id) 3 bytes that cannot be read: no envelope\\u{9b}
";

#[test]
fn peek_shows_what_waits() {
    let script = format!("echo \"task: $TEGAMI_TASK\" >&2; printf '%s\\n' '[{},{}]'", MESSAGES[0], MESSAGES[1]);
    let (code, text, errors) = said(&["peek", "q", "--limit", "2"], &script, "");
    assert_eq!((code, &*text, errors.trim_end()), (Some(0), SHOWN, r#"task: peek {"queue":"q","limit":2}"#));
    let (code, text, _) = said(&["peek", "q"], "echo '[]'", "");
    assert_eq!((code, &*text), (Some(0), "nothing waits that could be had\n"));
}

#[test]
fn tail_shows_each_message_as_it_comes_until_the_program_ends() {
    let script = format!("echo hello; printf '%s\\n' '{}' '{}'; read -r _; exit 0", MESSAGES[0], MESSAGES[1]);
    let mut child = tegami(&["tail", "OrderPaid"], &script).spawn().expect("the command runs");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let first: Vec<String> = lines.by_ref().take(2).map(|line| line.expect("text")).collect();
    assert_eq!(first.join("\n") + "\n", SHOWN);
    drop(lines);
    child.wait().expect("it ends");
    let (code, text, _) = said(&["tail", "q", "--json"], &script, "");
    let events: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((code, events.len()), (Some(0), 2), "{text}");
    assert!(!text.contains('\u{1b}') && !text.contains('\u{9b}'), "{text:?}");
}

/// What is personal is shown to whoever asks for it by name, and to nobody else.
#[test]
fn what_is_personal_is_asked_for_with_reveal_alone() {
    let script = |answer: &str| format!("echo \"task: $TEGAMI_TASK\" >&2; printf '%s\\n' '{answer}'");
    let message = MESSAGES[0].replace("\\u001b[31m", "c-1@example.com");
    let messages = format!("[{message}]");
    for (words, task, answer) in [
        (&["peek", "q", "--limit", "2"][..], r#"peek {"queue":"q","limit":2}"#, &*messages),
        (&["tail", "OrderPaid"], "tail OrderPaid", &*message),
        (&["dlq", "show", "q"], "dead-letters q", "[]"),
        (&["dlq", "ls"], "dead-letters", "[]"),
    ] {
        let (_, hidden, errors) = said(words, &script(answer), "");
        assert_eq!(errors.lines().next(), Some(&*format!("task: {task}")), "{words:?}");
        let (_, shown, errors) = said(&[words, &["--reveal"]].concat(), &script(answer), "");
        assert_eq!(errors.lines().next(), Some(&*format!("task: reveal {task}")), "{words:?}");
        assert_eq!(shown, hidden, "the program hides, and the command shows what it is told");
    }
    for words in [&["dlq", "drop", "q", "--all", "--reveal"][..], &["publish", "OrderPaid", "{}", "--reveal"]] {
        let (code, text, errors) = said(words, &script("[]"), "");
        assert_eq!((code, &*text), (Some(2), ""), "{words:?} shows nothing that could be personal");
        assert!(errors.contains("--reveal") && !errors.contains("task:"), "{errors}");
    }
}
