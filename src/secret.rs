//! A text that is never printed. Whatever holds credentials holds them as this.

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
