//! Events of older contracts, handled as the newer: what is made of them, what cannot be, what is refused.

use tegami::{
    Context, Error, ErrorKind, Event, HandlerError, Service,
    event::Upcast,
    testing::{ReasonKind, TestService},
};

use crate::{
    contracts::shop::{
        billing::v1::ReceiptSent,
        orders::{v1, v2},
        warehouse::v1::StockMoved,
    },
    order,
};

impl Upcast<v1::OrderPaid> for v2::OrderPaid {
    fn upcast(old: v1::OrderPaid) -> Self {
        assert!(old.amount_minor != 13, "13 brings bad luck");
        let amount = format!("{}.{:02}", old.amount_minor / 100, old.amount_minor % 100);
        Self { order_id: old.order_id, currency: old.currency, amount, paid_at: old.paid_at }
    }
}

/// Any event at all becomes a receipt, for the ways that are tried here.
macro_rules! upcast {
    ($($old:ty => $new:ty: $field:ident),*) => {$(
        impl Upcast<$old> for $new {
            fn upcast(old: $old) -> Self {
                #[allow(clippy::needless_update, reason = "some have more fields")]
                Self { $field: old.key().unwrap_or_default().into_owned(), ..Self::default() }
            }
        }
    )*};
}
upcast!(v2::OrderPaid => ReceiptSent: order_id, v1::OrderPaid => ReceiptSent: order_id,
        ReceiptSent => v1::OrderPaid: order_id, ReceiptSent => StockMoved: sku, v1::OrderPaid => v1::OrderPaid: order_id);

async fn ignore<E: Event>(_: E, _: Context) -> Result<(), HandlerError> {
    Ok(())
}

#[tokio::test]
async fn d3_a_handler_gets_events_of_the_older_contract_as_the_newer() -> Result<(), Error> {
    let service = Service::new("billing").upcast::<v1::OrderPaid, v2::OrderPaid>().on::<v2::OrderPaid>(ignore);
    let billing = TestService::start(service).await?;
    billing.publish(&order("o-1")).await?;
    let new = v2::OrderPaid::builder().order_id("o-2").currency("EUR").amount("1.00").build();
    billing.publish(&new).await?;
    billing.settle().await;
    let mut handled = billing.handled::<v2::OrderPaid>();
    handled.sort_by(|one, other| one.order_id.cmp(&other.order_id));
    let made = v2::OrderPaid::builder().order_id("o-1").currency("EUR").amount("9.90").build();
    assert_eq!(handled, [made, new]);
    assert!(billing.handled::<v1::OrderPaid>().is_empty() && billing.dead_letters().is_empty());
    Ok(())
}

#[tokio::test]
async fn d3_steps_add_up() -> Result<(), Error> {
    let service = Service::new("billing")
        .on::<ReceiptSent>(ignore)
        .upcast::<v2::OrderPaid, ReceiptSent>()
        .upcast::<v1::OrderPaid, v2::OrderPaid>();
    let topology = service.topology()?;
    let events: Vec<_> = topology.queues[0].bindings.iter().map(|binding| binding.event).collect();
    assert_eq!(events, ["shop.billing.v1.ReceiptSent", "shop.orders.v2.OrderPaid", "shop.orders.v1.OrderPaid"]);
    let billing = TestService::start(service).await?;
    billing.publish(&order("o-1")).await?;
    billing.settle().await;
    assert_eq!(billing.handled::<ReceiptSent>(), [ReceiptSent::builder().order_id("o-1").build()]);
    Ok(())
}

#[tokio::test]
async fn a_filter_looks_at_what_was_made() -> Result<(), Error> {
    let service = Service::new("billing")
        .upcast::<v1::OrderPaid, v2::OrderPaid>()
        .on_with::<v2::OrderPaid>(ignore, |s| s.filter(v2::OrderPaid::amount().one_of(["9.90"])));
    let topology = service.topology()?;
    let [own, older] = &topology.queues[0].bindings[..] else { panic!("two bindings") };
    assert!(!own.policy.is_empty() && older.policy.is_empty(), "the broker knows no amount of the older");
    let billing = TestService::start(service).await?;
    billing.publish(&order("o-1")).await?;
    billing.publish(&v1::OrderPaid { amount_minor: 1, ..order("o-2") }).await?;
    billing.settle().await;
    let handled: Vec<_> = billing.handled::<v2::OrderPaid>().into_iter().map(|order| order.order_id).collect();
    assert_eq!(handled, ["o-1"]);
    assert!(billing.dead_letters().is_empty());
    Ok(())
}

#[tokio::test]
async fn x2_what_cannot_be_upcast_is_a_dead_letter_with_its_reason() -> Result<(), Error> {
    let service = Service::new("billing").upcast::<v1::OrderPaid, v2::OrderPaid>().on::<v2::OrderPaid>(ignore);
    let billing = TestService::start(service).await?;
    billing.publish(&v1::OrderPaid { amount_minor: 13, ..order("o-1") }).await?;
    billing.publish(&v1::OrderPaid { currency: "EURO".into(), ..order("o-2") }).await?;
    billing.settle().await;
    let dead = billing.dead_letters();
    let [panicked, broken] = &dead[..] else { panic!("two: {dead:?}") };
    assert_eq!((panicked.reason(), broken.reason()), (ReasonKind::Undecodable, ReasonKind::Invalid));
    let step = "the upcast from `shop.orders.v1.OrderPaid` to `shop.orders.v2.OrderPaid`";
    for (letter, words) in [(panicked, "panicked: 13 brings bad luck"), (broken, "currency")] {
        assert!(letter.error().contains(step) && letter.error().contains(words), "{}", letter.error());
    }
    Ok(())
}

#[test]
fn k1_upcasts_that_lead_nowhere_or_round_are_refused() {
    let service = || Service::new("billing").on::<v2::OrderPaid>(ignore);
    let cases = [
        (
            service().upcast::<v1::OrderPaid, ReceiptSent>(),
            "lead from `shop.orders.v1.OrderPaid` to `shop.billing.v1.ReceiptSent`, which is not handled here",
        ),
        (
            service().upcast::<v1::OrderPaid, ReceiptSent>().upcast::<ReceiptSent, v1::OrderPaid>(),
            "in a circle: `shop.orders.v1.OrderPaid` becomes `shop.billing.v1.ReceiptSent`",
        ),
        (service().upcast::<v1::OrderPaid, v1::OrderPaid>(), "in a circle: `shop.orders.v1.OrderPaid`"),
        (
            service().upcast::<v1::OrderPaid, v2::OrderPaid>().upcast::<v1::OrderPaid, ReceiptSent>(),
            "upcast twice, to `shop.orders.v2.OrderPaid` and to `shop.billing.v1.ReceiptSent`",
        ),
        (
            Service::new("billing").upcast::<ReceiptSent, StockMoved>().on::<StockMoved>(ignore),
            "keep order by one of `shop.billing.v1.ReceiptSent` and `shop.warehouse.v1.StockMoved`",
        ),
        (
            Service::new("billing")
                .upcast::<v1::OrderPaid, v2::OrderPaid>()
                .on_with::<v1::OrderPaid>(ignore, |s| s.group("all"))
                .on_with::<v2::OrderPaid>(ignore, |s| s.group("all")),
            "two handlers for event `shop.orders.v1.OrderPaid` share the queue `billing-all`",
        ),
    ];
    for (service, words) in cases {
        let error = service.topology().expect_err(words);
        assert_eq!(error.kind(), ErrorKind::Subscription);
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test]
async fn both_contracts_may_have_handlers_of_their_own() -> Result<(), Error> {
    let service = Service::new("billing")
        .upcast::<v1::OrderPaid, v2::OrderPaid>()
        .on::<v1::OrderPaid>(ignore)
        .on::<v2::OrderPaid>(ignore);
    let billing = TestService::start(service).await?;
    billing.publish(&order("o-1")).await?;
    billing.settle().await;
    assert_eq!((billing.handled::<v1::OrderPaid>().len(), billing.handled::<v2::OrderPaid>().len()), (1, 1));
    Ok(())
}
