//! What goes wrong with a server while it is in use, and nothing else does.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tegami::{
    Context, HandlerError, Retry, Service,
    envelope::MessageId,
    middleware::{Next, from_fn},
    outbox::{Database as _, DatabaseErrorKind as Kind, Mark, Marked, Outbox},
    postgres::{Database, Tx},
    service::Running,
    store,
    transport::{Memory, Outgoing},
};
use tegami_test_servers::{Fault, Proxy, Way};

use super::{Postgres, Relay, until};
use crate::{OrderPaid, ReceiptSent, Subject, paid, receipt};

const ORDERS: usize = 120;

/// A service that writes a receipt for each order and publishes it; how many it wrote, and the ids under which each was
/// published.
struct Billing {
    running: Running,
    memory: Memory,
    handled: Arc<AtomicUsize>,
    sent: Arc<Mutex<BTreeMap<String, Vec<String>>>>,
}

impl Billing {
    async fn start(db: &Database) -> Self {
        let (memory, handled, sent) = (Memory::new(), Arc::new(AtomicUsize::new(0)), Arc::default());
        let noted: Arc<Mutex<BTreeMap<String, Vec<String>>>> = Arc::clone(&sent);
        let broker = from_fn(move |outgoing: Outgoing, next: Next<Outgoing>| {
            let noted = noted.clone();
            async move {
                if outgoing.event.contains("Receipt") {
                    let key = outgoing.key.clone().unwrap_or_default();
                    noted.lock().expect("nobody panics").entry(key).or_default().push(outgoing.id.to_string());
                    return Ok(());
                }
                next.run(outgoing).await
            }
        });
        let handler = async |order: OrderPaid, ctx: Context<Arc<AtomicUsize>>, tx: &mut Tx| {
            Postgres::write(tx, &order.order_id).await.map_err(HandlerError::retry)?;
            ctx.in_transaction(tx).publish(&receipt(order.order_id)).await?;
            ctx.state().fetch_add(1, Ordering::SeqCst);
            Ok(())
        };
        let service = Service::new("billing").transport(memory.clone()).state(handled.clone());
        let soon = Retry::after([Duration::from_millis(20); 500]);
        let service = service.transactional(db).on_with::<OrderPaid>(handler, |s| s.retry(soon));
        let service = service.allow_unroutable::<ReceiptSent>().publish_middleware(broker);
        let quick = |options: tegami::relay::RelayOptions| options.hold(Duration::from_secs(1)).batch(10);
        let running = service.outbox_with(db, quick).start().await.expect("it starts");
        Self { running, memory, handled, sent }
    }

    async fn publish_orders(&self) {
        for n in 0..ORDERS {
            self.running.publisher().publish(&paid(format!("o-{n}"))).await.expect("it is published");
        }
    }

    /// Waits until so many more were handled.
    async fn handles(&self, more: usize) {
        let begin = self.handled.load(Ordering::SeqCst);
        until(async || self.handled.load(Ordering::SeqCst) >= (begin + more).min(ORDERS)).await;
    }

    /// Every order has one effect, and was published under one id.
    async fn check(self, all: &Postgres) {
        self.memory.quiet().await;
        until(async || all.db.waiting().await.is_ok_and(|waiting| waiting == 0)).await;
        self.running.stop().await.expect("it stops");
        let mut written = all.written().await;
        written.sort();
        let sent = self.sent.lock().expect("nobody panics").clone();
        assert_eq!(written, sent.keys().cloned().collect::<Vec<_>>(), "effects, and what was published");
        assert_eq!(written.len(), ORDERS);
        for (order, ids) in sent {
            assert!(ids.iter().all(|id| *id == ids[0]), "{order} went out under several ids: {ids:?}");
        }
        assert!(all.parked().await.is_empty() && self.memory.all_dead_letters().is_empty());
    }
}

/// F47: every connection is ended again and again, in the middle of whatever it does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t1_i1_f47_connections_that_are_ended_lose_nothing_and_double_nothing() {
    let all = Postgres::open().await;
    let billing = Billing::start(&all.db).await;
    let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                WHERE datname = 'test' AND application_name = 'tegami' AND pid <> pg_backend_pid()";
    let killing = async {
        let mut ended = 0;
        while billing.handled.load(Ordering::SeqCst) < ORDERS * 3 / 4 {
            billing.handles(5).await;
            ended += all.count(kill).await;
        }
        ended
    };
    let (ended, ()) = tokio::join!(killing, billing.publish_orders());
    assert!(ended > 10, "{ended} connections");
    billing.check(&all).await;
}

/// F26: the server is killed as by a power cut, twice, while handlers and the relay work.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t1_i1_f26_a_kill_of_the_server_loses_nothing_and_doubles_nothing() {
    let all = Postgres::open().await;
    let billing = Billing::start(&all.db).await;
    let killing = async {
        for _ in 0..2 {
            billing.handles(ORDERS / 4).await;
            all.server.kill9().await;
            all.server.start().await;
        }
    };
    tokio::join!(killing, billing.publish_orders());
    billing.check(&all).await;
}

/// T5: PostgreSQL says that its disk is full; here a trigger does, so that no disk has to be.
#[tokio::test]
async fn t5_f45_a_full_disk_fails_the_transaction_and_nothing_is_half_written() {
    let all = Postgres::open().await;
    let relay = Relay::start(&all.db).await;
    let full = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END $$; \
                CREATE TRIGGER full_disk BEFORE INSERT ON tegami.outbox FOR EACH ROW EXECUTE FUNCTION full_disk()";
    all.beside(full).await;
    let mut tx = all.db.begin().await.expect("it begins");
    Postgres::write(&mut tx, "o-1").await.expect("it is written");
    let refused = relay.publisher().in_transaction(&mut tx).publish(&receipt("o-1")).await.expect_err("it is full");
    assert!(format!("{refused:?}").contains("has no room left"), "{refused:?}");
    assert_eq!(all.db.commit(tx).await.expect_err("it is undone").kind(), Kind::Over);
    assert!(all.written().await.is_empty());
    all.beside("DROP TRIGGER full_disk ON tegami.outbox").await;
    let mut tx = all.db.begin().await.expect("it begins");
    relay.put(&mut tx, &["o-1"]).await;
    all.db.commit(tx).await.expect("there is room again");
    assert_eq!(relay.sends(1).await, ["o-1"]);
}

/// The answer to a commit is cut off at some of its bytes: it is in doubt, and the same message, come again, finds out.
#[tokio::test]
async fn i1_a_commit_whose_answer_is_cut_off_is_in_doubt_and_the_copy_finds_out() {
    let all = Postgres::open().await;
    let port = all.server.port();
    let proxy = Proxy::to(([127, 0, 0, 1], port).into(), 7).await.expect("there is a port");
    let url = all.address().replace(&port.to_string(), &proxy.address().port().to_string());
    let narrow = store::Postgres::at(url).connections(1).connect().await.expect("it can be reached");
    let db = Database::of(&narrow);
    let handle = async |id: &str| {
        let mark = Mark::new("billing", MessageId::parse(id).expect("a good id"), [7; 32]);
        let mut tx = db.begin().await.expect("it begins");
        let marked = db.mark(&mut tx, &mark).await.expect("it is marked");
        if marked == Marked::New {
            Postgres::write(&mut tx, id).await.expect("it is written");
        }
        (marked, db.commit(tx).await.map_err(|error| error.kind()))
    };
    let mut effects = 0;
    // The answers to a commit: its name in 12 bytes, and the state of the transaction in 6.
    for (round, left) in [18, 17, 12, 6, 1].into_iter().enumerate() {
        // The first prepares the statements of its connection, the second shows how long the answers are then.
        assert_eq!(handle(&format!("warm-{round}")).await, (Marked::New, Ok(())));
        let before = proxy.counts().down;
        assert_eq!(handle(&format!("long-{round}")).await, (Marked::New, Ok(())));
        let length = proxy.counts().down - before;
        proxy.put(Way::Down, Fault::CutAfter(length - left));
        let id = format!("shut-{round}");
        assert_eq!(handle(&id).await, (Marked::New, Err(Kind::Unknown)), "{left} bytes are missing");
        let (marked, committed) = handle(&id).await;
        // Cut off in front of the whole answer, the commit may not have come to the server.
        assert!(marked == Marked::Known || left == 18, "{left} bytes are missing");
        committed.expect("it is known, or committed now");
        effects += 3;
        assert_eq!(all.written().await.len(), effects, "{left} bytes are missing");
    }
    assert_eq!(proxy.counts().resets, 5);
}
