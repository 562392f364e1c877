//! The README says what is so. `BLESS=1` writes the parts that come from the code.

use std::{fmt::Write, fs, path::Path, time::Duration};

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

#[test]
fn its_links_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for document in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = fs::read_to_string(root.join(document)).expect("a document");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            assert!(link.starts_with("https://") || root.join(link).exists(), "{document} links to {link}");
        }
    }
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
