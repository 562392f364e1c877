//! What goes wrong: drawn from the seed by `plan`, done to broker, ways, processes, database and calls in the files named
//! so. Each looks whether it happened, for a fault that hit nothing proves nothing. `kills` does nothing but end processes.

mod calls;
mod database;
pub mod kills;
pub mod plan;
mod processes;
mod rabbit;
mod roads;

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use tegami::testing::ledger::Ledger;
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    crew::{Crew, Stop},
    place::Place,
};
use plan::{Fault, Kind, Round, Upon};

/// How long it is looked for what shows that a fault happened.
const SHOWS: Duration = Duration::from_secs(30);
/// How often.
const LOOK: Duration = Duration::from_millis(20);
/// What nothing is said for between two rounds.
const REST: Duration = Duration::from_secs(1);

/// What a fault is, or why it did not happen.
type Happened = Result<(), String>;

/// Who does it all, and what is known of it.
pub struct Nemesis<'a> {
    pub place: &'a Place,
    pub crew: &'a Crew,
    pub ledger: &'a Ledger,
    done: Mutex<Deeds>,
}

/// What was done.
#[derive(Debug, Default, Clone)]
pub struct Deeds {
    /// Names in the order of their begins.
    pub faults: Vec<String>,
    pub kinds: BTreeMap<String, usize>,
    /// The names of those that restarted the broker.
    pub restarts: Vec<String>,
    /// Processes that were killed, and how many of them ended at which crash point.
    pub kills: usize,
    pub points: BTreeMap<&'static str, usize>,
    /// Processes that were asked to stop.
    pub stops: Vec<Stop>,
}

impl<'a> Nemesis<'a> {
    pub fn new(place: &'a Place, crew: &'a Crew, ledger: &'a Ledger) -> Self {
        Self { place, crew, ledger, done: Mutex::default() }
    }

    pub fn deeds(&self) -> Deeds {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, note: impl FnOnce(&mut Deeds)) {
        note(&mut self.done.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Does all of it, one round after the other, none before its time.
    ///
    /// # Errors
    /// A fault did not happen: which, and how that was seen.
    pub async fn rage(&self, rounds: &[Round]) -> Happened {
        let began = Instant::now();
        for Round { at, faults } in rounds {
            sleep_until(began + *at).await;
            let all = join_all(faults.iter().map(|fault| self.bring(fault))).await;
            all.into_iter().collect::<Happened>()?;
            sleep(REST).await;
        }
        Ok(())
    }

    async fn bring(&self, fault: &Fault) -> Happened {
        let name = fault.name();
        self.note(|deeds| {
            deeds.faults.push(name.clone());
            *deeds.kinds.entry(fault.kind.name()).or_default() += 1;
            if fault.kind.restarts_the_broker() {
                deeds.restarts.push(name.clone());
            }
        });
        self.ready(fault).await?;
        let happened = self.ledger.fault(&name, self.happen(fault)).await;
        happened.map_err(|why| format!("fault {name} did not happen: {why}"))
    }

    /// Waits until there is something to break.
    async fn ready(&self, fault: &Fault) -> Happened {
        match fault.kind.upon() {
            Upon::Road => self.moves(fault.target).await,
            Upon::Calls => self.calls().await,
            _ => Ok(()),
        }
    }

    async fn happen(&self, fault: &Fault) -> Happened {
        match fault.kind.upon() {
            Upon::Rabbit => self.on_rabbit(fault).await,
            Upon::Road => self.on_road(fault).await,
            Upon::Process => self.on_processes(fault).await,
            Upon::Database => self.on_database(fault).await,
            Upon::Calls => self.on_calls(fault).await,
        }
    }
}

/// Waits until it shows, and no longer than it may take.
async fn shows(what: &str, holds: impl AsyncFn() -> bool) -> Happened {
    let began = Instant::now();
    while !holds().await {
        if began.elapsed() > SHOWS {
            return Err(format!("not seen for {SHOWS:?}: {what}"));
        }
        sleep(LOOK).await;
    }
    Ok(())
}
