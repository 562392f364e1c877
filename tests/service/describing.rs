//! What a service says of itself, and is held to.

use tegami::{
    Config, Context, Error, ErrorKind, Event, HandlerError, Service,
    testing::{ReasonKind, TestService},
    transport::{Memory, PublishErrorKind},
};

use crate::{
    contracts::shop::{
        billing::v1::ReceiptSent,
        orders::{v1, v2},
    },
    order,
};

async fn ignore<E: Event>(_: E, _: Context) -> Result<(), HandlerError> {
    Ok(())
}

#[test]
fn a_service_describes_what_it_handles_and_publishes() -> Result<(), Error> {
    let service = Service::new("billing")
        .prefix("staging-")
        .on_with::<v2::OrderPaid>(ignore, |s| s.filter(v2::OrderPaid::currency().one_of(["EUR"])))
        .upcast::<v1::OrderPaid, v2::OrderPaid>()
        .publishes::<ReceiptSent>();
    let description = service.describe()?;
    assert_eq!(description.service, "billing");
    let [published] = &description.publishes[..] else { panic!("one event") };
    assert_eq!(published.event, "shop.billing.v1.ReceiptSent");
    assert_eq!(published.topic, "staging-shop-billing-v1");
    let topics: Vec<_> = description.topics.iter().map(|topic| &*topic.name).collect();
    assert_eq!(topics, ["staging-shop-orders-v1", "staging-shop-orders-v2"]);
    let [queue] = &description.queues[..] else { panic!("one queue") };
    assert_eq!(queue.dead_letters, "staging-billing-shop-orders-v2-OrderPaid-dead");
    let [own, older] = &queue.events[..] else { panic!("two events") };
    assert_eq!((&*own.event, &own.upcast_to), ("shop.orders.v2.OrderPaid", &None));
    assert_eq!(
        (&*older.event, older.upcast_to.as_deref()),
        ("shop.orders.v1.OrderPaid", Some("shop.orders.v2.OrderPaid"))
    );
    assert_eq!(older.filter.as_deref(), Some("currency is \"EUR\""));
    let json = serde_json::to_string(&description).expect("plain data");
    assert_eq!(serde_json::from_str::<tegami::service::Description>(&json).expect("it is read again"), description);
    Ok(())
}

#[test]
fn a_handler_that_is_a_traits_function_has_its_name() -> Result<(), Error> {
    trait Books {
        async fn book(_: v1::OrderPaid, _: Context) -> Result<(), HandlerError>;
    }
    impl Books for v1::OrderPaid {
        async fn book(order: v1::OrderPaid, ctx: Context) -> Result<(), HandlerError> {
            ignore(order, ctx).await
        }
    }
    let service = Service::new("billing").on::<v1::OrderPaid>(<v1::OrderPaid as Books>::book);
    let name = service.describe()?.queues[0].events[0].handler.clone();
    assert!(name.starts_with('<') && name.contains("OrderPaid as ") && name.ends_with("Books>::book"), "{name}");
    Ok(())
}

#[tokio::test]
async fn a_service_that_says_what_it_publishes_cannot_publish_other_events() -> Result<(), Error> {
    async fn answer(order: v1::OrderPaid, ctx: Context) -> Result<(), HandlerError> {
        ctx.publish(&v2::OrderPaid::builder().order_id(order.order_id).currency("EUR").amount("1").build()).await?;
        Ok(())
    }
    let service = Service::new("billing").publishes::<ReceiptSent>().on::<v1::OrderPaid>(answer);
    let publisher = service.publisher();
    let billing = TestService::start(service).await?;
    billing.publish(&order("o-1")).await?;
    billing.settle().await;
    let [dead] = &billing.dead_letters()[..] else { panic!("one dead letter") };
    assert_eq!(dead.reason(), ReasonKind::HandlerError);
    assert!(
        dead.error().contains("`shop.orders.v2.OrderPaid` is not among the events that `billing`"),
        "{}",
        dead.error()
    );
    let error =
        publisher.publish(&order("o-2")).await.expect_err("it handles it, and does not say that it publishes it");
    assert_eq!(error.kind(), PublishErrorKind::Undeclared);
    assert!(!matches!(publisher.publish(&ReceiptSent::builder().order_id("o-1").build()).await,
        Err(error) if error.kind() == PublishErrorKind::Undeclared));
    Ok(())
}

#[tokio::test]
async fn k1_a_service_with_another_task_is_not_started() -> Result<(), Error> {
    let config = Config::parse("task = 'describe'")?;
    let service = Service::new("billing").config(config).transport(Memory::new()).on::<v1::OrderPaid>(ignore);
    let error = service.start().await.err().expect("it is for `run`");
    assert_eq!(error.kind(), ErrorKind::Setting);
    assert!(error.to_string().contains("`task`") && error.to_string().contains("`run`"), "{error}");
    Ok(())
}
