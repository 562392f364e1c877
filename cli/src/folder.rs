//! A folder that files are written into: all of them, or none that is half written.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use crate::shown::Shown;

/// Writes files of these names into a folder, which is made; where they stand then, as people may see it. Each is written
/// beside its place first, and takes that when all are written; what fails leaves nothing of its own behind.
pub(crate) fn write(folder: &Path, files: &BTreeMap<String, String>) -> Result<String, String> {
    let written = written(folder, files);
    written.map_err(|error| {
        files.keys().for_each(|name| drop(fs::remove_file(begun(folder, name))));
        format!("`{}` cannot be written: {error}", Shown(&folder.to_string_lossy()))
    })
}

fn written(folder: &Path, files: &BTreeMap<String, String>) -> io::Result<String> {
    // A name is a file's in this folder, whatever the program says.
    if let Some(name) = files.keys().find(|name| Path::new(name).file_name() != Some(name.as_ref())) {
        return Err(io::Error::other(format!("`{}` is no name of a file", Shown(name))));
    }
    fs::create_dir_all(folder)?;
    for (name, text) in files {
        fs::write(begun(folder, name), text)?;
    }
    let mut told = String::new();
    for name in files.keys() {
        let path = folder.join(name);
        fs::rename(begun(folder, name), &path)?;
        told += &format!("{}\n", Shown(&path.to_string_lossy()));
    }
    Ok(told)
}

fn begun(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!(".{name}.unfinished"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_all_files_or_stays_as_it_was() {
        let scratch = std::env::temp_dir().join(format!("tegami-folder-{}", std::process::id()));
        let folder = scratch.join("a/b");
        let files = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), (*name).to_owned())).collect();
        let told = write(&folder, &files(&["one.json", "two.json"])).unwrap();
        assert_eq!(told, format!("{0}/one.json\n{0}/two.json\n", folder.display()));
        assert_eq!(fs::read_to_string(folder.join("two.json")).unwrap(), "two.json");

        let long = "x".repeat(300);
        for wrong in ["../three.json", "\u{1b}[2J/..", &long] {
            let error = write(&folder, &files(&["four.json", wrong])).unwrap_err();
            assert!(error.contains("cannot be written") && !error.contains('\u{1b}'), "{error}");
        }
        let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["one.json", "two.json"]);
        fs::remove_dir_all(scratch).unwrap();
    }
}
