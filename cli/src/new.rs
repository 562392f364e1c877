//! `tegami new`: a service to begin with.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use tegami_codegen::Lockfile;

use crate::{
    output::{failed, printed},
    shown::Shown,
};

const MADE: u8 = 0;
/// The longest name of a service.
const LONGEST: usize = 64;

/// Make a service in a folder of its own: contracts, a handler, its test, and a lock with its contract test.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The service's name: a-z 0-9 -, a letter first, at most 64.
    name: String,
    /// Where tegami is: the folder of a clone, or the URL of a git repository. Default: the clone that this command was
    /// built from, while that is there; else crates.io.
    #[arg(long, value_name = "FOLDER|URL")]
    tegami: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  tegami new greeter
  tegami new greeter --tegami ../tegami
  cd greeter && cargo test && cargo run

Exit codes:
  0  made
  2  not made: the name is none, the folder is there, or it cannot be written";

/// Where each file of the template goes; `proto/` has a folder of the service.
const FILES: [(&str, &str); 6] = [
    ("Cargo.toml", include_str!("../template/Cargo.toml.txt")),
    ("build.rs", include_str!("../template/build.rs.txt")),
    ("archive/.gitattributes", include_str!("../template/gitattributes.txt")),
    (".gitignore", include_str!("../template/gitignore.txt")),
    ("src/main.rs", include_str!("../template/main.rs.txt")),
    ("proto/{package}/v1/{package}.proto", include_str!("../template/contract.proto.txt")),
];

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let name = &arguments.name;
    match checked(name).and_then(|()| made(arguments)) {
        Ok(()) => printed(MADE, &format!("{name} is made: cd {name} && cargo test\n")),
        Err(why) => failed(format_args!("`{}` is not made: {}", Shown(name), Shown(&why))),
    }
}

fn checked(name: &str) -> Result<(), String> {
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
    if !begins || !name.chars().all(known) || name.ends_with('-') || name.len() > LONGEST {
        return Err(format!("a service's name has 1 to {LONGEST} of a-z 0-9 -, a letter first and no - last"));
    }
    match TAKEN.contains(&name) {
        true => {
            Err("it is a word of Rust, a folder that Cargo builds in, or a crate that the service uses; give another"
                .to_owned())
        }
        false => Ok(()),
    }
}

/// What a crate, its program or its package of contracts cannot be called.
/// https://doc.rust-lang.org/reference/keywords.html
#[rustfmt::skip]
const TAKEN: [&str; 60] = [
    "abstract", "as", "async", "await", "become", "box", "break", "build", "const", "continue", "crate", "deps", "do",
    "dyn", "else", "enum", "examples", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in",
    "incremental", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
    "self", "static", "struct", "super", "tegami", "tegami-codegen", "test", "tokio", "trait", "true", "try", "type",
    "typeof", "union", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Everything in a folder beside it first, which takes its place when it is whole.
fn made(arguments: &Arguments) -> Result<(), String> {
    let name = &arguments.name;
    if Path::new(name).exists() {
        return Err("there is something of this name here".to_owned());
    }
    let begun = PathBuf::from(format!(".{name}.unfinished"));
    let written = written(arguments, &begun).map_err(|error| error.to_string());
    let done = written.and_then(|()| fs::rename(&begun, name).map_err(|error| error.to_string()));
    done.inspect_err(|_| drop(fs::remove_dir_all(&begun)))
}

fn written(arguments: &Arguments, folder: &Path) -> io::Result<()> {
    let package = arguments.name.replace('-', "_");
    let words = [
        ("{name}", arguments.name.clone()),
        ("{tegami}", dependency(arguments.tegami.as_deref(), "")?),
        ("{codegen}", dependency(arguments.tegami.as_deref(), "codegen")?),
        ("{package}", package.clone()),
    ];
    let filled = |text: &str| words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(word, value));
    for (path, text) in FILES {
        let path = folder.join(filled(path));
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(path, filled(text))?;
    }
    let events = ["QuestionAnswered", "QuestionAsked"].map(|event| format!("{package}.v1.{event}"));
    let lock =
        Lockfile::of(folder.join("proto")).and_then(|lock| lock.service(&arguments.name, &events[..1], &events[1..]));
    fs::write(folder.join("contracts.lock"), lock.map_err(|error| io::Error::other(error.to_string()))?.text())
}

/// How Cargo finds the library, or the crate in this folder of it.
fn dependency(from: Option<&str>, folder: &str) -> io::Result<String> {
    let built_from =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().filter(|root| root.join("codegen/Cargo.toml").is_file());
    match from {
        Some(url) if url.contains("://") => Ok(format!("git = {url:?}")),
        Some(path) => in_clone(Path::new(path), folder),
        None => match built_from {
            Some(root) => in_clone(root, folder),
            None => Ok(format!("version = \"{}\"", env!("CARGO_PKG_VERSION"))),
        },
    }
}

fn in_clone(root: &Path, folder: &str) -> io::Result<String> {
    let path = root.join(folder);
    let found = fs::canonicalize(path.join("Cargo.toml")).and_then(|_| fs::canonicalize(&path)).map_err(|error| {
        let root = root.to_string_lossy();
        io::Error::new(error.kind(), format!("`{root}` is no clone of tegami, nor the URL of one: {error}"))
    })?;
    Ok(format!("path = {:?}", found.display().to_string()))
}
