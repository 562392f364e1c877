//! Which events: by their types and by tags.

use std::{borrow::Cow, fmt};

use super::{Entry, set::EventSet};
use crate::contract::Contract;

/// One thing that events can be found by: the name of a key field or an attribute, and its value as text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    name: Cow<'static, str>,
    value: String,
}

impl Tag {
    /// This value under this name.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: Cow::Owned(name.into()), value: value.into() }
    }

    /// The field's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The field's value.
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.value)
    }
}

/// Events of some types, or of any, that have all of some tags.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Criterion {
    pub(super) events: Vec<Cow<'static, str>>,
    pub(super) tags: Vec<Tag>,
    contracts: Vec<&'static Contract>,
    /// Nobody asked for it: it finds what another asks for, under an older contract.
    is_older: bool,
}

impl Criterion {
    /// Events of any type.
    pub fn any() -> Self {
        Self::default()
    }

    /// Events of this type, or of the types of this set.
    pub fn of<E: EventSet>() -> Self {
        Self::any().or::<E>()
    }

    /// Events of this type too, or of the types of this set.
    #[must_use]
    pub fn or<E: EventSet>(self) -> Self {
        E::contracts().into_iter().fold(self, |criterion, contract| criterion.contract(contract))
    }

    /// Events of this name too.
    #[must_use]
    pub fn named(mut self, event: impl Into<Cow<'static, str>>) -> Self {
        self.events.push(event.into());
        self
    }

    /// Only those whose key field or attribute of this name has this value.
    #[must_use]
    pub fn tagged(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.tags.push(Tag::new(name, value.to_string()));
        self
    }

    /// The names of the events; of any event, if there are none.
    pub fn events(&self) -> impl Iterator<Item = &str> {
        self.events.iter().map(AsRef::as_ref)
    }

    /// The tags, all of which an event must have.
    pub fn tags(&self) -> &[Tag] {
        &self.tags
    }

    /// Events of this contract too.
    pub(crate) fn contract(mut self, contract: &'static Contract) -> Self {
        self.events.push(contract.name.into());
        self.contracts.push(contract);
        self
    }

    /// Is it met by this event?
    fn matches(&self, entry: &Entry) -> bool {
        let of_type = self.events.is_empty() || self.events().any(|event| event == entry.name());
        let has = |tag: &Tag| entry.marks().any(|(name, value)| name == tag.name() && value == tag.value());
        of_type && self.tags.iter().all(has)
    }

    /// A tag that nothing can have, if there is one.
    pub(super) fn mistake(&self) -> Option<String> {
        let all_known = !self.contracts.is_empty() && self.contracts.len() == self.events.len();
        let nobody = |tag: &&Tag| !self.contracts.iter().any(|contract| declares(contract, tag));
        let tag = self.tags.iter().find(nobody).filter(|_| all_known)?;
        let known: Vec<_> = self.contracts.iter().flat_map(|contract| declared(contract)).collect();
        let (name, events, known) = (tag.name(), self.events.join("`, `"), known.join("`, `"));
        Some(format!("no event of `{events}` declares `{name}` as its key or an attribute; there are `{known}`"))
    }

    /// What finds the same events where they were recorded under an older contract. A tag that it does not declare can
    /// be looked at only afterwards.
    fn under(&self, older: &'static Contract) -> Self {
        let tags = self.tags.iter().filter(|tag| declares(older, tag)).cloned().collect();
        Self { tags, is_older: true, ..Self::any().contract(older) }
    }
}

fn declared(contract: &'static Contract) -> impl Iterator<Item = &'static str> {
    contract.key.into_iter().chain(contract.attributes.iter().map(|attribute| attribute.name))
}

fn declares(contract: &'static Contract, tag: &Tag) -> bool {
    declared(contract).any(|name| name == tag.name())
}

/// Events that meet one of some criteria.
///
/// # Examples
/// ```
/// # mod contracts { tegami::include_contracts!(); }
/// # use contracts::shop::{billing::v1::ReceiptSent, orders::v1::OrderPaid};
/// use tegami::store::{Criterion, Query};
///
/// let of_one_order = Query::from(Criterion::of::<OrderPaid>().or::<ReceiptSent>().tagged("order_id", "o-1"));
/// let in_euro = Query::any_of([Criterion::of::<OrderPaid>().tagged("currency", "EUR")]);
/// assert!(of_one_order.check().is_ok() && in_euro.check().is_ok());
///
/// let typo = Query::from(Criterion::of::<OrderPaid>().tagged("curency", "EUR"));
/// assert!(typo.check().unwrap_err().to_string().contains("`order_id`, `currency`"));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query(Vec<Criterion>);

impl Query {
    /// Every event.
    pub fn all() -> Self {
        Self::default()
    }

    /// Events that meet at least one of these; every event, if there are none.
    pub fn any_of(criteria: impl IntoIterator<Item = Criterion>) -> Self {
        Self(criteria.into_iter().collect())
    }

    /// The criteria; every event matches, if there are none.
    pub fn criteria(&self) -> &[Criterion] {
        &self.0
    }

    /// Does this event match?
    pub fn matches(&self, entry: &Entry) -> bool {
        if self.0.is_empty() {
            return true;
        }
        self.0.iter().any(|criterion| criterion.matches(entry))
    }

    /// The criteria that were asked for, without those that it was widened by.
    pub(super) fn given(&self) -> impl Iterator<Item = &Criterion> {
        self.0.iter().filter(|criterion| !criterion.is_older)
    }

    /// The query that also finds what was recorded under the contracts which these are made from, and nothing under those
    /// that it was widened by before.
    pub(super) fn widened(&self, older: impl Fn(&Contract) -> Vec<&'static Contract>) -> Self {
        let older = &older;
        let wide = |criterion: &Criterion| -> Vec<Criterion> {
            let before = criterion.contracts.iter().flat_map(|contract| older(contract));
            let before = before.filter(|contract| !criterion.events().any(|event| event == contract.name));
            before.map(|contract| criterion.under(contract)).collect()
        };
        Self(self.given().flat_map(|criterion| std::iter::once(criterion.clone()).chain(wide(criterion))).collect())
    }
}

impl From<Criterion> for Query {
    fn from(criterion: Criterion) -> Self {
        Self::any_of([criterion])
    }
}
