//! What a service takes from its environment: every `TEGAMI_…` variable, its meaning, its default, its limits.

use std::{fmt, sync::Arc, time::Duration};

use super::{Error, ErrorKind, plan::is_plain};
use crate::transport::{self, Memory, Provision, Transport};

const KNOWN: [&str; 6] =
    ["TEGAMI_TRANSPORT", "TEGAMI_PREFIX", "TEGAMI_PROVISION", "TEGAMI_DRAIN", "TEGAMI_HTTP", "TEGAMI_ADMIN"];
/// The longest prefix that leaves room for names.
pub(super) const PREFIX_LIMIT: usize = 32;
/// The longest drain, in seconds.
const DRAIN_LIMIT: u64 = 3600;

/// Settings of one service. They are never printed: the transport's URL may hold a password.
#[derive(Clone, PartialEq)]
pub(crate) struct Settings {
    /// `TEGAMI_TRANSPORT`: where messages travel. Default: `memory:`.
    pub(crate) transport: String,
    /// `TEGAMI_PREFIX`: begins every topic and queue name. Default: none.
    pub(crate) prefix: String,
    /// `TEGAMI_PROVISION`: `create`, `verify` or `assume`. Default: `create`.
    pub(crate) provision: Provision,
    /// `TEGAMI_DRAIN`: seconds that running handlers have at a stop. Default: 30.
    pub(crate) drain: Duration,
    /// `TEGAMI_HTTP`: where routes are served. Default: `127.0.0.1:8080`.
    pub(crate) http: Option<String>,
    /// `TEGAMI_ADMIN`: where the admin listener is. Default: there is none.
    pub(crate) admin: Option<String>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").finish_non_exhaustive()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            transport: "memory:".to_owned(),
            prefix: String::new(),
            provision: Provision::Create,
            drain: Duration::from_secs(30),
            http: None,
            admin: None,
        }
    }
}

impl Settings {
    /// Reads the process's environment.
    pub(crate) fn from_environment() -> Result<Self, Error> {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok().filter(|name| name.starts_with("TEGAMI_"))?;
            Some((name, value.to_string_lossy().into_owned()))
        });
        Self::read(variables)
    }

    /// Reads these variables. One that is not known is an error (K1).
    fn read(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, Error> {
        let mut settings = Self::default();
        for (name, value) in variables {
            match name.as_str() {
                "TEGAMI_TRANSPORT" => settings.transport = value,
                "TEGAMI_PREFIX" => settings.prefix = prefix(value)?,
                "TEGAMI_PROVISION" => settings.provision = provision(&value)?,
                "TEGAMI_DRAIN" => settings.drain = drain(&value)?,
                "TEGAMI_HTTP" => settings.http = Some(value),
                "TEGAMI_ADMIN" => settings.admin = Some(value),
                _ => return Err(unknown(&name)),
            }
        }
        Ok(settings)
    }

    /// The transport that the settings name.
    pub(crate) fn transport(&self) -> Result<Arc<dyn Transport>, Error> {
        match self.transport.split_once(':') {
            Some(("memory", name)) => Ok(Arc::new(Memory::named(name))),
            // The error says which part of the URL is wrong; the whole of it may hold a password.
            Some(("amqp" | "amqps", _)) => Ok(Arc::new(transport::amqp_at(&self.transport)?)),
            Some(("aws", _)) => Ok(Arc::new(transport::aws_at(&self.transport)?)),
            Some((scheme, _)) => Err(unknown_transport(scheme)),
            None => Err(unknown_transport(&self.transport)),
        }
    }
}

fn unknown_transport(scheme: &str) -> Error {
    let way_out = "there are `memory:`, `memory:<name>`, `amqp://…`, `amqps://…` and `aws:<region>`";
    setting("TEGAMI_TRANSPORT", scheme, way_out)
}

fn prefix(value: String) -> Result<String, Error> {
    let fits = value.len() <= PREFIX_LIMIT && is_plain(&value);
    fits.then(|| value.clone()).ok_or_else(|| {
        setting("TEGAMI_PREFIX", &value, &format!("at most {PREFIX_LIMIT} of A-Z a-z 0-9 - _ are allowed"))
    })
}

fn provision(value: &str) -> Result<Provision, Error> {
    match value {
        "create" => Ok(Provision::Create),
        "verify" => Ok(Provision::Verify),
        "assume" => Ok(Provision::Assume),
        _ => Err(setting("TEGAMI_PROVISION", value, "choose `create`, `verify` or `assume`")),
    }
}

fn drain(value: &str) -> Result<Duration, Error> {
    let seconds = value.parse().ok().filter(|seconds| *seconds <= DRAIN_LIMIT);
    seconds
        .map(Duration::from_secs)
        .ok_or_else(|| setting("TEGAMI_DRAIN", value, &format!("give whole seconds, 0 to {DRAIN_LIMIT}")))
}

fn setting(name: &str, value: &str, way_out: &str) -> Error {
    Error::new(ErrorKind::Setting, format!("{name} is `{}`: {way_out}", value.escape_debug()))
}

fn unknown(name: &str) -> Error {
    let known = KNOWN.join(", ");
    Error::new(ErrorKind::Setting, format!("{name} is no setting of tegami; there are {known}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, value: &str) -> Result<Settings, String> {
        Settings::read([(name.to_owned(), value.to_owned())]).map_err(|error| error.to_string())
    }

    #[test]
    fn k1_a_wrong_setting_is_named_with_its_value_and_the_way_out() {
        for (name, value) in [
            ("TEGAMI_PROVISION", "yes"),
            ("TEGAMI_DRAIN", "3601"),
            ("TEGAMI_DRAIN", "-1"),
            ("TEGAMI_PREFIX", "a b"),
            ("TEGAMI_PREFIX", &"p".repeat(33)),
        ] {
            let error = read(name, value).expect_err(value);
            assert!(error.contains(name) && error.contains(value), "{error}");
        }
        assert!(read("TEGAMI_TRANSPROT", "memory:").expect_err("a typo").contains("TEGAMI_TRANSPORT"));
    }

    #[test]
    fn k1_settings_hold_at_their_limits() {
        assert_eq!(read("TEGAMI_DRAIN", "3600").map(|s| s.drain), Ok(Duration::from_secs(3600)));
        assert_eq!(read("TEGAMI_PREFIX", &"p".repeat(32)).map(|s| s.prefix.len()), Ok(32));
        assert_eq!(read("TEGAMI_ADMIN", "0.0.0.0:9000").map(|s| s.admin), Ok(Some("0.0.0.0:9000".to_owned())));
        assert_eq!(read("TEGAMI_PROVISION", "assume").map(|s| s.provision), Ok(Provision::Assume));
    }

    #[test]
    fn k1_an_unknown_transport_is_refused_by_name() {
        let settings = read("TEGAMI_TRANSPORT", "carrier-pigeon:").expect("read later");
        let error = settings.transport().err().expect("no such transport").to_string();
        assert!(error.contains("TEGAMI_TRANSPORT") && error.contains("carrier-pigeon"), "{error}");
    }
}
