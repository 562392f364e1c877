//! What is encrypted, and what is left of it once its subject was forgotten.

use std::{collections::BTreeSet, fs, path::Path};

use serde::{Deserialize, Serialize};
use tegami::{
    Secret,
    aggregate::{Aggregate, Repository},
    event::Upcast,
    store::{
        Append, Criterion, EventStore, MasterKey, Memory, Position, Query, Sqlite, SqliteKeys, Store, Version, keys,
    },
};

use super::{CANARY, Known, append_both, forgotten, has_canary, invited, kept, read, registered, stream, uninvited};
use crate::{
    contracts::shop::{
        customers::v1::{CustomerRegistered, GuestInvited},
        orders::v1::OrderPaid,
    },
    payments::paid,
    sqlite::Folder,
};

pub(super) fn master(text: &str) -> MasterKey {
    MasterKey::parse(&Secret::new(format!("{}=", text.repeat(43)))).expect("it is 32 bytes")
}

/// Is a canary in any file of the folder, its name included?
fn in_files(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).expect("it is there").map(|entry| entry.expect("it can be read").path());
    let with = files.filter(|file| has_canary(&fs::read(file).expect("it can be read")));
    with.map(|file| file.display().to_string()).collect()
}

#[tokio::test]
async fn what_is_personal_is_encrypted_and_read_as_it_was() {
    let inner = Memory::new();
    let store = Store::new(inner.clone()).keys(keys::Memory::new());
    append_both(&store).await;
    assert_eq!(read(&store).await, [(registered().into(), false), (invited().into(), false)]);
    for recorded in kept(&inner).await {
        let bytes = &recorded.entry.message.content.bytes;
        assert!(!has_canary(bytes), "{}", String::from_utf8_lossy(bytes));
        assert!(recorded.entry.tags().iter().all(|tag| !has_canary(tag.value().as_bytes())));
    }
}

#[tokio::test]
async fn the_forgotten_are_read_with_defaults_and_others_as_ever() {
    let store = Store::new(Memory::new()).keys(keys::Memory::new());
    append_both(&store).await;
    let other = CustomerRegistered { customer_id: "c-2".to_owned(), ..registered() };
    store.append(Append::to(stream()).event(&other).expect("it is valid")).await.expect("there are keys");
    store.forget("c-1").await.expect("there are keys");
    store.forget("c-1").await.expect("it is forgotten already");
    store.forget("nobody").await.expect("nobody is forgotten already");
    let left = [(Known::from(forgotten()), true), (uninvited().into(), true), (other.clone().into(), false)];
    assert_eq!(read(&store).await, left);
    let of_germany = Criterion::of::<CustomerRegistered>().tagged("country", "DE");
    let found = store.find::<CustomerRegistered>(of_germany, Position::START, 10).await.expect("they can be read");
    assert_eq!(found.events.len(), 2);
    // Whoever comes back gets another key.
    append_both(&store).await;
    let read = read(&store).await;
    assert_eq!((&read[..3], &read[3]), (&left[..], &(registered().into(), false)));
}

#[tokio::test]
async fn upcasts_get_the_forgotten_with_defaults() {
    let store = Store::new(Memory::new()).keys(keys::Memory::new());
    store.append(Append::to(stream()).event(&invited()).expect("it is valid")).await.expect("there are keys");
    let newer = store.clone().upcast::<GuestInvited, CustomerRegistered>();
    let whole = newer.read::<CustomerRegistered>(&stream(), Version::START).await.expect("it is upcast");
    assert_eq!((&*whole[0].event.email, whole[0].is_erased()), (&*format!("{}@", invited().name), false));
    store.forget("c-1").await.expect("there are keys");
    let erased = newer.read::<CustomerRegistered>(&stream(), Version::START).await.expect("no rule is asked");
    assert_eq!((&*erased[0].event.email, &*erased[0].event.country, erased[0].is_erased()), ("@", "FR", true));
}

#[tokio::test]
async fn no_file_has_anything_of_the_forgotten() {
    let folder = Folder::new();
    let keys_file = folder.file().with_file_name("keys.db");
    let keys = SqliteKeys::connect(&keys_file, master("A")).await.expect("it is made");
    let inner = Sqlite::connect(folder.file()).await.expect("it is made");
    let store = Store::new(inner.clone()).keys(keys.clone());
    append_both(&store).await;
    let customers = Repository::<Customer>::new(store.clone()).snapshots_every(1);
    customers.handle("c-1", &()).await.expect("it registers");
    assert_eq!(in_files(&folder.file().with_file_name("")), [""; 0], "nothing personal was ever written");
    let wrapped = wrapped(&keys_file);
    assert!(has_part(&fs::read(&keys_file).expect("it is there"), &wrapped), "the key is there so far");

    store.forget("c-1").await.expect("it can be written");
    for file in fs::read_dir(folder.file().with_file_name("")).expect("it is there") {
        let path = file.expect("it can be read").path();
        let found = has_part(&fs::read(&path).expect("it can be read"), &wrapped);
        assert!(!found, "{} has a part of the key", path.display());
    }
    assert_eq!(read(&store).await.len(), 3);
    assert!(read(&store).await.iter().all(|(event, erased)| *erased && !format!("{event:?}").contains(CANARY)));
    inner.close().await;
    assert_eq!(in_files(&folder.file().with_file_name("")), [""; 0]);

    let keys = SqliteKeys::connect(&keys_file, master("A")).await.expect("it is there");
    let again = Store::new(Sqlite::connect(folder.file()).await.expect("it is there")).keys(keys);
    assert!(read(&again).await.iter().all(|(_, erased)| *erased), "it stays forgotten");
}

/// The one key in the file, as it stands there.
fn wrapped(file: &Path) -> Vec<u8> {
    let connection = rusqlite::Connection::open(file).expect("it is there");
    connection.query_row("SELECT wrapped FROM tegami_keys", (), |row| row.get(0)).expect("there is one key")
}

/// Is a part of the key there? What is freed and not overwritten keeps some of it.
fn has_part(bytes: &[u8], key: &[u8]) -> bool {
    const PART: usize = 8;
    let parts: BTreeSet<&[u8]> = key.windows(PART).collect();
    bytes.windows(PART).any(|window| parts.contains(window))
}

/// A customer, as it registered.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
struct Customer {
    email: String,
    times: usize,
}

impl Aggregate for Customer {
    const KIND: &'static str = "customer";
    type Event = Known;
    type Command = ();
    type Refusal = String;

    fn decide(&self, (): &()) -> Result<Vec<Known>, String> {
        Ok(vec![registered().into()])
    }

    fn evolve(&mut self, event: &Known) {
        self.times += 1;
        if let Known::Customer(customer) = event {
            self.email.clone_from(&customer.email);
        }
    }
}

#[tokio::test]
async fn states_that_may_be_personal_are_not_saved() {
    for (store, saved) in
        [(Store::new(Memory::new()).keys(keys::Memory::new()), false), (Store::new(Memory::new()).in_the_clear(), true)]
    {
        let customers = Repository::<Customer>::new(store.clone()).snapshots_every(1);
        customers.handle("c-1", &()).await.expect("it registers");
        let snapshot = store.inner().snapshot(&stream(), "customer.1").await.expect("it can be read");
        assert_eq!(snapshot.is_some(), saved);
        assert_eq!(customers.load("c-1").await.expect("it is there").state.times, 1);
    }
}

#[tokio::test]
async fn states_that_are_said_not_to_be_personal_are_saved() {
    let store = Store::new(Memory::new()).keys(keys::Memory::new());
    let customers = Repository::<Customer>::new(store.clone()).impersonal_snapshots_every(1);
    customers.handle("c-1", &()).await.expect("it registers");
    assert!(store.inner().snapshot(&stream(), "customer.1").await.expect("it can be read").is_some());
}

impl Upcast<GuestInvited> for OrderPaid {
    fn upcast(old: GuestInvited) -> Self {
        paid(&old.name, 1)
    }
}

/// Orders under a contract without personal fields, those of guests too.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
struct Orders(Vec<String>);

impl Aggregate for Orders {
    const KIND: &'static str = "customer";
    type Event = OrderPaid;
    type Command = ();
    type Refusal = String;

    fn decide(&self, (): &()) -> Result<Vec<OrderPaid>, String> {
        Ok(vec![paid("o-1", 1)])
    }

    fn evolve(&mut self, event: &OrderPaid) {
        self.0.push(event.order_id.clone());
    }
}

/// K-03: what was personal when it was recorded is so under a newer contract, which calls it so no more.
#[tokio::test]
async fn k03_states_with_what_was_personal_under_an_older_contract_are_not_saved() {
    let saved = async |store: &Store| store.inner().snapshot(&stream(), "customer.1").await.expect("it can be read");
    let store = || Store::new(Memory::new()).keys(keys::Memory::new()).upcast::<GuestInvited, OrderPaid>();
    let invited_to = async |store: &Store| {
        store.append(Append::to(stream()).event(&invited()).expect("it is valid")).await.expect("there are keys");
    };

    let guests = store();
    invited_to(&guests).await;
    let orders = Repository::<Orders>::new(guests.clone()).snapshots_every(1);
    let state = orders.handle("c-1", &()).await.expect("it orders").state;
    assert_eq!(state.0, [invited().name, "o-1".to_owned()], "it was upcast");
    assert_eq!(saved(&guests).await, None);
    guests.forget("c-1").await.expect("there are keys");
    orders.handle("c-1", &()).await.expect("it orders");
    let left = saved(&guests).await.expect("nobody is in it any more");
    assert!(!has_canary(&left.bytes), "{}", String::from_utf8_lossy(&left.bytes));

    let guests = store();
    invited_to(&guests).await;
    let orders = Repository::<Orders>::new(guests.clone()).impersonal_snapshots_every(1);
    orders.handle("c-1", &()).await.expect("it orders");
    assert!(saved(&guests).await.is_some(), "it was said to be impersonal");

    let others = store();
    let orders = Repository::<Orders>::new(others.clone()).snapshots_every(1);
    orders.handle("c-1", &()).await.expect("it orders");
    assert!(saved(&others).await.is_some(), "no such event is in it");
}

#[tokio::test]
async fn aggregates_go_on_with_what_is_left() {
    let store = Store::new(Memory::new()).keys(keys::Memory::new());
    let customers = Repository::<Customer>::new(store.clone()).snapshots_every(1);
    customers.handle("c-1", &()).await.expect("it registers");
    store.forget("c-1").await.expect("there are keys");
    let state = customers.load("c-1").await.expect("it is read").state;
    assert_eq!((&*state.email, state.times), ("", 1));
    let handled = customers.handle("c-1", &()).await.expect("it registers again");
    assert_eq!((handled.state.email, handled.state.times), (registered().email, 2));
}

#[tokio::test]
async fn followers_see_the_forgotten_too() {
    let store = Store::new(Memory::new()).keys(keys::Memory::new());
    append_both(&store).await;
    store.forget("c-1").await.expect("there are keys");
    let mut events = store.follow::<Known>(Query::any_of([Criterion::of::<Known>()]), Position::START);
    let found = events.next().await.expect("they can be read").events;
    assert!(found.len() == 2 && found.iter().all(|stored| stored.is_erased()));
}
