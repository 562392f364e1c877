//! A URL taken to pieces. What may be (a part of) a password is in no error's text.

use std::net::Ipv6Addr;

use super::setting;
use crate::transport::{TransportError, query};

/// The longest short string of AMQP, in bytes.
pub(super) const SHORT: usize = 255;

/// Is the connection encrypted?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    /// In the clear.
    Amqp,
    /// By TLS.
    Amqps,
}

/// The pieces, as they are written.
pub(super) struct Url<'a> {
    pub(super) scheme: Scheme,
    pub(super) credentials: Option<(&'a str, &'a str)>,
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) virtual_host: Option<&'a str>,
    pub(super) query: &'a str,
}

impl<'a> Url<'a> {
    pub(super) fn split(url: &'a str) -> Result<Self, TransportError> {
        let (scheme, rest) = scheme(url)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, virtual_host) = match rest.split_once('/') {
            Some((authority, path)) => (authority, Some(path)),
            None => (rest, None),
        };
        let (credentials, place) = match authority.split_once('@') {
            Some((credentials, place)) => (Some(user_and_password(credentials)?), place),
            None => (None, authority),
        };
        let (host, port) = host_and_port(place, scheme)?;
        if virtual_host.is_some_and(|path| path.contains('/')) {
            return Err(setting("a `/` within the virtual host is written `%2f`"));
        }
        Ok(Self { scheme, credentials, host, port, virtual_host, query })
    }

    /// The URL without its secrets.
    pub(super) fn shown(&self) -> String {
        let scheme = match self.scheme {
            Scheme::Amqp => "amqp",
            Scheme::Amqps => "amqps",
        };
        let user = self.credentials.map_or(super::GUEST, |(user, _)| user);
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.to_owned() };
        format!("{scheme}://{user}@{host}:{}/{}", self.port, self.virtual_host.unwrap_or("%2f"))
    }
}

fn scheme(url: &str) -> Result<(Scheme, &str), TransportError> {
    let (scheme, rest) = match url.split_once("://") {
        Some(("amqp", rest)) => (Scheme::Amqp, rest),
        Some(("amqps", rest)) => (Scheme::Amqps, rest),
        _ => return Err(setting("it begins with `amqp://` or `amqps://`")),
    };
    refuse_stray_signs(rest)?;
    Ok((scheme, rest))
}

/// A sign that was not encoded may have cut a password in two; then nobody knows which half is secret.
fn refuse_stray_signs(rest: &str) -> Result<(), TransportError> {
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let ats = |text: &str| text.matches('@').count();
    let strays = rest.contains(|c: char| c.is_control() || c.is_whitespace() || c == '#');
    if strays || ats(rest) > 1 || ats(rest) != ats(authority) {
        let text = "spaces, control characters and `#`, and `@ : / ? %` within user, password, virtual host and \
                    parameters, are percent-encoded (`@` is `%40`)";
        return Err(setting(text));
    }
    Ok(())
}

fn user_and_password(credentials: &str) -> Result<(&str, &str), TransportError> {
    let missing = |what| setting(format!("the {what} is missing; it reads `user:password@host`"));
    let (user, password) = credentials.split_once(':').ok_or_else(|| missing("password"))?;
    match (user, password) {
        ("", _) => Err(missing("user")),
        (_, "") => Err(missing("password")),
        (_, password) if password.contains(':') => Err(setting("a `:` within the password is written `%3a`")),
        both => Ok(both),
    }
}

fn host_and_port(place: &str, scheme: Scheme) -> Result<(&str, u16), TransportError> {
    let (host, port) = match place.strip_prefix('[').and_then(|place| place.split_once(']')) {
        Some((host, port)) if host.parse::<Ipv6Addr>().is_ok() => (host, port),
        Some(_) => return Err(setting("what stands in brackets is no IPv6 address")),
        None => place.split_at(place.find(':').unwrap_or(place.len())),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
    if host.is_empty() || !host.chars().all(plain) {
        return Err(setting("the host is missing, or is no name and no IP address (an IPv6 address has brackets)"));
    }
    Ok((host, number(port, scheme)?))
}

/// The port of `:port`. A wrong one is not shown: where the host was forgotten, the password stands here.
fn number(port: &str, scheme: Scheme) -> Result<u16, TransportError> {
    if port.is_empty() {
        return Ok(if scheme == Scheme::Amqps { 5671 } else { 5672 });
    }
    let digits = port.strip_prefix(':').filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
    let port = digits.and_then(|digits| digits.parse().ok()).filter(|port| *port > 0);
    port.ok_or_else(|| setting("the port is no number from 1 to 65535"))
}

/// What percent-encoded text says. The text itself is in no error.
pub(super) fn decode(what: &str, text: &str) -> Result<String, TransportError> {
    query::decode(text)
        .ok_or_else(|| setting(format!("the {what} is no percent-encoded text (a `%` is written `%25`)")))
}

/// Decoded, and no longer than AMQP's short strings.
pub(super) fn short_text(what: &str, text: &str) -> Result<String, TransportError> {
    let text = decode(what, text)?;
    if text.len() > SHORT {
        return Err(setting(format!("the {what} has {} bytes; {SHORT} are allowed", text.len())));
    }
    Ok(text)
}
