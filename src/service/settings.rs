//! What every service is told: its keys before all sections, what each sets, its default, its limits.

use std::{fmt, sync::Arc, time::Duration};

use super::{Error, ErrorKind, banner::Show, plan::is_plain, task::Task};
use crate::{
    config::{Config, Given, Key, Section, choice},
    secret::Secret,
    transport::{self, Memory, Provision, Transport},
};

/// The longest prefix that leaves room for names.
pub(super) const PREFIX_LIMIT: usize = 32;
/// The longest drain.
const DRAIN_LIMIT: Duration = Duration::from_secs(3600);
/// Which settings say where messages travel, unless they say where themselves.
const NOWHERE: &str = "in code";

/// Settings of one service.
#[derive(Clone)]
pub(crate) struct Settings {
    transport: Url,
    pub(crate) prefix: String,
    pub(crate) provision: Provision,
    pub(crate) drain: Duration,
    pub(crate) banner: Show,
    pub(crate) task: Task,
    /// All of them, for those who have sections of their own.
    pub(crate) config: Config,
}

/// A URL, which may hold a password, and where it stood.
#[derive(Clone)]
struct Url {
    text: Secret,
    source: String,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").finish_non_exhaustive()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            transport: Url { text: Secret::new("memory:"), source: NOWHERE.to_owned() },
            prefix: String::new(),
            provision: Provision::Create,
            drain: Duration::from_secs(30),
            banner: Show::Auto,
            task: Task::Serve,
            config: Config::default(),
        }
    }
}

/// The keys.
pub(super) fn keys() -> Section<Settings> {
    let transport = "where messages travel: `memory:` or `memory:<name>`, one broker a name and process; `amqp://…` or \
                     `amqps://…`, [RabbitMQ](amqp.md); `aws:region?…`, [SNS and SQS](aws.md)";
    let provision = "what the start may do to the broker: `create` what is missing, `verify` that it is there, or \
                     `assume` it";
    let banner = "whether a service that is run at a terminal shows its handlers, schedules and address there";
    let task = "what the program does: `serve`, or one thing and ends, which is to print itself as JSON (`describe`, \
                `async-api`, `samples`) or for its broker (`export`), to look after its queues (`verify`, `provision`, \
                `prune`) or its dead letters (`dead-letters <queue>`, `redrive <queue>`, `drop {…}`), or to publish, show \
                and follow messages (`publish <event>` from standard input, `peek <queue>`, `tail <event or queue>`); \
                where a name is not enough, [one JSON object](operations.md) stands in its place";
    let keys = vec![
        Key::with("transport", transport, ("URL", "memory:"), told_transport).secret(),
        Key::within("prefix", "begins every topic and queue name", |s: &mut Settings| &mut s.prefix, {
            (|prefix: &String| prefix.len() <= PREFIX_LIMIT && is_plain(prefix), "give at most 32 of A-Z a-z 0-9 - _")
        }),
        Key::with("provision", provision, ("`create`, `verify` or `assume`", "create"), told_provision),
        Key::within("drain", "how long running handlers have at a stop, an hour at most", |s| &mut s.drain, {
            (|drain: &Duration| *drain <= DRAIN_LIMIT, "give seconds, 0 to 3600")
        }),
        Key::with("banner", banner, ("`auto` or `off`", "auto"), told_banner),
        Key::with("task", task, ("words", "serve"), told_task),
    ];
    Section::new("", keys)
}

fn told_transport(settings: &mut Settings, given: &Given) -> Result<(), String> {
    let text = given.value.text().ok_or("give a URL as text")?;
    settings.transport = Url { text: Secret::new(text), source: given.source.to_string() };
    Ok(())
}

fn told_task(settings: &mut Settings, given: &Given) -> Result<(), String> {
    settings.task = given.value.text().unwrap_or_default().parse()?;
    Ok(())
}

fn told_banner(settings: &mut Settings, given: &Given) -> Result<(), String> {
    settings.banner = choice(&given.value, &[("auto", Show::Auto), ("off", Show::Off)])?;
    Ok(())
}

fn told_provision(settings: &mut Settings, given: &Given) -> Result<(), String> {
    let words = [("create", Provision::Create), ("verify", Provision::Verify), ("assume", Provision::Assume)];
    settings.provision = choice(&given.value, &words)?;
    Ok(())
}

impl Settings {
    /// What the configuration says.
    pub(crate) fn of(config: Config) -> Self {
        Self { config: config.clone(), ..keys().read(&config) }
    }

    /// The transport that the settings name.
    ///
    /// # Errors
    /// There is none by this URL, or it is not safe. The cause says which part of the URL is wrong; the whole of it may
    /// hold a password.
    pub(crate) fn transport(&self) -> Result<Arc<dyn Transport>, Error> {
        let Url { text, source } = &self.transport;
        let wrong = || Error::new(ErrorKind::Setting, format!("`transport` ({source}) cannot be had"));
        let url = text.reveal();
        match url.split_once(':') {
            Some(("memory", name)) => Ok(Arc::new(Memory::named(name))),
            Some(("amqp" | "amqps", _)) => {
                transport::amqp_at(url).map(|transport| Arc::new(transport) as _).map_err(|e| wrong().caused_by(e))
            }
            Some(("aws", _)) => {
                transport::aws_at(url).map(|transport| Arc::new(transport) as _).map_err(|e| wrong().caused_by(e))
            }
            found => Err(wrong().caused_by(no_transport(found.map_or("", |(scheme, _)| scheme)))),
        }
    }
}

/// What does not read like a scheme may be a secret.
fn no_transport(scheme: &str) -> String {
    let is_scheme = (1..=16).contains(&scheme.len()) && scheme.bytes().all(|byte| byte.is_ascii_lowercase());
    let found =
        if is_scheme { format!("`{scheme}:` is no transport") } else { "it begins with no transport".to_owned() };
    format!("{found}; there are `memory:`, `memory:<name>`, `amqp://…`, `amqps://…` and `aws:<region>`")
}
