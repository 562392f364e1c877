//! Which lines are written, and what the settings of the log may be.

use tegami::{Config, Error, time::Dice};

use super::Lines;

fn tell_everything() {
    tracing::trace!(target: "shop::bank", "trace");
    tracing::debug!(target: "shop::bank", "debug");
    tracing::info!(target: "shop::bank", "info");
    tracing::debug!(target: "shop::till", "till");
    tracing::error!(target: "other", "error");
}

fn told(filter: &str) -> Result<Vec<String>, Error> {
    let (lines, _guard) = Lines::begin(&[("log.filter", filter), ("log.format", "json")])?;
    tell_everything();
    let told = lines.told("").iter().map(|line| line["message"].as_str().unwrap_or_default().to_owned()).collect();
    Ok(told)
}

#[test]
fn a_filter_has_a_level_for_all_and_others_for_parts() -> Result<(), Error> {
    for (filter, lines) in [
        ("info", &["info", "error"] as &[_]),
        ("trace", &["trace", "debug", "info", "till", "error"]),
        ("warning", &["error"]),
        ("off", &[]),
        ("shop=debug", &["debug", "info", "till", "error"]),
        ("off,shop::till=trace", &["till"]),
        ("info,shop=off, other=error", &["error"]),
    ] {
        assert_eq!(told(filter)?, lines, "{filter}");
    }
    Ok(())
}

#[test]
fn a_line_for_people_has_its_words_in_order() -> Result<(), Error> {
    let (lines, _guard) = Lines::begin(&[])?;
    tracing::info!(target: "shop", order = "o-1", why = "two words", "sent\nagain\u{1b}[31m");
    let text = lines.text();
    let (_, rest) = text.split_once(' ').expect("a time first");
    assert_eq!(rest, "[info     ] sent\\nagain\\u{1b}[31m          [shop] order=o-1 why=\"two words\"\n");
    Ok(())
}

#[test]
fn a_log_that_is_off_writes_nothing() -> Result<(), Error> {
    let (lines, _guard) = Lines::begin(&[("log.format", "off")])?;
    tell_everything();
    assert_eq!(lines.text(), "");
    Ok(())
}

#[test]
fn k1_wrong_settings_of_the_log_are_refused() {
    let levels = "give a level, or levels and parts as `info,tegami::http=debug`";
    for (key, value, told) in [
        ("log.filter", "inof", format!("`log.filter` (in code) is `inof`: {levels}")),
        ("log.filter", "", format!("`log.filter` (in code) is ``: {levels}")),
        ("log.filter", "info,,debug", format!("`log.filter` (in code) is `info,,debug`: {levels}")),
        ("log.filter", "shop=loud", format!("`log.filter` (in code) is `shop=loud`: {levels}")),
        ("log.filter", "=debug", format!("`log.filter` (in code) is `=debug`: {levels}")),
        ("log.format", "xml", "`log.format` (in code) is `xml`: choose `console`, `json` or `off`".to_owned()),
    ] {
        let error = Config::new().set(key, value).expect_err(value);
        assert_eq!(error.to_string(), told);
    }
}

#[test]
fn whatever_is_told_one_line_comes_out_and_no_sign_that_a_terminal_obeys() -> Result<(), Error> {
    let dice = Dice::seeded(7);
    let hostile =
        ["\u{1b}[2J", "\r\n", "\u{9b}31m", "\u{202e}", "\u{2028}", "\0", "\u{7f}", "\"", "\\", "=", "é😀", "a://b:c@d"];
    for format in ["console", "json"] {
        for _ in 0..1_000 {
            let bytes = dice.uuid().into_bytes();
            let text: String = bytes.iter().map(|byte| hostile[usize::from(*byte) % hostile.len()]).collect();
            let (lines, _guard) = Lines::begin(&[("log.format", format)])?;
            tracing::info!(target: "shop", text, debug = ?text, "{text}");
            let line = lines.text();
            let obeyed = |c: char| {
                c.is_control()
                    || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            };
            assert_eq!(line.find(obeyed), Some(line.len() - 1), "{line:?}");
            assert!(line.ends_with('\n') && !line.contains("b:c@"), "{line:?}");
            if format == "json" {
                let told = text.replace("a://b:c@", "a://b:***@");
                assert_eq!(lines.told("")[0]["text"], told, "{line}");
            }
        }
    }
    Ok(())
}
