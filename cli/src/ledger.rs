//! `tegami ledger`: prints what the ledgers of a run prove.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use anstyle::{AnsiColor, Style};
use clap::Args;
use serde::Serialize;
use tegami::testing::ledger::Verdict;

const CLEAN: u8 = 0;
const NOT_CLEAN: u8 = 1;
const NOT_CHECKED: u8 = 2;

/// Check the ledgers of a run: was a message lost, invented, changed, out of order?
///
/// While a run lasts, each of its processes (publishers, consumers, whatever breaks things, and at the end the drainer
/// that empties the queues) writes what it saw into a file of its own, one JSON object a line. They do so with
/// tegami::testing::ledger. This command reads every *.ledger file of the folder and prints
///
///   - the figures that must be zero, with the messages that count against them,
///   - what was counted: published, completed, dead-lettered, seen twice,
///   - how long it took to go on after each fault, and where it stood still without one; these are measured, not judged.
#[derive(Args)]
#[command(verbatim_doc_comment, after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The folder with the *.ledger files.
    folder: PathBuf,
    /// Print JSON, with every offender.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Exit codes:
  0  clean: every figure is zero
  1  not clean
  2  not checked: no ledger there tells of a publish, or a line is malformed

Examples:
  tegami ledger target/soak
  tegami ledger target/soak --json | jq '.figures.lost'";

/// The verdict as JSON.
#[derive(Serialize)]
struct Report<'a> {
    clean: bool,
    #[serde(flatten)]
    verdict: &'a Verdict,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let verdict = match Verdict::of(&arguments.folder) {
        Ok(verdict) => verdict,
        Err(error) => return not_checked(&format!("{error:?}")),
    };
    let printed = if arguments.json { print_json(&verdict) } else { print_table(&verdict) };
    match printed {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => not_checked(&format!("cannot print: {error}")),
        _ => ExitCode::from(if verdict.is_clean() { CLEAN } else { NOT_CLEAN }),
    }
}

fn not_checked(why: &str) -> ExitCode {
    // Nothing is left to tell it to if this cannot be written.
    let _ = writeln!(anstream::stderr(), "tegami ledger: {why}");
    ExitCode::from(NOT_CHECKED)
}

fn print_json(verdict: &Verdict) -> io::Result<()> {
    let report = Report { clean: verdict.is_clean(), verdict };
    writeln!(io::stdout(), "{}", serde_json::to_string_pretty(&report)?)
}

/// The table; its last line, the verdict, is coloured on a terminal.
fn print_table(verdict: &Verdict) -> io::Result<()> {
    let table = verdict.to_string();
    let (figures, last) = table.rsplit_once('\n').unwrap_or(("", &table));
    let colour = if verdict.is_clean() { AnsiColor::Green } else { AnsiColor::Red };
    let style = Style::new().bold().fg_color(Some(colour.into()));
    writeln!(anstream::stdout(), "{figures}\n{style}{last}{style:#}")
}
