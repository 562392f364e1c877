//! A process manager: a receipt once an order is paid and its parcel has left, and a word to the customer if that takes too
//! long.
//!
//! ```console
//! $ cargo run --example process --features sqlite
//! o-1: the receipt goes out
//! o-2: the customer is told that it takes longer
//! o-2: the receipt goes out
//! ```

mod contracts {
    tegami::include_contracts!();
}
use std::time::Duration;

use contracts::shop::{
    billing::v1::ReceiptSent,
    fulfilment::v1::{OrderDelayed, ParcelOverdue},
    orders::v1::OrderPaid,
    shipping::v1::{ParcelShipped, parcel_shipped::Carrier},
};
use tegami::{
    Context, HandlerError, Service,
    error::BoxError,
    process::{Manager, Process, Reaction},
    sqlite::Database,
    store::Store,
    transport::Memory,
};

tegami::event_set! {
    /// What an order goes through.
    #[derive(Debug, Clone, PartialEq)]
    enum Step {
        Paid(OrderPaid),
        Shipped(ParcelShipped),
        Overdue(ParcelOverdue),
        Delayed(OrderDelayed),
        Receipted(ReceiptSent),
    }
}

/// Two days, where it is not an example.
const PATIENCE: Duration = Duration::from_millis(200);

#[derive(Debug, Default)]
struct Fulfilment {
    order_id: String,
    paid: bool,
    shipped: bool,
    receipted: bool,
}

impl Process for Fulfilment {
    const KIND: &'static str = "fulfilment";
    type Event = Step;

    fn id<'a>(event: &'a Step, key: Option<&'a str>) -> Option<&'a str> {
        // A parcel's key is its own number.
        if let Step::Shipped(parcel) = event { Some(&parcel.order_id) } else { key }
    }

    fn evolve(&mut self, event: &Step) {
        match event {
            Step::Paid(order) => (self.order_id, self.paid) = (order.order_id.clone(), true),
            Step::Shipped(_) => self.shipped = true,
            Step::Receipted(_) => self.receipted = true,
            Step::Overdue(_) | Step::Delayed(_) => {}
        }
    }

    fn react(&self, event: &Step) -> Reaction<Step> {
        match event {
            Step::Paid(_) | Step::Shipped(_) if self.paid && self.shipped => Reaction::none().publish(self.receipt()),
            Step::Paid(_) => Reaction::none().timeout(PATIENCE, self.overdue()),
            Step::Overdue(_) => Reaction::none().publish(self.delayed()),
            _ => Reaction::none(),
        }
    }

    fn is_over(&self) -> bool {
        self.receipted
    }
}

impl Fulfilment {
    fn receipt(&self) -> ReceiptSent {
        ReceiptSent::builder().order_id(&*self.order_id).build()
    }

    fn overdue(&self) -> ParcelOverdue {
        ParcelOverdue::builder().order_id(&*self.order_id).build()
    }

    fn delayed(&self) -> OrderDelayed {
        OrderDelayed::builder().order_id(&*self.order_id).build()
    }
}

async fn tell_of_receipt(receipt: ReceiptSent, _: Context) -> Result<(), HandlerError> {
    println!("{}: the receipt goes out", receipt.order_id);
    Ok(())
}

async fn tell_of_delay(delayed: OrderDelayed, _: Context) -> Result<(), HandlerError> {
    println!("{}: the customer is told that it takes longer", delayed.order_id);
    Ok(())
}

fn service(db: &Database) -> Service {
    let fulfilment = Manager::<Fulfilment>::new(Store::new(db.store()).service("shop"));
    Service::new("shop")
        .transactional(db)
        .on::<OrderPaid>(fulfilment.clone())
        .transactional(db)
        .on::<ParcelShipped>(fulfilment.clone())
        .transactional(db)
        .on::<ParcelOverdue>(fulfilment)
        .outbox_with(db, |relay| relay.poll(Duration::from_millis(20)))
        .on::<ReceiptSent>(tell_of_receipt)
        .on::<OrderDelayed>(tell_of_delay)
}

fn paid(order: &str) -> OrderPaid {
    OrderPaid::builder().order_id(order).currency("EUR").amount_minor(990).build()
}

fn shipped(order: &str) -> ParcelShipped {
    let parcel = ParcelShipped::builder().parcel_id(format!("p-{order}")).order_id(order);
    parcel.carrier(Carrier::Dhl).build()
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let path = std::env::temp_dir().join(format!("tegami-process-{}.db", std::process::id()));
    let db = Database::connect(&path).await?;
    let running = service(&db).transport(Memory::new()).start().await?;
    // In time: nothing is overdue.
    running.publisher().publish(&paid("o-1")).await?;
    running.publisher().publish(&shipped("o-1")).await?;
    running.publisher().publish(&paid("o-2")).await?;
    tokio::time::sleep(PATIENCE * 5).await;
    running.publisher().publish(&shipped("o-2")).await?;
    tokio::time::sleep(PATIENCE * 2).await;
    running.stop().await?;
    db.close().await;
    std::fs::remove_file(path)?;
    Ok(())
}
