//! Where SNS and SQS are and how to talk to them: `aws:<region>?name=value`, read and checked. Nothing is opened here.

mod parameters;
#[cfg(test)]
mod tests;

use std::{fmt, net::IpAddr};

use self::parameters::Plaintext;
pub(super) use self::parameters::{Compat, Delivery, Parameters};
use crate::transport::{TransportError, TransportErrorKind};

/// A region and what the URL says beyond it.
#[derive(Clone)]
pub(super) struct Address {
    /// None: what the environment or the profile says.
    region: Option<String>,
    parameters: Parameters,
}

impl Address {
    /// Reads `aws:`, the region, and `?parameters`.
    ///
    /// # Errors
    /// `Setting`: a part is not well-formed, not known, or not safe; the text names it.
    pub(super) fn parse(url: &str) -> Result<Self, TransportError> {
        let rest = url.strip_prefix("aws:").ok_or_else(|| setting("it begins with `aws:`"))?;
        let (region, query) = rest.split_once('?').unwrap_or((rest, ""));
        let region = match region {
            "" => None,
            region if is_region(region) => Some(region.to_owned()),
            region => {
                let text = format!("`{}` is no region; one reads like `eu-west-1`", region.escape_debug());
                return Err(setting(text));
            }
        };
        let address = Self { region, parameters: Parameters::parse(query)? };
        address.parameters.endpoints().try_for_each(|endpoint| address.refuse_unsafe(endpoint))?;
        Ok(address)
    }

    /// The region that the URL names.
    pub(super) fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// What the URL says beyond the region.
    pub(super) fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Is everything that is talked to an emulator on this machine? It takes any credentials.
    pub(super) fn is_emulator(&self) -> bool {
        let mut endpoints = self.parameters.endpoints().peekable();
        let Parameters { endpoint, sns_endpoint, sqs_endpoint, profile, role, .. } = &self.parameters;
        let everywhere = endpoint.is_some() || (sns_endpoint.is_some() && sqs_endpoint.is_some());
        everywhere && profile.is_none() && role.is_none() && endpoints.all(is_on_this_machine)
    }

    /// Refuses an endpoint that would be told our messages in the clear.
    ///
    /// # Errors
    /// `Setting`: it is plain HTTP, and not on this machine.
    pub(super) fn refuse_unsafe(&self, endpoint: &str) -> Result<(), TransportError> {
        if authority(endpoint).contains('@') {
            return Err(setting("an endpoint has no user and no password before its host"));
        }
        let safe = endpoint.starts_with("https://") || is_on_this_machine(endpoint);
        if safe || self.parameters.plaintext == Plaintext::Anywhere {
            return Ok(());
        }
        let way_out = "use `https://`, or allow it with `plaintext=allow`";
        Err(setting(format!("`{endpoint}` would be told messages unencrypted: {way_out}")))
    }
}

fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let plain = |part: &&str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    (3..=5).contains(&parts.len())
        && parts.iter().all(plain)
        && parts.last().is_some_and(|last| last.parse::<u8>().is_ok())
}

/// What stands between the scheme and the path.
fn authority(endpoint: &str) -> &str {
    let rest = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// `http://` and a loopback address.
fn is_on_this_machine(endpoint: &str) -> bool {
    if !endpoint.starts_with("http://") {
        return false;
    }
    let authority = authority(endpoint);
    let host = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, _)) => host,
        None => authority.split(':').next().unwrap_or_default(),
    };
    let ip: Option<IpAddr> = host.parse().ok();
    ip.map_or_else(|| host.eq_ignore_ascii_case("localhost"), |ip| ip.is_loopback())
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "aws:{}", self.region().unwrap_or_default())?;
        self.parameters.endpoints().next().map_or(Ok(()), |endpoint| write!(f, " at {endpoint}"))
    }
}

/// A part of the URL is wrong.
pub(super) fn setting(text: impl fmt::Display) -> TransportError {
    TransportError::new(TransportErrorKind::Setting, format!("the URL of SNS and SQS: {text}"))
}
