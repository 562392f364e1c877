//! `tegami contracts archive`: keeps what this release writes, for every later build to read.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use tegami::{
    service::{EventSamples, Samples},
    testing::archive::{self, Entry},
};
use tegami_codegen::Lockfile;

use super::{FINE, not_told};
use crate::{output::printed, program::Program};

/// Of an event nothing was found to keep.
const LACKING: u8 = 1;

/// Keep samples of every event that a service has, as its build writes them.
///
/// The service's program is asked for them: for each event one with everything in it, one with little, and one for each
/// end of each type, in JSON and, where the contract has it, in protobuf. They go below the archive's folder, by event and
/// fingerprint, with the lock of the contract. What is there already stays; files are never changed. A test of the
/// service reads all of them with today's contracts: `tegami::testing::archive::check("archive", &service())`.
#[derive(Args)]
#[command(after_long_help = HELP)]
pub(super) struct Arguments {
    /// The folder with the contracts that the program was built from.
    #[arg(default_value = "proto")]
    folder: PathBuf,
    /// The archive's folder.
    #[arg(long, default_value = "archive")]
    out: PathBuf,
    #[command(flatten)]
    program: Program,
}

const HELP: &str = "\
Exit codes:
  0  all events are in the archive
  1  all but those of which no sample was found that its contract takes: mostly for a pattern
  2  nothing was added: the program gave no answer, it was built from other contracts, or a file of the archive is not
     as it was written

Examples:
  tegami contracts archive
  tegami contracts archive -- ./billing
  tegami contracts archive contracts --out tests/archive -- ./billing";

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    match added(arguments) {
        Ok(entries) => {
            let code = if entries.iter().any(|entry| entry.samples == 0) { LACKING } else { FINE };
            printed(code, &entries.iter().map(line).collect::<String>())
        }
        Err(why) => not_told(&why),
    }
}

fn added(arguments: &Arguments) -> Result<Vec<Entry>, String> {
    let Arguments { folder, out, program } = arguments;
    let samples: Samples = program.ask("samples").map_err(|none| none.to_string())?;
    let locks = locks(folder, &samples)?;
    archive::add(out, &samples, &locks).map_err(|error| format!("{error:?}"))
}

/// The lock of each event, if the program was built from these contracts.
fn locks(folder: &Path, samples: &Samples) -> Result<BTreeMap<String, String>, String> {
    let lock = Lockfile::of(folder).map_err(|error| error.to_string())?;
    let of_event = |event: &EventSamples| {
        let name = &event.event;
        if lock.fingerprint(name) != Some(&event.fingerprint) {
            let (folder, service) = (folder.display(), &samples.service);
            return Err(format!("`{service}` was built from other contracts than `{folder}`: `{name}` differs"));
        }
        Ok((name.clone(), lock.only(name).text()))
    };
    samples.events.iter().map(of_event).collect()
}

fn line(entry: &Entry) -> String {
    let Entry { event, fingerprint, samples, known, .. } = entry;
    match (known, samples) {
        (true, _) => format!("known  {event} {fingerprint}, {samples} samples\n"),
        (false, 0) => format!("none   {event}: no sample was found that its contract takes\n"),
        (false, _) => format!("added  {event} {fingerprint}, {samples} samples\n"),
    }
}
