//! A text that is never printed: whatever holds credentials holds them as this. And texts from anywhere without the
//! passwords in them.

#[cfg(feature = "logs")]
pub(crate) mod clean;

use std::fmt;

use serde::{Deserialize, Deserializer};

/// A text that is never printed: its `Debug` hides it, and it has neither `Display` nor `Serialize`.
///
/// # Examples
/// ```
/// use tegami::{Config, Secret};
///
/// #[derive(Debug, serde::Deserialize)]
/// struct App {
///     key: Secret,
/// }
///
/// let app: App = Config::parse("app.key = \"s3cr3t\"")?.app()?;
/// assert_eq!(format!("{app:?}"), "App { key: Secret }");
/// assert_eq!(app.key.reveal(), "s3cr3t");
/// # Ok::<(), tegami::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// Keeps this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into().into_boxed_str())
    }

    /// The text itself, for the one who proves something with it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// The text with `***` for each password of a URL in it.
pub(crate) fn without_passwords(text: &str) -> String {
    let (mut clean, mut from) = (text.to_owned(), 0);
    while let Some(place) = clean[from..].find("://") {
        let start = from + place + 3;
        let rest = &clean[start..];
        let end = rest.find(|c: char| c.is_whitespace() || c == '"' || c == '/' || c == '`').unwrap_or(rest.len());
        from = start;
        if let Some((credentials, _)) = rest[..end].rsplit_once('@') {
            let user = credentials.split(':').next().unwrap_or_default().len();
            if user < credentials.len() {
                let password = start + user + 1..start + credentials.len();
                clean.replace_range(password, "***");
            }
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k03_no_password_of_a_url_is_left() {
        for (text, told) in [
            ("amqp://user:s3cr3t@host/%2f", "amqp://user:***@host/%2f"),
            ("uri=\"amqp://user:s3@cr3t@host\" x", "uri=\"amqp://user:***@host\" x"),
            ("a://u:p@h b://u:p@h", "a://u:***@h b://u:***@h"),
            ("https://host:80/a@b", "https://host:80/a@b"),
            ("https://user@host", "https://user@host"),
            ("://", "://"),
            ("no url: a@b", "no url: a@b"),
        ] {
            assert_eq!(without_passwords(text), told, "{text}");
        }
    }
}
