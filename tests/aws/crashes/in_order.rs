//! F26 and F28 on a queue in order: processes that end while handlers run. The keys of a killed one wait until SQS shows
//! what it had.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::pending,
    time::Duration,
};

use tegami::testing::{
    ledger::Entry,
    transport::{Done, End, LetterFiled, Trial, filed},
};

use super::{
    chance,
    lives::{listen, listen_and_end},
    must_end, rolling,
};

/// How many processes are killed, and how many messages of each key they find.
const KILLS: usize = 3;
const FOUND: usize = 4;
/// How many keys there are.
const KEYS: usize = 3;
/// How long after its first letter a process is killed, in milliseconds.
const DIES: std::ops::Range<u64> = 30..150;

pub async fn f26_no_kill_loses_or_reorders_a_message(trial: &Trial) -> Done {
    if trial.life().is_some() {
        return a_life(trial).await;
    }
    listen::<LetterFiled>(trial).await.stop().await.expect("no hook can fail");
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
    assert!(begun.len() >= KILLS, "they handled something: {begun:?}");
    for (folder, ids) in &posted {
        let first = first_runs(&begun, ids);
        assert_eq!(first, ids[..first.len()], "`{folder}` is handled in order, and only the last ones again");
    }
    let last = listen::<LetterFiled>(trial).await;
    trial.until_settled().await;
    println!("{KILLS} kills in order: {} runs begun before the last life", begun.len());
    for running in [sender, last] {
        running.stop().await.expect("no hook can fail");
    }
    Done::Kept
}

/// Each poster has a key of its own.
pub async fn f28_replicas_that_roll_keep_the_order(trial: &Trial) -> Done {
    rolling::rolled::<LetterFiled>(trial, |poster, number| filed(&format!("folder {poster}"), number)).await
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

/// Handles letters until it is killed, somewhere in the middle of it.
async fn a_life(trial: &Trial) -> Done {
    let dies = Duration::from_millis(chance(trial).u64(DIES));
    let service = listen_and_end::<LetterFiled>(trial, "-KILL", dies, |s| s).await;
    let _running = trial.start(service).await;
    pending().await
}
