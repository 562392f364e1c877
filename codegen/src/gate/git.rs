//! Contracts as they were in git, by the program `git`: nothing is checked out, nothing is written.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

use super::{of_sources, of_text};
use crate::{
    Error, clean,
    lock::Lock,
    model::Mistakes,
    sources::{self, Source},
};

/// What is looked for where no path is given.
const LOCK: &str = "contracts.lock";

/// The lock, or the contracts of the folder, at `<revision>[:<path>]`. The path is seen from the current folder.
pub(super) fn lock(text: &str) -> Result<Lock, Error> {
    let (revision, path) = text.split_once(':').unwrap_or((text, LOCK));
    let shown = format!("git:{}:{}", clean(revision), clean(path));
    let commit = resolve(revision, &shown)?;
    let path = path.strip_prefix("./").unwrap_or(path).trim_end_matches('/');
    let object = format!("{commit}:./{path}");
    let kind = run(&["cat-file", "-t", &object], &shown)?;
    if !kind.status.success() {
        let reason = "there is no such file or folder in that revision";
        return Err(Error::of(&shown, reason, "commit a `contracts.lock`, or name a path: `git:<revision>:<path>`"));
    }
    if kind.stdout.starts_with(b"tree") { folder(&object, &shown) } else { of_text(&shown, &content(&object, &shown)?) }
}

fn resolve(revision: &str, shown: &str) -> Result<String, Error> {
    let wanted = format!("{revision}^{{commit}}");
    let output = run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted], shown)?;
    let commit = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if !output.status.success() || commit.is_empty() || revision.is_empty() {
        let inside = run(&["rev-parse", "--git-dir"], shown)?.status.success();
        let (reason, hint) = match inside {
            true => (
                "git knows no such revision",
                "fetch it first: `git fetch origin main`; in CI, check out with its history; without a remote it is `git:main`",
            ),
            false => ("this folder is in no git repository", "run it inside one, or compare with a file"),
        };
        return Err(Error::of(shown, reason, hint));
    }
    Ok(commit)
}

fn content(object: &str, shown: &str) -> Result<String, Error> {
    let output = run(&["cat-file", "blob", object], shown)?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success());
    text.ok_or_else(|| Error::of(shown, "the file is not UTF-8 text", "name another path: `git:<revision>:<path>`"))
}

/// The contracts of a folder, in two calls of git however many they are.
fn folder(object: &str, shown: &str) -> Result<Lock, Error> {
    let listed = run(&["ls-tree", "-r", "-z", "--full-tree", object], shown)?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let entries: Vec<_> = listed.split('\0').filter_map(|entry| entry.split_once('\t')).collect();
    if let Some((what, name)) = entries.iter().find_map(|(mode, name)| Some((elsewhere(mode)?, name))) {
        let reason =
            format!("could not tell what `{}` was: it is {what}, whose files git does not have here", clean(name));
        return Err(Error::of(shown, &reason, "compare with a `contracts.lock`, which holds all there was"));
    }
    let names: Vec<_> = entries.into_iter().map(|(_, name)| name).filter(|name| sources::is_contract(name)).collect();
    let wanted: String = names.iter().map(|name| format!("{object}/{name}\n")).collect();
    if let Some(name) = names.iter().find(|name| name.contains(char::is_control)) {
        return Err(Error::of(
            shown,
            &format!("the file `{}` has a control character in its name", clean(name)),
            "rename it",
        ));
    }
    let mut texts = batch(wanted, shown)?.into_iter();
    let mut files = Vec::new();
    for name in names {
        let shown = format!("{shown}/{name}");
        let text = texts.next().and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.ok_or_else(|| Error::of(&shown, "the file is not UTF-8 text", "save it as UTF-8"))?;
        files.push(Source { name: name.to_owned(), shown, text: text.trim_start_matches('\u{feff}').to_owned() });
    }
    if files.is_empty() {
        return Err(Error::of(shown, "the folder holds no contracts", "name another path: `git:<revision>:<path>`"));
    }
    of_sources(&files, shown, Mistakes::default())
}

/// What leads out of the folder, by the mode that git lists it with: there may be contracts behind it.
fn elsewhere(mode: &str) -> Option<&'static str> {
    match mode.split(' ').next()? {
        "160000" => Some("a submodule"),
        "120000" => Some("a link"),
        _ => None,
    }
}

/// The contents of many objects, in order.
fn batch(wanted: String, shown: &str) -> Result<Vec<Vec<u8>>, Error> {
    let mut command = Command::new("git");
    command.args(["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| missing(&error, shown))?;
    let mut stdin = child.stdin.take().expect("it was piped");
    // Both ends are read and written at once: either pipe may fill.
    let writer = std::thread::spawn(move || stdin.write_all(wanted.as_bytes()));
    let output = child.wait_with_output().map_err(|error| missing(&error, shown))?;
    let _ = writer.join();
    let mut rest = output.stdout.as_slice();
    let mut contents = Vec::new();
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let size =
            std::str::from_utf8(&rest[..end]).ok().and_then(|head| head.rsplit(' ').next()?.parse::<usize>().ok());
        let Some(content) = size.and_then(|size| rest.get(end + 1..end + 1 + size)) else {
            return Err(Error::of(shown, "git's answer was not understood", "is the repository whole? try `git fsck`"));
        };
        contents.push(content.to_vec());
        rest = rest.get(end + 2 + content.len()..).unwrap_or_default();
    }
    Ok(contents)
}

fn run(arguments: &[&str], shown: &str) -> Result<Output, Error> {
    Command::new("git").args(arguments).stdin(Stdio::null()).output().map_err(|error| missing(&error, shown))
}

fn missing(error: &std::io::Error, shown: &str) -> Error {
    Error::of(shown, &format!("the program `git` cannot be run: {error}"), "install it, or compare with a file")
}
