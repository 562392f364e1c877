//! Processes of ours that end at the worst moments, again and again; then the account of all of them.
//!
//! Each case is run for each release, and again in every process that is to end.

mod kills;
#[cfg(feature = "failpoints")]
mod points;
mod signals;

use std::{process::Command, time::Duration};

use tegami::testing::transport::{End, Trial};

on_each_release! {
    "F-26" kills f26_no_kill_loses_a_message,
    "F-27E" points f27_a_failure_at_no_point_loses_a_message if "failpoints",
    "F-27A" points f27_a_crash_at_no_point_loses_a_message if "failpoints",
    "F-28" signals f28_replicas_that_roll_lose_and_repeat_nothing,
    "F-29" signals f29_a_handler_that_hangs_holds_no_stop,
}

/// Sends this process a signal, after a while.
fn signalled(signal: &'static str, after: Duration) {
    std::thread::spawn(move || {
        std::thread::sleep(after);
        Command::new("kill").args([signal, &std::process::id().to_string()]).status().expect("there is `kill`");
    });
}

/// Chance of this life's own.
fn chance(trial: &Trial) -> fastrand::Rng {
    let life = trial.life().unwrap_or_default() as u64;
    fastrand::Rng::with_seed(trial.chance().u64(..).wrapping_add(life))
}

/// Runs a life that must end like this.
async fn must_end(trial: &Trial, life: usize, end: End) {
    assert_eq!(trial.live(life).await, Some(end), "life {life}");
}
