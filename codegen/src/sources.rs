//! Finds and reads the contract files below a folder.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::model::{Location, Mistakes};

/// The largest contract file: far more than people write, little enough to compile in no time.
const SIZE_LIMIT: u64 = 1024 * 1024;

/// How the names of contract files end; those in YAML are found to be refused.
const ENDINGS: [&str; 4] = [".proto", ".schema.json", ".schema.yaml", ".schema.yml"];

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
    let mut paths = Vec::new();
    if let Err(error) = walk(root, &mut paths) {
        let reason = format!("the folder cannot be read: {error}");
        mistakes.add(&file(&shown(root)), reason, "create it beside `Cargo.toml`, or name another in `build.rs`");
        return Vec::new();
    }
    paths.sort();
    if paths.is_empty() {
        let hint = "put a `*.proto` or `*.schema.json` file into it";
        mistakes.add(&file(&shown(root)), "the folder holds no contracts", hint);
    }
    paths.retain(|path| !is_yaml(path, mistakes));
    paths.iter().filter_map(|path| read(root, path, mistakes)).collect()
}

/// Refuses a contract in YAML, which would else be overlooked in silence.
fn is_yaml(path: &Path, mistakes: &mut Mistakes) -> bool {
    let is_yaml = path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    if is_yaml {
        mistakes.add(
            &file(&shown(path)),
            "contracts in YAML are not read",
            "write the schema as JSON: `*.schema.json`",
        );
    }
    is_yaml
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, found)?;
        } else if path.to_str().is_some_and(|name| ENDINGS.iter().any(|ending| name.ends_with(ending))) {
            found.push(path);
        }
    }
    Ok(())
}

fn read(root: &Path, path: &Path, mistakes: &mut Mistakes) -> Option<Source> {
    let name = slashed(path.strip_prefix(root).expect("files are found below the root"));
    let shown = shown(path);
    let size = fs::metadata(path).map_or(0, |about| about.len());
    if size > SIZE_LIMIT {
        let reason = format!("the file is too large: {size} bytes, and the limit is {SIZE_LIMIT}");
        mistakes.add(&file(&shown), reason, "split the contract into several files");
        return None;
    }
    match fs::read_to_string(path) {
        Ok(text) => Some(Source { name, shown, text }),
        Err(error) => {
            mistakes.add(&file(&shown), format!("the file cannot be read: {error}"), "contracts are UTF-8 text");
            None
        }
    }
}

/// A path as people know it: seen from the crate's own folder, where it lies in there.
fn shown(path: &Path) -> String {
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
