//! One clean run, and for each figure the one line whose change must show, in that figure and in no other.

use std::time::Duration;

use super::*;

/// Publishes. `a1` and `a2` share a key; `a2` and `x` belong to state changes, and that of `x` was rolled back.
const PUBLISHER: &str = r#"
{"at":1000,"entry":{"publish-begin":{"id":"a1","key":"k","sequence":1,"checksum":"sum-a1","to":["billing"]}}}
{"at":1001,"entry":{"publish-end":{"id":"a1","answer":"ok"}}}
{"at":1002,"entry":{"intent":{"id":"a2"}}}
{"at":1003,"entry":{"publish-begin":{"id":"a2","key":"k","sequence":2,"checksum":"sum-a2","to":["billing"]}}}
{"at":1004,"entry":{"publish-end":{"id":"a2","answer":"ok"}}}
{"at":1005,"entry":{"publish-begin":{"id":"poison","key":null,"sequence":0,"checksum":"sum-p","to":["billing"]}}}
{"at":1006,"entry":{"publish-end":{"id":"poison","answer":"ok"}}}
{"at":1007,"entry":{"publish-begin":{"id":"refused","key":null,"sequence":0,"checksum":"sum-r","to":["billing"]}}}
{"at":1008,"entry":{"publish-end":{"id":"refused","answer":"rejected"}}}
{"at":1009,"entry":{"publish-begin":{"id":"unknown","key":null,"sequence":0,"checksum":"sum-u","to":["billing"]}}}
{"at":1010,"entry":{"publish-end":{"id":"unknown","answer":"unknown"}}}
{"at":1011,"entry":{"publish-begin":{"id":"nowhere","key":null,"sequence":0,"checksum":"sum-n","to":[]}}}
{"at":1012,"entry":{"publish-end":{"id":"nowhere","answer":"ok"}}}
{"at":1013,"entry":{"intent":{"id":"x"}}}
{"at":1014,"entry":{"publish-begin":{"id":"x","key":null,"sequence":0,"checksum":"sum-x","to":[]}}}
{"at":1015,"entry":{"publish-end":{"id":"x","answer":"rejected"}}}
"#;

/// Completes `a1` at its second attempt, and `unknown` in the meantime.
const CONSUMER: &str = r#"
{"at":900,"entry":{"ordered":{"subscription":"billing"}}}
{"at":900,"entry":{"inbox":{"subscription":"billing"}}}
{"at":2000,"entry":{"run-begin":{"id":"a1","subscription":"billing","attempt":1,"key":"k","checksum":"sum-a1"}}}
{"at":2100,"entry":{"run-end":{"id":"a1","subscription":"billing","attempt":1,"ended":"err","retry_after":{"secs":0,"nanos":500}}}}
{"at":2200,"entry":{"run-begin":{"id":"unknown","subscription":"billing","attempt":1,"key":null,"checksum":"sum-u"}}}
{"at":2210,"entry":{"run-end":{"id":"unknown","subscription":"billing","attempt":1,"ended":"ok","retry_after":null}}}
{"at":2600,"entry":{"run-begin":{"id":"a1","subscription":"billing","attempt":2,"key":"k","checksum":"sum-a1"}}}
{"at":2700,"entry":{"run-end":{"id":"a1","subscription":"billing","attempt":2,"ended":"ok","retry_after":null}}}
"#;

/// Another process of the same subscription: completes `a2`.
const SECOND: &str = r#"
{"at":2800,"entry":{"run-begin":{"id":"a2","subscription":"billing","attempt":1,"key":"k","checksum":"sum-a2"}}}
{"at":2900,"entry":{"run-end":{"id":"a2","subscription":"billing","attempt":1,"ended":"ok","retry_after":null}}}
"#;

/// What the drainer found.
const DRAINER: &str = r#"
{"at":5000,"entry":{"dead":{"id":"poison","subscription":"billing","reason":"undecodable","checksum":"sum-p"}}}
{"at":5000,"entry":{"effect":{"id":"a1","subscription":"billing"}}}
{"at":5000,"entry":{"effect":{"id":"a2","subscription":"billing"}}}
{"at":5000,"entry":{"effect":{"id":"unknown","subscription":"billing"}}}
{"at":5000,"entry":{"state":{"id":"a2"}}}
"#;

const RUN: [(&str, &str); 4] =
    [("publisher-1", PUBLISHER), ("consumer-1", CONSUMER), ("consumer-2", SECOND), ("drainer-1", DRAINER)];

/// The clean run with whatever happens to its files.
fn with(change: impl Fn(&str) -> String) -> Verdict {
    let mut lines = Lines::default();
    for (process, text) in RUN {
        lines.add(process, change(text.trim_start()).as_bytes()).unwrap();
    }
    Verdict::over(&lines.in_order())
}

/// The clean run with this text, which is there once, in place of that.
fn changed(from: &str, to: &str) -> Verdict {
    let places: usize = RUN.iter().map(|(_, text)| text.matches(from).count()).sum();
    assert_eq!(places, 1, "`{from}` stands in {places} places");
    with(|text| text.replace(from, to))
}

/// The clean run with the line that holds this text taken out.
fn without(part: &str) -> Verdict {
    let line = RUN.iter().flat_map(|(_, text)| text.lines()).find(|line| line.contains(part)).unwrap();
    changed(&format!("{line}\n"), "")
}

/// The clean run with one more line from the drainer.
fn and(entry: &str) -> Verdict {
    let last = r#"{"at":5000,"entry":{"state":{"id":"a2"}}}"#;
    changed(last, &format!("{last}\n{{\"at\":5001,\"entry\":{entry}}}"))
}

/// The clean run with one more file.
fn beside(process: &str, text: &str) -> Verdict {
    let mut lines = Lines::default();
    for (process, text) in RUN.into_iter().chain([(process, text)]) {
        lines.add(process, text.trim_start().as_bytes()).unwrap();
    }
    Verdict::over(&lines.in_order())
}

/// This figure shows these offences, and every other is zero.
#[track_caller]
fn only(verdict: &Verdict, figure: Figure, offences: &[&str]) {
    let shown: Vec<String> = verdict.figure(figure).iter().map(ToString::to_string).collect();
    assert_eq!(shown, offences);
    assert!(Figure::ALL.iter().all(|other| *other == figure || verdict.figure(*other).is_empty()), "{verdict}");
    assert!(!verdict.is_clean());
}

#[test]
fn a_run_that_keeps_every_promise_is_clean() {
    let verdict = with(str::to_owned);
    assert!(verdict.is_clean(), "{verdict}");
    let counts = verdict.counts();
    assert_eq!((counts.lines, counts.torn), (31, 0));
    assert_eq!((counts.attempted, counts.ok, counts.rejected, counts.unknown), (7, 4, 2, 1));
    assert_eq!((counts.completed, counts.dead, counts.left), (3, 1, 0));
    assert_eq!((counts.duplicates, counts.recovered), (0, 1));
}

#[test]
fn d1_a_message_neither_completed_nor_dead_is_lost() {
    only(&without(r#"{"dead""#), Figure::Lost, &["poison at billing: published ok, never seen"]);
    let killed = without(r#""attempt":2,"ended""#);
    assert_eq!(killed.figure(Figure::Lost)[0].to_string(), "a1 at billing: published ok, begun, never completed");
}

#[test]
fn d1_each_subscription_must_get_the_message() {
    let verdict = changed(r#""checksum":"sum-p","to":["billing"]"#, r#""checksum":"sum-p","to":["billing","ledger"]"#);
    only(&verdict, Figure::Lost, &["poison at ledger: published ok, never seen"]);
}

#[test]
fn d1_a_message_in_its_queue_is_left_over_and_not_lost() {
    let left = r#"{"left":{"id":"poison","subscription":"billing","checksum":"sum-p"}}"#;
    let dead = r#"{"dead":{"id":"poison","subscription":"billing","reason":"undecodable","checksum":"sum-p"}}"#;
    only(&changed(dead, left), Figure::LeftOver, &["poison at billing: still in its queue"]);
}

#[test]
fn d5_a_message_never_published_is_a_phantom() {
    let verdict = and(r#"{"dead":{"id":"z","subscription":"billing","reason":"invalid","checksum":"sum-z"}}"#);
    only(&verdict, Figure::Phantom, &["z at billing: never published"]);
}

#[test]
fn d5_a_message_published_for_others_is_a_phantom() {
    for (id, key, sum) in [("nowhere", "null", "sum-n"), ("a1", "\"k\"", "sum-a1")] {
        let run = format!(
            r#"{{"run-begin":{{"id":"{id}","subscription":"shipping","attempt":1,"key":{key},"checksum":"{sum}"}}}}"#
        );
        only(&and(&run), Figure::Phantom, &[&format!("{id} at shipping: published for others")]);
    }
}

#[test]
fn p1_an_answer_to_no_publish_is_a_phantom() {
    let verdict = and(r#"{"publish-end":{"id":"z","answer":"ok"}}"#);
    only(&verdict, Figure::Phantom, &["z: answered, never published"]);
}

#[test]
fn p2_a_rejected_message_that_is_delivered_is_a_ghost() {
    let verdict =
        and(r#"{"run-begin":{"id":"refused","subscription":"billing","attempt":1,"key":null,"checksum":"sum-r"}}"#);
    only(&verdict, Figure::Ghost, &["refused at billing: rejected, yet delivered"]);
}

#[test]
fn p2_a_message_whose_resend_has_no_answer_is_unknown_and_no_ghost() {
    let again = r#"{"publish-begin":{"id":"refused","key":null,"sequence":0,"checksum":"sum-r","to":["billing"]}}"#;
    let verdict = and(again);
    assert!(verdict.is_clean(), "{verdict}");
    assert_eq!((verdict.counts().rejected, verdict.counts().unknown), (1, 2));
}

#[test]
fn p9_a_changed_copy_is_corrupt() {
    let verdict = changed(r#""key":null,"checksum":"sum-u"}"#, r#""key":null,"checksum":"other"}"#);
    only(&verdict, Figure::Corrupt, &["unknown at billing: changed in attempt 1"]);
}

#[test]
fn p9_a_changed_copy_is_corrupt_in_any_queue_too() {
    let left = and(r#"{"left":{"id":"a1","subscription":"billing","checksum":"other"}}"#);
    assert_eq!(left.figure(Figure::Corrupt)[0].to_string(), "a1 at billing: changed in its queue");
    let dead = changed(r#""undecodable","checksum":"sum-p""#, r#""undecodable","checksum":"other""#);
    assert_eq!(dead.figure(Figure::Corrupt)[0].to_string(), "poison at billing: changed in the dead-letter queue");
    assert_eq!(dead.figure(Figure::Dead)[0].to_string(), "poison at billing: dead with another content");
}

#[test]
fn p9_another_key_is_corrupt() {
    let verdict = changed(r#""key":null,"checksum":"sum-u"}"#, r#""key":"k2","checksum":"sum-u"}"#);
    only(&verdict, Figure::Corrupt, &["unknown at billing: another key in attempt 1"]);
}

#[test]
fn p6_a_resend_with_another_content_is_corrupt() {
    let verdict =
        and(r#"{"publish-begin":{"id":"unknown","key":null,"sequence":0,"checksum":"other","to":["billing"]}}"#);
    only(&verdict, Figure::Corrupt, &["unknown: published again with another content"]);
}

#[test]
fn o2_a_later_message_completed_first_is_an_order_violation() {
    let verdict = changed(r#""key":"k","sequence":1"#, r#""key":"k","sequence":3"#);
    only(&verdict, Figure::Order, &["a2 at billing: completed after a1"]);
}

#[test]
fn o1_order_and_overlap_count_only_where_order_is_promised() {
    let verdict = with(|text| {
        let text = text.replace("{\"at\":900,\"entry\":{\"ordered\":{\"subscription\":\"billing\"}}}\n", "");
        text.replace(r#""key":"k","sequence":1"#, r#""key":"k","sequence":3"#).replace(r#""at":2800"#, r#""at":2650"#)
    });
    assert!(verdict.is_clean(), "{verdict}");
}

#[test]
fn o4_a_copy_of_a_completed_message_breaks_no_order() {
    let verdict =
        and(r#"{"run-end":{"id":"a1","subscription":"billing","attempt":3,"ended":"ok","retry_after":null}}"#);
    assert!(verdict.is_clean(), "{verdict}");
    assert_eq!(verdict.counts().duplicates, 1);
}

#[test]
fn o2_two_runs_of_one_key_at_once_overlap_across_processes() {
    only(&changed(r#""at":2800"#, r#""at":2650"#), Figure::Overlap, &["a2 at billing: begun while a1 ran"]);
}

#[test]
fn o3_runs_of_different_keys_overlap_freely() {
    let verdict = with(|text| {
        let text = text.replace(r#""key":"k","sequence":2"#, r#""key":"k2","sequence":1"#);
        text.replace(r#""key":"k","checksum":"sum-a2""#, r#""key":"k2","checksum":"sum-a2""#).replace("2800", "2650")
    });
    assert!(verdict.is_clean(), "{verdict}");
}

#[test]
fn o2_a_run_cut_off_by_a_kill_is_over_with_its_process() {
    let verdict = with(|text| {
        let ends = text.lines().position(|line| line.contains(r#""attempt":2,"ended""#));
        text.lines().take(ends.unwrap_or(usize::MAX)).map(|line| format!("{line}\n")).collect()
    });
    assert!(verdict.figure(Figure::Overlap).is_empty(), "{verdict}");
}

#[test]
fn t1_an_event_without_its_state_change_breaks_atomicity() {
    only(&without(r#"{"state""#), Figure::Atomicity, &["a2: went out, never committed"]);
    let published = changed(r#"{"id":"x","answer":"rejected"}"#, r#"{"id":"x","answer":"ok"}"#);
    only(&published, Figure::Atomicity, &["x: went out, never committed"]);
}

#[test]
fn t2_a_state_change_whose_event_never_went_out_breaks_atomicity() {
    only(&and(r#"{"state":{"id":"x"}}"#), Figure::Atomicity, &["x: committed, never went out"]);
}

#[test]
fn i1_no_effect_or_two_are_wrong_where_one_is_promised() {
    let effect = r#"{"effect":{"id":"a1","subscription":"billing"}}"#;
    only(&and(effect), Figure::Effects, &["a1 at billing: 2 effects"]);
    only(&without(effect), Figure::Effects, &["a1 at billing: 0 effects"]);
}

#[test]
fn i1_without_an_inbox_effects_do_not_count_until_one_is_found() {
    let no_inbox = |text: &str| text.replace("{\"at\":900,\"entry\":{\"inbox\":{\"subscription\":\"billing\"}}}\n", "");
    let verdict = with(|text| {
        let lines = no_inbox(text);
        lines.lines().filter(|line| !line.contains("effect")).map(|line| format!("{line}\n")).collect()
    });
    assert!(verdict.is_clean(), "{verdict}");
    let one = r#"{"effect":{"id":"a1","subscription":"billing"}}"#;
    let verdict = with(|text| no_inbox(text).replace(one, r#"{"intent":{"id":"a2"}}"#));
    only(&verdict, Figure::Effects, &["a1 at billing: 0 effects"]);
}

#[test]
fn r3_a_retry_before_its_delay_is_early() {
    let verdict = changed(r#""at":2600"#, r#""at":2599"#);
    only(&verdict, Figure::Early, &["a1 at billing: attempt 2 came 1ns too soon"]);
    assert!(verdict.is_clean_but(&[Figure::Early]) && !verdict.is_clean_but(&[Figure::Lost]));
}

#[test]
fn r3_a_second_copy_of_the_failed_attempt_is_no_early_retry() {
    let failed = r#"{"at":2200,"entry":{"run-begin":{"id":"unknown""#;
    let copy = r#"{"at":2150,"entry":{"run-begin":{"id":"a1","subscription":"billing","attempt":1,"key":"k","checksum":"sum-a1"}}}"#;
    let verdict = changed(failed, &format!("{copy}\n{failed}"));
    assert!(verdict.figure(Figure::Early).is_empty(), "{verdict}");
}

#[test]
fn x2_a_dead_letter_without_a_reason_counts() {
    let verdict = changed(r#""reason":"undecodable""#, r#""reason":null"#);
    only(&verdict, Figure::Dead, &["poison at billing: dead without a reason"]);
    let verdict = changed(r#""reason":"undecodable""#, r#""reason":"""#);
    only(&verdict, Figure::Dead, &["poison at billing: dead without a reason"]);
}

#[test]
fn a_torn_last_line_is_counted_and_not_read() {
    let verdict = changed("\n{\"at\":5000,\"entry\":{\"state\":{\"id\":\"a2\"}}}\n", "\n{\"at\":5000,\"ent");
    only(&verdict, Figure::Atomicity, &["a2: went out, never committed"]);
    assert_eq!((verdict.counts().torn, verdict.counts().lines), (1, 30));
}

#[test]
fn lines_stand_in_order_of_time_and_within_a_file_in_order_of_place() {
    let effect =
        |at, id| format!("{{\"at\":{at},\"entry\":{{\"effect\":{{\"id\":\"{id}\",\"subscription\":\"billing\"}}}}}}\n");
    let mut lines = Lines::default();
    lines.add("consumer-1", (effect(5, "b") + &effect(3, "c")).as_bytes()).unwrap();
    lines.add("consumer-2", (effect(4, "a") + &effect(6, "d")).as_bytes()).unwrap();
    let lines = lines.in_order();
    let found: Vec<_> = Messages::of(&lines.all).stories().map(|(id, .., story)| (id, story.0[0].at)).collect();
    assert_eq!(found, [("a", 4), ("b", 5), ("c", 5), ("d", 6)]);
    assert!(lines.all.is_sorted_by_key(|filed| filed.at));
}

#[test]
fn a_malformed_line_is_refused_by_file_and_line() {
    for wrong in ["{}\n", "\n", "{\"at\":1,\"ent\n", "{\"at\":1,\"entry\":{\"effect\":{\"id\":\"m\",\"x\":1}}}\n"] {
        let error =
            Lines::default().add("consumer-1", (SECOND.trim_start().to_owned() + wrong).as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "consumer-1.ledger:3 is not a line of a ledger", "{wrong}");
    }
}

#[test]
fn n1_recovery_lasts_from_the_end_of_a_fault_to_the_next_completion() {
    let fault = |name, at| format!(r#"{{"at":{at},"entry":{{"fault-end":{{"name":"{name}"}}}}}}"#);
    let nemesis = [fault("F01", 2000), fault("F02", 2200), fault("F03", 2220), fault("F04", 2901)].join("\n") + "\n";
    let verdict = beside("nemesis-1", &nemesis);
    let found: Vec<_> = verdict.recoveries().iter().map(|one| (one.fault.as_str(), one.after)).collect();
    let ns = |ns| Some(Duration::from_nanos(ns));
    assert_eq!(found, [("F01", ns(210)), ("F02", ns(10)), ("F03", ns(480)), ("F04", None)]);
}

#[test]
fn b2_a_stall_lasts_while_messages_wait_and_nothing_is_completed() {
    // `a1` waits from 1001, `a2` from 1004; the first completion comes at 2210.
    let verdict = with(str::to_owned);
    let stall = verdict.stall().unwrap();
    assert_eq!((stall.subscription.as_str(), stall.lasted.as_nanos(), stall.began), ("billing", 1209, 1001));
}

#[test]
fn b2_a_message_begun_before_its_publish_returned_does_not_wait() {
    let verdict = with(|text| text.replace(r#""at":1004,"#, r#""at":2850,"#).replace(r#""at":2900,"#, r#""at":9000,"#));
    // `a2` began at 2800 and runs for long; `a1` waited from 1001 to 2000.
    let stall = verdict.stall().unwrap();
    assert_eq!((stall.lasted.as_nanos(), stall.began), (999, 1001));
}

#[test]
fn b2_a_fault_under_way_is_no_stall() {
    let lines = [(1100, "begin"), (2150, "end")]
        .map(|(at, what)| format!("{{\"at\":{at},\"entry\":{{\"fault-{what}\":{{\"name\":\"F01\"}}}}}}\n"));
    let verdict = beside("nemesis-1", &lines.concat());
    // Until the fault 99, after it 60; then `a2` waits until the completion at 2700.
    let stall = verdict.stall().unwrap();
    assert_eq!((stall.lasted.as_nanos(), stall.began), (490, 2210));
}

#[test]
fn growth_is_what_the_last_look_shows_beyond_the_first() {
    let look = |at, tasks, bytes| {
        format!(
            "{{\"at\":{at},\"entry\":{{\"resources\":{{\"tasks\":{tasks},\"descriptors\":9,\"threads\":3,\"bytes\":{bytes}}}}}}}\n"
        )
    };
    let twice = beside("relay-1", &(look(1, 5, 4096) + &look(2, 50, 9000) + &look(3, 4, 8192)));
    let process = "relay-1".to_owned();
    assert_eq!(twice.growth(), [Growth { process, tasks: -1, descriptors: 0, threads: 0, bytes: 4096 }]);
    assert_eq!(beside("relay-1", &look(1, 5, 4096)).growth(), []);
}

#[test]
fn the_table_names_offenders_and_ends_in_the_verdict() {
    let clean = with(str::to_owned).to_string();
    assert_eq!(clean.lines().last(), Some("clean"));
    let dead = |id| {
        format!(
            "{{\"at\":6000,\"entry\":{{\"dead\":{{\"id\":\"{id}\",\"subscription\":\"billing\",\"reason\":\"invalid\",\"checksum\":\"s\"}}}}}}\n"
        )
    };
    let many: String = (10..22).map(|n| dead(format!("\\u001b[{n}"))).collect();
    let table =
        with(|text| if text.contains("effect") { text.to_owned() + &many } else { text.to_owned() }).to_string();
    assert_eq!(table.lines().last(), Some("NOT clean: phantom 12"));
    assert!(table.contains("phantom            12  \\u{1b}[10 at billing: never published\n"), "{table}");
    assert!(table.contains("\n                       and 2 more\n"), "{table}");
    assert!(!table.contains('\u{1b}'));
}
