//! What a service's program does once instead of serving: describe itself, look after its queues.
//!
//! `TEGAMI_TASK=describe billing` is what `tegami plan -- billing` runs. The answer is one line of JSON, the last
//! on standard output; whatever else the program prints there stands before it.

mod dead;
mod flow;
mod posting;
mod prune;
mod samples;
mod sorting;
mod words;

pub use dead::{DescribedDeadLetter, DescribedMessage};
pub(crate) use posting::Post;
pub use posting::Posted;
pub(in crate::service) use posting::post;
pub use prune::Pruned;
pub use samples::{EventSample, EventSamples, Samples};
pub(crate) use words::Task;
pub use words::{Choice, Peek};

use std::{
    io::{self, Write},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use self::dead::Reader;
use super::{Error, ErrorKind, Parts, async_api, plan::Station, transports::Transports};
use crate::{
    codec::Persons,
    contract::Names,
    health::Board,
    transport::{Fate, Provision},
};

/// The brokers beside the plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Compared {
    /// The kind of the main transport.
    pub transport: String,
    /// Each part that is missing or differs.
    pub differs: Vec<String>,
}

/// Dead letters that went back into their queue.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Redriven {
    /// The queue.
    pub queue: String,
    /// How many; where nothing was to be done, how many would have.
    pub redriven: usize,
}

/// Dead letters that were deleted. Each was told on a line of its own before that.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Dropped {
    /// The queue.
    pub queue: String,
    /// How many; where nothing was to be done, how many would have been.
    pub dropped: usize,
}

/// Does the task, and prints the answer.
///
/// # Errors
/// A setting is wrong, the service has no such queue, or the broker refused.
pub(super) async fn run(parts: Parts, task: Task) -> Result<(), Error> {
    match task {
        Task::Describe => return print(&parts.describe()?),
        Task::AsyncApi => return print(&async_api::document(&parts.describe()?, &parts.contracts)),
        Task::Samples => return print(&Samples::of(&parts)),
        _ => {}
    }
    let (task, persons) = match task {
        Task::Reveal(task) => (*task, Persons::Revealed),
        task => (task, Persons::Hidden),
    };
    let mut open = Open::of(parts, persons)?;
    let answered = open.answer(task).await;
    open.transports.close(CLOSING).await;
    answered
}

/// How long a transport may take to close.
const CLOSING: Duration = Duration::from_secs(5);

/// The service's queues, and the way to them.
struct Open {
    parts: Parts,
    names: Names,
    stations: Vec<Station>,
    transports: Transports,
    persons: Persons,
}

impl Open {
    fn of(mut parts: Parts, persons: Persons) -> Result<Self, Error> {
        let (names, stations) = parts.plan()?;
        let settings = parts.settings()?;
        let main = parts.main_transport(&settings)?;
        let board = Board::new(&parts.name, Default::default());
        let transports = Transports::new(main, std::mem::take(&mut parts.attached), &board);
        stations.iter().try_for_each(|station| transports.of(station).map(drop))?;
        Ok(Self { parts, names, stations, transports, persons })
    }

    async fn answer(&mut self, task: Task) -> Result<(), Error> {
        match task {
            Task::Serve | Task::Describe | Task::AsyncApi | Task::Samples | Task::Reveal(_) => Ok(()),
            Task::Verify => self.provision(Provision::Verify).await,
            Task::Provision => self.provision(Provision::Create).await,
            Task::DeadLetters(queue) => print(&self.dead_letters(queue.as_deref()).await?),
            Task::Redrive(choice) => print(&self.redrive(choice).await?),
            Task::Drop(choice) => print(&self.drop_letters(choice).await?),
            Task::Publish(event) => print(&self.publish(&event).await?),
            Task::Peek(peek) => print(&self.peek(&peek).await?),
            Task::Tail(what) => self.tail(&what).await,
            Task::Prune(mode) => print(&self.prune(&prune::standard_input()?, mode).await?),
            Task::Export => print(&self.transports.exports(&self.stations, &self.published()?)?),
        }
    }

    async fn provision(&self, mode: Provision) -> Result<(), Error> {
        let differs = self.transports.differences(&self.stations, mode).await?;
        print(&Compared { transport: self.transports.name().to_owned(), differs })
    }

    async fn dead_letters(&self, queue: Option<&str>) -> Result<Vec<DescribedDeadLetter>, Error> {
        let mut told = Vec::new();
        for station in self.asked(queue)? {
            let (transport, queue) = (self.transports.of(station)?, &station.queue.name);
            let found = transport.dead_letters(queue, dead::MOST).await?;
            let reader = Reader::of(&self.parts, station, &**transport, self.persons);
            told.extend(found.iter().map(|letter| reader.dead_letter(letter)));
        }
        Ok(told)
    }

    async fn redrive(&self, choice: Choice) -> Result<Redriven, Error> {
        let redriven = self.sort(&choice, Fate::Back).await?;
        Ok(Redriven { queue: choice.queue, redriven })
    }

    async fn drop_letters(&self, choice: Choice) -> Result<Dropped, Error> {
        let dropped = self.sort(&choice, Fate::Drop).await?;
        Ok(Dropped { queue: choice.queue, dropped })
    }

    /// The topics that the service says it publishes to.
    fn published(&self) -> Result<Vec<String>, Error> {
        let published = self.parts.describe()?.publishes;
        Ok(published.into_iter().map(|event| event.topic).collect())
    }

    /// The queue of this name, or all.
    fn asked(&self, queue: Option<&str>) -> Result<Vec<&Station>, Error> {
        let is_asked = |station: &&Station| queue.is_none_or(|queue| station.queue.name == queue);
        let found: Vec<_> = self.stations.iter().filter(is_asked).collect();
        match (queue, &found[..]) {
            (Some(queue), []) => {
                let known: Vec<_> = self.stations.iter().map(|station| format!("`{}`", station.queue.name)).collect();
                let (queue, known) = (queue.escape_debug(), known.join(", "));
                let text = format!("`{}` reads no queue `{queue}`; it reads {known}", self.parts.name);
                Err(Error::new(ErrorKind::Setting, text))
            }
            _ => Ok(found),
        }
    }
}

/// The last line on standard output.
fn print(answer: &impl Serialize) -> Result<(), Error> {
    let line = serde_json::to_string(answer).expect("it is plain data");
    let written = writeln!(io::stdout().lock(), "{line}");
    written.map_err(|error| Error::new(ErrorKind::Setting, "the answer cannot be printed").caused_by(error))
}
