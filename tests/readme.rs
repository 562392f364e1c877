//! The README says what is so. `BLESS=1` writes the parts that come from the code.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use tegami::transport::{Capabilities, Memory, Transport, amqp::Amqp, aws::Aws};

#[test]
fn the_example_is_the_one_that_is_compiled_and_tested() {
    let example = include_str!("../examples/billing.rs");
    let (_, code) = example.split_once("\n\n").expect("a header, then code");
    check("billing", &format!("```rust\n{}\n```", code.trim_end()));
}

#[test]
fn the_capability_table_is_what_the_transports_say() {
    let transports = [
        ("memory", Memory::new().capabilities()),
        ("RabbitMQ", Amqp::new("amqp://localhost").capabilities()),
        ("SNS and SQS", Aws::new("aws:eu-west-1").capabilities()),
    ];
    let mut table = String::from("| |");
    for (name, _) in &transports {
        write!(table, " {name} |").expect("a string takes all");
    }
    write!(table, "\n|---|{}", "---|".repeat(transports.len())).expect("a string takes all");
    for (promise, says) in ROWS {
        write!(table, "\n| {promise} |").expect("a string takes all");
        for (_, capabilities) in &transports {
            write!(table, " {} |", says(capabilities)).expect("a string takes all");
        }
    }
    check("capabilities", &table);
}

type Row = (&'static str, fn(&Capabilities) -> String);

const ROWS: &[Row] = &[
    ("unacked messages outlive the process", |c| yes(c.durable)),
    ("nobody listening is an error", |c| yes(c.reports_unroutable)),
    ("order per key", |c| yes(c.ordered)),
    ("delayed publish, at most", |c| c.delay.map_or("no".into(), told)),
    ("exact attempt count", |c| yes(c.exact_attempts)),
    ("message, attributes counted", |c| format!("{} KiB", c.message_limit / 1024)),
    ("attributes a message", |c| c.attribute_limit.to_string()),
    ("a queue for each instance", |c| yes(c.per_instance)),
];

/// A time in the largest whole units.
fn told(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    match (minutes / 1_440, minutes / 60, minutes % 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, 0) => format!("{hours} h"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, ..) => format!("{days} days"),
    }
}

fn yes(truth: bool) -> String {
    if truth { "yes" } else { "no" }.to_owned()
}

#[test]
fn it_is_short_enough_to_be_read() {
    let lines = readme().lines().count();
    assert!(lines < 200, "the README has {lines} lines");
}

/// What is read in a clone: links lead to files, and to headings in them.
#[test]
fn its_links_lead_somewhere() {
    let documents = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "examples/README.md"].map(PathBuf::from);
    for document in documents.into_iter().chain(guides()) {
        for link in links(&text(&document)).filter(|link| !link.contains("://")) {
            // What stands in the code, the guides name for its pages.
            assert!(!link.starts_with("crate::docs") && !link.starts_with("super::"), "{document:?} links to {link}");
            assert!(link.starts_with("crate::") || leads(&document, link), "{document:?} links to {link}");
        }
    }
}

/// And as pages of the documentation they stand in folders.
#[test]
fn links_of_the_documentation_lead_to_its_pages() {
    let mut found = 0;
    for guide in guides() {
        let page = fs::read_to_string(Path::new(env!("OUT_DIR")).join(&guide)).expect("a page");
        let folder = if guide.ends_with("README.md") {
            guide.parent().expect("a folder").into()
        } else {
            guide.with_extension("")
        };
        for link in links(&page).filter(|link| !link.contains("://")) {
            let Some((link, _)) = link.split_once("index.html") else { continue };
            let there = root().join("docs").join(steps(&folder.join(link)));
            assert!(there.is_dir() || there.with_extension("md").exists(), "the page {guide:?} links to {link}");
            found += 1;
        }
    }
    assert!(found > 80, "there are {found} links between guides");
}

#[test]
fn every_feature_is_told() {
    let manifest = text(Path::new("Cargo.toml"));
    let (_, features) = manifest.split_once("[features]\n").expect("features");
    let names = features
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(" = ["))
        .map(|(name, _)| name);
    // What is always there, all at once, and what is for tests of tegami itself.
    let names = names.filter(|name| !["default", "full", "failpoints"].contains(name));
    let guide = text(Path::new("docs/features.md"));
    let missing: Vec<_> = names.filter(|name| !guide.contains(&format!("| `{name}` |"))).collect();
    assert!(missing.is_empty(), "docs/features.md does not tell of {missing:?}");
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(document: &Path) -> String {
    fs::read_to_string(root().join(document)).expect("a document")
}

/// The guides, and why things are as they are.
fn guides() -> impl Iterator<Item = PathBuf> {
    let folders = ["docs", "docs/design"].into_iter();
    let files = folders.flat_map(|folder| fs::read_dir(root().join(folder)).expect("a folder"));
    let paths = files.map(|file| file.expect("a file").path().strip_prefix(root()).expect("below the root").to_owned());
    paths.filter(|path| path.extension().is_some_and(|ending| ending == "md"))
}

fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

fn leads(document: &Path, link: &str) -> bool {
    let (file, heading) = link.split_once('#').unwrap_or((link, ""));
    let there =
        if file.is_empty() { root().join(document) } else { root().join(document).with_file_name("").join(file) };
    there.exists() && (heading.is_empty() || headings(&there).any(|known| known == heading))
}

/// As GitHub and rustdoc name them.
fn headings(document: &Path) -> impl Iterator<Item = String> {
    let text = fs::read_to_string(document).unwrap_or_default();
    let titles: Vec<String> = text.lines().filter_map(|line| line.strip_prefix('#')).map(str::to_owned).collect();
    titles.into_iter().map(|title| {
        let kept = title.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
    })
}

/// A path below `docs`, with its `..` taken.
fn steps(path: &Path) -> PathBuf {
    let mut taken = PathBuf::new();
    for step in path.iter().skip(1) {
        if step == ".." {
            taken.pop();
        } else {
            taken.push(step);
        }
    }
    taken
}

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("the README")
}

/// Compares what stands between `<!-- name -->` and `<!-- /name -->`; with `BLESS=1`, writes it.
fn check(name: &str, expected: &str) {
    let readme = readme();
    let (open, close) = (format!("<!-- {name} -->\n"), format!("\n<!-- /{name} -->"));
    let start = readme.find(&open).expect("the part begins") + open.len();
    let end = readme[start - 1..].find(&close).expect("the part ends") + start - 1;
    let found = readme.get(start..end).unwrap_or_default();
    if std::env::var_os("BLESS").is_some() {
        let blessed = format!("{}{expected}{}", &readme[..start], &readme[end..]);
        fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md"), blessed).expect("the README is writable");
        return;
    }
    assert_eq!(found, expected, "run `BLESS=1 cargo test --test readme -- --test-threads 1`");
}
