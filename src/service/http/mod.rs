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
pub(crate) use admin::{Admin, keys as admin_keys};
#[cfg(not(feature = "http"))]
pub(crate) use off::{Admin, Place, Wish, admin_keys, keys};
#[cfg(feature = "http")]
pub(crate) use on::{Place, Wish, keys};
