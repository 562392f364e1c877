//! What the gate found, for people, for programs, and as GitHub and other sites show it beside the lines.

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use serde_json::{Value, json};
use tegami_codegen::{Finding, RULES, Report, Severity};

/// How to print.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Format {
    /// Text; in colour on a terminal.
    People,
    /// One JSON object.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands, which GitHub shows beside the lines of a change.
    Github,
}

pub(super) fn text(report: &Report, format: Format) -> String {
    match format {
        Format::People => people(report),
        Format::Json => format!("{:#}\n", json(report)),
        Format::Sarif => format!("{:#}\n", sarif(report)),
        Format::Github => github(report),
    }
}

/// anstream takes the colours out where no terminal is.
fn people(report: &Report) -> String {
    let colour = |colour: AnsiColor| Style::new().bold().fg_color(Some(colour.into()));
    let mut text = String::new();
    for finding in &report.findings {
        let style = match finding.severity {
            Severity::Breaking => colour(AnsiColor::Red),
            _ => colour(AnsiColor::Yellow),
        };
        text.push_str(&format!("{style}{}{style:#}\n", finding.headline()));
        finding.details().iter().for_each(|line| text.push_str(&format!("  {line}\n")));
        text.push('\n');
    }
    let style = if report.is_compatible() { colour(AnsiColor::Green) } else { colour(AnsiColor::Red) };
    format!("{text}{style}{}{style:#}\n", report.summary())
}

fn severity(finding: &Finding) -> &'static str {
    match finding.severity {
        Severity::Breaking => "breaking",
        _ => "note",
    }
}

fn json(report: &Report) -> Value {
    let findings = report.findings.iter().map(|finding| {
        let words = |words: Vec<&'static str>| words;
        json!({
            "rule": finding.rule.id,
            "severity": severity(finding),
            "event": finding.event,
            "path": finding.path,
            "breaks_reading": words(finding.directions.iter().map(|direction| direction.words()).collect()),
            "encodings": words(finding.encodings.iter().map(|encoding| encoding.words()).collect()),
            "matters": words(finding.horizons.iter().map(|horizon| horizon.words()).collect()),
            "before": finding.before,
            "after": finding.after,
            "file": finding.place.file,
            "line": finding.place.line,
            "column": finding.place.column,
            "breaks": finding.breaks,
            "safe_for": finding.safe_for,
            "catches": finding.rule.catches,
            "hint": finding.rule.hint,
        })
    });
    json!({
        "compatible": report.is_compatible(),
        "events": report.events,
        "consumers": report.consumers,
        "findings": findings.collect::<Vec<_>>(),
    })
}

fn sarif(report: &Report) -> Value {
    let rules = RULES.iter().map(
        |rule| json!({ "id": rule.id, "shortDescription": { "text": rule.catches }, "help": { "text": rule.hint } }),
    );
    let results = report.findings.iter().map(|finding| {
        let level = if finding.severity == Severity::Breaking { "error" } else { "note" };
        let message = format!("{}\n{}", finding.subject(), finding.details().join("\n"));
        let mut place = json!({ "artifactLocation": { "uri": uri(&finding.place.file) } });
        if finding.place.line > 0 {
            place["region"] = json!({ "startLine": finding.place.line, "startColumn": finding.place.column.max(1) });
        }
        json!({
            "ruleId": finding.rule.id,
            "level": level,
            "message": { "text": message },
            "locations": [{ "physicalLocation": place }],
        })
    });
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "tegami contracts",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.collect::<Vec<_>>(),
            } },
            "results": results.collect::<Vec<_>>(),
        }],
    })
}

/// A path as a URI holds it.
fn uri(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:".contains(&byte);
    let bytes =
        path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") });
    bytes.collect()
}

fn github(report: &Report) -> String {
    let lines = report.findings.iter().map(|finding| {
        let command = if finding.severity == Severity::Breaking { "error" } else { "notice" };
        let mut place = format!("file={}", property(&finding.place.file));
        if finding.place.line > 0 {
            place.push_str(&format!(",line={},col={}", finding.place.line, finding.place.column));
        }
        let message = format!("{}\n{}", finding.subject(), finding.details().join("\n"));
        format!("::{command} {place},title={}::{}\n", property(finding.rule.id), data(&message))
    });
    lines.chain([format!("{}\n", report.summary())]).collect()
}

/// Text as a workflow command takes it.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
