//! `tegami export`: a service's topology in its brokers' own words.

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

use clap::Args;

use crate::{
    folder,
    output::{failed, printed},
    program::Program,
};

const WRITTEN: u8 = 0;

/// Write a service's topology in its brokers' own words, to be loaded with their tools.
///
/// Connects to nothing.
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
        Ok(files) if files.is_empty() => {
            failed("the service's transport has nothing to load into a broker: TEGAMI_TRANSPORT says which it is")
        }
        Ok(files) => match folder::write(&arguments.out, &files) {
            Ok(written) => printed(WRITTEN, &written),
            Err(why) => failed(why),
        },
        Err(none) => failed(none),
    }
}
