//! Stands in for TLS in a build without it.

use std::{io, path::PathBuf};

/// The wish for TLS that nobody can have.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {}

/// TLS that is never there.
pub(super) enum Tls {}

/// How a server is asked.
pub(super) fn scheme(_: Option<&Tls>) -> &'static str {
    "http"
}

const LEFT_OUT: &str = "this build of tegami speaks no TLS; switch on its feature `http-tls` in Cargo.toml";

impl Wanted {
    pub(super) fn with_certificates(&mut self, _: PathBuf) -> Result<(), &'static str> {
        Err(LEFT_OUT)
    }

    pub(super) fn with_key(&mut self, _: PathBuf) -> Result<(), &'static str> {
        Err(LEFT_OUT)
    }

    pub(super) fn read(&self) -> Result<Option<Tls>, String> {
        Ok(None)
    }
}

impl Tls {
    pub(super) async fn handshake<T>(&self, _: T) -> io::Result<T> {
        match *self {}
    }
}
