//! Values to try for a field: one that is likely good first, then those at the ends of what its schema allows.
//!
//! They are proposals. The contract is asked about each, so that one too many costs nothing.

use regex_lite::Regex;
use serde_json::{Value, json};

/// The longest text that is proposed, and the longest list.
const LONGEST: u64 = 1_000;
const WIDEST: u64 = 100;
/// The most values of an enum.
const MOST: usize = 32;
/// A number that an enum hardly names: where enums are open, it is a value.
const UNNAMED: i32 = 1_999_999_937;

/// The values of a schema that has no others in it.
pub(super) fn values(schema: &Value) -> Vec<Value> {
    let given = ["examples", "enum"].map(|name| schema[name].as_array().cloned().unwrap_or_default()).concat();
    let mut given: Vec<_> = given.into_iter().chain(schema.get("const").cloned()).take(MOST).collect();
    if given.len() > 1 && schema["enum"].is_array() {
        // The first of an enum mostly stands for nothing.
        given.swap(0, 1);
    }
    let kind = schema["type"].as_str().or(schema["type"].get(0).and_then(Value::as_str));
    match (kind, given.is_empty()) {
        (Some("string") | None, false) => given.into_iter().chain([json!(UNNAMED)]).collect(),
        (_, false) => given,
        (Some("string"), true) => texts(schema).into_iter().map(Value::from).collect(),
        (Some("integer" | "number"), true) => numbers(schema),
        (Some("boolean"), true) => vec![json!(true), json!(false)],
        _ => vec![Value::Null],
    }
}

/// How many items a list or a map may have: one that is likely good, the least and the most.
pub(super) fn counts(schema: &Value, kind: &str) -> Vec<u64> {
    let bound = |end: &str| schema[format!("{end}{kind}")].as_u64();
    let (least, most) = (bound("min").unwrap_or(0), bound("max"));
    let mut counts = vec![least.max(1), least, most.unwrap_or(least.max(2))];
    counts.retain(|count| *count <= WIDEST);
    counts
}

fn texts(schema: &Value) -> Vec<String> {
    let bound = |name: &str| schema[name].as_u64();
    let (least, most) = (bound("minLength").unwrap_or(0), bound("maxLength"));
    let is_fit = |text: &String| {
        let length = text.chars().count() as u64;
        least <= length && most.is_none_or(|most| length <= most)
    };
    let mut texts: Vec<String> = known(schema).iter().map(|text| (*text).to_owned()).collect();
    if schema["format"].is_null() && schema.get("contentEncoding").is_none() {
        let length = 4.max(least).min(most.unwrap_or(4));
        let plain = [("text ", length), ("A", least), ("äö😀", most.unwrap_or(length))];
        let plain = plain.into_iter().filter(|(_, length)| *length <= LONGEST);
        texts.extend(plain.map(|(letters, length)| filled(letters, length)));
    }
    let Some(pattern) = schema["pattern"].as_str() else { return texts };
    // Longer numbers are text, with bounds of theirs.
    let bounds = ["minimum", "maximum"].iter().filter_map(|name| schema[name].as_i64());
    texts.extend(bounds.map(|bound| bound.to_string()));
    // What a pattern wants is not known: all lengths are tried.
    texts.extend((1..=40).flat_map(|length| ["A", "a", "1", "A1", "a1"].map(|letters| filled(letters, length))));
    texts.extend(["a@b.cd", "A-1", "a-1", "a.b", "a_b", "/a", "#00ff00", "1.0.0", "+441632960000"].map(str::to_owned));
    if let Ok(pattern) = Regex::new(pattern) {
        texts.retain(|text| pattern.is_match(text) && is_fit(text));
    }
    // Of those that only were tried, few are worth keeping.
    texts.truncate(9);
    texts
}

fn filled(letters: &str, length: u64) -> String {
    letters.chars().cycle().take(usize::try_from(length).unwrap_or_default()).collect()
}

/// Texts of the schema's format, the ends of it among them.
fn known(schema: &Value) -> &'static [&'static str] {
    match schema["format"].as_str() {
        Some("date-time") => &[
            "2030-06-01T12:00:00Z",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999999999Z",
            "1969-12-31T23:59:59.5Z",
        ],
        Some("date") => &["2030-06-01", "2024-02-29", "0001-01-01", "9999-12-31"],
        Some("time") => &["12:00:00Z"],
        Some("email") => &["name@example.com"],
        Some("uri") => &["https://example.com/", "urn:isbn:0451450523"],
        Some("uuid") => &["67e55044-10b1-426f-9247-bb680e5fe0c8", "00000000-0000-0000-0000-000000000000"],
        _ if schema["contentEncoding"] == "base64" => &["AAEC", "", "+/8="],
        _ if schema["pattern"].as_str().is_some_and(|pattern| pattern.ends_with("s$")) => {
            &["1s", "-0.000000001s", "315576000000s", "-315576000000s"]
        }
        _ if schema["pattern"].is_string() => {
            &["1", "0", "-1", "9223372036854775807", "-9223372036854775808", "18446744073709551615", "9007199254740993"]
        }
        _ => &[],
    }
}

fn numbers(schema: &Value) -> Vec<Value> {
    let bound = |name: &str| schema[name].as_f64();
    let step = bound("multipleOf").unwrap_or(1.0);
    let least = bound("minimum").or(bound("exclusiveMinimum").map(|bound| bound + step));
    let most = bound("maximum").or(bound("exclusiveMaximum").map(|bound| bound - step));
    let chosen = 1_f64.max(least.unwrap_or(f64::MIN)).min(most.unwrap_or(f64::MAX));
    let mut numbers: Vec<_> = [(chosen / step).ceil() * step].into_iter().chain(least).chain(most).map(plain).collect();
    numbers.extend([json!(0), json!(-1), json!(i32::MAX), json!(i32::MIN), json!(u32::MAX), json!(i64::MAX)]);
    numbers.extend([json!(i64::MIN), json!(0.1), json!(-2.5e-300), json!(1e300), json!(3.4028234663852886e38)]);
    numbers
}

/// A whole number without a fraction.
fn plain(number: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT { json!(number as i64) } else { json!(number) }
}
