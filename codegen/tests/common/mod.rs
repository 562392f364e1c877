//! What the tests over folders of contracts share.

#![allow(dead_code, reason = "no file uses all of it")]

use std::{collections::BTreeMap, env, fs, path::Path, path::PathBuf};

/// The folders inside a folder, by name.
pub fn cases(folder: &str) -> Vec<PathBuf> {
    let mut cases: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

/// A new, empty folder for one test.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The files that come out of a folder, or what is said about it.
pub fn compile(folder: &Path) -> Result<BTreeMap<String, String>, String> {
    tegami_codegen::compile_to_strings(folder).map_err(|error| error.to_string())
}

/// Compares texts with the files they should be in, or writes them there when `BLESS` is set.
pub fn compare(texts: impl IntoIterator<Item = (PathBuf, String)>) {
    let is_blessed = env::var_os("BLESS").is_some();
    let mut different = Vec::new();
    for (file, actual) in texts {
        if is_blessed {
            fs::write(&file, actual).unwrap();
        } else if read(&file) != actual {
            different.push(format!("{} should be:\n{actual}", file.display()));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// The text of a file; nothing where there is none.
pub fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_default()
}
