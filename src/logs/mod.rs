//! The log: what `tracing` is told, as lines on stderr, for people or for machines.
//!
//! A [`Service`](crate::Service) that is [run](crate::Service::run) sets it up by itself, unless the program has set up
//! a subscriber of its own. What stands in a line comes from anywhere, so no control character reaches the output, and
//! no password of a URL. Guide: [`docs::logs`](crate::docs::logs).

mod colour;
mod console;
mod fields;
mod filter;
mod json;
mod keys;
mod lines;

pub(crate) use keys::keys;

use std::{
    fmt,
    io::{self, Write},
};

use tracing::Subscriber;
use tracing_subscriber::{Layer, layer::SubscriberExt, registry::Registry};

use crate::config::Config;
use colour::Colour;
use keys::Settings;
use lines::{Format, Lines};

/// What else gets spans and events, beside the lines.
pub(crate) type Beside = Box<dyn Layer<Registry> + Send + Sync>;

/// Writes the log of the whole process to stderr, as the settings have it.
///
/// # Errors
/// The process has a subscriber already; it stays.
///
/// # Examples
/// ```
/// use tegami::{Config, logs};
///
/// let config = Config::new().set("log.format", "json")?;
/// logs::init(&config).expect("there is no other");
/// assert!(logs::init(&config).is_err(), "now there is");
/// # Ok::<(), tegami::Error>(())
/// ```
pub fn init(config: &Config) -> Result<(), AlreadySet> {
    install(config, None)
}

/// The same for a run service, which does not insist, and may have something beside.
pub(crate) fn init_if_unset(config: &Config, beside: Option<Beside>) {
    if !tracing::dispatcher::has_been_set() {
        // Another thread may have been faster.
        let _ = install(config, beside);
    }
}

fn install(config: &Config, beside: Option<Beside>) -> Result<(), AlreadySet> {
    let Settings { format, filter } = keys().read(config);
    let format = format.coloured(Colour::of_stderr());
    if format.is_none() && beside.is_none() {
        return Ok(());
    }
    let lines = |format| Lines::new(format, |line: &str| drop(io::stderr().lock().write_all(line.as_bytes())));
    let subscriber = Registry::default().with(beside).with(filter.targets()).with(format.map(lines));
    tracing::subscriber::set_global_default(subscriber).map_err(|_| AlreadySet(()))
}

/// A log of its own, each line of which is handed to `write`, its end included; for tests, and for other places than
/// stderr. It is never coloured.
pub fn subscriber(config: &Config, write: impl Fn(&str) + Send + Sync + 'static) -> impl Subscriber + Send + Sync {
    let Settings { format, filter } = keys().read(config);
    let format = format.coloured(Colour::Never).unwrap_or(Format::Silent);
    Registry::default().with(filter.targets()).with(Lines::new(format, write))
}

/// The process has a subscriber for its log already.
#[derive(Debug)]
pub struct AlreadySet(());

impl fmt::Display for AlreadySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the process has a subscriber for its log already")
    }
}

impl std::error::Error for AlreadySet {}
