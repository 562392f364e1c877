//! A process that ends at each point. The binary runs again as that process.

#![cfg(unix)]

use std::{
    os::unix::process::ExitStatusExt,
    process::{Command, Stdio},
};

use tegami::failpoint::{Point, fail::FailScenario};

use crate::tell_all;

/// Tells the binary to be the process that crashes.
const ROLE: &str = "FAILPOINTS_CHILD";

const SIGABRT: i32 = 6;

/// Not a test by itself: the process that the test below starts.
#[test]
fn process() {
    if std::env::var(ROLE).is_err() {
        return;
    }
    let scenario = FailScenario::setup();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(tell_all()).expect("it ends well, if it ends");
    scenario.teardown();
}

/// What the process told until the point ended it.
fn told_until(point: Point) -> Vec<String> {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["crash::process", "--exact", "--nocapture"]).stdin(Stdio::null());
    let set = format!("{}=return(abort)", point.name());
    let output = command.env(ROLE, "1").env("FAILPOINTS", set).output().expect("this binary runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.signal(), Some(SIGABRT), "{}: {errors}", point.name());
    assert!(errors.contains(&format!("failpoint `{}` ends the process", point.name())), "{errors}");
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    // The first line begins with the name of the test.
    let told = lines.lines().filter_map(|line| {
        ["published", "handled"].iter().find_map(|word| line.find(word).map(|at| line[at..].to_owned()))
    });
    told.collect()
}

#[test]
fn f27_the_process_ends_at_every_shared_point() {
    let (mut well, mut later, mut never) = (vec!["published well"], vec![], vec![]);
    well.push("handled well 1");
    later.extend(well.iter().chain(&["published later", "handled later 1"]));
    never.extend(later.iter().chain(&["handled later 2", "published never", "handled never 1"]));
    for point in Point::SHARED {
        let expected = match point {
            Point::PublishBeforeWrite | Point::PublishAfterConfirm => &[][..],
            Point::ConsumeAfterReceive => &well[..1],
            Point::ConsumeHandlerDone | Point::ConsumeBeforeAck | Point::ConsumeAfterAck => &well,
            Point::RetryAfter => &later,
            Point::DeadLetterAfter => &never,
            other => panic!("{} is not shared", other.name()),
        };
        assert_eq!(told_until(point), expected, "{}", point.name());
    }
}
