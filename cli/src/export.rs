//! `tegami export`: a service's topology in its brokers' own words.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;

use crate::{
    output::{failed, printed},
    program::Program,
    shown::Shown,
};

const WRITTEN: u8 = 0;

/// Write a service's topology in its brokers' own words, for those who set brokers up with tools of their own. Connects
/// to nothing.
///
/// RabbitMQ: definitions to import, and the least permissions of the service's user. SNS and SQS: a
/// template for CloudFormation, a module for OpenTofu and Terraform, and the least IAM policy.
/// Loaded, the broker has what `tegami apply` would make.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The folder to write the files into; it is made, and files of these names in it are replaced.
    #[arg(long, default_value = ".")]
    out: PathBuf,
    #[command(flatten)]
    program: Program,
}

const EXAMPLES: &str = "\
Examples:
  TEGAMI_TRANSPORT=amqp://user@host/ tegami export --out deploy -- ./billing
  rabbitmqctl import_definitions deploy/rabbitmq-definitions.json

Exit codes:
  0  written
  2  the program gave no answer, its transport has nothing to load, or a file cannot be written; no file is half written";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match arguments.program.ask::<BTreeMap<String, String>>("export") {
        Ok(files) if files.is_empty() => failed("the service's transport has nothing to load into a broker"),
        Ok(files) => match write(&arguments.out, &files) {
            Ok(written) => printed(WRITTEN, &written),
            Err(error) => {
                failed(format_args!("`{}` cannot be written: {error}", Shown(&arguments.out.to_string_lossy())))
            }
        },
        Err(none) => failed(none),
    }
}

/// Writes each beside its place first, and has it take that when all are written.
fn write(folder: &Path, files: &BTreeMap<String, String>) -> io::Result<String> {
    fs::create_dir_all(folder)?;
    let begun = |name: &String| folder.join(format!(".{name}.tmp"));
    let mut told = String::new();
    // A name is a file's in this folder, whatever the program says.
    if let Some(name) = files.keys().find(|name| Path::new(name).file_name() != Some(name.as_ref())) {
        return Err(io::Error::other(format!("`{}` is no name of a file", Shown(name))));
    }
    for (name, text) in files {
        fs::write(begun(name), text)?;
    }
    for name in files.keys() {
        fs::rename(begun(name), folder.join(name))?;
        told += &format!("{}\n", folder.join(name).display());
    }
    Ok(told)
}
