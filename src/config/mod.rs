//! Settings as they were given: each key with its value and where it stood, in a file, in the environment or in code.
//!
//! Which keys there are, and what they mean, those say who have them, each in one [`Section`]. Who knows all sections
//! is `service::config`, which makes a [`Config`].

mod file;
#[cfg_attr(not(feature = "http"), allow(dead_code, reason = "fewer sections have fewer kinds of values"))]
mod given;
#[cfg_attr(not(feature = "http"), allow(dead_code, reason = "fewer sections have fewer kinds of keys"))]
mod key;
mod near;

pub(crate) use file::{File, without_app};
#[cfg(feature = "http")]
pub(crate) use given::Setting;
pub(crate) use given::{Given, Source, Value};
pub(crate) use key::{Absent, Key, Keys, Known, Section, choice};

use std::{collections::BTreeMap, fmt, sync::Arc};

use key::Row;

/// The settings of one service: what its file and its environment say, and what was [set](Self::set) in code.
///
/// It is never printed: some of it may be secret.
///
/// # Examples
/// ```
/// use tegami::{Config, Service};
///
/// #[derive(serde::Deserialize)]
/// struct Shop {
///     currency: String,
/// }
///
/// let config = Config::parse("drain = 5\n[app]\ncurrency = \"EUR\"")?.set("prefix", "staging-")?;
/// let shop: Shop = config.app()?;
/// assert_eq!(shop.currency, "EUR");
/// let service = Service::new("billing").config(config);
///
/// let wrong = Config::parse("drian = 5").expect_err("there is no such key");
/// assert_eq!(wrong.to_string(), "`drian` (tegami.toml:1) is no key of tegami; did you mean `drain`?");
/// # Ok::<(), tegami::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Config {
    given: BTreeMap<String, Given>,
    pub(crate) file: Option<Arc<File>>,
}

impl Config {
    /// What a file and these variables say; a variable counts more.
    ///
    /// # Errors
    /// All that is wrong with them, a line each.
    pub(crate) fn read(
        keys: &Keys,
        file: Option<File>,
        variables: impl IntoIterator<Item = (String, Option<String>)>,
    ) -> Result<Self, Vec<String>> {
        let rows = keys.rows();
        let given = file.as_ref().map_or(Ok(Vec::new()), |file| file.given(&rows))?;
        let (told, wrong) = told(keys, &rows, variables);
        match Self::default().with(keys, given.into_iter().chain(told)) {
            Ok(config) if wrong.is_empty() => Ok(Self { file: file.map(Arc::new), ..config }),
            read => Err(read.err().into_iter().flatten().chain(wrong).collect()),
        }
    }

    /// The same, with these for their keys.
    ///
    /// # Errors
    /// All that is wrong with them, a line each.
    pub(crate) fn with(
        mut self,
        keys: &Keys,
        given: impl IntoIterator<Item = (String, Given)>,
    ) -> Result<Self, Vec<String>> {
        let (rows, mut wrong) = (keys.rows(), Vec::new());
        for (path, given) in given {
            if rows.iter().any(|row| row.path == path) {
                // What another counts before is no setting all the same.
                if let Some(before) = self.given.insert(path.clone(), given) {
                    let alone = Self { given: [(path, before)].into(), ..Self::default() };
                    wrong.extend(keys.check(&alone));
                }
            } else {
                wrong.push(keys.no_key(&path, &given.source));
            }
        }
        wrong.extend(keys.check(&self));
        if wrong.is_empty() { Ok(self) } else { Err(wrong) }
    }

    /// What was given for this key.
    pub(crate) fn given(&self, path: &str) -> Option<&Given> {
        self.given.get(path)
    }
}

/// What variables say, and what is wrong with their names.
fn told(
    keys: &Keys,
    rows: &[Row],
    variables: impl IntoIterator<Item = (String, Option<String>)>,
) -> (Vec<(String, Given)>, Vec<String>) {
    let (mut told, mut wrong) = (Vec::new(), Vec::new());
    for (name, value) in variables {
        let row = rows.iter().find(|row| row.variable == name);
        match (row, value) {
            (Some(row), Some(value)) => {
                told.push((row.path.clone(), Given::new(Source::Variable(name), Value::Loose(value))));
            }
            (Some(_), None) => wrong.push(format!("{name} is no UTF-8 text")),
            (None, _) => wrong.push(keys.no_variable(&name)),
        }
    }
    wrong.sort();
    (told, wrong)
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").finish_non_exhaustive()
    }
}
