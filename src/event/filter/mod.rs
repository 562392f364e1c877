//! Typed filters: which events of a type a subscription wants.
//!
//! A [`Filter`] can only name attributes its event declares. It becomes a [`Policy`], a list of [`Condition`]s, which is
//! evaluated in process. What of it a broker may decide beforehand, `told` says.

mod condition;
mod policy;
mod told;

pub use condition::Condition;
pub use policy::Policy;
use told::Told;

use std::marker::PhantomData;

use super::Value;

/// A wish to receive only some events of type `E`.
#[derive(Debug, Clone)]
pub struct Filter<E> {
    policy: Policy,
    event: PhantomData<fn() -> E>,
}

impl<E> Filter<E> {
    fn one(name: &'static str, condition: Condition) -> Self {
        Self { policy: Policy::one(name, condition), event: PhantomData }
    }

    /// Both this filter and the other must hold.
    #[must_use]
    pub fn and(mut self, other: Filter<E>) -> Self {
        self.policy = self.policy.and(other.policy);
        self
    }

    /// The filter without its type, for transports.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }
}

macro_rules! fields {
    // The same constructor and `exists` for each kind of attribute; the conditions differ below.
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty = $default:expr)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name<E> {
            name: &'static str,
            $($field: $type,)?
            event: PhantomData<fn() -> E>,
        }

        impl<E> $name<E> {
            /// Names an attribute. Generated code calls this for each attribute of a contract.
            #[doc(hidden)]
            pub const fn new(name: &'static str) -> Self {
                Self { name, $($field: $default,)? event: PhantomData }
            }

            /// The attribute travels with the event, whatever its value.
            pub fn exists(self) -> Filter<E> {
                Filter::one(self.name, Condition::Exists(true))
            }

            /// The attribute does not travel with the event.
            pub fn is_absent(self) -> Filter<E> {
                Filter::one(self.name, Condition::Exists(false))
            }
        }
    )*};
}
fields! {
    /// A text attribute, to be filtered on.
    TextField {}
    /// A number attribute, to be filtered on.
    NumberField { range: Option<(i128, i128)> = None }
    /// A true-or-false attribute, to be filtered on.
    BoolField {}
}

impl<E> TextField<E> {
    /// The attribute is exactly this text.
    pub fn is(self, text: impl Into<String>) -> Filter<E> {
        self.one_of([text])
    }

    /// The attribute is one of these texts.
    pub fn one_of<T: Into<String>>(self, texts: impl IntoIterator<Item = T>) -> Filter<E> {
        let texts = texts.into_iter().map(Into::into).collect();
        Filter::one(self.name, Condition::OneOf(texts))
    }

    /// The attribute is there, and none of these texts.
    pub fn none_of<T: Into<String>>(self, texts: impl IntoIterator<Item = T>) -> Filter<E> {
        let texts = texts.into_iter().map(Into::into).collect();
        Filter::one(self.name, Condition::NoneOf(texts))
    }

    /// The attribute begins with this text.
    pub fn starts_with(self, prefix: impl Into<String>) -> Filter<E> {
        Filter::one(self.name, Condition::Prefix(prefix.into()))
    }
}

impl<E> NumberField<E> {
    /// The contract allows whole numbers from here to there and nothing else. Generated code calls this.
    #[doc(hidden)]
    pub const fn within(mut self, least: i128, most: i128) -> Self {
        self.range = Some((least, most));
        self
    }

    /// The number is exactly this.
    pub fn is(self, number: impl Into<Value>) -> Filter<E> {
        let number = number.into();
        self.between(Some(number.clone()), Some(number))
    }

    /// The number is this or more.
    pub fn at_least(self, number: impl Into<Value>) -> Filter<E> {
        self.between(Some(number.into()), None)
    }

    /// The number is this or less.
    pub fn at_most(self, number: impl Into<Value>) -> Filter<E> {
        self.between(None, Some(number.into()))
    }

    fn between(self, low: Option<Value>, high: Option<Value>) -> Filter<E> {
        Filter::one(self.name, Condition::Between { low, high, range: self.range })
    }
}

impl<E> BoolField<E> {
    /// The attribute is true, or is false.
    pub fn is(self, truth: bool) -> Filter<E> {
        Filter::one(self.name, Condition::Truth(truth))
    }
}
