//! Stands in for TLS in a build without it.

use std::io;

/// The wish for TLS that nobody can have.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {}

/// TLS that is never there.
pub(super) enum Tls {}

impl Wanted {
    pub(super) fn read(&self) -> Result<Option<Tls>, String> {
        Ok(None)
    }
}

impl Tls {
    pub(super) async fn handshake<T>(&self, _: T) -> io::Result<T> {
        match *self {}
    }
}
