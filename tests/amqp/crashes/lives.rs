//! Processes of ours that end: how, when, and whether they did.

use std::{process::Command, sync::Once, time::Duration};

use tegami::{
    Event, Retry, Service, Subscription,
    service::Running,
    testing::transport::{End, Trial},
};

/// How long a handler works at a letter in a life.
const WORKS: Duration = Duration::from_millis(25);

/// Starts a service that completes every letter of this kind.
pub async fn listen<E: Event>(trial: &Trial) -> Running {
    let handler = trial.handler(&Retry::default(), |_: E, _| async { Ok(()) });
    trial.start(trial.service("billing").await.on::<E>(handler)).await
}

/// A service whose process gets a signal a while after its first letter came.
pub async fn listen_and_end<E: Event>(
    trial: &Trial,
    signal: &'static str,
    after: Duration,
    subscribed: impl FnOnce(Subscription<E>) -> Subscription<E>,
) -> Service {
    let first = Once::new();
    let handler = trial.handler(&Retry::default(), move |_: E, _| {
        first.call_once(|| signalled(signal, after));
        async {
            tokio::time::sleep(WORKS).await;
            Ok(())
        }
    });
    trial.service("billing").await.on_with::<E>(handler, subscribed)
}

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
