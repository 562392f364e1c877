//! Random filters and messages: SNS, read strictly, never keeps back what is wanted.

mod drawn;
mod sns;

use fastrand::Rng;

use self::drawn::{EVENTS, asked, attributes};
use super::policy;
use crate::{
    event::{Attributes, BoolField, Condition, EVENT_ATTRIBUTE, Filter, NumberField, Policy, TextField, Value},
    transport::Binding,
};

const CASES: usize = 10_000;

/// Does nothing but the policy decide: has SNS been told all, and does it see what is asked for?
fn is_sns_alone(binding: &Binding, seen: &sns::Message) -> bool {
    let told = binding.policy.told();
    told.left.is_empty() && told.said.keys().all(|name| seen.contains_key(*name))
}

#[test]
fn sns_never_keeps_back_what_is_wanted_and_no_more_where_it_has_been_told_all() {
    let (mut wanted, mut kept, mut decided) = (0, 0, 0);
    for case in 0..CASES {
        let rng = &mut Rng::with_seed(case as u64);
        let mut bindings: Vec<_> = EVENTS[..rng.usize(1..=3)].iter().map(|event| asked(rng, event)).collect();
        bindings[0].by_name = bindings.len() > 1 || rng.bool();
        let number = rng.usize(..bindings.len());
        let attributes = attributes(rng, &bindings[number]);
        let binding = &bindings[number];
        let Ok(policy) = policy("billing", &Vec::from_iter(&bindings)) else { continue };
        let said = policy.to_string();
        let seen = sns::in_sight(&attributes);
        let taken = sns::takes(&said.parse().unwrap(), &seen);
        let taken = taken.unwrap_or_else(|refused| panic!("case {case}: {refused}: {said}"));
        let wants = binding.policy.matches(&attributes);
        assert!(taken || !wants, "case {case}: {said} loses {attributes:?}, wanted by {}", binding.policy);
        if is_sns_alone(binding, &seen) {
            assert_eq!(taken, wants, "case {case}: {said} of {attributes:?}, wanted by {}", binding.policy);
            decided += usize::from(!binding.policy.is_empty());
        }
        wanted += usize::from(wants);
        kept += usize::from(!taken);
    }
    // What never happens proves nothing.
    assert!([wanted, kept, decided].into_iter().all(|count| count > CASES / 30), "{wanted} {kept} {decided}");
}
