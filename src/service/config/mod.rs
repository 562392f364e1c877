//! How a [`Config`] is made: from a file, the environment and code, by all keys that this build has.

#[cfg(all(test, feature = "http", feature = "logs", feature = "schedule"))]
mod table;

use std::{io, path::Path};

use serde::de::DeserializeOwned;

#[cfg(feature = "logs")]
use super::logged as log;
#[cfg(feature = "schedule")]
use super::schedules as schedule;
#[cfg(not(feature = "logs"))]
use super::unlogged as log;
#[cfg(not(feature = "schedule"))]
use super::unscheduled as schedule;
use super::{Error, ErrorKind, http, settings, task::Task};
use crate::{
    codec::json::without_value,
    config::{Config, File, Given, Keys, Source, Value, without_app},
};

/// The variable that names the file.
const NAMED: &str = "TEGAMI_CONFIG";
/// The variable that asks for a task.
const TASK: &str = "TEGAMI_TASK";
/// What the file is called where none is named.
const FILE: &str = "tegami.toml";

/// All keys that this build has.
pub(super) fn keys() -> Keys {
    Keys::default()
        .and(Ok(Box::new(settings::keys())))
        .and(http::keys())
        .and(http::admin_keys())
        .and(schedule::keys())
        .and(log::keys())
}

impl Config {
    /// Nothing but the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// What the file says, and the environment, which counts more.
    ///
    /// The file is `tegami.toml` in the working folder, if there is one, or that which `TEGAMI_CONFIG` names. A service
    /// that was given no [`config`](crate::Service::config) does this by itself.
    ///
    /// # Errors
    /// The file cannot be read, or something in it or in a variable that begins with `TEGAMI_` is no setting; the text
    /// has a line for each.
    pub fn load() -> Result<Self, Error> {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok().filter(|name| name.starts_with("TEGAMI_"))?;
            Some((name, value.into_string().ok()))
        });
        let (named, variables): (Vec<_>, Vec<_>) = variables.partition(|(name, _)| name == NAMED);
        let file = match named.first() {
            Some((_, Some(path))) => Some(File::open(Path::new(path)).map_err(|error| unreadable(path, NAMED, error))?),
            Some((_, None)) => return Err(wrong(vec![format!("{NAMED} is no UTF-8 text")])),
            None => beside()?,
        };
        Self::read(&keys(), file, variables).map_err(wrong)
    }

    /// What a file of this text says; the environment is not asked.
    ///
    /// # Errors
    /// It is no TOML, or something in it is no setting; the text has a line for each.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::parse_with(text, [])
    }

    /// What a file of this text and these variables say, as [`load`](Self::load) would find them.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn parse_with<'a>(text: &str, variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Error> {
        let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), Some(value.to_owned())));
        Self::read(&keys(), Some(File::new(FILE, text)), variables).map_err(wrong)
    }

    /// The same, with this value for this key (`http.limits.body`), as a variable would tell it.
    ///
    /// # Errors
    /// There is no such key, or this is no value for it.
    pub fn set(self, key: &str, value: &str) -> Result<Self, Error> {
        let given = Given::new(Source::Code, Value::Loose(value.to_owned()));
        self.with(&keys(), [(key.to_owned(), given)]).map_err(wrong)
    }

    /// The same, unless it does not know of a task that the environment asks for.
    pub(super) fn heeding_task(self) -> Result<Self, Error> {
        let asked = std::env::var_os(TASK).filter(|_| self.given("task").is_none());
        match asked {
            Some(asked) if asked.to_str().and_then(|task| task.parse().ok()) != Some(Task::Serve) => {
                Err(wrong(vec![format!(
                    "{TASK} asks for a task, and the settings given in code do not have it: make them with \
                     `Config::load`, or set `task`"
                )]))
            }
            _ => Ok(self),
        }
    }

    /// The keys that are your own: what the file says in `[app]`, as a type of yours.
    ///
    /// Without a file, or without `[app]` in it, what has defaults is had by them.
    ///
    /// # Errors
    /// They are not what the type has; the text tells the key and its line, and never the value.
    pub fn app<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let app = match &self.file {
            Some(file) => file.app(without_value),
            None => without_app(&format!("no `{FILE}` was read, and so no section `[app]`"), without_value),
        };
        app.map_err(|text| wrong(vec![text]))
    }
}

/// The file in the working folder, if there is one.
fn beside() -> Result<Option<File>, Error> {
    match File::open(Path::new(FILE)) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(FILE, "beside the process", error)),
    }
}

fn unreadable(path: &str, source: &str, error: io::Error) -> Error {
    let path = path.escape_debug();
    Error::new(ErrorKind::Setting, format!("the settings in `{path}` ({source}) cannot be read")).caused_by(error)
}

fn wrong(lines: Vec<String>) -> Error {
    Error::new(ErrorKind::Setting, lines.join("\n"))
}
