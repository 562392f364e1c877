//! Copies of messages: one effect for each message and subscription.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tegami::{
    Context, HandlerError, Retry, Service,
    envelope::MessageId,
    outbox::{Database, Mark, Marked, Outbox},
    service::Running,
    testing::{
        at_length,
        ledger::{Answer, Checksum, Ended, Entry, Figure, Ledger, Verdict},
    },
    time::Clock,
    transport::{DeadLetter, Memory},
};

use crate::{
    Folder, OrderPaid, ReceiptSent,
    contracts::shop::orders::v2,
    paid, receipt,
    subject::{Deed, Subject, until},
};

const MESSAGES: usize = 100;
const COPIES: usize = 3;
const QUEUE: &str = "billing-shop-orders-v1-OrderPaid";

/// What the replicas have together: the ledger, and how many attempts there were.
type Books = (Ledger, AtomicUsize);

/// Fails after its effect in each fifth attempt.
async fn fail_now_and_then<S: Subject>(
    order: OrderPaid,
    ctx: Context<Arc<Books>>,
    tx: &mut S::Tx,
) -> Result<(), HandlerError> {
    let id = ctx.message_id().to_string();
    let (ledger, attempts) = &**ctx.state();
    let fails = attempts.fetch_add(1, Ordering::SeqCst) % 5 == 4;
    let checksum = Checksum::of(&Default::default());
    let (subscription, attempt) = (QUEUE.to_owned(), ctx.attempt());
    ledger.write(Entry::RunBegin { id: id.clone(), subscription: subscription.clone(), attempt, key: None, checksum });
    S::write(tx, &id).await.map_err(HandlerError::retry)?;
    ctx.in_transaction(tx).publish(&receipt(order.order_id)).await?;
    let ended = if fails { Ended::Err } else { Ended::Ok };
    ledger.write(Entry::RunEnd { id, subscription, attempt, ended, retry_after: None });
    if fails { Err(HandlerError::retry("it fails after its effect")) } else { Ok(()) }
}

/// One of two replicas.
fn replica<S: Subject>(memory: &Memory, db: &S::Db, books: &Arc<Books>) -> Service<Arc<Books>> {
    let service = Service::new("billing").transport(memory.clone()).state(books.clone()).transactional(db);
    let soon = Retry::after([Duration::from_millis(1); 20]);
    let service = service.on_with::<OrderPaid>(fail_now_and_then::<S>, |s| s.retry(soon));
    service.allow_unroutable::<ReceiptSent>().outbox(db)
}

/// Two replicas with connections of their own, one or the other killed in the midst of its work, and every message three times.
pub(crate) async fn i1_every_message_comes_three_times_to_two_replicas_that_are_killed_and_has_one_effect<
    S: Subject,
>() {
    let (all, folder, memory) = (S::open().await, Folder::new(), Memory::new());
    let other = S::connect(&all.address()).await;
    let books = folder.0.join("ledger");
    let ledger = Ledger::open(&books, "test", Clock::system()).expect("a ledger");
    ledger.write(Entry::Inbox { subscription: QUEUE.to_owned() });
    let shared = Arc::new((ledger.clone(), AtomicUsize::new(0)));
    let start = async |db| replica::<S>(&memory, db, &shared).start().await.expect("it starts");
    let mut replicas = vec![start(all.db()).await, start(&other).await];
    for n in 0..MESSAGES {
        let (id, checksum) = (format!("m-{n}"), Checksum::of(&Default::default()));
        let to = vec![QUEUE.to_owned()];
        ledger.write(Entry::PublishBegin { id: id.clone(), key: None, sequence: n as u64, checksum, to });
        let before = shared.1.load(Ordering::SeqCst);
        for copy in 0..COPIES {
            let publisher = replicas[copy % 2].publisher();
            let id = MessageId::parse(&id).expect("a good id");
            publisher.publish_with(&paid(format!("o-{n}")), |options| options.id(id)).await.expect("it is published");
        }
        ledger.publish_end(id, Answer::Ok);
        if n % 10 == 9 {
            until(async || shared.1.load(Ordering::SeqCst) > before).await;
            // What it was doing ends in its midst, and what it held comes back.
            drop(replicas.remove(0));
            replicas.push(start([all.db(), &other][n / 10 % 2]).await);
        }
    }
    memory.quiet().await;
    for replica in replicas {
        replica.stop().await.expect("it stops");
    }
    let effects = all.written().await;
    effects.iter().for_each(|id| ledger.effect(id.as_str(), QUEUE));
    let verdict = Verdict::of(&books).expect("it can be read");
    assert!(verdict.figure(Figure::Effects).is_empty() && verdict.is_clean(), "{verdict:?}");
    assert_eq!(effects.len(), MESSAGES);
    assert!(memory.all_dead_letters().is_empty());
}

/// The effect is the queue and the order.
async fn write_both<S: Subject>(order: OrderPaid, ctx: Context, tx: &mut S::Tx) -> Result<(), HandlerError> {
    let effect = format!("{} {}", ctx.queue(), order.order_id);
    S::write(tx, &effect).await.map_err(HandlerError::retry)
}

/// A service whose handlers write what they handle, one for each of these groups.
struct Billing {
    running: Running,
    memory: Memory,
}

impl Billing {
    async fn start<S: Subject>(all: &S, groups: &[&str], more: impl FnOnce(Service) -> Service) -> Self {
        let memory = Memory::new();
        let service = Service::new("billing").transport(memory.clone());
        let service = groups.iter().fold(service, |service, group| {
            service.transactional(all.db()).on_with::<OrderPaid>(write_both::<S>, |s| s.group(*group))
        });
        Self { running: more(service).start().await.expect("it starts"), memory }
    }

    /// Publishes this order with the id `m-1`, and waits until it is handled.
    async fn publish(&self, order: &str) {
        self.publish_as("m-1", order).await;
    }

    async fn publish_as(&self, id: &str, order: &str) {
        let id = MessageId::parse(id).expect("a good id");
        let published = self.running.publisher().publish_with(&paid(order), |options| options.id(id)).await;
        published.expect("it is published");
        self.memory.quiet().await;
    }

    async fn stop(self) -> Vec<DeadLetter> {
        self.running.stop().await.expect("it stops");
        self.memory.all_dead_letters()
    }
}

pub(crate) async fn i2_two_subscriptions_handle_one_message_each_once<S: Subject>() {
    let all = S::open().await;
    let billing = Billing::start(&all, &["one", "two"], |service| service).await;
    billing.publish("o-1").await;
    billing.publish("o-1").await;
    let mut effects = all.written().await;
    effects.sort();
    assert_eq!(effects, ["billing-one o-1", "billing-two o-1"]);
    assert!(billing.stop().await.is_empty());
}

/// Whoever may publish can choose an id: what it stands for is not acked away.
pub(crate) async fn i2_another_message_with_a_known_id_is_kept_as_a_dead_letter<S: Subject>() {
    let all = S::open().await;
    let billing = Billing::start(&all, &["one"], |service| service).await;
    billing.publish("made up").await;
    billing.publish("real").await;
    assert_eq!(all.written().await, ["billing-one made up"]);
    let [dead] = &billing.stop().await[..] else { panic!("one dead letter") };
    assert_eq!(dead.error(), "a message with the id `m-1` and another payload was handled before");
}

/// What one release handled as it came, and the next one as a newer event, is one message.
pub(crate) async fn i1_a_message_that_the_next_release_upcasts_is_known_again<S: Subject>() {
    async fn write_newer<S: Subject>(order: v2::OrderPaid, ctx: Context, tx: &mut S::Tx) -> Result<(), HandlerError> {
        write_both::<S>(paid(order.order_id), ctx, tx).await
    }
    let all = S::open().await;
    let first = Billing::start(&all, &["one"], |service| service).await;
    first.publish("o-1").await;
    assert!(first.stop().await.is_empty());
    let next = Billing::start(&all, &[], |service| {
        let service = service.upcast::<OrderPaid, v2::OrderPaid>().transactional(all.db());
        service.on_with::<v2::OrderPaid>(write_newer::<S>, |s| s.group("one"))
    });
    let next = next.await;
    next.publish("o-1").await;
    next.publish_as("m-2", "o-2").await;
    next.publish_as("m-2", "made up").await;
    assert_eq!(all.written().await, ["billing-one o-1", "billing-one o-2"]);
    let [dead] = &next.stop().await[..] else { panic!("one dead letter") };
    assert_eq!(dead.error(), "a message with the id `m-2` and another payload was handled before");
}

pub(crate) async fn i4_old_ids_are_forgotten_a_few_at_a_time_and_no_young_one<S: Subject>() {
    let all = S::open().await;
    let db = all.db();
    let mark = |n: usize| Mark::new("billing", MessageId::parse(format!("m-{n}")).expect("a good id"), [7; 32]);
    let mut tx = db.begin().await.expect("it begins");
    for n in 0..50 {
        assert_eq!(db.mark(&mut tx, &mark(n)).await.expect("it is marked"), Marked::New);
    }
    db.commit(tx).await.expect("it is committed");
    all.execute(Deed::Age).await;
    let mut forgotten = Vec::new();
    for _ in 0..4 {
        forgotten.push(db.forget(Duration::from_secs(14 * 86400), 12).await.expect("it is written"));
    }
    assert_eq!(forgotten, [12, 12, 6, 0]);
    assert_eq!(db.forget(Duration::MAX, 12).await.expect("it is written"), 0);
    let mut tx = db.begin().await.expect("it begins");
    for (n, expected) in [(0, Marked::New), (29, Marked::New), (30, Marked::Known), (49, Marked::Known)] {
        assert_eq!(db.mark(&mut tx, &mark(n)).await.expect("it is marked"), expected, "{n}");
    }
}

/// The service forgets by itself: at its start, and then a thousand at a time.
pub(crate) async fn i4_a_service_forgets_what_is_older_than_it_was_told_to_keep<S: Subject>() {
    let all = S::open().await;
    all.execute(Deed::Fill { old: 2_490 }).await;
    let hour = Duration::from_secs(3600);
    let billing = Billing::start(&all, &["one"], |service| service.marks_kept(hour)).await;
    while all.marks().await > 10 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(all.marks().await, 10);
    billing.stop().await;
}

/// While messages come, another process forgets, and so does the service: a few at a time, nobody waits long, and no
/// message that comes again has its effect again.
pub(crate) async fn i4_ids_are_forgotten_while_messages_come_and_none_of_theirs<S: Subject>() {
    const AT_ONCE: usize = 50;
    let (all, old, hour) = (S::open().await, at_length(5_000, 100_000), Duration::from_secs(3600));
    all.execute(Deed::Fill { old }).await;
    let (other, is_over) = (S::connect(&all.address()).await, AtomicBool::new(false));
    let billing = Billing::start(&all, &["one"], |service| service.marks_kept(hour)).await;
    let forget = async {
        let mut forgotten = vec![other.forget(hour, AT_ONCE).await.expect("it is written")];
        while forgotten.last().is_some_and(|last| *last > 0) {
            forgotten.push(other.forget(hour, AT_ONCE).await.expect("it is written"));
        }
        is_over.store(true, Ordering::SeqCst);
        forgotten
    };
    let come = async {
        let mut came = 0;
        while !is_over.load(Ordering::SeqCst) {
            billing.publish_as(&format!("load-{came}"), &format!("o-{came}")).await;
            came += 1;
        }
        came
    };
    let (forgotten, came) = tokio::join!(forget, come);
    assert!(forgotten.iter().all(|times| *times <= AT_ONCE), "{forgotten:?}");
    // The service forgets, too: how many are left for the other is by chance.
    assert!(came > 0, "some were forgotten {} times, and none came", forgotten.len());
    let mut expected: Vec<_> = (0..came).map(|n| format!("billing-one o-{n}")).collect();
    assert_eq!(all.written().await, expected, "each has come once");
    for n in 0..came {
        billing.publish_as(&format!("load-{n}"), &format!("o-{n}")).await;
    }
    let mut effects = all.written().await;
    effects.sort();
    expected.sort();
    assert_eq!(effects, expected, "each has come twice");
    assert_eq!(all.marks().await as usize, 10 + came);
    assert!(billing.stop().await.is_empty());
    println!("{}: {old} old ids forgotten in {} goes while {came} messages came", S::NAME, forgotten.len());
}
