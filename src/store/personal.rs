//! How a store keeps what is personal in events: encrypted for each subject, or, where that is said, as it is.

use std::sync::Arc;

use super::{
    Append, Entry, EventSet, Kept, Keys, Recorded, Store, StoreError, StoreErrorKind,
    handle::place,
    keys::payload::{self, Place},
};
use crate::{
    codec::{Hands, Parted, Values},
    envelope::MessageId,
};

/// What is done with personal fields.
#[derive(Clone, Default)]
pub(super) enum Privacy {
    /// Nothing was said, so no such event is taken.
    #[default]
    Unsaid,
    Clear,
    Encrypted(Arc<dyn Keys>),
}

impl Store {
    /// Encrypts the personal fields of events, with a key for each subject.
    ///
    /// # Examples
    /// ```
    /// # mod contracts { tegami::include_contracts!(); }
    /// # use contracts::shop::customers::v1::CustomerRegistered;
    /// use tegami::store::{Append, Memory, Store, StoreError, StreamId, Version, keys};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), StoreError> {
    /// let store = Store::new(Memory::new()).keys(keys::Memory::new());
    /// let stream = StreamId::of("customer", "c-1")?;
    /// let registered = CustomerRegistered::builder().customer_id("c-1").country("DE").email("ann@example.com").build();
    /// store.append(Append::to(stream.clone()).event(&registered)?).await?;
    /// assert_eq!(store.read::<CustomerRegistered>(&stream, Version::START).await?[0].event, registered);
    ///
    /// store.forget("c-1").await?;
    /// let read = store.read::<CustomerRegistered>(&stream, Version::START).await?;
    /// assert!(read[0].is_erased());
    /// assert_eq!((&*read[0].event.country, &*read[0].event.email), ("DE", ""));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn keys(mut self, keys: impl Keys) -> Self {
        self.privacy = Privacy::Encrypted(Arc::new(keys));
        self
    }

    /// Keeps personal fields as any other: nobody will be forgotten. Without this and without [`keys`](Self::keys), events
    /// that have some are refused.
    #[must_use]
    pub fn in_the_clear(mut self) -> Self {
        self.privacy = Privacy::Clear;
        self
    }

    /// Forgets the keys of a subject: from now on nobody reads the personal fields of its events, wherever copies of them are.
    ///
    /// The events stay, and are read with the fields' defaults: [`Stored::is_erased`](super::Stored::is_erased) tells so. An
    /// event of the subject that is appended later gets another key.
    ///
    /// # Errors
    /// `Invalid`: the store was given no keys. Otherwise as [`Keys::forget`].
    pub async fn forget(&self, subject: &str) -> Result<(), StoreError> {
        match &self.privacy {
            Privacy::Encrypted(keys) => keys.forget(subject).await,
            Privacy::Unsaid | Privacy::Clear => {
                let text = "the store has no keys, so there is nothing to forget: give it some by `Store::keys`";
                Err(StoreError::new(StoreErrorKind::Invalid, text))
            }
        }
    }

    /// May a state be saved as it is, that was made from such events?
    pub(crate) fn may_save(&self, has_personal: bool) -> bool {
        !has_personal || matches!(self.privacy, Privacy::Clear)
    }

    /// The append as it is recorded.
    pub(super) async fn sealed(&self, mut append: Append) -> Result<Append, StoreError> {
        for entry in &mut append.entries {
            if let Some(hands) = entry.hands {
                self.seal(entry, hands).await?;
            }
        }
        Ok(append)
    }

    async fn seal(&self, entry: &mut Entry, hands: Hands) -> Result<(), StoreError> {
        let keys = match &self.privacy {
            Privacy::Encrypted(keys) => keys,
            Privacy::Clear => return Ok(()),
            Privacy::Unsaid => {
                let hint = "give the store keys by `Store::keys`, or say `Store::in_the_clear`";
                return Err(refused(hands, "and the store was not told how to keep them", hint));
            }
        };
        let parted = (hands.part)(&entry.message.content);
        let Parted { subject, bare, personal } = parted.map_err(|error| error.of_kind(StoreErrorKind::Invalid))?;
        if personal.is_empty() {
            return Ok(());
        }
        let Some(subject) = subject else {
            return Err(refused(
                hands,
                "and does not say whose data they are",
                "mark the field that does as `subject`",
            ));
        };
        if subject.is_empty() {
            return Err(refused(hands, "and the subject is empty", "set it: its value names the key"));
        }
        let key = keys.current(&subject).await?;
        let head = &entry.message.head;
        let place =
            Place { id: head.id.as_ref().map_or("", MessageId::as_str), event: entry.name(), subject: &subject };
        entry.message.content = payload::seal(&bare, &personal, &key, place)?;
        Ok(())
    }

    /// Puts what is personal into the event, as far as that is not erased.
    pub(super) async fn open<R: EventSet>(&self, recorded: &mut Recorded) -> Result<Values, StoreError> {
        self.open_by(recorded, R::hands).await
    }

    /// The same, by the hands that are found for its name.
    pub(crate) async fn open_by(
        &self,
        recorded: &mut Recorded,
        hands: impl Fn(&str) -> Option<Hands>,
    ) -> Result<Values, StoreError> {
        let within = |error: StoreError| StoreError::new(error.kind(), place(recorded)).caused_by(error);
        let Some(found) = payload::split(&recorded.entry.message.content).map_err(within)? else {
            return Ok(Values::Whole);
        };
        let name = recorded.entry.name();
        let unreadable = |text: &str| within(StoreError::new(StoreErrorKind::Unreadable, text));
        let Some(hands) = hands(name).or_else(|| self.upcasts.hands(name)) else {
            return Err(unreadable(
                "it is none of the events that are asked for, or their set was not made by `event_set!`",
            ));
        };
        let Privacy::Encrypted(keys) = &self.privacy else {
            return Err(unreadable(
                "it has personal fields that are encrypted: give the store the keys by `Store::keys`",
            ));
        };
        let subject =
            (hands.subject)(&found.bare).map_err(|error| within(error.of_kind(StoreErrorKind::Unreadable)))?;
        let Some(subject) = subject else {
            return Err(unreadable("its contract no longer says whose data it has: mark the field as `subject` again"));
        };
        let head = &recorded.entry.message.head;
        let place = Place { id: head.id.as_ref().map_or("", MessageId::as_str), event: name, subject: &subject };
        let (content, values) = match keys.find(&subject, found.key).await.map_err(within)? {
            Kept::Key(key) => {
                let personal = found.open(&key, place).map_err(within)?;
                let joined = (hands.join)(&found.bare, &personal);
                (joined.map_err(|error| within(error.of_kind(StoreErrorKind::Unreadable)))?, Values::Opened)
            }
            Kept::Forgotten => (found.bare, Values::Erased),
            Kept::Unknown => {
                let text =
                    format!("the keys have no key `{}`, and never had: are they those of this store?", found.key);
                return Err(unreadable(&text));
            }
        };
        recorded.entry.message.content = content;
        Ok(values)
    }
}

fn refused(hands: Hands, why: &str, hint: &str) -> StoreError {
    let fields = hands.fields.map_or(&[][..], |fields| fields.paths).join("`, `");
    let (name, source) = (hands.contract.name, hands.contract.source);
    let text = format!("event `{name}` ({source}) has personal fields, `{fields}`, {why}: {hint}");
    StoreError::new(StoreErrorKind::Invalid, text)
}
