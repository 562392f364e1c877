//! What a number of messages cost: time by the clock, and the process's time on the processors.

use std::{
    fs,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use serde::Serialize;
use tokio::sync::watch;

/// Linux counts a process's time in hundredths of a second.
const TICKS: f64 = 100.0;

/// What was spent.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Cost {
    /// How many messages it was spent on.
    pub messages: usize,
    /// Seconds by the clock.
    pub seconds: f64,
    /// Seconds on the processors, user and system, of all threads.
    pub cpu: f64,
}

/// Where clock and processors stood.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    time: Instant,
    cpu: f64,
}

impl Mark {
    /// Now.
    pub fn now() -> Self {
        Self { time: Instant::now(), cpu: cpu() }
    }

    /// What these messages have cost since then.
    pub fn cost(&self, messages: usize) -> Cost {
        Cost { messages, seconds: self.time.elapsed().as_secs_f64(), cpu: cpu() - self.cpu }
    }
}

fn cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux tells");
    let numbers = stat.rsplit_once(')').expect("the name stands in brackets").1;
    let numbers: Vec<f64> = numbers.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    // User and system.
    (numbers[10] + numbers[11]) / TICKS
}

/// KiB of the process that are resident.
pub fn memory() -> usize {
    status("VmRSS:")
}

/// The most KiB of the process that were ever resident.
pub fn peak() -> usize {
    status("VmHWM:")
}

fn status(name: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("it is there");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// A number of messages that are to be handled: from the first to the last, their cost.
#[derive(Debug)]
pub struct Drain {
    messages: usize,
    handled: AtomicUsize,
    first: Mutex<Option<Mark>>,
    cost: watch::Sender<Option<Cost>>,
}

impl Drain {
    /// So many are to come.
    pub fn of(messages: usize) -> Self {
        let (cost, _) = watch::channel(None);
        Self { messages, handled: AtomicUsize::default(), first: Mutex::default(), cost }
    }

    /// One was handled.
    ///
    /// # Panics
    /// More have come than there are.
    pub fn handled(&self) {
        let count = self.handled.fetch_add(1, Ordering::Relaxed) + 1;
        assert!(count <= self.messages, "a message came twice");
        if count == 1 {
            *self.first.lock().expect("nobody panics") = Some(Mark::now());
        }
        if count == self.messages {
            let first = self.first.lock().expect("nobody panics").expect("the first came first");
            self.cost.send_replace(Some(first.cost(self.messages - 1)));
        }
    }

    /// How many there are.
    pub fn messages(&self) -> usize {
        self.messages
    }

    /// How many were handled.
    pub fn count(&self) -> usize {
        self.handled.load(Ordering::Relaxed)
    }

    /// Waits for the last; what all have cost since the first.
    pub async fn cost(&self) -> Cost {
        let mut told = self.cost.subscribe();
        let cost = *told.wait_for(Option::is_some).await.expect("its sender is here");
        cost.expect("that was waited for")
    }
}
