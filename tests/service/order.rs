//! Order per key through a whole service (O1 to O5), on a topic that two events share.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tegami::{
    Context, Error, ErrorKind, HandlerError, Retry, Service,
    envelope::{MessageId, Sealed},
    middleware::{Next, from_fn},
    testing::{ReasonKind, TestService},
    transport::{Memory, Outgoing, Transport},
};
use tracing_subscriber::filter::LevelFilter;

use crate::{
    contracts::shop::{
        orders::v1::OrderPaid,
        warehouse::v1::{StockCounted, StockMoved},
    },
    log::Log,
    order,
};

/// What was completed, in the order of its completion, and which keys are being handled.
#[derive(Clone, Default)]
struct Notes {
    done: Arc<Mutex<Vec<(String, i64)>>>,
    busy: Arc<Mutex<BTreeSet<String>>>,
    most: Arc<AtomicUsize>,
}

impl Notes {
    fn done(&self) -> Vec<(String, i64)> {
        self.done.lock().expect("one thread").clone()
    }

    fn of(&self, key: &str) -> Vec<i64> {
        self.done().into_iter().filter(|(done, _)| done == key).map(|(_, quantity)| quantity).collect()
    }
}

/// Takes a second, alone with its key; fails `quantity % 3` times, and one of a hundred for good.
async fn handle(moved: StockMoved, ctx: Context<Notes>) -> Result<(), HandlerError> {
    let notes = ctx.state();
    assert_eq!(ctx.key(), Some(moved.sku.as_str()));
    let many = {
        let mut busy = notes.busy.lock().expect("one thread");
        assert!(busy.insert(moved.sku.clone()), "two handlers for the key {}", moved.sku);
        busy.len()
    };
    notes.most.fetch_max(many, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(1)).await;
    notes.busy.lock().expect("one thread").remove(&moved.sku);
    if moved.quantity == 100 || i64::from(ctx.attempt()) <= moved.quantity % 3 {
        return Err(HandlerError::retry("not yet"));
    }
    notes.done.lock().expect("one thread").push((moved.sku, moved.quantity));
    Ok(())
}

fn moved(sku: &str, quantity: i64) -> StockMoved {
    StockMoved::builder().sku(sku).warehouse("north").quantity(quantity).build()
}

fn counted(sku: &str, quantity: i64) -> StockCounted {
    StockCounted::builder().sku(sku).warehouse("north").quantity(quantity).build()
}

fn service(notes: &Notes) -> Service<Notes> {
    let plan = Retry::after([10, 20].map(Duration::from_secs));
    Service::new("stock").state(notes.clone()).on_with::<StockMoved>(handle, |s| s.retry(plan))
}

#[tokio::test]
async fn o1_without_a_promise_a_failing_event_holds_up_no_other_of_its_key() -> Result<(), Error> {
    async fn ignore(_: OrderPaid, _: Context) -> Result<(), HandlerError> {
        Ok(())
    }
    let test = TestService::start(Service::new("billing").on::<OrderPaid>(ignore)).await?;
    test.fail_next::<OrderPaid>(HandlerError::retry("not yet"));
    for amount in [1, 2] {
        test.publish(&OrderPaid { amount_minor: amount, ..order("o-1") }).await?;
    }
    test.settle().await;
    let done: Vec<_> = test.handled::<OrderPaid>().into_iter().map(|order| order.amount_minor).collect();
    assert_eq!(done, [2, 1]);
    Ok(())
}

#[tokio::test]
async fn o2_events_of_a_key_complete_in_publish_order_whatever_fails() -> Result<(), Error> {
    let notes = Notes::default();
    let memory = Memory::new();
    let (one, two) = (
        TestService::start_on(&memory, service(&notes)).await?,
        TestService::start_on(&memory, service(&notes)).await?,
    );
    for quantity in 0..20 {
        for sku in ["a", "b", "c"] {
            one.publish(&moved(sku, quantity)).await?;
        }
    }
    one.settle().await;
    for sku in ["a", "b", "c"] {
        assert_eq!(notes.of(sku), (0..20).collect::<Vec<_>>(), "{sku}");
    }
    assert!(!one.handled::<StockMoved>().is_empty() && !two.handled::<StockMoved>().is_empty(), "both have a part");
    assert!(one.dead_letters().is_empty());
    Ok(())
}

#[tokio::test]
async fn o2_publish_all_keeps_the_order_of_a_key_on_a_slow_way_out() -> Result<(), Error> {
    let calls = Arc::new(AtomicUsize::new(0));
    let slower_first = from_fn(move |work: Outgoing, next: Next<Outgoing>| {
        let call = calls.fetch_add(1, Ordering::SeqCst) as u64;
        async move {
            tokio::time::sleep(Duration::from_millis(900 - 100 * call.min(9))).await;
            next.run(work).await
        }
    });
    let notes = Notes::default();
    let memory = Memory::new();
    let test = TestService::start_on(&memory, service(&notes)).await?;
    let outside = Service::new("outside").transport(memory.clone()).publish_middleware(slower_first);
    let outside = outside.started(async |_| Ok::<(), Error>(())).start().await?;
    let events: Vec<_> = (0..4).flat_map(|n| [moved("a", 3 * n), moved("b", 3 * n)]).collect();
    let ids = outside.publisher().publish_all(&events).await;
    assert!(ids.len() == 8 && ids.iter().all(Result::is_ok), "{ids:?}");
    test.settle().await;
    assert_eq!((notes.of("a"), notes.of("b")), (vec![0, 3, 6, 9], vec![0, 3, 6, 9]));
    outside.stop().await?;
    Ok(())
}

#[tokio::test]
async fn o3_a_stuck_key_delays_no_other_and_keys_run_side_by_side() -> Result<(), Error> {
    let notes = Notes::default();
    let test = TestService::start(service(&notes)).await?;
    for quantity in [2, 3] {
        test.publish(&moved("stuck", quantity)).await?;
    }
    for sku in ["a", "b", "c", "d"] {
        test.publish(&moved(sku, 0)).await?;
    }
    test.advance(Duration::from_secs(2)).await;
    assert_eq!(notes.done().len(), 4, "all but the stuck one: {:?}", notes.done());
    assert_eq!(notes.most.load(Ordering::SeqCst), 5);
    test.settle().await;
    assert_eq!(notes.of("stuck"), [2, 3]);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn o4_after_a_forced_stop_no_later_event_of_a_key_is_first() -> Result<(), Error> {
    let (notes, memory) = (Notes::default(), Memory::new());
    let start = || service(&notes).transport(memory.clone()).drain(Duration::ZERO).start();
    let running = start().await?;
    for quantity in 0..30 {
        running.publisher().publish(&moved("a", quantity)).await?;
        running.publisher().publish(&moved("b", quantity)).await?;
    }
    for _ in 0..3 {
        let running = start().await?;
        tokio::time::sleep(Duration::from_millis(12_500)).await;
        drop(running);
        // What it was handling is the others' from now on, and its handler has five seconds more: two for one key.
        notes.busy.lock().expect("one thread").clear();
        tokio::time::sleep(Duration::from_secs(6)).await;
    }
    memory.quiet().await;
    for sku in ["a", "b"] {
        let mut firsts = BTreeSet::new();
        let mut completed = notes.of(sku);
        completed.retain(|quantity| firsts.insert(*quantity));
        assert_eq!(completed, (0..30).collect::<Vec<_>>(), "{sku}");
    }
    running.stop().await?;
    Ok(())
}

#[tokio::test]
async fn o5_a_dead_letter_leaves_a_gap_and_its_key_goes_on() -> Result<(), Error> {
    let notes = Notes::default();
    let memory = Memory::new();
    let test = TestService::start_on(&memory, service(&notes)).await?;
    for quantity in [0, 100, 1, 2] {
        test.publish(&moved("a", quantity)).await?;
    }
    test.settle().await;
    assert_eq!(notes.of("a"), [0, 1, 2]);
    let [letter] = &test.dead_letters()[..] else { panic!("one dead letter") };
    assert_eq!((letter.reason(), letter.attempts()), (ReasonKind::HandlerError, 3));
    assert_eq!(letter.details().queue, "stock-shop-warehouse-v1-StockMoved.fifo");
    Ok(())
}

#[tokio::test]
async fn o5_the_log_tells_of_the_gap_in_a_key_and_of_no_key() -> Result<(), Error> {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.subscriber(LevelFilter::ERROR));
    async fn reject(order: OrderPaid, _: Context<Notes>) -> Result<(), HandlerError> {
        Err(HandlerError::reject(order.currency))
    }
    let test = TestService::start(service(&Notes::default()).on::<OrderPaid>(reject)).await?;
    test.publish(&moved("of-a-person", 100)).await?;
    test.publish(&order("of-a-person")).await?;
    test.settle().await;
    let [unordered, ordered] = &log.lines()[..] else { panic!("{:?}", log.lines()) };
    assert!(ordered.contains("given up") && ordered.contains(r#"gap="its key goes on without it""#), "{ordered}");
    assert!(unordered.contains("given up") && !unordered.contains(" gap="), "{unordered}");
    assert!(!log.lines().concat().contains("of-a-person"));
    Ok(())
}

/// A service that halts, as long as it is broken, at `quantity == 100`.
fn halting(notes: &Notes, broken: &Arc<AtomicBool>) -> Service<Notes> {
    let broken = broken.clone();
    let handler = move |moved: StockMoved, ctx: Context<Notes>| {
        let fails = moved.quantity == 100 && broken.load(Ordering::SeqCst);
        ctx.state().most.fetch_max(ctx.attempt() as usize, Ordering::SeqCst);
        if !fails {
            ctx.state().done.lock().expect("one thread").push((moved.sku, moved.quantity));
        }
        std::future::ready(if fails { Err(HandlerError::retry("not yet")) } else { Ok(()) })
    };
    let plan = Retry::after([20, 10].map(Duration::from_secs));
    Service::new("stock").state(notes.clone()).on_with::<StockMoved>(handler, |s| s.retry(plan).halt_on_dead())
}

#[tokio::test]
async fn o5_a_key_that_halts_waits_for_its_event_and_holds_up_no_other() -> Result<(), Error> {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.subscriber(LevelFilter::ERROR));
    let (notes, broken) = (Notes::default(), Arc::new(AtomicBool::new(true)));
    let test = TestService::start(halting(&notes, &broken)).await?;
    for (sku, quantity) in [("a", 0), ("a", 100), ("a", 1), ("b", 0), ("b", 1)] {
        test.publish(&moved(sku, quantity)).await?;
    }
    test.advance(Duration::from_secs(10 * 60)).await;
    assert_eq!((notes.of("a"), notes.of("b")), (vec![0], vec![0, 1]));
    let attempts = notes.most.load(Ordering::SeqCst);
    assert!((25..=31).contains(&attempts), "one each 20 s to 25 s, the plan's longest: {attempts}");
    let told = log.lines().into_iter().filter(|line| line.contains("its key is halted")).count();
    assert_eq!((told, log.lines().len()), (attempts - 2, told), "the plan's attempts are none to halt at");

    broken.store(false, Ordering::SeqCst);
    test.settle().await;
    assert_eq!(notes.of("a"), [0, 100, 1]);
    assert!(test.dead_letters().is_empty());
    Ok(())
}

#[tokio::test]
async fn o5_a_key_halts_at_what_is_rejected_or_cannot_be_decoded_too() -> Result<(), Error> {
    let (notes, memory) = (Notes::default(), Memory::new());
    let test = TestService::start_on(&memory, halting(&notes, &Arc::default())).await?;
    test.fail_next::<StockMoved>(HandlerError::reject("not today"));
    test.publish(&moved("a", 0)).await?;
    test.publish(&moved("a", 1)).await?;
    publish_poison(&memory, "b").await?;
    test.publish(&moved("b", 0)).await?;
    test.advance(Duration::from_secs(10)).await;
    assert!(notes.done().is_empty(), "{:?}", notes.done());
    test.advance(Duration::from_secs(60 * 60)).await;
    assert_eq!((notes.of("a"), notes.of("b")), (vec![0, 1], vec![]));
    assert!(test.dead_letters().is_empty());
    Ok(())
}

#[test]
fn k1_only_what_is_in_order_and_tried_again_can_halt_and_a_group_halts_as_one() {
    async fn ignore<E: tegami::Event>(_: E, _: Context) -> Result<(), HandlerError> {
        Ok(())
    }
    let billing = || Service::new("billing");
    let unordered = billing().on_with::<OrderPaid>(ignore, |s| s.halt_on_dead());
    let never = billing().on_with::<StockMoved>(ignore, |s| s.halt_on_dead().retry(Retry::never()));
    let some = billing()
        .on_with::<StockMoved>(ignore, |s| s.group("all").halt_on_dead())
        .on_with::<StockCounted>(ignore, |s| s.group("all"));
    let words = ["billing-shop-orders-v1-OrderPaid", "no delay", "billing-all.fifo"];
    for (service, word) in [unordered, never, some].into_iter().zip(words) {
        let error = service.topology().expect_err(word);
        assert!(error.kind() == ErrorKind::Subscription && error.to_string().contains(word), "{error}");
    }
    let all = billing()
        .on_with::<StockMoved>(ignore, |s| s.group("all").halt_on_dead())
        .on_with::<StockCounted>(ignore, |s| s.group("all").halt_on_dead());
    assert!(all.topology().expect("all of the group halt").queues[0].halts);
    let going_on = billing().on_with::<StockMoved>(ignore, |s| s.group("all"));
    assert!(!going_on.topology().expect("it goes on").queues[0].halts);
}

/// Publishes what no envelope can read, under this key.
async fn publish_poison(memory: &Memory, key: &str) -> Result<(), Error> {
    let id = MessageId::parse("m-1").expect("a valid id");
    let sealed = Sealed { body: "poison".into(), ..Sealed::default() };
    let mut poison = Outgoing::new(id, "shop.warehouse.v1.StockMoved", "shop-warehouse-v1.fifo", sealed);
    (poison.key, poison.ordered) = (Some(key.to_owned()), true);
    memory.publish(poison).await?;
    Ok(())
}

#[tokio::test]
async fn o5_what_cannot_be_decoded_holds_up_no_event_of_its_key() -> Result<(), Error> {
    let notes = Notes::default();
    let memory = Memory::new();
    let test = TestService::start_on(&memory, service(&notes)).await?;
    publish_poison(&memory, "a").await?;
    test.publish(&moved("a", 0)).await?;
    test.settle().await;
    assert_eq!((notes.of("a"), test.dead_letters().len()), (vec![0], 1));
    Ok(())
}

#[tokio::test]
async fn d5_events_that_share_a_topic_each_reach_the_queues_that_ask_for_them_by_name() -> Result<(), Error> {
    async fn count(counted: StockCounted, ctx: Context<Notes>) -> Result<(), HandlerError> {
        ctx.state().done.lock().expect("one thread").push((counted.sku, counted.quantity));
        Ok(())
    }
    let notes = Notes::default();
    let memory = Memory::new();
    let counting = Service::new("counting").state(notes.clone()).on::<StockCounted>(count);
    let bindings = counting.topology()?.queues.remove(0).bindings;
    assert!(bindings.iter().all(|binding| binding.by_name), "{bindings:?}");
    let counting = TestService::start_on(&memory, counting).await?;
    let moving = TestService::start_on(&memory, service(&Notes::default())).await?;
    moving.publish(&moved("a", 0)).await?;
    counting.publish(&counted("a", 7)).await?;
    counting.settle().await;
    assert_eq!((notes.done(), moving.handled::<StockMoved>()), (vec![("a".to_owned(), 7)], vec![moved("a", 0)]));
    assert!(counting.dead_letters().is_empty() && moving.dead_letters().is_empty());
    Ok(())
}

#[tokio::test]
async fn o2_a_group_keeps_the_order_of_a_key_over_both_of_its_events() -> Result<(), Error> {
    async fn count(counted: StockCounted, ctx: Context<Notes>) -> Result<(), HandlerError> {
        if ctx.attempt() == 1 {
            return Err(HandlerError::retry("not yet"));
        }
        ctx.state().done.lock().expect("one thread").push((counted.sku, counted.quantity));
        Ok(())
    }
    let notes = Notes::default();
    let service = Service::new("stock")
        .state(notes.clone())
        .on_with::<StockMoved>(handle, |s| s.group("all"))
        .on_with::<StockCounted>(count, |s| s.group("all"));
    assert_eq!(service.topology()?.queues.len(), 1);
    let test = TestService::start(service).await?;
    for n in 0..5 {
        test.publish(&moved("a", 2 * n)).await?;
        test.publish(&counted("a", 2 * n + 1)).await?;
    }
    test.settle().await;
    assert_eq!(notes.of("a"), (0..10).collect::<Vec<_>>());
    Ok(())
}
