//! Settings: what is refused, what counts more than what, and what is the user's own (K1, K-02).

mod app;
mod bad;
mod files;
mod precedence;
#[cfg(all(feature = "amqp", feature = "aws"))]
mod unsafe_urls;
