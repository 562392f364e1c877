//! Keys: the name of each, its type, its default, what it means, and which field it sets.

use super::{
    Config,
    given::{Given, Setting, Source, Value},
    near,
};

/// A key of a section with values of type `T`.
pub(crate) struct Key<T> {
    name: &'static str,
    variable: Option<&'static str>,
    kind: &'static str,
    meaning: &'static str,
    shown: Shown,
    default: Box<dyn Fn(&mut T) -> String>,
    set: Set<T>,
}

type Set<T> = Box<dyn Fn(&mut T, &Given) -> Result<(), String>>;

/// May errors show what was given?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Yes,
    Never,
}

impl<T: 'static> Key<T> {
    /// A key that sets this field.
    pub(crate) fn of<F: Setting>(name: &'static str, meaning: &'static str, field: fn(&mut T) -> &mut F) -> Self {
        Self::within(name, meaning, field, (|_| true, F::EXPECTED))
    }

    /// A key that sets this field to what fits, with what is expected instead of what does not.
    pub(crate) fn within<F: Setting>(
        name: &'static str,
        meaning: &'static str,
        field: fn(&mut T) -> &mut F,
        (fits, expected): (fn(&F) -> bool, &'static str),
    ) -> Self {
        let set = move |target: &mut T, given: &Given| {
            let value = F::read(&given.value).filter(fits).ok_or_else(|| expected.to_owned())?;
            *field(target) = value;
            Ok(())
        };
        Self {
            name,
            variable: None,
            kind: F::KIND,
            meaning,
            shown: Shown::Yes,
            default: Box::new(move |target| field(target).shown()),
            set: Box::new(set),
        }
    }

    /// A key that sets what is no single field; its kind and its default as the table of keys has them.
    pub(crate) fn with(
        name: &'static str,
        meaning: &'static str,
        (kind, default): (&'static str, &'static str),
        set: fn(&mut T, &Given) -> Result<(), String>,
    ) -> Self {
        Self {
            name,
            variable: None,
            kind,
            meaning,
            shown: Shown::Yes,
            default: Box::new(|_| default.to_owned()),
            set: Box::new(set),
        }
    }

    /// Its variable has a name of its own.
    pub(crate) fn variable(mut self, name: &'static str) -> Self {
        self.variable = Some(name);
        self
    }

    /// What is given may hold a secret.
    pub(crate) fn secret(mut self) -> Self {
        self.shown = Shown::Never;
        self
    }

    fn apply(&self, target: &mut T, path: &str, given: &Given) -> Result<(), String> {
        (self.set)(target, given).map_err(|expected| match self.shown {
            Shown::Yes => format!("`{path}` ({}) is {}: {expected}", given.source, given.value.shown()),
            Shown::Never => format!("`{path}` ({}) cannot be had: {expected}", given.source),
        })
    }
}

/// All keys that set a `T`, which stand together in a file: `[name]`, or before all sections.
pub(crate) struct Section<T> {
    name: &'static str,
    keys: Vec<Key<T>>,
}

impl<T: Default + 'static> Section<T> {
    pub(crate) fn new(name: &'static str, keys: Vec<Key<T>>) -> Self {
        Self { name, keys }
    }

    /// What the settings make of the defaults.
    pub(crate) fn read(&self, config: &Config) -> T {
        let (read, wrong) = self.try_read(config);
        assert!(wrong.is_empty(), "what is given was checked as it was: {wrong:?}");
        read
    }

    fn try_read(&self, config: &Config) -> (T, Vec<String>) {
        let (mut read, mut wrong) = (T::default(), Vec::new());
        for key in &self.keys {
            let path = self.path(key);
            let applied = config.given(&path).map_or(Ok(()), |given| key.apply(&mut read, &path, given));
            wrong.extend(applied.err());
        }
        (read, wrong)
    }

    fn path(&self, key: &Key<T>) -> String {
        if self.name.is_empty() { key.name.to_owned() } else { format!("{}.{}", self.name, key.name) }
    }
}

/// A key as the table of keys shows it.
#[allow(dead_code, reason = "a test writes the table into the guide")]
pub(crate) struct Row {
    pub(crate) path: String,
    pub(crate) variable: String,
    pub(crate) kind: &'static str,
    pub(crate) default: String,
    pub(crate) meaning: &'static str,
}

/// A section, whatever it sets.
pub(crate) trait Known {
    /// Its keys.
    fn rows(&self) -> Vec<Row>;
    /// What is wrong with what was given for them.
    fn check(&self, config: &Config) -> Vec<String>;
}

impl<T: Default + 'static> Known for Section<T> {
    fn rows(&self) -> Vec<Row> {
        let row = |key: &Key<T>| {
            let path = self.path(key);
            let variable = format!("TEGAMI_{}", path.replace('.', "_").to_ascii_uppercase());
            Row {
                variable: key.variable.map_or(variable, str::to_owned),
                kind: key.kind,
                default: (key.default)(&mut T::default()),
                meaning: key.meaning,
                path,
            }
        };
        self.keys.iter().map(row).collect()
    }

    fn check(&self, config: &Config) -> Vec<String> {
        self.try_read(config).1
    }
}

/// Where a file is named.
const CONFIG: &str = "TEGAMI_CONFIG";

/// A section that this build leaves out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Absent {
    pub(crate) section: &'static str,
    /// What would bring it in.
    pub(crate) feature: &'static str,
}

/// All keys there are.
#[derive(Default)]
pub(crate) struct Keys {
    sections: Vec<Box<dyn Known>>,
    absent: Vec<Absent>,
}

impl Keys {
    /// Adds a section, or one that is left out.
    pub(crate) fn and(mut self, section: Result<Box<dyn Known>, Absent>) -> Self {
        match section {
            Ok(section) => self.sections.push(section),
            Err(absent) => self.absent.push(absent),
        }
        self
    }

    pub(crate) fn rows(&self) -> Vec<Row> {
        self.sections.iter().flat_map(|section| section.rows()).collect()
    }

    pub(super) fn check(&self, config: &Config) -> Vec<String> {
        self.sections.iter().flat_map(|section| section.check(config)).collect()
    }

    /// What to say of a variable that is none.
    pub(super) fn no_variable(&self, name: &str) -> String {
        let of = |absent: &&Absent| name.starts_with(&format!("TEGAMI_{}", absent.section.to_ascii_uppercase()));
        if let Some(absent) = self.absent.iter().find(of) {
            return left_out(&format!("{} cannot be had", name.escape_debug()), absent.feature);
        }
        let known = self.rows().into_iter().map(|row| row.variable).chain([CONFIG.to_owned()]);
        format!("{} is no setting of tegami; {}", name.escape_debug(), meant(name, known))
    }

    /// What to say of a key that is none.
    pub(super) fn no_key(&self, path: &str, source: &Source) -> String {
        let shown = path.escape_debug();
        let section = path.split('.').next().unwrap_or_default();
        if let Some(absent) = self.absent.iter().find(|absent| absent.section == section) {
            return left_out(&format!("`{shown}` ({source}) cannot be had"), absent.feature);
        }
        let hint = meant(path, self.rows().into_iter().map(|row| row.path));
        format!("`{shown}` ({source}) is no key of tegami; {hint}")
    }
}

fn left_out(what: &str, feature: &str) -> String {
    format!("{what}: this build of tegami has no `{feature}`; switch on its feature of that name in Cargo.toml")
}

fn meant(name: &str, known: impl Iterator<Item = String>) -> String {
    match near::nearest(name, known) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "docs/configuration.md lists all there are".to_owned(),
    }
}

/// One of these words.
pub(crate) fn choice<C: Copy>(value: &Value, words: &[(&str, C)]) -> Result<C, String> {
    let found = value.text().and_then(|text| words.iter().find(|(word, _)| *word == text));
    found.map(|(_, choice)| *choice).ok_or_else(|| {
        let words: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        let (last, others) = words.split_last().expect("a choice has words");
        format!("choose {} or {last}", others.join(", "))
    })
}
