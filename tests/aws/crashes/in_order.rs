//! F26 on a queue in order: SIGKILL while handlers run, and their keys wait until SQS shows what they had.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::pending,
    sync::Once,
    time::Duration,
};

use tegami::{
    Retry, Service,
    testing::{
        ledger::Entry,
        transport::{Done, End, LetterFiled, Trial, filed},
    },
};
use tokio::time::sleep;

use super::{
    HIDDEN, chance,
    lives::{WORKS, signalled},
    must_end,
};

/// How many processes are killed, and how many messages of each key they find.
const KILLS: usize = 4;
const FOUND: usize = 4;
/// How many keys there are.
const KEYS: usize = 3;
/// How long after its first letter a process is killed, in milliseconds.
const DIES: std::ops::Range<u64> = 30..150;

pub async fn f26_no_kill_loses_or_reorders_a_message(trial: &Trial) -> Done {
    if trial.life().is_some() {
        return a_life(trial).await;
    }
    trial.start(filing(trial, || {}).await).await.stop().await.expect("no hook can fail");
    let sender = trial.start(trial.service("mail").await).await;
    let mut posted = BTreeMap::<String, Vec<String>>::new();
    for life in 1..=KILLS {
        for number in 0..FOUND * KEYS {
            let folder = format!("folder {}", number % KEYS);
            let id = trial.post(sender.publisher(), &filed(&folder, life * 100 + number)).await;
            posted.entry(folder).or_default().push(id.expect("there is a queue for it").to_string());
        }
        must_end(trial, life, End::Killed).await;
    }
    let begun = begun(trial);
    assert!(begun.len() > KILLS, "they handled something: {begun:?}");
    for (folder, ids) in &posted {
        let first = first_runs(&begun, ids);
        assert_eq!(first, ids[..first.len()], "`{folder}` is handled in order, and only the last ones again");
    }
    let last = trial.start(filing(trial, || {}).await).await;
    sleep(HIDDEN).await;
    trial.tally().until_quiet().await;
    println!("{KILLS} kills in order: {} runs begun before the last life", begun.len());
    for running in [sender, last] {
        running.stop().await.expect("no hook can fail");
    }
    Done::Kept
}

/// The messages whose handlers those processes began, in order of time.
fn begun(trial: &Trial) -> Vec<String> {
    let begun = trial.told_by_lives().into_iter();
    begun.filter_map(|entry| if let Entry::RunBegin { id, .. } = entry { Some(id) } else { None }).collect()
}

/// Each of these that was begun, where it was begun first.
fn first_runs(begun: &[String], of: &[String]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    begun.iter().filter(|id| of.contains(id) && seen.insert(*id)).cloned().collect()
}

/// A service that tells when its first letter came.
async fn filing(trial: &Trial, came: impl Fn() + Copy + Send + Sync + 'static) -> Service {
    let first = Once::new();
    let handler = trial.handler(&Retry::default(), move |_: LetterFiled, _| {
        first.call_once(came);
        async {
            sleep(WORKS).await;
            Ok(())
        }
    });
    trial.service("billing").await.on::<LetterFiled>(handler)
}

/// Handles letters until it is killed, somewhere in the middle of it.
async fn a_life(trial: &Trial) -> Done {
    let dies = Duration::from_millis(chance(trial).u64(DIES));
    let _running = trial.start(filing(trial, move || signalled("-KILL", dies)).await).await;
    pending().await
}
