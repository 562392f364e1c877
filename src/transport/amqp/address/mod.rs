//! Where a broker is and how to talk to it: the URL, read and checked. Nothing is opened here; `dial` does that.
//!
//! The URL follows RabbitMQ's URI specification. What is percent-encoded is decoded. Without a path the virtual host
//! is `/`; `amqp://host/%2f` is the same; `amqp://host/` is the virtual host with the empty name.

mod parameters;
#[cfg(test)]
mod tests;
mod url;

use std::{fmt, net::IpAddr};

pub(super) use self::parameters::{Compat, Parameters, Plaintext, QueueType};
use self::url::{Scheme, Url};
use crate::{
    secret::Secret,
    transport::{TransportError, TransportErrorKind},
};

/// Who a broker lets in from its own machine only.
const GUEST: &str = "guest";

/// Where a broker is and how to talk to it, as a URL says it. Its `Debug` and `Display` never show the password.
pub(super) struct Address {
    scheme: Scheme,
    host: String,
    port: u16,
    user: String,
    password: Secret,
    virtual_host: String,
    parameters: Parameters,
    /// The URL as it was written, without password and parameters.
    shown: String,
}

impl Address {
    /// Reads `amqp://` or `amqps://`, `user:password@`, `host:port`, `/virtual-host` and `?parameters`.
    ///
    /// # Errors
    /// `Setting`: a part is not well-formed, not known, or not safe; the text names it, and never holds a password.
    pub(super) fn parse(url: &str) -> Result<Self, TransportError> {
        let url = Url::split(url)?;
        let (user, password) = url.credentials.unwrap_or((GUEST, GUEST));
        let address = Self {
            shown: url.shown(),
            scheme: url.scheme,
            host: url.host.to_owned(),
            port: url.port,
            user: url::decode("user", user)?,
            password: Secret::new(url::decode("password", password)?),
            virtual_host: url::short_text("virtual host", url.virtual_host.unwrap_or("%2f"))?,
            parameters: Parameters::parse(url.query)?,
        };
        address.refuse_unsafe()?;
        Ok(address)
    }

    /// The broker's name or IP address, an IPv6 one without brackets.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// The broker's port.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Is the connection encrypted?
    pub(super) fn is_tls(&self) -> bool {
        self.scheme == Scheme::Amqps
    }

    /// Who we are.
    pub(super) fn user(&self) -> &str {
        &self.user
    }

    /// What proves who we are.
    pub(super) fn password(&self) -> &Secret {
        &self.password
    }

    /// The broker's part that we live in.
    pub(super) fn virtual_host(&self) -> &str {
        &self.virtual_host
    }

    /// What the URL says beyond the place.
    pub(super) fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn refuse_unsafe(&self) -> Result<(), TransportError> {
        let Self { host, parameters, .. } = self;
        if self.is_tls() || self.is_loopback() || parameters.plaintext == Plaintext::Anywhere {
            return self.refuse_guest();
        }
        let way_out = "use `amqps://`, or allow it with `plaintext=allow`";
        Err(setting(format!("`amqp://` would send the password unencrypted to `{host}`: {way_out}")))
    }

    fn refuse_guest(&self) -> Result<(), TransportError> {
        let Self { user, host, .. } = self;
        if user != GUEST || self.is_loopback() {
            return Ok(());
        }
        Err(setting(format!("the user is `{GUEST}`, who is for brokers on this machine only, not for `{host}`")))
    }

    fn is_loopback(&self) -> bool {
        let ip: Option<IpAddr> = self.host.parse().ok();
        ip.map_or_else(|| self.host.eq_ignore_ascii_case("localhost"), |ip| ip.is_loopback())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// A part of the URL is wrong.
pub(super) fn setting(text: impl fmt::Display) -> TransportError {
    TransportError::new(TransportErrorKind::Setting, format!("the broker's URL: {text}"))
}
