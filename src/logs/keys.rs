//! What settings say of the log: the section `[log]`.

use super::{colour::Colour, filter::Filter, lines::Format};
use crate::config::{Given, Key, Section, choice};

/// How the log is written, and what of it.
#[derive(Default)]
pub(crate) struct Settings {
    pub(super) format: Chosen,
    pub(super) filter: Filter,
}

/// Which format was chosen; whether it is coloured, the terminal decides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Chosen {
    #[default]
    Console,
    Json,
    Off,
}

impl Chosen {
    /// None, if nothing is to be written.
    pub(super) fn coloured(self, colour: Colour) -> Option<Format> {
        match self {
            Chosen::Console => Some(Format::Console(colour)),
            Chosen::Json => Some(Format::Json),
            Chosen::Off => None,
        }
    }
}

/// The keys.
pub(crate) fn keys() -> Section<Settings> {
    let filter = "what is told: a level, `off`, `error`, `warn`, `info`, `debug` or `trace`, and levels of single parts, as \
                  `info,tegami::http=debug`";
    let format = "`console` for people, `json` for machines, `off`";
    let keys = vec![
        Key::with("filter", filter, ("levels", "info"), set_filter).variable("TEGAMI_LOG"),
        Key::with("format", format, ("`console`, `json` or `off`", "console"), set_format),
    ];
    Section::new("log", keys)
}

fn set_filter(settings: &mut Settings, given: &Given) -> Result<(), String> {
    let expected = "give a level, or levels and parts as `info,tegami::http=debug`";
    settings.filter = given.value.text().and_then(Filter::parse).ok_or(expected)?;
    Ok(())
}

fn set_format(settings: &mut Settings, given: &Given) -> Result<(), String> {
    let words = [("console", Chosen::Console), ("json", Chosen::Json), ("off", Chosen::Off)];
    settings.format = choice(&given.value, &words)?;
    Ok(())
}
