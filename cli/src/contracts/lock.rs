//! `tegami contracts lock`: writes the lock, or tells whether the one that is there is right.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use tegami::service::Description;
use tegami_codegen::Lockfile;

use super::{BREAKING, FINE, not_told};
use crate::{
    output::printed,
    program::{NoAnswer, Program},
    shown::Shown,
};

/// Write contracts.lock: what the contracts of a folder say, to commit and to compare with.
///
/// The same contracts give the same file, byte for byte, with one field a line. What it says of services stays when it
/// is written anew; --service says it of one service anew. The lock of a service that subscribes is what
/// `tegami contracts check --consumers` takes. A service's program can be asked what to say of it: then it reads the fields
/// that its contracts have.
#[derive(Args)]
#[command(after_long_help = HELP, mut_arg("words", |words| words.help(WORDS).long_help(WORDS)))]
pub(super) struct Arguments {
    /// The folder with the contracts.
    #[arg(default_value = "proto")]
    folder: PathBuf,
    /// The file to write.
    #[arg(long, default_value = "contracts.lock")]
    out: PathBuf,
    /// Write nothing; exit with 1 where the file is not as it would be written.
    #[arg(long)]
    check: bool,
    /// Say anew what this service does with events.
    #[arg(long, value_name = "NAME", conflicts_with = "words")]
    service: Option<String>,
    /// Events that the service publishes.
    #[arg(long, value_name = "EVENT", num_args = 1.., requires = "service")]
    publishes: Vec<String>,
    /// Events that it subscribes to; with the fields that it reads or filters on behind a colon, else it reads all of
    /// its contract.
    #[arg(long, value_name = "EVENT[:FIELD,…]", num_args = 1.., requires = "service")]
    subscribes: Vec<String>,
    #[command(flatten)]
    program: Program,
}

const WORDS: &str =
    "The service's program and its arguments, to be asked what it publishes and reads. Default: none is";

const HELP: &str = "\
Exit codes:
  0  written, or (--check) the file is up to date
  1  --check: the file is not up to date
  2  not written: a mistake in the contracts, a broken lock, an event that is not there

Examples:
  tegami contracts lock
  tegami contracts lock --check
  tegami contracts lock --service billing --publishes shop.billing.v1.ReceiptSent \\
    --subscribes shop.orders.v1.OrderPaid:order_id,discount
  tegami contracts lock -- ./billing";

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let out = &arguments.out;
    let known = match fs::read_to_string(out) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return not_told(&format!("{}: the lock cannot be read: {error}", out.display())),
    };
    let said = match said(arguments) {
        Ok(said) => said,
        Err(none) => return not_told(&none.to_string()),
    };
    let text = match text(arguments, said.as_ref(), known.as_deref()) {
        Ok(text) => text,
        Err(error) => return not_told(&error.to_string()),
    };
    let is_same = known.as_ref() == Some(&text);
    let out_text = out.to_string_lossy();
    let shown = Shown(&out_text);
    match (arguments.check, is_same) {
        (_, true) => printed(FINE, &format!("{shown} is up to date\n")),
        (true, false) => printed(BREAKING, &format!("{shown} is not up to date: run `tegami contracts lock`\n")),
        (false, false) => match write(out, &text) {
            Ok(()) => printed(FINE, &format!("{shown} written\n")),
            Err(error) => not_told(&format!("{shown}: cannot be written: {error}")),
        },
    }
}

/// What a service does with events.
struct Said {
    service: String,
    publishes: Vec<String>,
    subscribes: Vec<String>,
}

/// What is said anew, here or by the service's program.
fn said(arguments: &Arguments) -> Result<Option<Said>, NoAnswer> {
    let Arguments { service, publishes, subscribes, program, .. } = arguments;
    if let Some(service) = service {
        let (service, publishes, subscribes) = (service.clone(), publishes.clone(), subscribes.clone());
        return Ok(Some(Said { service, publishes, subscribes }));
    }
    if !program.is_named() {
        return Ok(None);
    }
    let Description { service, publishes, queues, .. } = program.ask("describe")?;
    let ways = queues.into_iter().flat_map(|queue| queue.events);
    let subscribes: BTreeSet<_> = ways.map(|way| read(&way.event, &way.fields)).collect();
    let subscribes = subscribes.into_iter().collect();
    Ok(Some(Said { service, publishes: publishes.into_iter().map(|event| event.event).collect(), subscribes }))
}

/// The event with the fields of it that are read; without any, all.
fn read(event: &str, fields: &[String]) -> String {
    if fields.is_empty() { event.to_owned() } else { format!("{event}:{}", fields.join(",")) }
}

fn text(arguments: &Arguments, said: Option<&Said>, known: Option<&str>) -> Result<String, tegami_codegen::Error> {
    let mut lock = Lockfile::of(&arguments.folder)?;
    if let Some(known) = known {
        let anew = said.map(|said| said.service.as_str());
        lock = lock.keeping(&arguments.out.display().to_string(), known, anew)?;
    }
    if let Some(Said { service, publishes, subscribes }) = said {
        lock = lock.service(service, publishes, subscribes)?;
    }
    Ok(lock.text())
}

/// In one step: who reads meanwhile sees the old file or the new one.
fn write(out: &Path, text: &str) -> io::Result<()> {
    let mut unfinished = out.as_os_str().to_owned();
    unfinished.push(".unfinished");
    fs::write(&unfinished, text)?;
    fs::rename(&unfinished, out).inspect_err(|_| drop(fs::remove_file(&unfinished)))
}
