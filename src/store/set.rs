//! Several types of events as one type: what a stream or a query may hold.

use super::{Entry, StoreError};
use crate::{
    codec::{self, DecodeError, DecodeErrorKind, Hands, Payload},
    contract::Contract,
    event::Event,
};

/// An event, or one of several: what is read from a store, and appended to it.
///
/// Every [`Event`] is one. For several, [`event_set!`](crate::event_set) makes an enum.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither an event nor a set of events",
    note = "events come from contracts; `tegami::event_set! {{ enum {Self} {{ Paid(OrderPaid), … }} }}` makes a set of them"
)]
pub trait EventSet: Sized + Send + Sync + 'static {
    /// The contracts of its events.
    fn contracts() -> Vec<&'static Contract>;

    /// The event of this name that these bytes are.
    ///
    /// # Errors
    /// `UnknownEvent`: the name is none of the set's. Otherwise as [`codec::decode`].
    fn decode(name: &str, payload: &Payload) -> Result<Self, DecodeError>;

    /// The same, of an event whose personal values were erased: no rule is asked.
    #[doc(hidden)]
    fn decode_erased(name: &str, payload: &Payload) -> Result<Self, DecodeError> {
        Self::decode(name, payload)
    }

    /// The hands for events of this name.
    #[doc(hidden)]
    fn hands(_name: &str) -> Option<Hands> {
        None
    }

    /// Has one of them personal fields?
    #[doc(hidden)]
    fn has_personal() -> bool {
        false
    }

    /// An entry for the event.
    ///
    /// # Errors
    /// As [`Entry::of`].
    fn entry(&self) -> Result<Entry, StoreError>;
}

impl<E: Event> EventSet for E {
    fn contracts() -> Vec<&'static Contract> {
        vec![E::CONTRACT]
    }

    fn decode(name: &str, payload: &Payload) -> Result<Self, DecodeError> {
        if name == E::CONTRACT.name { codec::decode(payload) } else { Err(unknown(name, &Self::contracts())) }
    }

    fn decode_erased(name: &str, payload: &Payload) -> Result<Self, DecodeError> {
        if name == E::CONTRACT.name { codec::read(payload) } else { Err(unknown(name, &Self::contracts())) }
    }

    fn hands(name: &str) -> Option<Hands> {
        (name == E::CONTRACT.name).then(Hands::of::<E>)
    }

    fn has_personal() -> bool {
        E::PERSONAL.is_some()
    }

    fn entry(&self) -> Result<Entry, StoreError> {
        Entry::of(self)
    }
}

/// The error for an event that is none of a set. For the macro.
#[doc(hidden)]
pub fn unknown(name: &str, known: &[&Contract]) -> DecodeError {
    let known: Vec<_> = known.iter().map(|contract| contract.name).collect();
    let text = format!("event `{name}` is none of `{}`, and no upcast makes it one", known.join("`, `"));
    DecodeError::new(DecodeErrorKind::UnknownEvent, text)
}

// A macro, because each set is a type of its own with a variant for each event.
/// Makes an enum of events that is an [`EventSet`](crate::store::EventSet): each variant holds one event.
///
/// # Examples
/// ```
/// # mod contracts { tegami::include_contracts!(); }
/// # use contracts::shop::{billing::v1::ReceiptSent, orders::v1::OrderPaid};
/// tegami::event_set! {
///     /// What happens to an order.
///     #[derive(Debug, Clone, PartialEq)]
///     pub enum OrderEvent {
///         /// It was paid.
///         Paid(OrderPaid),
///         /// Its receipt was sent.
///         Receipted(ReceiptSent),
///     }
/// }
/// let event = OrderEvent::from(OrderPaid::default());
/// assert_eq!(event, OrderEvent::Paid(OrderPaid::default()));
/// ```
#[macro_export]
macro_rules! event_set {
    ($(#[$about:meta])* $seen:vis enum $set:ident { $($(#[$of:meta])* $variant:ident($event:ty)),+ $(,)? }) => {
        $(#[$about])*
        $seen enum $set { $($(#[$of])* $variant($event),)+ }

        $(impl ::std::convert::From<$event> for $set {
            fn from(event: $event) -> Self {
                Self::$variant(event)
            }
        })+

        impl $crate::store::EventSet for $set {
            fn contracts() -> ::std::vec::Vec<&'static $crate::Contract> {
                ::std::vec![$(<$event as $crate::Event>::CONTRACT),+]
            }

            fn decode(
                name: &str,
                payload: &$crate::codec::Payload,
            ) -> ::std::result::Result<Self, $crate::codec::DecodeError> {
                $(if name == <$event as $crate::Event>::CONTRACT.name {
                    return $crate::codec::decode::<$event>(payload).map(Self::$variant);
                })+
                ::std::result::Result::Err($crate::store::unknown(name, &Self::contracts()))
            }

            fn decode_erased(
                name: &str,
                payload: &$crate::codec::Payload,
            ) -> ::std::result::Result<Self, $crate::codec::DecodeError> {
                $(if name == <$event as $crate::Event>::CONTRACT.name {
                    return <$event as $crate::store::EventSet>::decode_erased(name, payload).map(Self::$variant);
                })+
                ::std::result::Result::Err($crate::store::unknown(name, &Self::contracts()))
            }

            fn hands(name: &str) -> ::std::option::Option<$crate::codec::Hands> {
                [$(<$event as $crate::store::EventSet>::hands(name)),+].into_iter().flatten().next()
            }

            fn has_personal() -> bool {
                [$(<$event as $crate::store::EventSet>::has_personal()),+].contains(&true)
            }

            fn entry(&self) -> ::std::result::Result<$crate::store::Entry, $crate::store::StoreError> {
                match self { $(Self::$variant(event) => $crate::store::Entry::of(event),)+ }
            }
        }
    };
}
