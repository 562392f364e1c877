//! Stock that is counted, taken and put back: events in a store, an aggregate that decides, and what is read of them.
//!
//! ```console
//! $ cargo run --example store --features sqlite
//! chair: 10 after 1 event
//! chair: 7 after 2 events
//! chair: not taken, for 8 are wanted and 7 are there
//! table: 2 after 1 event
//! opened again: 7 chairs, 2 tables
//! stock/chair 1: 10 counted
//! stock/chair 2: 3 taken
//! stock/table 1: 2 counted
//! ```

mod contracts {
    tegami::include_contracts!();
}
use contracts::shop::warehouse::v1::{StockCounted, StockMoved};
use tegami::{
    aggregate::{Aggregate, Repository},
    error::BoxError,
    store::{Criterion, Position, Sqlite, Store, Undecided},
};

tegami::event_set! {
    /// What happens to the stock of an article.
    enum StockEvent {
        Counted(StockCounted),
        Moved(StockMoved),
    }
}

/// How many of an article there are.
#[derive(Default)]
struct Stock(i64);

enum Command {
    Count { sku: String, found: i64 },
    Take { sku: String, wanted: i64 },
}

impl Aggregate for Stock {
    const KIND: &'static str = "stock";
    type Event = StockEvent;
    type Command = Command;
    type Refusal = String;

    fn decide(&self, command: &Command) -> Result<Vec<StockEvent>, String> {
        match command {
            Command::Count { sku, found } => {
                Ok(vec![StockCounted::builder().sku(sku).warehouse("north").quantity(*found).build().into()])
            }
            Command::Take { wanted, .. } if *wanted > self.0 => {
                Err(format!("{wanted} are wanted and {} are there", self.0))
            }
            Command::Take { sku, wanted } => {
                Ok(vec![StockMoved::builder().sku(sku).warehouse("north").quantity(-wanted).build().into()])
            }
        }
    }

    fn evolve(&mut self, event: &StockEvent) {
        match event {
            StockEvent::Counted(counted) => self.0 = counted.quantity,
            StockEvent::Moved(moved) => self.0 += moved.quantity,
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let path = std::env::temp_dir().join(format!("tegami-stock-{}.db", std::process::id()));
    let store = Store::new(Sqlite::connect(&path).await?).service("warehouse");
    let stocks = Repository::<Stock>::new(store.clone());
    tell(&stocks, "chair", Command::Count { sku: "chair".into(), found: 10 }).await?;
    tell(&stocks, "chair", Command::Take { sku: "chair".into(), wanted: 3 }).await?;
    tell(&stocks, "chair", Command::Take { sku: "chair".into(), wanted: 8 }).await?;
    tell(&stocks, "table", Command::Count { sku: "table".into(), found: 2 }).await?;
    store.inner().close().await;

    let store = Store::new(Sqlite::connect(&path).await?);
    let stocks = Repository::<Stock>::new(store.clone());
    let (chairs, tables) = (stocks.load("chair").await?, stocks.load("table").await?);
    println!("opened again: {} chairs, {} tables", chairs.state.0, tables.state.0);
    let in_north = Criterion::of::<StockEvent>().tagged("warehouse", "north");
    let found = store.find::<StockEvent>(in_north, Position::START, 100).await?;
    for stored in found.events {
        let what = match stored.event {
            StockEvent::Counted(counted) => format!("{} counted", counted.quantity),
            StockEvent::Moved(moved) => format!("{} taken", -moved.quantity),
        };
        println!("{} {}: {what}", stored.stream, stored.version);
    }
    store.inner().close().await;
    std::fs::remove_file(path)?;
    Ok(())
}

async fn tell(stocks: &Repository<Stock>, sku: &str, command: Command) -> Result<(), BoxError> {
    match stocks.handle(sku, &command).await {
        Ok(handled) => {
            let events = if handled.version.number() == 1 { "event" } else { "events" };
            println!("{sku}: {} after {} {events}", handled.state.0, handled.version);
        }
        Err(Undecided::Refused(reason)) => println!("{sku}: not taken, for {reason}"),
        Err(Undecided::Store(error)) => return Err(error.into()),
    }
    Ok(())
}
