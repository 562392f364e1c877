//! The house holds: who may import whom, and which deeds happen in one place only.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The floors, lowest first. A module imports from floors below its own.
const FLOORS: &[&[&str]] = &[
    &["config", "error", "failpoint", "time", "lifecycle", "middleware", "secret", "telemetry"],
    &["catalog", "contract", "event", "codec", "health"],
    &["envelope"],
    &["outbox", "store", "transport"],
    &[
        "aggregate",
        "outbox::postgres",
        "outbox::sql",
        "outbox::sqlite",
        "publisher",
        "store::memory",
        "store::postgres",
        "store::sqlite",
        "transport::amqp",
        "transport::aws",
        "transport::memory",
    ],
    &["handler", "pipeline"],
    &["consumer", "http", "logs", "process", "projection", "records", "relay", "schedule"],
    &["service"],
    &["testing"],
];

/// Neighbours on one floor that may import each other: the left one is imported by the right one.
const ARROWS: &[(&str, &str)] = &[
    ("contract", "event"),
    ("event", "codec"),
    ("contract", "codec"),
    ("codec", "catalog"),
    ("handler", "pipeline"),
    ("error", "middleware"),
    ("error", "telemetry"),
    ("lifecycle", "telemetry"),
    ("transport", "outbox"),
    ("outbox::sql", "outbox::postgres"),
    ("outbox::sql", "outbox::sqlite"),
    ("store::postgres", "outbox::postgres"),
    ("store::sqlite", "outbox::sqlite"),
    ("secret", "telemetry"),
    ("projection", "records"),
];

/// Deeds with their only place.
const DEEDS: &[(&str, &[&str], &str)] = &[
    ("settles a delivery", &[".ack()", ".retry(delay)", ".release()", ".dead_letter(reason)"], "pipeline/settle.rs"),
    (
        "spawns a task",
        &["tokio::spawn", "task::spawn", "tasks.spawn", "thread::spawn", "thread::Builder"],
        "lifecycle/",
    ),
    ("reads a clock", &["SystemTime::now", "Instant::now"], "time/mod.rs"),
    ("draws a number", &["fastrand::", "new_v4"], "time/mod.rs"),
    ("draws a secret", &["getrandom::"], "store/keys/seal.rs"),
    ("draws an id", &["from_random_bytes", ".uuid()"], "time/mod.rs envelope/id.rs service/running/mod.rs"),
];

#[test]
fn modules_import_only_from_below() {
    let mut strays = Vec::new();
    for (path, code) in sources() {
        let Some(here) = module_of(&path) else { continue };
        for there in imports(&code) {
            let there = known_module(&there);
            if let Some(there) = there.filter(|there| !may_import(&here, there)) {
                strays.push(format!("{}: {here} imports {there}", path.display()));
            }
        }
    }
    assert!(strays.is_empty(), "imports against the floors:\n{}", strays.join("\n"));
}

#[test]
fn each_deed_has_one_place() {
    let mut strays = Vec::new();
    for (path, code) in sources() {
        let name = path.to_string_lossy().replace('\\', "/");
        for (deed, signs, places) in DEEDS {
            let allowed = name.starts_with("testing/") || places.split(' ').any(|place| name.starts_with(place));
            let found = signs.iter().find(|sign| code.contains(**sign));
            if let Some(sign) = found.filter(|_| !allowed) {
                strays.push(format!("{name} {deed} (`{sign}`); only {places} may"));
            }
        }
    }
    assert!(strays.is_empty(), "deeds outside their place:\n{}", strays.join("\n"));
}

#[test]
fn no_feature_gate_hides_inside_a_function() {
    for (path, code) in sources() {
        let lines: Vec<&str> = code.lines().collect();
        for (n, line) in lines.iter().enumerate().filter(|(_, line)| line.trim_start().starts_with("#[cfg(feature")) {
            let next = lines.get(n + 1).map_or("", |next| next.trim_start());
            let item = ["mod ", "use ", "pub mod ", "pub use ", "pub(crate) ", "pub(super) "]
                .iter()
                .any(|start| next.starts_with(start));
            assert!(item, "{}:{}: `{line}` stands before `{next}`", path.display(), n + 1);
        }
    }
}

/// A simulation replays from its seed only if nothing is left to tokio's own chance.
#[test]
fn every_select_says_which_branch_is_first() {
    for (path, code) in sources() {
        for (n, _) in code.match_indices("select! {") {
            let inside = code[n + "select! {".len()..].trim_start();
            assert!(inside.starts_with("biased;"), "{}: a `select!` without `biased`", path.display());
        }
    }
}

#[test]
fn every_file_says_what_it_is() {
    for (path, code) in sources() {
        assert!(code.starts_with("//! "), "{} does not open with `//!`", path.display());
    }
}

#[test]
fn no_file_is_longer_than_five_hundred_lines_of_code() {
    for (path, code) in sources() {
        let lines = code.lines().filter(|line| !line.trim().is_empty() && !line.trim().starts_with("//")).count();
        assert!(lines <= 500, "{} has {lines} lines of code", path.display());
    }
}

/// Pages that say which test sees what: each with where its list begins, and how many it names at least.
const NAMING: [(&str, &str, usize); 3] = [
    ("docs/design/tomodachi.md", "## Its regressions", 40),
    ("docs/migration.md", "## Side by side", 25),
    ("docs/threats.md", "## A hostile message must not", 80),
];

#[test]
fn each_test_that_a_page_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let code: String = ["src", "tests", "cli"].map(|folder| code_below(&root.join(folder))).concat();
    // `x_08_depth` is a case of the suite for transports.
    let is_case = |name: &str| matches!(name.as_bytes(), [b'a'..=b'z', b'_', b'0'..=b'9', ..]);
    let is_test = |name: &str| {
        (name.matches('_').count() >= 3 || is_case(name))
            && name.bytes().all(|c| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'_'))
    };
    // Some are named in a table, from which a macro makes one for each broker.
    let is_there =
        |name: &str| ["fn {}(", "fn {}<", "    {}: "].iter().any(|form| code.contains(&form.replace("{}", name)));
    for (page, start, least) in NAMING {
        let text = fs::read_to_string(root.join(page)).expect("the page");
        let (_, list) = text.split_once(start).expect("the list begins");
        let named: BTreeSet<&str> = list.split('`').skip(1).step_by(2).filter(|name| is_test(name)).collect();
        assert!(named.len() >= least, "{page}: the list was not found: {named:?}");
        let missing: Vec<_> = named.iter().filter(|name| !is_there(name)).collect();
        assert!(missing.is_empty(), "{page} names tests that are not there: {missing:?}");
    }
}

/// All Rust in a folder.
fn code_below(folder: &Path) -> String {
    let entries = fs::read_dir(folder).expect("it is readable").map(|entry| entry.expect("it is readable").path());
    let code = entries.map(|path| match path.extension() {
        _ if path.is_dir() => code_below(&path),
        Some(ending) if ending == "rs" => fs::read_to_string(&path).expect("source is text"),
        _ => String::new(),
    });
    code.collect()
}

/// Every file under `src/`, without its tests.
fn sources() -> BTreeMap<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("src is readable") {
            let path = entry.expect("src is readable").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|ending| ending != "rs") {
                continue;
            }
            let text = fs::read_to_string(&path).expect("source is text");
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
            found.insert(path.strip_prefix(&root).expect("below src").to_owned(), code);
        }
    }
    assert!(found.len() > 20, "the sources were not found");
    let tests: Vec<PathBuf> = found.iter().flat_map(|(path, code)| test_files(path, code)).collect();
    let below = |path: &Path| tests.iter().any(|test| path.starts_with(test.with_extension("")));
    found.retain(|path, _| !tests.contains(path) && !below(path));
    found
}

/// The files that are compiled for tests only, with what is below them: `#[cfg(test)] mod name;`.
fn test_files(path: &Path, code: &str) -> Vec<PathBuf> {
    let modules = code.split("#[cfg(test)]\nmod ").skip(1).filter_map(|rest| rest.split_once(';'));
    modules.map(|(name, _)| path.with_file_name(format!("{name}.rs"))).collect()
}

/// The module a file belongs to, as the floors name it; `None` for `lib.rs`.
fn module_of(path: &Path) -> Option<String> {
    let parts: Vec<String> =
        path.iter().map(|part| part.to_string_lossy().trim_end_matches(".rs").to_owned()).collect();
    known_module(&parts.join("::"))
}

fn known_module(path: &str) -> Option<String> {
    let all = FLOORS.iter().flat_map(|floor| floor.iter());
    let fits = all.filter(|module| path == **module || path.starts_with(&format!("{module}::")));
    fits.max_by_key(|module| module.len()).map(|module| (*module).to_owned())
}

fn may_import(here: &str, there: &str) -> bool {
    let floor = |module: &str| FLOORS.iter().position(|floor| floor.contains(&module));
    here == there
        || floor(there) < floor(here)
        // A folder's own front door names what stands in it.
        || there.starts_with(&format!("{here}::"))
        || ARROWS.contains(&(there, here))
}

/// The paths below `crate::` that a file names, nested `use` lists spelled out. Words in comments do not count.
fn imports(code: &str) -> Vec<String> {
    let bare: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    for (place, sign) in bare.match_indices("crate::") {
        spell_out(&bare[place + sign.len()..], "", &mut found);
    }
    found
}

/// Reads one path or `{…}` list at the start of the text; returns how many bytes it took.
fn spell_out(text: &str, before: &str, found: &mut Vec<String>) -> usize {
    if !text.starts_with('{') {
        let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(text.len());
        let path = format!("{before}{}", &text[..end]);
        if path.ends_with("::") && text[end..].starts_with('{') {
            return end + spell_out(&text[end..], &path, found);
        }
        found.push(path);
        return end;
    }
    let mut at = 1;
    loop {
        let rest = &text[at..];
        at += rest.len() - rest.trim_start_matches([' ', '\n', ',']).len();
        match text[at..].chars().next() {
            None | Some('}') => return at + 1,
            Some(_) => at += spell_out(&text[at..], before, found).max(1),
        }
    }
}

#[test]
fn imports_are_read_as_the_compiler_reads_them() {
    let code =
        "use crate::{\n    codec::{self, Payload},\n    time::Clock,\n};\nfn f() { crate::event::g() } // crate::no";
    let found = imports(code);
    assert_eq!(found[..3], ["codec::self", "codec::Payload", "time::Clock"]);
    assert!(found.contains(&"event::g".to_owned()));
}
