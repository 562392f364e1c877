//! What an order is, made from its events: what may happen to it next.

use tegami::aggregate::Aggregate;

use super::contracts::shop::{
    orders::v1::{Line, OrderPlaced},
    shipping::v1::ParcelShipped,
};

tegami::event_set! {
    /// What happens to an order.
    #[derive(Debug, Clone, PartialEq)]
    pub enum OrderEvent {
        Placed(OrderPlaced),
        Shipped(ParcelShipped),
    }
}

/// An order; without lines, one that nobody has placed.
#[derive(Default)]
pub struct Order {
    lines: Vec<Line>,
    is_shipped: bool,
}

/// What an order is asked for.
pub enum Command {
    Place(OrderPlaced),
    Ship(ParcelShipped),
}

impl Aggregate for Order {
    const KIND: &'static str = "order";
    type Event = OrderEvent;
    type Command = Command;
    type Refusal = &'static str;

    /// Who does not hear the answer asks again, so what is done already is done.
    fn decide(&self, command: &Command) -> Result<Vec<OrderEvent>, &'static str> {
        match command {
            Command::Place(order) if self.lines.is_empty() => Ok(vec![order.clone().into()]),
            Command::Place(order) if self.lines == order.lines => Ok(vec![]),
            Command::Place(_) => Err("there is another order of that name"),
            Command::Ship(_) if self.lines.is_empty() => Err("nobody has placed that order"),
            Command::Ship(_) if self.is_shipped => Ok(vec![]),
            Command::Ship(parcel) => Ok(vec![parcel.clone().into()]),
        }
    }

    fn evolve(&mut self, event: &OrderEvent) {
        match event {
            OrderEvent::Placed(order) => self.lines.clone_from(&order.lines),
            OrderEvent::Shipped(_) => self.is_shipped = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tegami::testing::scenario;

    fn kettles(quantity: u32) -> OrderPlaced {
        let line = Line::builder().article("kettle").quantity(quantity).price_minor(4_000).build();
        OrderPlaced::builder().order_id("o-1").lines([line]).build()
    }

    fn parcel() -> ParcelShipped {
        ParcelShipped::builder().order_id("o-1").build()
    }

    #[test]
    fn an_order_is_placed_once() {
        let one = || Command::Place(kettles(1));
        scenario::<Order>().when(&one()).then([kettles(1)]);
        scenario::<Order>().given(kettles(1)).when(&one()).then_nothing();
        scenario::<Order>().given(kettles(2)).when(&one()).then_refused(&"there is another order of that name");
    }

    #[test]
    fn an_order_is_shipped_once() {
        let ship = || Command::Ship(parcel());
        scenario::<Order>().given(kettles(1)).when(&ship()).then([parcel()]);
        scenario::<Order>().given(kettles(1)).given(parcel()).when(&ship()).then_nothing();
        scenario::<Order>().when(&ship()).then_refused(&"nobody has placed that order");
    }
}
