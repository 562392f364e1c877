//! F26: SIGKILL while handlers run.

use std::{future::pending, time::Duration};

use tegami::testing::transport::{Done, End, LetterPosted, Trial, letter};

use super::{FOUND, KILLS, chance, listen_and_end, must_end};

/// How many of them are handled at once: so few that a life is still at work when it is killed.
const AT_ONCE: usize = 5;

pub async fn f26_no_kill_loses_a_message(trial: &Trial) -> Done {
    if trial.life().is_some() {
        return a_life(trial).await;
    }
    let made = trial.listen("billing").await;
    let queue = trial.queues()[0].name.clone();
    made.stop().await.expect("no hook can fail");
    let sender = trial.start(trial.service("mail").await).await;
    let (mut begun, mut killed_inside) = (0, 0);
    for life in 1..=KILLS {
        for number in 0..FOUND {
            trial.post(sender.publisher(), &letter("killed", number)).await.expect("there is a queue for it");
        }
        must_end(trial, life, End::Killed).await;
        let (now, ended) = runs(trial);
        killed_inside += usize::from(now > begun && now > ended);
        begun = now;
    }
    let last = trial.listen("billing").await;
    trial.until_settled().await;
    let (begun, ended) = runs(trial);
    let cut = begun - ended;
    assert!(killed_inside > KILLS / 2, "{killed_inside} of {KILLS} were killed while a handler ran");
    assert!(cut <= KILLS * AT_ONCE, "{cut} runs were cut off");
    println!("{KILLS} kills of readers of {queue}: {begun} runs begun, {cut} cut off");
    for running in [sender, last] {
        running.stop().await.expect("no hook can fail");
    }
    Done::Kept
}

/// How many runs those processes began, and how many ended.
fn runs(trial: &Trial) -> (usize, usize) {
    use tegami::testing::ledger::Entry;
    let told = trial.told_by_lives();
    let begun = told.iter().filter(|entry| matches!(entry, Entry::RunBegin { .. })).count();
    let ended = told.iter().filter(|entry| matches!(entry, Entry::RunEnd { .. })).count();
    (begun, ended)
}

/// Handles letters until it is killed, somewhere in the middle of it.
async fn a_life(trial: &Trial) -> Done {
    let dies = Duration::from_millis(chance(trial).u64(1..60));
    let service = listen_and_end::<LetterPosted>(trial, "-KILL", dies, |s| s.concurrency(AT_ONCE)).await;
    let _running = trial.start(service).await;
    pending().await
}
