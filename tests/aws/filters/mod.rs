//! What emulators decide of filter policies: each condition by itself, and filters by chance.

mod conditions;
mod random;
mod sieve;
