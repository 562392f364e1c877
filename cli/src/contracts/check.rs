//! `tegami contracts check`: the gate.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, ValueEnum};
use tegami_codegen::{Check, Direction, Encoding};

use super::{
    BREAKING, FINE,
    formats::{self, Format},
    not_told,
};
use crate::output::printed;

/// Compare the contracts of a folder with those of before: would somebody be hurt?
///
/// Both directions are looked at: readers with the new contracts of data from before (in queues, dead letters, stores),
/// and readers built before of new data. `tegami contracts rules` lists what is looked for.
///
/// Without --consumers everybody is thought to read everything. With the locks of those who subscribe, each of them is
/// asked, and new data hurts only whom they name.
#[derive(Args)]
#[command(after_long_help = HELP)]
pub(super) struct Arguments {
    /// The folder with the contracts as they are now.
    #[arg(default_value = "proto")]
    folder: PathBuf,
    /// The contracts of before: a contracts.lock, a folder, or either in git.
    #[arg(long, value_name = "PATH|git:REV[:PATH]", default_value = "contracts.lock")]
    against: String,
    /// The contracts.lock files of services that subscribe.
    #[arg(long, value_name = "LOCK", num_args = 1..)]
    consumers: Vec<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::People)]
    format: Format,
    /// Look one way only: backward is new readers of old data, forward is old readers of new data.
    #[arg(long, value_enum)]
    direction: Option<Way>,
    /// Look at one encoding only, where nobody speaks the other.
    #[arg(long, value_enum)]
    encoding: Option<Form>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Way {
    Backward,
    Forward,
}

#[derive(Clone, Copy, ValueEnum)]
enum Form {
    Protobuf,
    Json,
}

const HELP: &str = "\
Exit codes:
  0  compatible
  1  breaking: somebody is hurt
  2  could not tell: a mistake in the contracts, a broken lock, no git or no such revision, two services of one name

Examples:
  tegami contracts check
  tegami contracts check --against git:origin/main
  tegami contracts check --against git:origin/main:proto
  tegami contracts check --consumers ../billing/contracts.lock ../shipping/contracts.lock
  tegami contracts check --format github";

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let mut check = Check::of(&arguments.folder).against(&arguments.against);
    for lock in &arguments.consumers {
        check = check.consumer(lock);
    }
    check = match arguments.direction {
        Some(Way::Backward) => check.direction(Direction::NewReadsOld),
        Some(Way::Forward) => check.direction(Direction::OldReadsNew),
        None => check,
    };
    check = match arguments.encoding {
        Some(Form::Protobuf) => check.encoding(Encoding::Protobuf),
        Some(Form::Json) => check.encoding(Encoding::Json),
        None => check,
    };
    match check.run() {
        Ok(report) => {
            let code = if report.is_compatible() { FINE } else { BREAKING };
            printed(code, &formats::text(&report, arguments.format))
        }
        Err(error) => not_told(&error.to_string()),
    }
}
