//! A consumer with four subscriptions: letters in any order, letters in order, receipts, and orders in transactions, each
//! with an effect in PostgreSQL and a receipt that is published by its outbox.

use std::{future::pending, sync::Arc, time::Duration};

use sqlx::PgPool;
use tegami::{
    Context, HandlerError, Service,
    envelope::MessageId,
    postgres::{Database, Tx},
    relay::RelayOptions,
    testing::ledger::Entry,
};

use super::{CONSUMER, Given, listen, notes::Notes, subscribed};
use crate::{
    asked::{Broken, Whose},
    contracts::{
        letters::v1::{LetterFiled, LetterPosted},
        shop::{billing::v1::ReceiptSent, orders::v1::OrderPaid},
    },
    fate::Fate,
};

/// What a slow handler takes.
const SLOW: Duration = Duration::from_millis(250);
/// How soon the database is asked for again at the start.
const AGAIN: Duration = Duration::from_millis(200);

/// What handlers share.
struct Desk {
    seed: u64,
    notes: Notes,
    /// The way past all transactions, for one that is broken.
    pool: Option<PgPool>,
    broken: Option<Broken>,
}

/// Handles until it is stopped.
pub async fn consume(given: Given) {
    listen(|_| {});
    let notes = Notes::of(&given);
    let pool = given.broken.map(|_| PgPool::connect_lazy(&given.postgres).expect("a good URL"));
    let desk = Arc::new(Desk { seed: given.seed, notes: notes.clone(), pool, broken: given.broken });
    let service = given.service(CONSUMER).state(desk);
    let service = service.middleware(notes.handling()).publish_middleware(notes.publishing());
    let service = service.on_with::<LetterPosted>(posted, subscribed).on_with::<LetterFiled>(filed, subscribed);
    let service = match given.whose {
        Whose::Tegami => with_orders(service, &given).await,
        _ => service,
    };
    service.run().await.expect("no hook can fail");
}

async fn with_orders(service: Service<Arc<Desk>>, given: &Given) -> Service<Arc<Desk>> {
    let database = connected(&given.postgres).await;
    let service = service.on_with::<ReceiptSent>(receipt, subscribed);
    let service = service.transactional(&database).on_with::<OrderPaid>(paid, subscribed);
    service.outbox_with(&database, |options| given.hold.into_iter().fold(options, RelayOptions::hold))
}

/// Connects, once the database is there.
async fn connected(url: &str) -> Database {
    loop {
        match Database::connect(url).await {
            Ok(database) => return database,
            Err(error) => eprintln!("no database: {error}"),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn posted(_: LetterPosted, ctx: Context<Arc<Desk>>) -> Result<(), HandlerError> {
    behave(&ctx).await
}

async fn filed(_: LetterFiled, ctx: Context<Arc<Desk>>) -> Result<(), HandlerError> {
    behave(&ctx).await
}

async fn receipt(_: ReceiptSent, ctx: Context<Arc<Desk>>) -> Result<(), HandlerError> {
    behave(&ctx).await
}

/// Leaves its effect, publishes a receipt, and only then comes to its fate.
async fn paid(order: OrderPaid, ctx: Context<Arc<Desk>>, tx: &mut Tx) -> Result<(), HandlerError> {
    let (desk, id) = (ctx.state().clone(), ctx.message_id().to_string());
    let receipt = format!("r-{id}");
    let effect = sqlx::query("INSERT INTO effects (queue, id, receipt) VALUES ($1, $2, $3)");
    let effect = effect.bind(ctx.queue().to_owned()).bind(id).bind(receipt.clone());
    match (&desk.pool, desk.broken) {
        (Some(pool), Some(Broken::EffectBeside)) => effect.execute(pool).await?,
        _ => effect.execute(&mut **tx).await?,
    };
    desk.notes.ledger().write(Entry::Intent { id: receipt.clone() });
    let sent = ReceiptSent::builder().order_id(order.order_id).build();
    let id = MessageId::parse(receipt).expect("a good id");
    match desk.broken {
        Some(Broken::PublishBeside) => ctx.publish_with(&sent, |options| options.id(id)).await?,
        _ => ctx.in_transaction(tx).publish_with(&sent, |options| options.id(id)).await?,
    };
    behave(&ctx).await
}

/// Comes to the fate of this attempt.
async fn behave(ctx: &Context<Arc<Desk>>) -> Result<(), HandlerError> {
    match Fate::of(ctx.state().seed, ctx.message_id().as_str(), ctx.attempt()) {
        Fate::Completes => Ok(()),
        Fate::Fails => Err(HandlerError::retry("it is drawn to fail")),
        Fate::Panics => panic!("it is drawn to panic"),
        Fate::IsSlow => {
            tokio::time::sleep(SLOW).await;
            Ok(())
        }
        Fate::Hangs => pending().await,
        Fate::Refuses => Err(HandlerError::reject("it is drawn to be given up")),
    }
}
