//! F27: a failure, and the end of the process, at each crash point.

use std::time::Duration;

use tegami::{
    HandlerError, Retry,
    failpoint::{Point, fail, hits},
    service::Running,
    testing::transport::{Done, End, LetterPosted, Trial, letter, until},
};

use super::{ENDS, FAILURES, chance, must_end, points};

/// How long until the next letters.
const PACE: Duration = Duration::from_millis(5);

const BOXES: [&str; 3] = ["well", "later", "never"];

/// Handles letters: some go well, some fail at first, and some are rejected.
async fn billing(trial: &Trial) -> Running {
    let plan = Retry::after([Duration::from_millis(50); 5]);
    let handler = trial.handler(&plan, |letter: LetterPosted, ctx| async move {
        match (letter.r#box.as_str(), ctx.attempt()) {
            ("later", 1) => Err(HandlerError::retry("not yet")),
            ("never", _) => Err(HandlerError::reject("no such box")),
            _ => Ok(()),
        }
    });
    let service = trial.service("billing").await;
    trial.start(service.on_with::<LetterPosted>(handler, |s| s.retry(plan.clone()).concurrency(20))).await
}

/// Publishes one of each kind; what becomes of it is in the ledger.
async fn post_each(trial: &Trial, by: &Running, number: usize) {
    for address in BOXES {
        let _ = trial.post(by.publisher(), &letter(address, number)).await;
    }
}

pub async fn f27_a_failure_at_no_point_loses_a_message(trial: &Trial) -> Done {
    let running = billing(trial).await;
    let mut number = 0;
    for point in points() {
        for _ in 0..FAILURES {
            let (before, _fails) = (hits(point), Fails::at(point, "1*return(error)"));
            // Passed once more, it has failed and gone on.
            while hits(point) < before + 2 {
                post_each(trial, &running, number).await;
                tokio::time::sleep(PACE).await;
                number += 1;
            }
        }
    }
    println!("{} points failed {FAILURES} times each, among {number} letters of each kind", points().count());
    trial.until_settled().await;
    running.stop().await.expect("no hook can fail");
    Done::Kept
}

pub async fn f27_a_crash_at_no_point_loses_a_message(trial: &Trial) -> Done {
    if let Some(life) = trial.life() {
        return a_life(trial, points().nth((life - 1) / ENDS).expect("there are as many lives")).await;
    }
    let made = billing(trial).await;
    made.stop().await.expect("no hook can fail");
    for life in 1..=points().count() * ENDS {
        must_end(trial, life, End::Killed).await;
    }
    let last = billing(trial).await;
    trial.until_settled().await;
    last.stop().await.expect("no hook can fail");
    println!("{} points, {ENDS} processes ended at each", points().count());
    Done::Kept
}

/// Publishes and handles until the point ends it.
async fn a_life(trial: &Trial, point: Point) -> Done {
    let running = billing(trial).await;
    let passed = chance(trial).u64(0..5);
    let _fails = Fails::at(point, &format!("{passed}*off->return(abort)"));
    for number in 0..200 {
        post_each(trial, &running, number).await;
    }
    until(|| false).await;
    Done::Kept
}

/// A point that is set, until this is dropped.
struct Fails(Point);

impl Fails {
    fn at(point: Point, action: &str) -> Self {
        fail::cfg(point.name(), action).expect("an action");
        Self(point)
    }
}

impl Drop for Fails {
    fn drop(&mut self) {
        fail::remove(self.0.name());
    }
}
