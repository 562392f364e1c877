//! Processes of ours that end: how, when, and whether they did.

use std::{process::Command, time::Duration};

use tegami::testing::transport::{End, Trial};

/// Sends this process a signal, after a while.
pub fn signalled(signal: &'static str, after: Duration) {
    std::thread::spawn(move || {
        std::thread::sleep(after);
        Command::new("kill").args([signal, &std::process::id().to_string()]).status().expect("there is `kill`");
    });
}

/// Chance of this life's own.
pub fn chance(trial: &Trial) -> fastrand::Rng {
    let life = trial.life().unwrap_or_default() as u64;
    fastrand::Rng::with_seed(trial.chance().u64(..).wrapping_add(life))
}

/// Runs a life that must end like this.
pub async fn must_end(trial: &Trial, life: usize, end: End) {
    assert_eq!(trial.live(life).await, Some(end), "life {life}");
}
