//! One process, no server: an event, a follow-up, a retry and a dead letter.
//!
//! Run it with `cargo run --example quickstart`.

use std::time::Duration;

use tegami::{Context, Error, HandlerError, Retry, Service, transport::Memory};
use tracing_subscriber::{Layer, filter, layer::SubscriberExt, util::SubscriberInitExt};

mod contracts {
    tegami::include_contracts!();
}
use contracts::shop::{billing::v1::ReceiptSent, orders::v1::OrderPaid};

#[tokio::main]
async fn main() -> Result<(), Error> {
    show_log();
    let memory = Memory::new();
    let quick = Retry::after([100, 200].map(Duration::from_millis));
    let service = Service::new("billing")
        .transport(memory.clone())
        .on_with::<OrderPaid>(send_receipt, |s| s.retry(quick))
        .on::<ReceiptSent>(file_receipt);

    let billing = service.start().await?;
    for (order, currency) in [("o-1", "EUR"), ("o-2", "USD"), ("o-3", "XXX")] {
        let paid = OrderPaid::builder().order_id(order).currency(currency).amount_minor(990).build();
        println!("{order}  paid in {currency}");
        billing.publisher().publish(&paid).await?;
    }

    memory.quiet().await;
    for letter in memory.all_dead_letters() {
        let (reason, attempts, error) = (letter.reason(), letter.attempts(), letter.error());
        println!("dead letter: {reason} after {attempts} attempts: {error}");
    }
    let ended = billing.stop().await?;
    println!("stopped: {ended:?}");
    Ok(())
}

/// Sends a receipt. The mail server is down when the second order comes, and nobody takes the third's currency.
async fn send_receipt(order: OrderPaid, ctx: Context) -> Result<(), HandlerError> {
    let (id, attempt) = (&order.order_id, ctx.attempt());
    println!("{id}  handler runs, attempt {attempt}");
    match order.currency.as_str() {
        "XXX" => return Err(HandlerError::retry("no bank takes the currency `XXX`")),
        "USD" if attempt < 3 => return Err(HandlerError::retry("the mail server does not answer")),
        _ => {}
    }
    let receipt = ReceiptSent::builder().order_id(order.order_id).build();
    ctx.publish(&receipt).await?;
    Ok(())
}

/// The log on stdout: what happens, without all that is known of the delivery in which it does.
fn show_log() {
    let events = filter::filter_fn(|what| what.is_event()).with_max_level_hint(filter::LevelFilter::INFO);
    let log = tracing_subscriber::fmt::layer().without_time().with_target(false);
    tracing_subscriber::registry().with(log.with_filter(events)).init();
}

async fn file_receipt(receipt: ReceiptSent, _: Context) -> Result<(), HandlerError> {
    println!("{}  receipt filed", receipt.order_id);
    Ok(())
}
