//! The HTTP server as a part of the service; in a build without `http`, what stands in for it.

#[cfg(feature = "http")]
mod admin;
#[cfg(all(feature = "http", feature = "testing"))]
mod inside;
#[cfg(not(feature = "http"))]
mod off;
#[cfg(feature = "http")]
mod on;

#[cfg(feature = "http")]
pub(crate) use admin::Admin;
#[cfg(not(feature = "http"))]
pub(crate) use off::{Admin, Place, Told, Wish};
#[cfg(feature = "http")]
pub(crate) use on::{Place, Told, Wish};
