//! F28: two replicas with an outbox and an inbox roll under load, each time as at a SIGTERM.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tegami::{
    Context, HandlerError, Service,
    middleware::{Next, from_fn},
    outbox::Outbox,
    service::{Ended, Running},
    testing::at_length,
    transport::{Memory, Outgoing},
};

use crate::{OrderPaid, Subject, paid, receipt, subject::until};

/// What all replicas have together: how often a handler ran, and the keys of what was published.
#[derive(Default)]
struct Books {
    runs: AtomicUsize,
    sent: Mutex<Vec<String>>,
}

async fn write<S: Subject>(order: OrderPaid, ctx: Context<Arc<Books>>, tx: &mut S::Tx) -> Result<(), HandlerError> {
    ctx.state().runs.fetch_add(1, Ordering::SeqCst);
    S::write(tx, &order.order_id).await.map_err(HandlerError::retry)?;
    ctx.in_transaction(tx).publish(&receipt(order.order_id)).await?;
    Ok(())
}

async fn replica<S: Subject>(db: &S::Db, memory: &Memory, books: &Arc<Books>) -> Running {
    let noted = books.clone();
    let broker = from_fn(move |outgoing: Outgoing, _: Next<Outgoing>| {
        let noted = noted.clone();
        async move {
            noted.sent.lock().expect("nobody panics").push(outgoing.key.unwrap_or_default());
            Ok(())
        }
    });
    let service = Service::new("billing").transport(memory.clone()).state(books.clone());
    let service = service.transactional(db).on::<OrderPaid>(write::<S>).outbox(db);
    service.publish_middleware(broker).start().await.expect("it starts")
}

pub(crate) async fn s2_f28_replicas_that_roll_lose_and_repeat_nothing<S: Subject>() {
    let (all, memory, books) = (S::open().await, Memory::new(), Arc::<Books>::default());
    let (other, rolls, is_over) = (S::connect(&all.address()).await, at_length(6, 20), AtomicBool::new(false));
    let first = replica::<S>(all.db(), &memory, &books).await;
    let shop = Service::new("shop").transport(memory.clone()).start().await.expect("it starts");
    let load = async {
        let mut orders = Vec::new();
        while !is_over.load(Ordering::SeqCst) {
            let order = format!("o-{}", orders.len());
            shop.publisher().publish(&paid(&*order)).await.expect("it is published");
            orders.push(order);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        orders
    };
    let roll = async {
        let mut oldest = first;
        for round in 0..rolls {
            let newer = replica::<S>(if round % 2 == 0 { &other } else { all.db() }, &memory, &books).await;
            let before = books.runs.load(Ordering::SeqCst);
            until(async || books.runs.load(Ordering::SeqCst) > before + 10).await;
            let ended = std::mem::replace(&mut oldest, newer).stop().await.expect("it stops");
            assert_eq!(ended, Ended::Drained);
        }
        is_over.store(true, Ordering::SeqCst);
        oldest
    };
    let (mut orders, last) = tokio::join!(load, roll);
    memory.quiet().await;
    until(async || all.db().waiting().await.is_ok_and(|waiting| waiting == 0)).await;
    last.stop().await.expect("it stops");
    let (mut written, mut sent) = (all.written().await, books.sent.lock().expect("nobody panics").clone());
    for all in [&mut orders, &mut written, &mut sent] {
        all.sort();
    }
    assert_eq!(written, orders, "effects");
    assert_eq!(sent, orders, "what was published");
    assert_eq!(books.runs.load(Ordering::SeqCst), orders.len(), "each is handled once");
    println!("{}: {rolls} stops under load, {} messages: lost 0, handled again 0", S::NAME, orders.len());
}
