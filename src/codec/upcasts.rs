//! The steps from older contracts to newer ones, and the way of a message along them.

use std::{
    collections::BTreeSet,
    iter,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::{DecodeError, DecodeErrorKind, Hands, Payload, decode, encode, personal::written, preferred, read};
use crate::{
    contract::Contract,
    error::panic_text,
    event::{Attributes, Event, Upcast},
};

/// An event's bytes under a newer contract, with the attributes that it declares.
#[derive(Debug)]
pub(crate) struct Lifted {
    pub(crate) payload: Payload,
    pub(crate) attributes: Attributes,
}

type Lift = Arc<dyn Fn(&Payload, Values) -> Result<Lifted, DecodeError> + Send + Sync>;

/// Whether an event's values are all there. Of one whose personal values were erased, no rule is asked: it had them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    Whole,
    /// The same, and some of them are encrypted where the event is kept.
    #[cfg_attr(not(feature = "store"), expect(dead_code, reason = "only a store encrypts"))]
    Opened,
    #[cfg_attr(not(feature = "store"), expect(dead_code, reason = "only a store erases"))]
    Erased,
}

/// One step.
#[derive(Clone)]
struct Step {
    from: &'static Contract,
    to: &'static Contract,
    lift: Lift,
    hands: Hands,
}

/// All steps that a service was told of.
#[derive(Clone, Default)]
pub(crate) struct Upcasts(Vec<Step>);

impl Upcasts {
    /// Knows this step too.
    pub(crate) fn add<Old: Event, New: Upcast<Old>>(&mut self) {
        let lift = Arc::new(lift::<Old, New>);
        self.0.push(Step { from: Old::CONTRACT, to: New::CONTRACT, lift, hands: Hands::of::<Old>() });
    }

    /// The contracts whose events become this one's, step by step.
    pub(crate) fn older(&self, contract: &Contract) -> Vec<&'static Contract> {
        let steps = self.0.iter().filter(|step| self.way(step.from.name).any(|next| next.to.name == contract.name));
        steps.map(|step| step.from).collect()
    }

    /// The contract of this name, if its events become those of that other.
    #[cfg(feature = "store")]
    pub(crate) fn from(&self, name: &str, to: &Contract) -> Option<&'static Contract> {
        self.way(name).find(|step| step.to.name == to.name)?;
        Some(self.way(name).next()?.from)
    }

    /// The hands for older events of this name.
    pub(crate) fn hands(&self, name: &str) -> Option<Hands> {
        self.way(name).next().map(|step| step.hands)
    }

    /// What events of this name become in the end, if they become anything.
    #[cfg(feature = "testing")]
    pub(crate) fn end(&self, name: &str) -> Option<&'static Contract> {
        self.way(name).last().map(|step| step.to)
    }

    /// An event of this name under that contract.
    ///
    /// # Errors
    /// A step cannot read what it got, panicked, or made an event that breaks its contract.
    pub(crate) fn lift(
        &self,
        name: &str,
        payload: &Payload,
        values: Values,
        to: &Contract,
    ) -> Result<Lifted, DecodeError> {
        let mut lifted = Lifted { payload: payload.clone(), attributes: Attributes::new() };
        for step in self.way(name) {
            lifted = (step.lift)(&lifted.payload, values)?;
            if step.to.name == to.name {
                break;
            }
        }
        Ok(lifted)
    }

    /// The steps from this contract on; as many as there are in all, if they go in a circle.
    fn way<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Step> {
        let next = |from: &str| self.0.iter().find(|step| step.from.name == from);
        iter::successors(next(name), move |step| next(step.to.name)).take(self.0.len())
    }

    /// What is wrong with the steps of a service that handles these contracts, if something is.
    pub(crate) fn mistake(&self, handled: &BTreeSet<&str>) -> Option<String> {
        self.0.iter().find_map(|step| self.fork(step).or_else(|| self.astray(step, handled)))
    }

    /// Two steps from one contract: which is meant?
    fn fork(&self, step: &Step) -> Option<String> {
        let mut ways = self.0.iter().filter(|other| other.from.name == step.from.name);
        let (first, second) = (ways.next()?, ways.next()?);
        let (from, to, other) = (step.from.name, first.to.name, second.to.name);
        Some(format!("event `{from}` is upcast twice, to `{to}` and to `{other}`: leave one"))
    }

    /// A way that goes in a circle, or ends where nobody handles what came of it.
    fn astray(&self, begin: &Step, handled: &BTreeSet<&str>) -> Option<String> {
        let from = begin.from.name;
        if self.way(from).any(|step| step.to.name == from) {
            return Some(format!(
                "upcasts go in a circle: `{from}` becomes `{}`, which becomes it again",
                begin.to.name
            ));
        }
        let end = self.way(from).last()?.to.name;
        let text =
            format!("upcasts lead from `{from}` to `{end}`, which is not handled here: add `on` or `upcast` for it");
        (!handled.contains(end)).then_some(text)
    }
}

fn lift<Old: Event, New: Upcast<Old>>(payload: &Payload, values: Values) -> Result<Lifted, DecodeError> {
    let old: Old = match values {
        Values::Whole | Values::Opened => decode(payload)?,
        Values::Erased => read(payload)?,
    };
    let step = || format!("the upcast from `{}` to `{}`", Old::CONTRACT.name, New::CONTRACT.name);
    let new = catch_unwind(AssertUnwindSafe(|| New::upcast(old))).map_err(|panic| {
        DecodeError::new(DecodeErrorKind::Undecodable, format!("{} {}", step(), panic_text(&*panic)))
    })?;
    let payload = match values {
        Values::Whole | Values::Opened => encode(&new, payload.encoding).map_err(|error| {
            let text = format!("{} made something else", step());
            DecodeError::new(DecodeErrorKind::Invalid, text).caused_by(error)
        })?,
        Values::Erased => written(&new, preferred::<New>(payload.encoding))?,
    };
    Ok(Lifted { payload, attributes: new.attributes() })
}
