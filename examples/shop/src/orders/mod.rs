//! Orders: records what customers want, and when it is on its way.

mod contracts {
    tegami::include_contracts!("orders");
}
mod order;
mod routes;
mod sales;

use std::path::Path;

use tegami::{
    Context, HandlerError, Service,
    aggregate::Repository,
    error::BoxError,
    projection::Publishing,
    sqlite::Database,
    store::{Criterion, Follow, Position, Store, Undecided},
};

pub use contracts::shop::{
    orders::v1::{Line, OrderPlaced},
    shipping::v1::ParcelShipped,
};
use order::{Command, Order};

use crate::data;

/// All orders: their events, and what is made of them, in one file.
#[derive(Clone)]
pub struct Orders {
    db: Database,
    store: Store,
    orders: Repository<Order>,
}

impl Orders {
    /// Those of this folder.
    pub async fn open(folder: &Path) -> Result<Self, BoxError> {
        let db = data::open(folder, "orders.db", sales::TABLE).await?;
        let store = Store::new(db.store()).service("orders");
        Ok(Self { db, orders: Repository::new(store.clone()), store })
    }

    /// The service. An order is published because it is recorded: there is no moment at which it is one and not the other.
    pub fn service(&self) -> Service<Orders> {
        let publishing = Publishing::new("orders", 1).event::<OrderPlaced>();
        Service::new("orders")
            .state(self.clone())
            .on::<ParcelShipped>(close_order)
            .publishes::<OrderPlaced>()
            .publishing_with(&self.db, &self.store, publishing, |options| options.hold(data::HOLD))
            .projection_with(&self.db, &self.store, sales::projection(), |options| options.hold(data::HOLD))
            .routes(routes::routes())
    }

    /// Records an order, once.
    pub async fn place(&self, order: OrderPlaced) -> Result<(), Undecided<&'static str>> {
        let id = order.order_id.clone();
        self.orders.handle(&id, &Command::Place(order)).await?;
        println!("orders    {id} placed");
        Ok(())
    }

    /// The parcels so far, and those to come.
    pub fn parcels(&self) -> Follow<ParcelShipped> {
        self.store.follow(Criterion::of::<ParcelShipped>(), Position::START)
    }
}

/// A parcel may be told of more than once: the order knows.
async fn close_order(parcel: ParcelShipped, ctx: Context<Orders>) -> Result<(), HandlerError> {
    let (id, command) = (parcel.order_id.clone(), Command::Ship(parcel));
    match ctx.state().orders.handle_with(&id, &command, |append| append.caused_by(ctx.head())).await {
        Ok(_) => Ok(()),
        Err(Undecided::Refused(reason)) => Err(HandlerError::reject(reason)),
        Err(Undecided::Store(error)) => Err(error.into()),
    }
}
