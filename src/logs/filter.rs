//! Which part of the program is told at which level.

use tracing_subscriber::filter::{LevelFilter, Targets};

/// Clients of brokers that tell of URLs with their passwords at the lowest levels.
const TALKATIVE: [&str; 2] = ["amq_protocol", "aws_sigv4"];

/// A level for all, and others for single parts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Filter {
    all: LevelFilter,
    parts: Vec<(String, LevelFilter)>,
}

impl Default for Filter {
    fn default() -> Self {
        Self { all: LevelFilter::INFO, parts: Vec::new() }
    }
}

impl Filter {
    /// Reads `level,part=level,…`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut filter = Self::default();
        for piece in text.split(',').map(str::trim) {
            match piece.split_once('=') {
                Some((part, told)) if is_part(part) => filter.parts.push((part.to_owned(), level(told)?)),
                Some(_) => return None,
                None => filter.all = level(piece)?,
            }
        }
        Some(filter)
    }

    pub(super) fn targets(&self) -> Targets {
        let quiet = TALKATIVE.map(|part| (part, self.all.min(LevelFilter::INFO)));
        let parts = self.parts.iter().map(|(part, level)| (part.as_str(), *level));
        Targets::new().with_default(self.all).with_targets(quiet).with_targets(parts)
    }
}

fn is_part(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"_:-./".contains(&c))
}

fn level(word: &str) -> Option<LevelFilter> {
    Some(match word {
        "off" => LevelFilter::OFF,
        "error" => LevelFilter::ERROR,
        "warn" | "warning" => LevelFilter::WARN,
        "info" => LevelFilter::INFO,
        "debug" => LevelFilter::DEBUG,
        "trace" => LevelFilter::TRACE,
        _ => return None,
    })
}
