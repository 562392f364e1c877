//! What is no schedule, and the words that say so.

use std::time::{Duration, SystemTime};

use tegami::{
    ErrorKind, HandlerError, Service,
    schedule::{Overlap, Schedule, ScheduleErrorKind, Tick},
    transport::Memory,
};

fn refusal(schedule: Schedule) -> String {
    schedule.upcoming(SystemTime::UNIX_EPOCH, 1).expect_err("it is no schedule").to_string()
}

/// Wrong expressions with where and why: `BLESS=1` prints what each is told now.
const WRONG: &str = include_str!("wrong.txt");
const WRONG_TOMODACHI: &str = include_str!("wrong_tomodachi.txt");

fn each(table: &str, name: &str, schedule: impl Fn(&str) -> Schedule) {
    let mut told = String::new();
    for line in table.lines().filter(|line| !line.is_empty()) {
        let (expression, _) = line.split_once(" => ").unwrap_or((line, ""));
        let unescaped = expression.trim_matches('`').replace("\\t", "\t").replace("\\0", "\0");
        told += &format!(
            "{expression} => {}\n",
            refusal(schedule(&unescaped)).replace(&format!("{expression} at "), "at ")
        );
    }
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(format!("{}/tests/service/schedules/{name}", env!("CARGO_MANIFEST_DIR")), &told)
            .expect("written");
        return;
    }
    assert_eq!(table, told);
}

#[test]
fn k1_a_wrong_expression_is_told_where_and_what_was_expected() {
    each(WRONG, "wrong.txt", |text| Schedule::cron(text));
    assert!(WRONG.lines().count() >= 60);
}

#[test]
fn k1_what_tomodachi_does_not_take_or_never_runs_as_written_is_told() {
    each(WRONG_TOMODACHI, "wrong_tomodachi.txt", |text| Schedule::tomodachi(text));
}

#[test]
fn k1_an_expression_is_taken_at_256_bytes_and_refused_one_beyond() {
    let at_limit = format!("{}*", "* * * * ".to_owned() + &" ".repeat(247));
    assert_eq!(at_limit.len(), 256);
    assert!(Schedule::cron(at_limit.clone()).upcoming(SystemTime::UNIX_EPOCH, 1).is_ok());
    let text = "a schedule of 257 bytes is too long; expected 256 at most";
    assert_eq!(refusal(Schedule::cron(at_limit + " ")), text);
}

#[test]
fn k1_no_text_makes_a_schedule_panic() {
    let parts = [
        "*",
        "/",
        "-",
        ",",
        "0",
        "7",
        "31",
        "99999999999999999999",
        "L",
        "W",
        "#",
        "?",
        " ",
        "mon",
        "é",
        "\u{0}",
        "@",
        "+",
    ];
    let mut state = 1_u64;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..12 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text += parts[(state >> 33) as usize % parts.len()];
        }
        for schedule in [Schedule::cron(&text), Schedule::tomodachi(&text), Schedule::at(&text)] {
            drop(schedule.upcoming(SystemTime::UNIX_EPOCH, 2));
        }
    }
}

#[test]
fn k1_zones_timestamps_and_durations_are_told() {
    let zone = |name: &str| refusal(Schedule::daily().in_zone(name));
    let berlin =
        "there is no time zone `Berlin`; expected a name such as `Europe/Berlin` (did you mean `Europe/Berlin`?)";
    assert_eq!(zone("Berlin"), berlin);
    assert!(zone("America/New York").ends_with("(did you mean `America/New_York`?)"));
    let nowhere = "there is no time zone `Mars/Olympus`; expected a name such as `Europe/Berlin`";
    assert_eq!(zone("Mars/Olympus"), nowhere);
    for name in ["", "Etc/Unknown", "+1", "+15:00", "+01:60", "../etc/passwd", "/etc/localtime"] {
        assert!(zone(name).starts_with("there is no time zone"), "{name}");
    }
    assert!(refusal(Schedule::at("tomorrow")).starts_with("`tomorrow` at character 1: it is no timestamp; expected"));
    for text in ["2026-02-30 10:00:00", "25:00", "2026-12-24", "", "18:00 "].into_iter().take(4) {
        assert!(refusal(Schedule::at(text)).contains("it is no timestamp"), "{text}");
    }
    for interval in [Duration::ZERO, Duration::from_micros(999), Duration::from_secs(367 * 86_400)] {
        assert!(refusal(Schedule::every(interval)).contains("is out of bounds; expected 1ms to"), "{interval:?}");
    }
    let uneven = refusal(Schedule::every(Duration::from_micros(1_500)));
    assert_eq!(uneven, "an interval of 1.5ms is uneven; expected whole milliseconds");
    let jitter = refusal(Schedule::daily().jitter(Duration::from_secs(86_401)));
    assert_eq!(jitter, "a jitter of 86401s is too long; expected 86400s at most");
}

async fn report(_: Tick) -> Result<(), HandlerError> {
    Ok(())
}

/// Why the service does not start.
async fn start(service: Service) -> (ErrorKind, String) {
    let error = service.transport(Memory::new()).start().await.err().expect("it must not start");
    (error.kind(), error.to_string())
}

fn service() -> Service {
    Service::new("billing")
}

#[tokio::test]
async fn k1_a_service_with_a_wrong_schedule_does_not_start_and_names_it() {
    let text = "schedule `report` is wrong: `0 25 * * *` at character 3: `25` is no hour; expected 0 to 23";
    let wrong = service().cron("0 25 * * *", report).every(Duration::ZERO, report);
    assert_eq!(start(wrong).await, (ErrorKind::Schedule, text.to_owned()));
    let (kind, text) = start(service().at("25:00:00", report)).await;
    assert!(kind == ErrorKind::Schedule && text.contains("`25:00:00`"), "{text}");
    let twice = service().cron("0 1 * * *", report).cron("0 2 * * *", report);
    let text = "schedule `report` is there twice: give one of them a `.name(…)` of its own";
    assert_eq!(start(twice).await.1, text);
    let named = |name: &'static str| service().schedule_with(Schedule::daily(), report, |s| s.name(name));
    for name in [
        "",
        "caf\u{e9}",
        "a\nb",
        "129-129-129-129-129-129-129-129-129-129-129-129-129-129-129-129-129-129-129-129-129-129-129-129-129-129-129-129-129-129-129-129-1",
    ] {
        assert!(start(named(name)).await.1.contains("has a name of other than 1 to 128 printable"), "{name}");
    }
    let none = service().schedule_with(Schedule::daily(), report, |s| s.overlap(Overlap::Parallel(0)));
    assert!(start(none).await.1.contains("0 runs at once"));
    let never = service().schedule_with(Schedule::daily(), report, |s| s.timeout(Duration::ZERO));
    assert!(start(never).await.1.contains("has a timeout of 0"));
    let swaying = service().schedule(Schedule::minutely().jitter(Duration::from_secs(60)), report);
    let text = "schedule `report` has a jitter of 60s, but comes again after 60s; expected a shorter one";
    assert_eq!(start(swaying).await.1, text);
}

#[test]
fn errors_of_schedules_have_their_kinds() {
    let kind = |schedule: Schedule| schedule.upcoming(SystemTime::UNIX_EPOCH, 1).expect_err("it is none").kind();
    assert_eq!(kind(Schedule::cron("x")), ScheduleErrorKind::Expression);
    assert_eq!(kind(Schedule::cron("0 0 31 4 *")), ScheduleErrorKind::Never);
    assert_eq!(kind(Schedule::daily().in_zone("x")), ScheduleErrorKind::Zone);
    assert_eq!(kind(Schedule::every(Duration::ZERO)), ScheduleErrorKind::Setting);
}
