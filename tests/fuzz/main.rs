//! What `scripts/fuzz` begins with, and what it has found: each input once, in the workspace's own build.

mod corpora;
#[path = "../../fuzz/src/targets/mod.rs"]
mod targets;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("it is readable").path()).collect();
    paths.sort();
    paths
}

#[test]
fn each_target_has_a_corpus_and_each_corpus_a_target() {
    let folders: BTreeSet<_> = entries(&corpus()).iter().map(|path| path.file_name().unwrap().to_owned()).collect();
    let names: BTreeSet<_> = targets::ALL.iter().map(|(name, _)| (*name).into()).collect();
    assert_eq!(folders, names);
    for (name, _) in targets::ALL {
        assert!(entries(&corpus().join(name)).len() >= 4, "{name}");
    }
}

#[test]
fn what_was_found_stays_mended() {
    for (name, target) in targets::ALL {
        for path in entries(&corpus().join(name)) {
            let data = fs::read(&path).expect("it is readable");
            let told = format!("{} ({} bytes)", path.display(), data.len());
            let survived = std::panic::catch_unwind(|| target(&data));
            assert!(survived.is_ok(), "{told}");
        }
    }
}
