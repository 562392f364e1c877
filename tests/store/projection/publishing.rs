//! Recorded events that are published, from a checkpoint on.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use tegami::{
    Context, Error, HandlerError, Service,
    envelope::{Head, MessageId},
    middleware::{Next, from_fn},
    projection::{Progress, ProjectionOptions, Publishing},
    service::{Ended, Running},
    store::{Append, Criterion, Position},
    testing::TestService,
    time::Wall,
    transport::{Memory, Outgoing, PublishError, PublishErrorKind},
};

use tokio::sync::watch;

use super::{LONG, Shop};
use crate::{
    contracts::shop::{billing::v1::ReceiptSent, fulfilment::v1::ParcelOverdue, orders::v1::OrderPaid},
    payments::{payments, stream},
};

/// How long one of two publishes while the other waits.
const HOLD: Duration = Duration::from_secs(1);
/// How long a stop waits.
const DRAIN: Duration = Duration::from_secs(3);

fn orders() -> Publishing {
    Publishing::new("orders", 1).event::<OrderPaid>().event::<ReceiptSent>()
}

/// The ids of all events of the store, in order.
async fn recorded(shop: &Shop) -> Vec<String> {
    let all = Criterion::of::<OrderPaid>().or::<ReceiptSent>();
    let page = shop.store.inner().read_all(&all.into(), Position::START, 1000).await.expect("it is read");
    page.events.into_iter().map(|event| event.entry.message.head.id.expect("it has one").to_string()).collect()
}

/// A broker that writes down what it takes, unless it does not take it.
#[derive(Clone, Default)]
pub(super) struct Broker {
    taken: Arc<Mutex<Vec<(String, String)>>>,
    refuses: Arc<Mutex<Option<(String, PublishErrorKind)>>>,
    refused: Arc<AtomicUsize>,
    /// How long it takes, for each; and whether it answers nobody about the first order.
    slow: Duration,
    mute: Arc<watch::Sender<bool>>,
}

impl Broker {
    /// It does not take messages of this key.
    fn refuse(&self, refused: Option<(&str, PublishErrorKind)>) {
        *self.refuses.lock().expect("nobody panics") = refused.map(|(key, kind)| (key.to_owned(), kind));
    }

    fn take(&self, outgoing: &Outgoing) -> Result<(), PublishError> {
        let key = outgoing.key.clone().expect("it has one");
        if let Some((refused, kind)) = &*self.refuses.lock().expect("nobody panics")
            && (*refused == key || refused.is_empty())
        {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return Err(PublishError::new(*kind, "as it was told"));
        }
        self.taken.lock().expect("nobody panics").push((key, outgoing.id.to_string()));
        Ok(())
    }

    /// The ids that it took, each once, by key and in order.
    pub(super) fn firsts(&self) -> BTreeMap<String, Vec<String>> {
        let mut firsts = BTreeMap::<String, Vec<String>>::new();
        for (key, id) in self.taken.lock().expect("nobody panics").iter() {
            let of_key = firsts.entry(key.clone()).or_default();
            if !of_key.contains(id) {
                of_key.push(id.clone());
            }
        }
        firsts
    }

    /// Takes it in its time.
    async fn answer(self, outgoing: Outgoing) -> Result<(), PublishError> {
        tokio::time::sleep(self.slow).await;
        if outgoing.key.as_deref() == Some("o-1") {
            let _ = self.mute.subscribe().wait_for(|mute| !mute).await;
        }
        self.take(&outgoing)
    }

    /// All ids that it took, copies too.
    fn ids(&self) -> Vec<String> {
        self.taken.lock().expect("nobody panics").iter().map(|(_, id)| id.clone()).collect()
    }

    async fn until_refused(&self, times: usize) {
        while self.refused.load(Ordering::SeqCst) < times {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn until_taken(&self, messages: usize) {
        while self.ids().len() < messages {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Of what the store has, each once.
async fn assert_once(broker: &Broker, shop: &Shop) {
    let (mut taken, mut all) = (broker.ids(), recorded(shop).await);
    taken.sort();
    all.sort();
    assert_eq!(taken, all);
}

pub(super) async fn publish(shop: &Shop, broker: &Broker) -> (Running, Progress) {
    publish_with(shop, broker, |options| options.batch(7).hold(HOLD)).await
}

async fn publish_with(
    shop: &Shop,
    broker: &Broker,
    choose: impl FnOnce(ProjectionOptions) -> ProjectionOptions,
) -> (Running, Progress) {
    let takes = broker.clone();
    let step = from_fn(move |outgoing: Outgoing, _: Next<Outgoing>| takes.clone().answer(outgoing));
    let (orders, service) = (orders(), Service::new("shop").transport(Memory::new()).publish_middleware(step));
    let (progress, service) = (orders.progress(&shop.db, &shop.store), service.drain(DRAIN));
    let soon = |options: ProjectionOptions| {
        choose(options).retries(0).again(Duration::from_millis(20)).poll(Duration::from_millis(20))
    };
    (service.publishing_with(&shop.db, &shop.store, orders, soon).start().await.expect("it starts"), progress)
}

/// With its own id, time and cause, to handlers of the same service or of others.
#[tokio::test]
async fn recorded_events_reach_handlers_as_they_were_recorded() -> Result<(), Error> {
    type Seen = Arc<Mutex<Vec<[String; 3]>>>;
    async fn see(_: OrderPaid, ctx: Context<Seen>) -> Result<(), HandlerError> {
        let cause = ctx.causation_id().map(ToString::to_string).unwrap_or_default();
        let age = SystemTime::now().duration_since(ctx.head().time.expect("it is told")).expect("it is past");
        let hours = (age.as_secs() / 3600).to_string();
        ctx.state().lock().expect("nobody panics").push([ctx.message_id().to_string(), hours, cause]);
        Ok(())
    }
    let (mut shop, seen, yesterday) = (Shop::new().await, Seen::default(), Wall::system());
    yesterday.back(Duration::from_secs(24 * 3600));
    shop.store = shop.store.wall(yesterday);
    let cause = Head::new().id(MessageId::parse("cause").expect("a good id"));
    shop.store.append(payments("o-1", 3).caused_by(&cause)).await.expect("it is appended");
    let page = shop.store.inner().read_all(&Criterion::of::<OrderPaid>().into(), Position::START, 9).await;
    let heads = page.expect("it is read").events.into_iter().map(|event| event.entry.message.head);
    let as_seen = |head: Head| {
        let id = head.id.expect("it has one").to_string();
        [id, "24".to_owned(), "cause".to_owned()]
    };
    let mut expected: Vec<_> = heads.map(as_seen).collect();
    let orders = orders();
    let progress = orders.progress(&shop.db, &shop.store);
    let service = Service::new("shop").state(seen.clone()).on::<OrderPaid>(see);
    let service = TestService::start(service.publishing(&shop.db, &shop.store, orders)).await?;
    progress.until_caught_up(LONG).await.expect("it gets there");
    service.settle().await;
    let mut found = seen.lock().expect("nobody panics").clone();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    service.stop().await?;
    Ok(())
}

#[tokio::test]
async fn p6_o2_events_are_published_from_the_checkpoint_on_and_in_order_of_their_keys() -> Result<(), Error> {
    let (shop, broker) = (Shop::new().await, Broker::default());
    for round in 0..3 {
        for key in ["o-1", "o-2", "o-3"] {
            shop.append(key, 5).await;
        }
        let receipt = ReceiptSent::builder().order_id(format!("r-{round}")).build();
        let append = Append::to(stream("receipts")).event(&receipt).expect("it is valid");
        shop.store.append(append).await.expect("it is appended");
        let (running, progress) = publish(&shop, &broker).await;
        progress.until_caught_up(LONG).await.expect("it gets there");
        running.stop().await?;
    }
    let all = recorded(&shop).await;
    let order = |id: &String| all.iter().position(|other| other == id);
    for ids in broker.firsts().into_values() {
        assert!(ids.is_sorted_by_key(order), "in the order of the store: {ids:?}");
    }
    assert_once(&broker, &shop).await;
    Ok(())
}

/// Refused or away: nothing is passed by, what comes after is in order, and what went out does not go out with each try.
#[tokio::test]
async fn what_is_not_taken_is_published_later_and_nothing_is_passed_by() -> Result<(), Error> {
    for (key, kind) in [("o-2", PublishErrorKind::Refused), ("", PublishErrorKind::Unreachable)] {
        let (shop, broker) = (Shop::new().await, Broker::default());
        broker.refuse(Some((key, kind)));
        for key in ["o-1", "o-2", "o-3", "o-2", "o-1"] {
            shop.append(key, 4).await;
        }
        let (running, progress) = publish(&shop, &broker).await;
        broker.until_refused(6).await;
        assert!(!progress.has_reached(Position::new(5)).await.expect("it is known"));
        broker.refuse(None);
        progress.until_caught_up(LONG).await.expect("it goes on");
        running.stop().await?;
        let all = recorded(&shop).await;
        let firsts = broker.firsts();
        assert_eq!(firsts.values().map(Vec::len).sum::<usize>(), all.len(), "{kind:?}: {firsts:?}");
        let order = |id: &String| all.iter().position(|other| other == id);
        assert!(firsts.values().all(|ids| ids.is_sorted_by_key(order)), "{kind:?}: {firsts:?}");
        assert_once(&broker, &shop).await;
    }
    Ok(())
}

/// While an event is refused, the hold is renewed, which moves the checkpoint over what is not published. What has gone out behind it
/// is remembered.
#[tokio::test]
async fn what_has_gone_out_does_not_go_out_again_once_the_hold_is_renewed() -> Result<(), Error> {
    let (shop, broker) = (Shop::new().await, Broker::default());
    let (running, progress) = publish(&shop, &broker).await;
    for round in 0..3 {
        shop.append("o-1", 1).await;
        progress.until_caught_up(LONG).await.expect("it gets there");
        let overdue = ParcelOverdue::builder().order_id(format!("p-{round}")).build();
        let append = Append::to(stream("parcels")).event(&overdue).expect("it is valid");
        shop.store.append(append).await.expect("it is appended");
        // It looks five times meanwhile, and sees that there is nothing to publish.
        tokio::time::sleep(Duration::from_millis(100)).await;
        broker.refuse(Some(("o-2", PublishErrorKind::Refused)));
        shop.append("o-2", 1).await;
        shop.append("o-3", 5).await;
        let refused = broker.refused.load(Ordering::SeqCst);
        // For longer than its hold.
        broker.until_refused(refused + 60).await;
        broker.refuse(None);
        progress.until_caught_up(LONG).await.expect("it goes on");
    }
    running.stop().await?;
    assert_once(&broker, &shop).await;
    Ok(())
}

/// A page takes longer than its hold, and another replica waits for its turn.
#[tokio::test]
async fn e_04_a_slow_broker_gets_all_of_a_page_that_takes_longer_than_its_hold() -> Result<(), Error> {
    let (shop, broker) = (Shop::new().await, Broker { slow: HOLD / 4, ..Broker::default() });
    shop.append("o-1", 7).await;
    let (first, progress) = publish(&shop, &broker).await;
    broker.until_taken(1).await;
    let (second, _) = publish(&shop, &broker).await;
    progress.until_caught_up(LONG).await.expect("it gets there");
    first.stop().await?;
    second.stop().await?;
    assert_eq!(broker.firsts()["o-1"].len(), 7);
    Ok(())
}

/// What was published beyond the slowest key lies behind the checkpoint, unless that goes out, too.
#[tokio::test]
async fn s2_a_stop_in_the_middle_of_a_page_has_nothing_published_twice() -> Result<(), Error> {
    let (shop, broker) = (Shop::new().await, Broker::default());
    broker.mute.send_replace(true);
    for (key, count) in [("o-1", 1), ("o-2", 2), ("o-1", 1), ("o-2", 2)] {
        shop.append(key, count).await;
    }
    let (running, _) = publish(&shop, &broker).await;
    broker.until_taken(4).await;
    let mut stop = Box::pin(running.stop());
    let begun = tokio::time::timeout(Duration::ZERO, &mut stop).await;
    assert!(begun.is_err(), "it waits for what is on its way");
    broker.mute.send_replace(false);
    stop.await?;
    let (running, progress) = publish(&shop, &broker).await;
    progress.until_caught_up(LONG).await.expect("it gets there");
    running.stop().await?;
    assert_once(&broker, &shop).await;
    Ok(())
}

/// A broker that takes twice the drain time for a page: what has gone out by then is behind the checkpoint, and nothing is forced.
#[tokio::test]
async fn s5_a_stop_in_the_middle_of_a_long_page_is_drained_and_keeps_what_is_published() -> Result<(), Error> {
    const EVENTS: u32 = 60;
    let (shop, broker) = (Shop::new().await, Broker { slow: 2 * DRAIN / EVENTS, ..Broker::default() });
    shop.append("o-1", EVENTS.into()).await;
    shop.append("o-2", 1).await;
    let (running, progress) = publish_with(&shop, &broker, |options| options.hold(20 * DRAIN)).await;
    broker.until_taken(2).await;
    assert_eq!(running.stop().await?, Ended::Drained);
    let gone = broker.firsts()["o-1"].len() as u64;
    assert!((1..EVENTS.into()).contains(&gone), "{gone}");
    assert_eq!(progress.position().await.expect("it is known"), Position::new(gone));
    Ok(())
}
