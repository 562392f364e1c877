//! Finds and reads the contract files below a folder.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use crate::model::{Location, Mistakes};

/// The largest contract file: far more than people write, little enough to compile in no time.
const SIZE_LIMIT: u64 = 1024 * 1024;

/// How the names of contract files end; those in YAML are found to be refused.
const ENDINGS: [&str; 4] = [".proto", ".schema.json", ".schema.yaml", ".schema.yml"];

/// What to do about what is there and cannot be read.
const READABLE: &str = "check that it is there, and that this build may read it";

/// One contract file.
#[derive(Debug)]
pub(crate) struct Source {
    /// Below the folder, with `/`: `shop/orders/v1/orders.proto`.
    pub(crate) name: String,
    /// As shown to people, and put into the output: `proto/shop/orders/v1/orders.proto`.
    pub(crate) shown: String,
    pub(crate) text: String,
}

/// All contract files below a folder, sorted by name: `*.proto` and `*.schema.json`.
pub(crate) fn find(root: &Path, mistakes: &mut Mistakes) -> Vec<Source> {
    let mut search = Search { mistakes, seen: BTreeSet::new(), found: Vec::new() };
    if !search.walk(root) {
        return Vec::new();
    }
    let mut paths = search.found;
    paths.sort();
    if paths.is_empty() {
        let hint = "put a `*.proto` or `*.schema.json` file into it";
        mistakes.add(&file(&shown(root)), "the folder holds no contracts", hint);
    }
    paths.retain(|path| is_named_well(path, mistakes));
    paths.iter().filter_map(|path| read(root, path, mistakes)).collect()
}

struct Search<'a> {
    mistakes: &'a mut Mistakes,
    /// Folders without links in their path: a link may lead back to one around it.
    seen: BTreeSet<PathBuf>,
    found: Vec<PathBuf>,
}

impl Search<'_> {
    /// Looks into a folder and those inside it; `false`, and a mistake, when it cannot be read.
    fn walk(&mut self, folder: &Path) -> bool {
        match self.entries(folder) {
            Ok(entries) => entries.into_iter().for_each(|path| self.visit(path)),
            Err(error) => {
                let reason = format!("the folder cannot be read: {error}");
                let hint = "create it beside `Cargo.toml`, or name another";
                let hint = if self.seen.is_empty() { hint } else { READABLE };
                self.mistakes.add(&file(&shown(folder)), reason, hint);
                return false;
            }
        }
        true
    }

    /// What is in a folder, by name; nothing if it has been seen before.
    fn entries(&mut self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(folder)?;
        if !self.seen.insert(folder.canonicalize()?) {
            return Ok(Vec::new());
        }
        let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
        paths.sort();
        Ok(paths)
    }

    fn visit(&mut self, path: PathBuf) {
        if path.is_dir() {
            self.walk(&path);
        } else if ENDINGS.iter().any(|ending| path.to_string_lossy().to_lowercase().ends_with(ending)) {
            self.found.push(path);
        }
    }
}

/// Refuses files that would else be overlooked in silence, and names that have no place in Rust's source.
fn is_named_well(path: &Path, mistakes: &mut Mistakes) -> bool {
    let name = path.to_string_lossy();
    let (reason, hint) = match path.to_str() {
        None => ("the file's name is not UTF-8", "rename it"),
        Some(name) if name.contains(char::is_control) => ("the file's name has a control character", "rename it"),
        Some(name) if [".yaml", ".yml"].iter().any(|ending| name.to_lowercase().ends_with(ending)) => {
            ("contracts in YAML are not read", "write the schema as JSON: `*.schema.json`")
        }
        Some(name) if !ENDINGS.iter().any(|ending| name.ends_with(ending)) => {
            ("the file's name ends in capitals", "rename it: `*.proto` and `*.schema.json` are read")
        }
        Some(_) => return true,
    };
    mistakes.add(&file(&shown(Path::new(&*name.escape_debug().to_string()))), reason, hint);
    false
}

fn read(root: &Path, path: &Path, mistakes: &mut Mistakes) -> Option<Source> {
    let name = slashed(path.strip_prefix(root).expect("files are found below the root"));
    let shown = shown(path);
    match text(path) {
        // Editors of other systems put a mark before the text.
        Ok(text) => Some(Source { name, shown, text: text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned() }),
        Err((reason, hint)) => {
            mistakes.add(&file(&shown), reason, hint);
            None
        }
    }
}

/// A file's text; the error is the reason and the hint.
fn text(path: &Path) -> Result<String, (String, &'static str)> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::InvalidData => ("the file is not UTF-8 text".to_owned(), "save it as UTF-8"),
        _ => (format!("the file cannot be read: {error}"), READABLE),
    };
    let about = fs::metadata(path).map_err(unreadable)?;
    if !about.is_file() {
        return Err(("this is no file".to_owned(), "put the contract's text here, or rename it"));
    }
    if about.len() > SIZE_LIMIT {
        let reason = format!("the file is too large: {} bytes, and the limit is {SIZE_LIMIT}", about.len());
        return Err((reason, "split the contract into several files"));
    }
    let text = fs::read_to_string(path).map_err(unreadable)?;
    if text.trim().is_empty() {
        return Err(("the file is empty".to_owned(), "write a contract into it, or remove it"));
    }
    Ok(text)
}

/// Is a file of this name a contract?
pub(crate) fn is_contract(name: &str) -> bool {
    [".proto", ".schema.json"].iter().any(|ending| name.ends_with(ending))
}

/// A path as people know it: seen from the crate's own folder, where it lies in there.
pub(crate) fn shown(path: &Path) -> String {
    let home = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let inside = home.as_ref().and_then(|home| path.strip_prefix(home).ok());
    slashed(inside.unwrap_or(path))
}

fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/").replacen("//", "/", 1)
}

fn file(shown: &str) -> Location {
    Location { file: shown.to_owned(), line: 0, column: 0 }
}
