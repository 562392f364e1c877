//! The HTTP server as a part of the service; in a build without `http`, what stands in for it.

#[cfg(not(feature = "http"))]
mod off;
#[cfg(feature = "http")]
mod on;

#[cfg(not(feature = "http"))]
pub(crate) use off::{Place, Wish, keys};
#[cfg(feature = "http")]
pub(crate) use on::{Place, Wish, keys};
