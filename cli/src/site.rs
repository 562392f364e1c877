//! `tegami site`: services as a folder to open in a browser.

use std::{collections::BTreeMap, fs, path::PathBuf, process::ExitCode};

use clap::Args;
use serde_json::Value as Json;
use tegami::catalog::Catalog;

use crate::{
    folder,
    output::{failed, printed},
    program::Program,
    shown::Shown,
};

const WRITTEN: u8 = 0;
const PAGE: &str = "index.html";

/// Write a service, or a fleet, as a page for people.
///
/// It has the events with their fields and an example, who publishes and who handles them, the queues, a picture; to be
/// searched. Connects to nothing.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The folder to write into; it is made if it is not there.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// The AsyncAPI document of another service to take in, for a fleet; can be given again.
    #[arg(long, value_name = "FILE")]
    with: Vec<PathBuf>,
    /// What the page calls itself. Default: the service's name.
    #[arg(long)]
    title: Option<String>,
    #[command(flatten)]
    program: Program,
}

const EXAMPLES: &str = "\
Examples:
  tegami site --out site -- ./billing
  tegami asyncapi -- ./shipping > shipping.json
  tegami site --out site --title shop --with shipping.json -- ./billing

The page needs nothing but itself: open it from the folder, or serve that.

Exit codes:
  0  written
  2  the program gave no answer, a document cannot be read, or the folder cannot be written";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let files = page(arguments).map(|page| BTreeMap::from([(PAGE.to_owned(), page)]));
    match files.and_then(|files| folder::write(&arguments.out, &files)) {
        Ok(written) => printed(WRITTEN, &written),
        Err(why) => failed(why),
    }
}

fn page(arguments: &Arguments) -> Result<String, String> {
    let document: Json = arguments.program.ask("async-api").map_err(|none| none.to_string())?;
    let title = arguments.title.as_deref().or(document["info"]["title"].as_str()).unwrap_or_default();
    let own = Catalog::new(title).document(&document.to_string());
    let mut catalog = own.map_err(|error| format!("what the program says of itself cannot be shown: {error}"))?;
    for path in &arguments.with {
        let wrong = |why: &str| format!("`{}` cannot be taken in: {}", Shown(&path.to_string_lossy()), Shown(why));
        let text = fs::read_to_string(path).map_err(|error| wrong(&error.to_string()))?;
        catalog = catalog.document(&text).map_err(|error| wrong(&error.to_string()))?;
    }
    Ok(catalog.page())
}
