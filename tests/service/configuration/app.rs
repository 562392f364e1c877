//! The user's own keys, by the user's own type.

use serde::Deserialize;
use tegami::{Config, Error, Secret};

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct App {
    #[serde(default)]
    currency: Option<String>,
    #[serde(default)]
    limits: Limits,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
struct Limits {
    orders: u8,
    kind: Kind,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Soft,
    Hard,
}

#[test]
fn what_stands_in_app_is_read_as_the_users_type() -> Result<(), Error> {
    let config = Config::parse("[app]\ncurrency = 'EUR'\n[app.limits]\norders = 3\nkind = 'hard'")?;
    let app: App = config.app()?;
    assert_eq!(app, App { currency: Some("EUR".to_owned()), limits: Limits { orders: 3, kind: Kind::Hard } });
    for empty in [Config::new(), Config::parse("drain = 1")?] {
        assert_eq!(empty.app::<App>()?, App { currency: None, limits: Limits::default() });
    }
    Ok(())
}

#[test]
fn k1_k3_what_is_wrong_in_app_is_told_with_key_and_line_and_without_its_value() {
    for (text, told) in [
        ("[app]\ncurrency = 4111", "`app.currency` (tegami.toml:2): invalid type: integer, expected a string"),
        (
            "[app]\n\ncurency = 's3cr3t'",
            "`app.curency` (tegami.toml:3): unknown field `curency`, expected `currency` or `limits`",
        ),
        (
            "[app.limits]\norders = 4111\nkind = 'soft'",
            "`app.limits.orders` (tegami.toml:2): invalid value: integer, expected u8",
        ),
        (
            "[app.limits]\norders = 1\nkind = 's3cr3t`, expected `x'",
            "`app.limits.kind` (tegami.toml:3): unknown variant, expected `soft` or `hard`",
        ),
        (
            "[app.limits]\norders = 's3cr3t'\nkind = 'soft'",
            "`app.limits.orders` (tegami.toml:2): invalid type: string, expected u8",
        ),
        ("app = 's3cr3t'", "`app` (tegami.toml:1): invalid type: string, expected struct App"),
        ("[app]\nlimits = { kind = 'soft' }", "`app.limits` (tegami.toml:2): missing field `orders`"),
    ] {
        let error = Config::parse(text).and_then(|config| config.app::<App>()).expect_err(text);
        assert_eq!(error.to_string(), told, "{text}");
        assert!(!format!("{error:?}").contains("s3cr3t"));
    }
}

#[derive(Debug, PartialEq, Deserialize)]
struct Needy {
    currency: String,
}

#[test]
fn k1_where_there_is_no_app_the_missing_key_is_told_with_that() -> Result<(), Error> {
    let told = |config: Config| config.app::<Needy>().map_err(|error| error.to_string());
    let no_file = "no `tegami.toml` was read, and so no section `[app]`: missing field `currency`";
    assert_eq!(told(Config::new()), Err(no_file.to_owned()));
    let no_section = "tegami.toml has no section `[app]`: missing field `currency`";
    assert_eq!(told(Config::parse("drain = 1")?), Err(no_section.to_owned()));
    Ok(())
}

#[test]
fn k3_a_secret_is_not_shown() {
    let secret = Secret::new("s3cr3t");
    assert_eq!((format!("{secret:?}"), secret.reveal()), ("Secret".to_owned(), "s3cr3t"));
}
