//! The limits of a filter policy, checked before SNS is asked.

use std::collections::BTreeSet;

use super::FilterPolicy;
use crate::transport::{Binding, TransportError, TransportErrorKind};

/// Attributes in one policy.
const NAMES: usize = 5;
/// Ways to fit a policy: the patterns of one alternative multiplied, those of all alternatives added.
const COMBINATIONS: usize = 150;
/// Bytes of a policy.
const BYTES: usize = 256 * 1024;

/// The same policy, where SNS takes it.
pub(super) fn check(queue: &str, bindings: &[&Binding], policy: FilterPolicy) -> Result<FilterPolicy, TransportError> {
    let names: BTreeSet<_> = policy.0.iter().flat_map(|alternative| alternative.keys()).collect();
    let ways = policy.0.iter().map(|alternative| alternative.values().map(Vec::len).fold(1, usize::saturating_mul));
    let measured = [
        ("attributes", names.len(), NAMES),
        ("combinations of values", ways.fold(0, usize::saturating_add), COMBINATIONS),
        ("bytes", policy.to_string().len(), BYTES),
    ];
    let Some((what, size, limit)) = measured.into_iter().find(|(_, size, limit)| size > limit) else {
        return Ok(policy);
    };
    let events: Vec<_> = bindings.iter().map(|binding| format!("`{}`", binding.event)).collect();
    let text = format!(
        "the filter of {} for queue `{queue}` has {size} {what}, SNS takes {limit}: ask for less, have a queue for each \
         event, or leave some of it to the handler",
        events.join(" and "),
    );
    Err(TransportError::new(TransportErrorKind::Unsupported, text))
}
