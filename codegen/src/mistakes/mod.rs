//! Looks for mistakes that both languages of contracts can make, in the model.
//!
//! Readers report what is wrong in their own language; what is refused here would not compile as Rust, or no
//! broker would take.

mod depth;
mod events;
mod names;
mod personal;
mod rules;

use crate::model::{Contracts, Mistakes};

/// Notes every mistake in the contracts.
pub(crate) fn find(set: &Contracts, mistakes: &mut Mistakes) {
    depth::check(set, mistakes);
    events::check(set, mistakes);
    names::check(set, mistakes);
    personal::check(set, mistakes);
    rules::check(set, mistakes);
}
