//! What handlers get that are fed from a store.

use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tegami::{
    Context, HandlerError, Retry, Secret, Service,
    envelope::MessageId,
    event::Upcast,
    health::State,
    records::Records,
    service::Running,
    store::{Append, MasterKey, Position, SqliteKeys, Store, StreamId, Version, keys},
    transport::{
        Backlog, DeadLetter, Fate, Memory, Provision, Prune, PublishErrorKind, Reach, ReasonKind, Sorter, Topology,
        Transport, TransportErrorKind,
    },
};

use super::quick;
use crate::{
    Folder, OrderPaid, Subject,
    contracts::shop::{customers::v1::CustomerRegistered, orders::v2, warehouse::v1::StockMoved},
    paid, receipt,
    subject::until,
};

const QUEUE: &str = "billing-shop-orders-v1-OrderPaid";

/// What handlers saw: of which event, and at which attempt.
type Seen = Arc<Mutex<Vec<(String, u32)>>>;

fn look(seen: &Seen) -> Vec<(String, u32)> {
    seen.lock().expect("no panic while it is held").clone()
}

async fn all_seen(seen: &Seen, count: usize) {
    until(async || look(seen).len() >= count).await;
}

async fn note(order: OrderPaid, ctx: Context<Seen>) -> Result<(), HandlerError> {
    ctx.state().lock().expect("no panic while it is held").push((order.order_id, ctx.attempt()));
    Ok(())
}

/// The order `bad` fails always, the order `late` once.
async fn fail_some(order: OrderPaid, ctx: Context<Seen>) -> Result<(), HandlerError> {
    let (id, attempt) = (order.order_id.clone(), ctx.attempt());
    note(order, ctx).await?;
    match (&*id, attempt) {
        ("bad", _) | ("late", 1) => Err(HandlerError::retry("it was told to fail")),
        _ => Ok(()),
    }
}

fn soon() -> Retry {
    Retry::after([Duration::from_millis(10); 2])
}

fn records<S: Subject>(all: &S, store: &Store) -> Records<S::Db> {
    quick(Records::new(all.db(), store))
}

fn billing(seen: &Seen, transport: impl Transport) -> Service<Seen> {
    Service::new("billing").transport(transport).state(seen.clone())
}

async fn start<T: Send + Sync + 'static>(service: Service<T>) -> Running {
    service.start().await.expect("it starts")
}

async fn stop(running: Running) {
    running.stop().await.expect("it stops");
}

async fn append(store: &Store, orders: impl IntoIterator<Item = impl Into<String>>) -> Position {
    let mut last = Position::START;
    for order in orders {
        let (order, stream) = (paid(order), StreamId::new("orders").expect("a good name"));
        let append = Append::to(stream).event(&order).expect("it is valid");
        last = store.append(append).await.expect("it is appended").position;
    }
    last
}

fn once(orders: impl IntoIterator<Item = impl Into<String>>) -> Vec<(String, u32)> {
    orders.into_iter().map(|order| (order.into(), 1)).collect()
}

/// D1, X7: handlers have retries, dead letters and redrive; and a queue begins where it was made.
pub(crate) async fn d1_x7_a_handler_has_each_event_once_with_retries_dead_letters_and_redrive<S: Subject>() {
    let all = S::open().await;
    let (store, seen) = (Store::new(all.events()), Seen::default());
    append(&store, ["before"]).await;
    let service = || billing(&seen, records(&all, &store)).on_with::<OrderPaid>(fail_some, |s| s.retry(soon()));
    let running = start(service()).await;
    let last = append(&store, ["o-1", "late", "bad", "o-2"]).await;
    all_seen(&seen, 7).await;
    let records = records(&all, &store);
    until(async || records.position(QUEUE).await.expect("it is read") >= Some(last)).await;
    until(async || !records.dead_letters(QUEUE, 9).await.expect("they are read").is_empty()).await;
    let mut found = look(&seen);
    found.sort();
    let wanted = [("bad", 1), ("bad", 2), ("bad", 3), ("late", 1), ("late", 2), ("o-1", 1), ("o-2", 1)];
    assert_eq!(found, wanted.map(|(order, attempt)| (order.to_owned(), attempt)));
    let dead = records.dead_letters(QUEUE, 9).await.expect("they are read");
    assert_eq!((dead.len(), dead[0].reason(), dead[0].attempts()), (1, ReasonKind::HandlerError, 3));
    assert_eq!(dead[0].error(), "it was told to fail");
    stop(running).await;
    assert_eq!(records.redrive(QUEUE).await.expect("they are put back"), 1);
    let running = start(service()).await;
    all_seen(&seen, 10).await;
    assert_eq!(look(&seen)[7], ("bad".to_owned(), 1), "attempts count from 1 again");
    stop(running).await;
}

pub(crate) async fn a_queue_begins_when_it_is_made_or_with_the_first_event<S: Subject>() {
    let all = S::open().await;
    let (store, [now, first, later]) = (Store::new(all.events()), std::array::from_fn(|_| Seen::default()));
    append(&store, ["o-1", "o-2"]).await;
    let on = |seen: &Seen, records: Records<S::Db>, name: &str| {
        let service = Service::new(name).transport(records).state(seen.clone());
        service.on_with::<OrderPaid>(note, |s| s.concurrency(1))
    };
    let running = [
        start(on(&now, records(&all, &store), "now")).await,
        start(on(&first, records(&all, &store).from_the_first_event(), "first")).await,
    ];
    append(&store, ["o-3"]).await;
    all_seen(&now, 1).await;
    all_seen(&first, 3).await;
    let of_one_more = start(on(&later, records(&all, &store).from_the_first_event(), "later")).await;
    all_seen(&later, 3).await;
    assert_eq!(look(&now), once(["o-3"]));
    assert_eq!((look(&first), look(&later)), (once(["o-1", "o-2", "o-3"]), once(["o-1", "o-2", "o-3"])));
    for running in running.into_iter().chain([of_one_more]) {
        stop(running).await;
    }
    // What was recorded meanwhile is there, wherever the queue began.
    append(&store, ["o-4"]).await;
    let running = start(on(&now, records(&all, &store), "now")).await;
    all_seen(&now, 2).await;
    assert_eq!(look(&now), once(["o-3", "o-4"]));
    stop(running).await;
}

pub(crate) async fn what_is_published_to_a_store_is_refused_and_an_attached_broker_takes_it<S: Subject>() {
    let all = S::open().await;
    let (store, memory) = (Store::new(all.events()), Memory::builder().record(9).build());
    let service = Service::new("billing").transport(records(&all, &store)).attach("bus", memory.clone());
    let running = start(service).await;
    let refused = running.publisher().publish(&receipt("o-1")).await.expect_err("it is no bus");
    assert_eq!(refused.kind(), PublishErrorKind::Unsupported);
    let told = refused.to_string();
    assert!(told.contains("Append the event to the store") && told.contains("via"), "{told}");
    let sent = running.publisher().publish_with(&receipt("o-1"), |options| options.via("bus").allow_unroutable()).await;
    sent.expect("the broker takes it");
    assert_eq!(memory.published().len(), 1);
    stop(running).await;
    let each = |s: tegami::Subscription<OrderPaid>| s.per_instance();
    let service = billing(&Seen::default(), records(&all, &store)).on_with::<OrderPaid>(note, each);
    let refused = service.start().await.err().expect("nobody can have a queue of its own");
    assert!(refused.to_string().contains(&Reach::PerInstance.to_string()), "{refused}");
}

/// O2: an event that waits for its next attempt holds those of its key, and no others; also after a restart.
pub(crate) async fn o2_an_event_that_waits_holds_those_behind_it_of_its_key<S: Subject>() {
    async fn handle(moved: StockMoved, ctx: Context<(Seen, Arc<AtomicBool>)>) -> Result<(), HandlerError> {
        let (seen, fails) = ctx.state();
        if moved.quantity == 1 && moved.sku == "a" && fails.load(Ordering::SeqCst) {
            return Err(HandlerError::retry("not yet"));
        }
        seen.lock().expect("no panic while it is held").push((format!("{}{}", moved.sku, moved.quantity), 1));
        Ok(())
    }
    let all = S::open().await;
    let (store, seen, fails) = (Store::new(all.events()), Seen::default(), Arc::new(AtomicBool::new(true)));
    let service = || {
        let often = Retry::after([Duration::from_millis(50); 1000]);
        let service = Service::new("stock").transport(records(&all, &store)).state((seen.clone(), fails.clone()));
        start(service.on_with::<StockMoved>(handle, |s| s.retry(often)))
    };
    let running = service().await;
    for (sku, quantity) in [("a", 1), ("b", 1), ("a", 2), ("b", 2), ("a", 3)] {
        let moved = StockMoved { sku: sku.to_owned(), quantity, ..Default::default() };
        let append = Append::to(StreamId::of("stock", sku).expect("a good name")).event(&moved).expect("it is valid");
        store.append(append).await.expect("it is appended");
    }
    all_seen(&seen, 2).await;
    stop(running).await;
    let running = service().await;
    // Those of `a` would come at once, if nothing held them.
    append(&store, ["o-1"]).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(look(&seen), once(["b1", "b2"]), "the others of the key wait");
    fails.store(false, Ordering::SeqCst);
    all_seen(&seen, 5).await;
    assert_eq!(look(&seen), once(["b1", "b2", "a1", "a2", "a3"]));
    stop(running).await;
}

/// I1: a transactional handler has its effect once, also where the reader ends between the effect and its note.
pub(crate) async fn i1_a_transactional_handler_has_its_effect_once_however_often_its_reader_goes<S: Subject>() {
    async fn write<S: Subject>(order: OrderPaid, _: Context, tx: &mut S::Tx) -> Result<(), HandlerError> {
        S::write(tx, &order.order_id).await.map_err(HandlerError::retry)
    }
    let all = S::open().await;
    let store = Store::new(all.events());
    let orders: Vec<String> = (0..60).map(|number| format!("o-{number:02}")).collect();
    let service = || {
        let records = records(&all, &store).hold(Duration::from_secs(1)).from_the_first_event();
        start(Service::new("billing").transport(records).transactional(all.db()).on::<OrderPaid>(write::<S>))
    };
    append(&store, &orders).await;
    for effects in [5, 20, 40] {
        let running = service().await;
        until(async || all.written().await.len() >= effects).await;
        // As a process that is killed: nothing is given up.
        drop(running);
    }
    let running = service().await;
    until(async || all.written().await.len() >= orders.len()).await;
    stop(running).await;
    let mut written = all.written().await;
    written.sort();
    assert_eq!(written, orders, "each has one effect");
}

/// X1: what cannot be decoded becomes a dead letter, and delays nobody.
pub(crate) async fn x1_what_nobody_can_read_becomes_a_dead_letter_and_delays_nobody<S: Subject>() {
    use tegami::{
        codec::Payload,
        envelope::{Head, Message},
        event::Encoding,
        store::{Entry, EventStore},
        time::Wall,
    };
    let all = S::open().await;
    let (store, seen) = (Store::new(all.events()), Seen::default());
    let running = start(billing(&seen, records(&all, &store)).on::<OrderPaid>(note)).await;
    let head = Head::new().id(MessageId::parse("m-1").expect("a good id")).time(Wall::system().now());
    let payload = Payload { encoding: Encoding::Protobuf, bytes: vec![0xff; 9].into() };
    let message = Message::new(head.event("shop.orders.v1.OrderPaid"), payload);
    let bad = Append::to(StreamId::new("orders").expect("a good name")).entry(Entry::new(message, 1, None));
    store.inner().append(bad).await.expect("a store looks into no payload");
    append(&store, ["o-1"]).await;
    all_seen(&seen, 1).await;
    let records = records(&all, &store);
    until(async || !records.dead_letters(QUEUE, 9).await.expect("they are read").is_empty()).await;
    let dead = records.dead_letters(QUEUE, 9).await.expect("they are read");
    assert_eq!((dead.len(), dead[0].reason()), (1, ReasonKind::Undecodable));
    assert_eq!((dead[0].id().map(MessageId::as_str), &dead[0].payload()[..]), (Some("m-1"), &[0xff; 9][..]));
    assert_eq!(look(&seen), once(["o-1"]));
    stop(running).await;
}

const CUSTOMERS: &str = "billing-shop-customers-v1-CustomerRegistered";

async fn note_email(customer: CustomerRegistered, ctx: Context<Seen>) -> Result<(), HandlerError> {
    ctx.state().lock().expect("no panic while it is held").push((customer.email.clone(), ctx.attempt()));
    Ok(())
}

/// Has a customer recorded, with an address for mail.
async fn register(store: &Store, customer: &str) -> StreamId {
    let email = format!("{customer}@example.com");
    let registered = CustomerRegistered::builder().customer_id(customer).country("DE").email(email).build();
    let stream = StreamId::of("customer", customer).expect("a good name");
    let append = Append::to(stream.clone()).event(&registered).expect("it is valid");
    store.append(append).await.expect("it is appended");
    stream
}

/// What is personal comes as it was, while its key is there; and what is left of it comes to nobody.
pub(crate) async fn k3_what_is_personal_is_opened_for_handlers_and_what_was_erased_is_passed_by<S: Subject>() {
    let all = S::open().await;
    let (store, seen) = (Store::new(all.events()).keys(keys::Memory::new()), Seen::default());
    for customer in ["c-1", "c-2"] {
        register(&store, customer).await;
    }
    store.forget("c-1").await.expect("it is forgotten");
    let records = || records(&all, &store).from_the_first_event();
    let running = start(billing(&seen, records()).on::<CustomerRegistered>(note_email)).await;
    all_seen(&seen, 1).await;
    stop(running).await;
    assert_eq!(look(&seen), once(["c-2@example.com"]));
    assert!(records().dead_letters(CUSTOMERS, 9).await.expect("they are read").is_empty());
}

/// X3, D1: what is encrypted and was changed, cut or taken from another event becomes a dead letter, with its bytes.
pub(crate) async fn x3_d1_what_cannot_be_decrypted_becomes_a_dead_letter_and_delays_nobody<S: Subject>() {
    let (all, keys, seen) = (S::open().await, keys::Memory::new(), Seen::default());
    let store = Store::new(all.events()).keys(keys.clone());
    let elsewhere = Store::new(tegami::store::Memory::new()).keys(keys);
    let running = start(billing(&seen, records(&all, &store)).on::<CustomerRegistered>(note_email)).await;
    let mut damaged = Vec::new();
    for customer in ["changed", "cut", "moved"] {
        let stream = register(&elsewhere, customer).await;
        let mut written = elsewhere.inner().read_stream(&stream, Version::START, 1).await.expect("it is read");
        let mut entry = written.remove(0).entry;
        let mut bytes = entry.message.content.bytes.to_vec();
        // The first bytes say that something is encrypted, and with which key.
        match customer {
            "changed" => bytes[80] = if bytes[80] == b'A' { b'B' } else { b'A' },
            "cut" => bytes.truncate(40),
            _ => entry.message.head.id = MessageId::parse("m-1"),
        }
        entry.message.content.bytes = bytes.clone().into();
        store.inner().append(Append::to(stream).entry(entry)).await.expect("a store looks into no payload");
        damaged.push(bytes);
    }
    register(&store, "c-1").await;
    all_seen(&seen, 1).await;
    let records = records(&all, &store);
    until(async || records.dead_letters(CUSTOMERS, 9).await.expect("they are read").len() == damaged.len()).await;
    let dead = records.dead_letters(CUSTOMERS, 9).await.expect("they are read");
    assert!(dead.iter().all(|dead| dead.reason() == ReasonKind::Undecodable), "{dead:?}");
    let mut found: Vec<_> = dead.iter().map(|dead| dead.payload().to_vec()).collect();
    found.sort();
    damaged.sort();
    assert_eq!(found, damaged, "as they were found");
    assert_eq!(look(&seen), once(["c-1@example.com"]));
    stop(running).await;
}

/// X3, D1: nobody knows what would be decrypted, so nothing is given up on; readiness tells, and the queue goes on.
pub(crate) async fn x3_d1_where_the_file_of_keys_is_damaged_the_queue_waits_until_it_is_mended<S: Subject>() {
    let (all, folder, seen) = (S::open().await, Folder::new(), Seen::default());
    let file = folder.0.join("keys.db");
    let master = MasterKey::parse(&Secret::new(format!("{}=", "A".repeat(43)))).expect("it is 32 bytes");
    let keys = SqliteKeys::connect(&file, master).await.expect("it is made");
    let store = Store::new(all.events()).keys(keys);
    for customer in ["c-1", "c-2"] {
        register(&store, customer).await;
    }
    let whole = fs::read(&file).expect("it is there");
    let mut damaged = whole.clone();
    // All but its head; by this count, whoever has the file open knows that it was changed.
    damaged[24..28].fill(0x11);
    damaged[100..].fill(0xFF);
    fs::write(&file, damaged).expect("it is written");
    let records = || records(&all, &store).from_the_first_event();
    let running = start(billing(&seen, records()).on::<CustomerRegistered>(note_email)).await;
    until(async || running.health().await.state == State::Degraded).await;
    assert!(look(&seen).is_empty() && records().dead_letters(CUSTOMERS, 9).await.expect("they are read").is_empty());
    fs::write(&file, whole).expect("it is written");
    all_seen(&seen, 2).await;
    until(async || running.health().await.state == State::Up).await;
    stop(running).await;
    let mut found = look(&seen);
    found.sort();
    assert_eq!(found, once(["c-1@example.com", "c-2@example.com"]));
    assert!(records().dead_letters(CUSTOMERS, 9).await.expect("they are read").is_empty());
}

impl Upcast<OrderPaid> for v2::OrderPaid {
    fn upcast(old: OrderPaid) -> Self {
        Self { order_id: old.order_id, currency: old.currency, amount: "1".to_owned(), ..Self::default() }
    }
}

/// D10: older events come as the newer, whether the service has the upcast or the store.
pub(crate) async fn d10_older_events_come_as_the_newer<S: Subject>() {
    async fn handle(order: v2::OrderPaid, ctx: Context<Seen>) -> Result<(), HandlerError> {
        ctx.state().lock().expect("no panic while it is held").push((order.order_id, ctx.attempt()));
        Ok(())
    }
    let all = S::open().await;
    let (plain, [by_service, by_store]) = (Store::new(all.events()), std::array::from_fn(|_| Seen::default()));
    let store = plain.clone().upcast::<OrderPaid, v2::OrderPaid>();
    let service = billing(&by_service, records(&all, &plain)).upcast::<OrderPaid, v2::OrderPaid>();
    let one = start(service.on::<v2::OrderPaid>(handle)).await;
    let service = Service::new("ledger").transport(records(&all, &store)).state(by_store.clone());
    let other = start(service.on::<v2::OrderPaid>(handle)).await;
    append(&plain, ["o-1"]).await;
    all_seen(&by_service, 1).await;
    all_seen(&by_store, 1).await;
    assert_eq!((look(&by_service), look(&by_store)), (once(["o-1"]), once(["o-1"])));
    stop(one).await;
    stop(other).await;
}

/// A slow handler keeps nobody's work from being noted: what others did meanwhile is not done again.
pub(crate) async fn a_slow_event_does_not_have_others_handled_again<S: Subject>() {
    async fn handle(order: OrderPaid, ctx: Context<Seen>) -> Result<(), HandlerError> {
        let is_slow = order.order_id == "slow";
        note(order, ctx).await?;
        if is_slow {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
    let all = S::open().await;
    let (store, seen) = (Store::new(all.events()), Seen::default());
    let connection = || records(&all, &store).hold(Duration::from_secs(1));
    let running = start(billing(&seen, connection()).on::<OrderPaid>(handle)).await;
    append(&store, ["slow"]).await;
    let last = append(&store, (0..20).map(|number| format!("o-{number}"))).await;
    all_seen(&seen, 21).await;
    until(async || connection().position(QUEUE).await.expect("it is read") >= Some(last)).await;
    drop(running);
    let running = start(billing(&seen, connection()).on::<OrderPaid>(note)).await;
    append(&store, ["end"]).await;
    all_seen(&seen, 23).await;
    let mut again: Vec<String> = look(&seen).split_off(21).into_iter().map(|(order, _)| order).collect();
    again.sort();
    assert_eq!(again, ["end", "slow"]);
    stop(running).await;
}

pub(crate) async fn a_queue_that_is_removed_begins_anew_and_one_that_is_read_stays<S: Subject>() {
    let all = S::open().await;
    let (store, seen) = (Store::new(all.events()), Seen::default());
    let running = start(billing(&seen, records(&all, &store)).on::<OrderPaid>(note)).await;
    append(&store, ["o-1"]).await;
    all_seen(&seen, 1).await;
    let connection = records(&all, &store);
    until(async || connection.remove(QUEUE).await.is_err()).await;
    stop(running).await;
    assert!(connection.remove(QUEUE).await.expect("nobody reads it"));
    assert!(!connection.remove(QUEUE).await.expect("it is asked"));
    assert!(connection.dead_letters(QUEUE, 1).await.is_err(), "it is not there");
    let again = records(&all, &store).from_the_first_event();
    let running = start(billing(&seen, again).on::<OrderPaid>(note)).await;
    all_seen(&seen, 2).await;
    assert_eq!(look(&seen), once(["o-1", "o-1"]));
    stop(running).await;
}

/// For databases that count positions in each store: others are behind those of every earlier store.
pub(crate) async fn d1_a_store_that_was_brought_back_has_its_queue_stand_still_until_it_is_told_where_to_go_on<S>()
where
    S: Subject,
{
    let (all, later, earlier) = (S::open().await, S::open().await, S::open().await);
    let (lost, restored, seen) = (Store::new(later.events()), Store::new(earlier.events()), Seen::default());
    let billing = |store: &Store| {
        let billing = billing(&seen, records(&all, store));
        start(billing.on_with::<OrderPaid>(fail_some, |s| s.retry(soon())))
    };
    let running = billing(&lost).await;
    append(&lost, ["o-1", "o-2", "bad"]).await;
    let connection = records(&all, &restored);
    until(async || connection.dead_letters(QUEUE, 9).await.is_ok_and(|dead| dead.len() == 1)).await;
    stop(running).await;
    let before = look(&seen);

    let end = append(&restored, ["o-1"]).await;
    for order in ["n-1", "n-2", "n-3"] {
        let running = billing(&restored).await;
        let reason = async || {
            running.health().await.components.into_iter().find_map(|part| {
                part.status.reason().filter(|reason| reason.contains("had come to 3 ")).map(str::to_owned)
            })
        };
        until(async || reason().await.is_some()).await;
        append(&restored, [order]).await;
        stop(running).await;
    }
    assert_eq!(look(&seen), before, "nothing is handled, however far the store has grown");

    let position = connection.position(QUEUE).await.expect("it is read").expect("it is there");
    assert_eq!(position, Position::new(3), "where it had come to");
    connection.go_on_after(QUEUE, end).await.expect("nobody reads it");
    assert!(
        connection.dead_letters(QUEUE, 9).await.expect("it is asked").is_empty(),
        "it was of an event that is no more"
    );
    let running = billing(&restored).await;
    all_seen(&seen, before.len() + 3).await;
    let mut after = look(&seen).split_off(before.len());
    after.sort();
    assert_eq!(after, once(["n-1", "n-2", "n-3"]));
    let error = connection.go_on_after(QUEUE, end).await.expect_err("it is read");
    assert_eq!(error.kind(), TransportErrorKind::Refused, "{error}");
    stop(running).await;
}

/// What waits is what the filters want; where a queue stands still, its position is the one it had come to.
pub(crate) async fn the_backlog_is_what_the_filters_want<S: Subject>() {
    let all = S::open().await;
    let store = Store::new(all.events());
    let connection = records(&all, &store);
    let service = Service::new("billing").transport(records(&all, &store)).state(Seen::default());
    let euros = |s: tegami::Subscription<OrderPaid>| s.filter(OrderPaid::currency().one_of(["EUR"]));
    let service = service.on_with::<OrderPaid>(note, euros);
    let plan = service.topology().expect("it is planned").queues.remove(0);
    let topology = service.topology().expect("it is planned");
    connection.provision(&topology, Provision::Create).await.expect("it is made");
    for (number, currency) in ["EUR", "SEK", "EUR", "SEK", "SEK"].into_iter().enumerate() {
        let order = OrderPaid::builder().order_id(format!("o-{number}")).currency(currency).amount_minor(1).build();
        let append = Append::to(StreamId::new("orders").expect("a good name")).event(&order).expect("it is valid");
        store.append(append).await.expect("it is appended");
    }
    assert_eq!(connection.backlog(&plan).await, Backlog::new(Some(2), Some(0)));
}

/// What an earlier plan left goes where nothing waits in it, and stays otherwise, with the reason.
pub(crate) async fn what_an_earlier_plan_left_is_removed_where_nothing_waits_in_it<S: Subject>() {
    let all = S::open().await;
    let (store, seen) = (Store::new(all.events()), Seen::default());
    let connection = records(&all, &store);
    let billing = || billing(&seen, records(&all, &store)).on_with::<OrderPaid>(fail_some, |s| s.retry(soon()));
    let former = billing().topology().expect("it is planned").queues;
    let prune = async |mode| connection.prune(&former, &Topology::default(), mode).await.expect("it is looked at");
    assert_eq!(prune(Prune::Look).await, [], "it was never there");
    let running = start(billing()).await;
    append(&store, ["o-1", "bad"]).await;
    until(async || connection.dead_letters(QUEUE, 9).await.is_ok_and(|dead| dead.len() == 1)).await;
    let reason = async |mode| prune(mode).await.remove(0).kept.unwrap_or_default();
    assert!(reason(Prune::Delete).await.contains("is read"));
    stop(running).await;
    assert!(reason(Prune::Delete).await.contains("dead letters: 1"));
    assert_eq!(connection.redrive(QUEUE).await.expect("they are put back"), 1);
    assert!(reason(Prune::Delete).await.contains("not empty: 1"), "it waits");
    let running = start(billing()).await;
    until(async || connection.dead_letters(QUEUE, 9).await.is_ok_and(|dead| dead.len() == 1)).await;
    stop(running).await;
    connection.sort_dead_letters(QUEUE, &mut Drop).await.expect("they are dropped");
    append(&store, ["o-2"]).await;
    assert!(reason(Prune::Delete).await.contains("not empty: 1"), "it was recorded meanwhile");
    let so_far = look(&seen).len();
    let running = start(billing()).await;
    all_seen(&seen, so_far + 1).await;
    stop(running).await;
    let today = billing().topology().expect("it is planned");
    assert_eq!(connection.prune(&former, &today, Prune::Delete).await.expect("it is looked at"), [], "it is needed");
    assert_eq!(prune(Prune::Look).await.remove(0).kept, None);
    assert!(connection.position(QUEUE).await.expect("it is read").is_some(), "only looked at");
    assert_eq!(prune(Prune::Delete).await.remove(0).kept, None);
    assert_eq!(connection.position(QUEUE).await.expect("it is read"), None);
}

/// Drops every dead letter.
struct Drop;

#[async_trait::async_trait]
impl Sorter for Drop {
    async fn room(&mut self) -> usize {
        9
    }

    fn fate(&mut self, _: &DeadLetter) -> Fate {
        Fate::Drop
    }

    fn left(&mut self, _: Fate) {}
}
