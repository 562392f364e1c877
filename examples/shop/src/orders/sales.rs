//! How business goes, as a table that is made of the stored events.

use tegami::{
    error::BoxError,
    projection::Projection,
    sqlite::{Database, Tx},
    store::Stored,
};

use super::contracts::shop::{orders::v1::OrderPlaced, shipping::v1::ParcelShipped};

/// One row.
pub const TABLE: &str = "CREATE TABLE IF NOT EXISTS sales (placed INTEGER, shipped INTEGER, amount_minor INTEGER);
                         INSERT INTO sales SELECT 0, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM sales);";

/// What sums the events up.
pub fn projection() -> Projection<Tx> {
    Projection::new("sales", 1).on::<OrderPlaced>(add_order).on::<ParcelShipped>(add_parcel)
}

/// Adding is safe: the sum and that the event was handled are one commit.
async fn add_order(order: Stored<OrderPlaced>, tx: &mut Tx) -> Result<(), BoxError> {
    let amount: i64 = order.event.lines.iter().map(|line| i64::from(line.quantity) * line.price_minor).sum();
    let sql = "UPDATE sales SET placed = placed + 1, amount_minor = amount_minor + ?1";
    tx.run(move |file| file.execute(sql, [amount])).await?;
    Ok(())
}

async fn add_parcel(_: Stored<ParcelShipped>, tx: &mut Tx) -> Result<(), BoxError> {
    tx.run(|file| file.execute("UPDATE sales SET shipped = shipped + 1", ())).await?;
    Ok(())
}

/// The table as JSON.
pub async fn read(db: &Database) -> Result<String, BoxError> {
    let sql = "SELECT json_object('placed', placed, 'shipped', shipped, 'amountMinor', amount_minor) FROM sales";
    let mut tx = db.begin().await?;
    let found = tx.run(move |file| file.query_row(sql, (), |row| row.get(0))).await?;
    tx.rollback().await;
    Ok(found)
}
