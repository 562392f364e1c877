//! Process managers: what comes, what follows, and what has waited for too long.

use std::{
    borrow::Borrow,
    time::{Duration, SystemTime},
};

use tegami::{
    Retry, Service, Subscription,
    envelope::MessageId,
    outbox::{Claim, Claimed, Database, Fate, Outbox, Timeout, Timeouts},
    process::{Manager, Process, Reaction},
    service::Running,
    store::{Store, Version},
    testing::{TestService, crash_matrix, process},
    transport,
};

use crate::{
    OrderPaid, ReceiptSent, Subject,
    contracts::shop::{
        fulfilment::v1::{OrderDelayed, ParcelOverdue},
        shipping::v1::{ParcelShipped, parcel_shipped::Carrier},
    },
    paid, receipt,
};

tegami::event_set! {
    /// What an order goes through.
    #[derive(Debug, Clone, PartialEq)]
    pub(crate) enum Step {
        Paid(OrderPaid),
        Shipped(ParcelShipped),
        Overdue(ParcelOverdue),
        Delayed(OrderDelayed),
        Receipted(ReceiptSent),
    }
}

/// An order whose parcel has to leave within so many milliseconds; with its receipt it is over, if it `ENDS`.
#[derive(Debug, Default, Clone, PartialEq)]
struct Fulfilment<const PATIENCE: u64, const ENDS: bool = false> {
    order_id: String,
    steps: Vec<&'static str>,
}

impl<const PATIENCE: u64, const ENDS: bool> Fulfilment<PATIENCE, ENDS> {
    fn has(&self, step: &str) -> bool {
        self.steps.contains(&step)
    }
}

impl<const PATIENCE: u64, const ENDS: bool> Process for Fulfilment<PATIENCE, ENDS> {
    const KIND: &'static str = "fulfilment";
    type Event = Step;

    fn id<'a>(event: &'a Step, key: Option<&'a str>) -> Option<&'a str> {
        if let Step::Shipped(parcel) = event { Some(&parcel.order_id) } else { key }
    }

    fn evolve(&mut self, event: &Step) {
        self.steps.push(match event {
            Step::Paid(order) => {
                self.order_id.clone_from(&order.order_id);
                "paid"
            }
            Step::Shipped(_) => "shipped",
            Step::Overdue(_) => "overdue",
            Step::Delayed(_) => "delayed",
            Step::Receipted(_) => "receipted",
        });
    }

    fn react(&self, event: &Step) -> Reaction<Step> {
        let order = &*self.order_id;
        match event {
            Step::Paid(_) | Step::Shipped(_) if self.has("paid") && self.has("shipped") => {
                let reaction = Reaction::none().publish(receipt(order));
                if ENDS { reaction } else { reaction.cancel::<ParcelOverdue>() }
            }
            Step::Paid(_) => Reaction::none().timeout(Duration::from_millis(PATIENCE), overdue(order)),
            Step::Overdue(_) => Reaction::none().publish(delayed(order)),
            _ => Reaction::none(),
        }
    }

    fn is_over(&self) -> bool {
        ENDS && self.has("receipted")
    }
}

fn overdue(order: &str) -> ParcelOverdue {
    ParcelOverdue::builder().order_id(order).build()
}

fn delayed(order: &str) -> OrderDelayed {
    OrderDelayed::builder().order_id(order).build()
}

fn shipped(order: &str) -> ParcelShipped {
    ParcelShipped::builder().parcel_id(format!("p-{order}")).order_id(order).carrier(Carrier::Dhl).build()
}

/// Two days, and no time at all.
const LONG: u64 = 2 * 86_400_000;
const AT_ONCE: u64 = 0;
/// Longer than clocks in one process differ.
const SOON: Duration = Duration::from_secs(1);

/// A shop that keeps its orders by this process.
fn shop<S: Subject, P: Process<Event = Step>>(all: &S) -> (Service, Manager<P>) {
    let manager = Manager::<P>::new(Store::new(all.events()));
    let service = Service::new("shop").allow_unroutable::<ReceiptSent>().allow_unroutable::<OrderDelayed>();
    let service = service.transactional(all.db()).on_with::<OrderPaid>(manager.clone(), again);
    let service = service.transactional(all.db()).on_with::<ParcelShipped>(manager.clone(), again);
    (service.transactional(all.db()).on_with::<ParcelOverdue>(manager.clone(), again), manager)
}

/// A handler that always fails ends in a dead letter, and the test with it.
fn again<E: tegami::Event>(subscription: Subscription<E>) -> Subscription<E> {
    subscription.retry(Retry::after([Duration::from_millis(10); 8]))
}

/// A shop that runs, and nobody who relays its outbox.
struct Shop<P> {
    running: Running,
    memory: transport::Memory,
    manager: Manager<P>,
}

impl<P: Process<Event = Step> + Clone> Shop<P> {
    async fn open<S: Subject>(all: &S) -> Self {
        let memory = transport::Memory::new();
        let (service, manager) = shop::<S, P>(all);
        let running = service.transport(memory.clone()).start().await.expect("it starts");
        Self { running, memory, manager }
    }

    async fn comes<E: tegami::Event>(&self, event: &E, id: &str) {
        let id = MessageId::parse(id).expect("a good id");
        let published = self.running.publisher().publish_with(event, |options| options.id(id)).await;
        published.expect("it is published");
        self.memory.quiet().await;
    }

    async fn order(&self, id: &str) -> P {
        self.manager.load(id).await.expect("it is loaded")
    }
}

/// What a relay would send after this time, where a database goes by the clock of the machine.
async fn taken<S: Subject>(all: &S, later: Duration) -> Vec<Claimed> {
    let claim = Claim::new("relay", 100, Duration::from_secs(60), SystemTime::now() + later);
    all.db().take(&claim).await.expect("it is taken")
}

fn names(rows: Vec<Claimed>) -> Vec<String> {
    let name = |claimed: Claimed| claimed.row.outgoing.event.rsplit('.').next().expect("a name").to_owned();
    rows.into_iter().map(name).collect()
}

/// What a relay has sent by now.
async fn relayed<S: Subject>(all: &S) -> Vec<Claimed> {
    settled(all, Fate::Sent).await
}

/// What a relay has had by now, with this fate.
async fn settled<S: Subject>(all: &S, fate: Fate) -> Vec<Claimed> {
    let rows = taken(all, SOON).await;
    let claim = Claim::new("relay", 100, Duration::from_secs(60), SystemTime::now());
    let fates: Vec<_> = rows.iter().map(|claimed| (claimed.number, fate.clone())).collect();
    all.db().settle(&claim, &fates).await.expect("it is noted");
    rows
}

async fn sent<S: Subject>(all: &S) -> Vec<String> {
    names(relayed(all).await)
}

/// I1: what it has become, what it publishes and that it has handled the message are one.
pub(crate) async fn i1_a_process_takes_up_each_message_once_and_publishes_what_is_in_its_stream<S: Subject>() {
    let all = S::open().await;
    let shop = Shop::<Fulfilment<LONG>>::open(&all).await;
    shop.comes(&shipped("o-1"), "m-1").await;
    assert!(taken(&all, SOON).await.is_empty());
    for _ in 0..3 {
        shop.comes(&paid("o-1"), "m-2").await;
    }
    assert_eq!(shop.order("o-1").await.steps, ["shipped", "paid", "receipted"]);
    let [row] = &taken(&all, SOON).await[..] else { panic!("one receipt") };
    let stream = Manager::<Fulfilment<LONG>>::stream("o-1").expect("a good name");
    let steps = Store::new(all.events()).read::<Step>(&stream, Version::START).await.expect("it is read");
    assert_eq!(steps[2].head.id.as_ref(), Some(&row.row.outgoing.id), "the message is what is recorded");
    let causes: Vec<_> = steps.iter().map(|step| step.head.causation_id.as_ref().map(ToString::to_string)).collect();
    assert_eq!(causes.iter().flatten().collect::<Vec<_>>(), ["m-1", "m-2", "m-2"]);
    assert!(shop.memory.all_dead_letters().is_empty());
}

/// One whose time has come is sent once; it is taken up once, and then forgotten.
pub(crate) async fn a_timeout_comes_when_its_time_has_come<S: Subject>() {
    let all = S::open().await;
    let patient = Shop::<Fulfilment<LONG>>::open(&all).await;
    patient.comes(&paid("o-1"), "m-1").await;
    assert_eq!(sent(&all).await, [""; 0], "in two days");
    patient.running.stop().await.expect("it stops");
    let shop = Shop::<Fulfilment<AT_ONCE>>::open(&all).await;
    shop.comes(&paid("o-2"), "m-2").await;
    let [row] = &relayed(&all).await[..] else { panic!("the timeout of one order") };
    let id = row.row.outgoing.id.clone();
    assert_eq!(known(&all, "o-2", &id).await, Timeout::Due);
    for _ in 0..2 {
        shop.comes(&overdue("o-2"), id.as_str()).await;
    }
    assert_eq!(shop.order("o-2").await.steps, ["paid", "overdue", "delayed"]);
    assert_eq!((known(&all, "o-2", &id).await, sent(&all).await), (Timeout::None, vec!["OrderDelayed".to_owned()]));
}

/// What the message with this id is to the process of this order.
async fn known<S: Subject>(all: &S, order: &str, id: &MessageId) -> Timeout {
    let mut tx = all.db().begin().await.expect("it begins");
    let owner = Manager::<Fulfilment<LONG>>::stream(order).expect("a good name");
    tx.timeout(owner.as_str(), id).await.expect("it is asked")
}

/// Whether it waits or is on its way, and whether it is cancelled by name or with the end of the process.
pub(crate) async fn a_timeout_that_is_cancelled_is_not_taken_up<S: Subject>() {
    let all = S::open().await;
    cancelled(&all, &Shop::<Fulfilment<AT_ONCE>>::open(&all).await, ["o-1", "o-2"]).await;
    cancelled(&all, &Shop::<Fulfilment<AT_ONCE, true>>::open(&all).await, ["o-3", "o-4"]).await;
}

async fn cancelled<S, const ENDS: bool>(all: &S, shop: &Shop<Fulfilment<AT_ONCE, ENDS>>, [waits, goes]: [&str; 2])
where
    S: Subject,
{
    shop.comes(&paid(waits), &format!("paid-{waits}")).await;
    shop.comes(&shipped(waits), &format!("shipped-{waits}")).await;
    assert_eq!(sent(all).await, ["ReceiptSent"], "the timeout did not come");
    shop.comes(&paid(goes), &format!("paid-{goes}")).await;
    let [row] = &relayed(all).await[..] else { panic!("the timeout of one order") };
    let id = row.row.outgoing.id.clone();
    shop.comes(&shipped(goes), &format!("shipped-{goes}")).await;
    assert_eq!(known(all, goes, &id).await, Timeout::Cancelled);
    shop.comes(&overdue(goes), id.as_str()).await;
    assert_eq!(shop.order(goes).await.steps, ["paid", "shipped", "receipted"]);
    assert_eq!(known(all, goes, &id).await, Timeout::None);
    assert_eq!(sent(all).await, ["ReceiptSent"], "nothing else follows");
}

/// The relay has tried, and has no answer or none that was good: the broker may have the timeout all the same.
pub(crate) async fn a_timeout_that_is_cancelled_while_its_publish_is_in_doubt_is_not_taken_up<S: Subject>() {
    let all = S::open().await;
    let shop = Shop::<Fulfilment<AT_ONCE>>::open(&all).await;
    let reason = || "it was told to fail".to_owned();
    let refused = Fate::Refused { again_in: Duration::ZERO, reason: reason() };
    for (order, fate) in [("o-1", Fate::Back), ("o-2", refused), ("o-3", Fate::Parked { reason: reason() })] {
        shop.comes(&paid(order), &format!("paid-{order}")).await;
        let [row] = &settled(&all, fate.clone()).await[..] else { panic!("the timeout of one order") };
        let id = row.row.outgoing.id.clone();
        let is_parked = matches!(fate, Fate::Parked { .. });
        assert_eq!(all.send_again(id.as_str()).await, is_parked);
        shop.comes(&shipped(order), &format!("shipped-{order}")).await;
        assert_eq!(known(&all, order, &id).await, Timeout::Cancelled, "{fate:?}");
        shop.comes(&overdue(order), id.as_str()).await;
        assert_eq!(shop.order(order).await.steps, ["paid", "shipped", "receipted"], "{fate:?}");
        assert_eq!(sent(&all).await, ["ParcelOverdue", "ReceiptSent"], "{fate:?}");
    }
}

/// How many parcels were late.
#[derive(Debug, Default, Clone)]
struct Watch(usize);

impl Process for Watch {
    const KIND: &'static str = "watch";
    type Event = Step;

    fn evolve(&mut self, _: &Step) {
        self.0 += 1;
    }

    fn react(&self, _: &Step) -> Reaction<Step> {
        Reaction::none()
    }
}

/// To another kind of process that handles its event, it is an event as any other.
pub(crate) async fn a_timeout_is_that_of_the_process_that_has_set_it<S: Subject>() {
    let all = S::open().await;
    let shop = Shop::<Fulfilment<AT_ONCE>>::open(&all).await;
    let (memory, manager) = (transport::Memory::new(), Manager::<Watch>::new(Store::new(all.events())));
    let service = Service::new("watch").transactional(all.db()).on_with::<ParcelOverdue>(manager.clone(), again);
    let running = service.transport(memory.clone()).start().await.expect("it starts");
    let watch = Shop { running, memory, manager };
    shop.comes(&paid("o-1"), "paid").await;
    let [row] = &relayed(&all).await[..] else { panic!("the timeout of one order") };
    let id = row.row.outgoing.id.clone();
    shop.comes(&shipped("o-1"), "shipped").await;
    watch.comes(&overdue("o-1"), id.as_str()).await;
    assert_eq!(watch.order("o-1").await.0, 1, "nobody has cancelled anything of its own");
    assert_eq!(known(&all, "o-1", &id).await, Timeout::Cancelled, "it is still known");
    shop.comes(&overdue("o-1"), id.as_str()).await;
    assert_eq!(shop.order("o-1").await.steps, ["paid", "shipped", "receipted"]);
}

/// To one that is over, nothing comes.
pub(crate) async fn what_comes_to_a_process_that_is_over_changes_nothing<S: Subject>() {
    let all = S::open().await;
    let shop = Shop::<Fulfilment<LONG, true>>::open(&all).await;
    for (n, event) in [shipped("o-1"), shipped("o-1")].iter().enumerate() {
        shop.comes(event, &format!("shipped-{n}")).await;
        shop.comes(&paid("o-1"), &format!("paid-{n}")).await;
    }
    assert_eq!(shop.order("o-1").await.steps, ["shipped", "paid", "receipted"]);
    assert_eq!(sent(&all).await, ["ReceiptSent"]);
}

/// What names none can help nobody by coming again.
pub(crate) async fn an_event_that_names_no_process_becomes_a_dead_letter<S: Subject>() {
    let all = S::open().await;
    let shop = Shop::<Fulfilment<LONG>>::open(&all).await;
    shop.comes(&shipped("an order"), "m-1").await;
    let [dead] = &shop.memory.all_dead_letters()[..] else { panic!("one dead letter") };
    assert!(dead.error().contains("fulfilment/an order"), "{}", dead.error());
}

/// Timeout and event at once: one is first, and the other builds on it. Whatever order they come in, a parcel that has left
/// is not overdue.
pub(crate) async fn a_timeout_and_the_event_that_it_waits_for_take_turns<S: Subject>() {
    let all = S::open().await;
    let shop = Shop::<Fulfilment<AT_ONCE>>::open(&all).await;
    let orders: Vec<_> = (0..20).map(|n| format!("o-{n}")).collect();
    for order in &orders {
        shop.comes(&paid(order), &format!("paid-{order}")).await;
    }
    let rows = relayed(&all).await;
    assert_eq!(rows.len(), orders.len());
    for (n, claimed) in rows.into_iter().enumerate() {
        let order = claimed.row.outgoing.key.expect("it has a key");
        let (publisher, id) = (shop.running.publisher(), claimed.row.outgoing.id);
        let (late, left) = (overdue(&order), shipped(&order));
        let timeout = publisher.publish_with(&late, |options| options.id(id));
        let event = publisher.publish(&left);
        let both = if n % 2 == 0 { tokio::join!(timeout, event) } else { tokio::join!(event, timeout) };
        both.0.and(both.1).expect("they are published");
    }
    shop.memory.quiet().await;
    for order in &orders {
        let steps = shop.order(order).await.steps;
        let first: &[_] = &["paid", "overdue", "delayed", "shipped", "receipted"];
        assert!(steps == first || steps == ["paid", "shipped", "receipted"], "{order}: {steps:?}");
    }
    assert!(shop.memory.all_dead_letters().is_empty());
}

/// `open` gives a database that is empty; the handler can be cut off in so many places at least.
pub(crate) async fn i1_a_process_passes_the_crash_matrix<S: Subject, D: Borrow<S>>(
    open: impl AsyncFn() -> D,
    least: usize,
) {
    let fresh = async || {
        let all = open().await;
        let (service, _) = shop::<S, Fulfilment<LONG>>(all.borrow());
        (service.outbox(all.borrow().db()), all)
    };
    let read = async |all: &D| {
        let all = all.borrow();
        let manager = Manager::<Fulfilment<LONG>>::new(Store::new(all.events()));
        let steps = manager.load("o-1").await.expect("it is loaded").steps;
        (steps, names(taken(all, Duration::from_millis(LONG * 2)).await))
    };
    let tried = crash_matrix(fresh, &paid("o-1"), read).await;
    assert!(tried.points >= least, "{tried:?}, at least {least}");
}

/// A minute passes on a paused clock.
pub(crate) async fn a_timeout_comes_through_the_relay_by_the_clock_of_the_service<S: Subject>() {
    let all = S::open().await;
    let (service, manager) = shop::<S, Fulfilment<60_000>>(&all);
    let shop = TestService::start(service.outbox(all.db())).await.expect("it starts");
    shop.publish(&paid("o-1")).await.expect("it is published");
    shop.settle().await;
    shop.advance(Duration::from_secs(50)).await;
    assert_eq!(manager.load("o-1").await.expect("it is loaded").steps, ["paid"]);
    shop.advance(Duration::from_secs(15)).await;
    shop.settle().await;
    assert_eq!(shop.published::<OrderDelayed>(), [delayed("o-1")]);
    shop.publish(&shipped("o-1")).await.expect("it is published");
    shop.settle().await;
    assert_eq!(shop.published::<ReceiptSent>(), [receipt("o-1")]);
    let steps = manager.load("o-1").await.expect("it is loaded").steps;
    assert_eq!(steps, ["paid", "overdue", "delayed", "shipped", "receipted"]);
    shop.stop().await.expect("it stops");
}

#[test]
fn what_a_process_decides_is_tested_without_store_broker_and_clock() {
    let order = process::<Fulfilment<LONG, true>>();
    let waits = Reaction::none().timeout(Duration::from_millis(LONG), overdue("o-1"));
    assert_eq!(order.when(paid("o-1")).then(waits).steps, ["paid"]);
    let late = process::<Fulfilment<LONG>>().given(paid("o-1")).when(overdue("o-1"));
    assert_eq!(late.then(Reaction::none().publish(delayed("o-1"))).steps, ["paid", "overdue", "delayed"]);
    let left = process::<Fulfilment<LONG>>().given(paid("o-1")).given(overdue("o-1")).given(delayed("o-1"));
    let goes = Reaction::none().publish(receipt("o-1")).cancel::<ParcelOverdue>();
    left.when(shipped("o-1")).then(goes);
    let over = process::<Fulfilment<LONG, true>>().given(paid("o-1")).given(shipped("o-1")).given(receipt("o-1"));
    over.when(overdue("o-1")).then_nothing();
    let other = process::<Fulfilment<LONG>>().given(paid("o-1")).when(shipped("o-1"));
    let wrong =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| other.then(Reaction::none().publish(receipt("o-1")))));
    assert!(wrong.is_err(), "nothing was said of the timeout");
}
