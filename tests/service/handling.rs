//! What a handler gets, and who gets what (D, P9, H).

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use tegami::{
    Context, Error, Handler, HandlerError, Service,
    envelope::{CloudEvents, ProtobufBase, Raw},
    testing::TestService,
    transport::Memory,
};

use crate::{
    contracts::shop::{
        billing::v1::ReceiptSent,
        orders::v1::OrderPaid,
        shipping::v1::{ParcelShipped, parcel_shipped::Carrier},
    },
    order,
};

async fn send_receipt(order: OrderPaid, ctx: Context) -> Result<(), HandlerError> {
    ctx.publish(&ReceiptSent::builder().order_id(order.order_id).build()).await?;
    Ok(())
}

async fn ignore<E: tegami::Event>(_: E, _: Context) -> Result<(), HandlerError> {
    Ok(())
}

#[tokio::test]
async fn p9_event_arrives_as_it_was_published_in_every_envelope() -> Result<(), Error> {
    let paid = OrderPaid {
        order_id: "o-1 \u{e9}\u{1f600}\"\\".to_owned(),
        currency: "EUR".to_owned(),
        amount_minor: i64::MIN,
        paid_at: Some("1969-12-31T23:59:59.000000001Z".parse().expect("a time")),
    };
    let services = [
        Service::new("json").on::<OrderPaid>(ignore),
        Service::new("proto").envelope(ProtobufBase::default()).on::<OrderPaid>(ignore),
        Service::new("cloud").envelope(CloudEvents::default()).on::<OrderPaid>(ignore),
        Service::new("raw").envelope(Raw::protobuf()).on::<OrderPaid>(ignore),
    ];
    for service in services {
        let test = TestService::start(service).await?;
        test.publish(&paid).await?;
        test.settle().await;
        assert_eq!(test.handled::<OrderPaid>(), std::slice::from_ref(&paid));
    }
    Ok(())
}

#[tokio::test]
async fn follow_up_belongs_to_the_trace_of_its_cause() -> Result<(), Error> {
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = {
        let seen = seen.clone();
        move |_: ReceiptSent, ctx: Context| {
            seen.lock().expect("no panic").push(ctx.attributes().text("traceparent").map(str::to_owned));
            async { Ok(()) }
        }
    };
    let service = Service::new("billing").on::<OrderPaid>(send_receipt).on::<ReceiptSent>(note);
    let test = TestService::start(service).await?;
    test.outside().publish_with(&order("o-1"), |o| o.attribute("traceparent", parent)).await?;
    test.publish(&order("o-2")).await?;
    test.settle().await;
    assert_eq!(*seen.lock().expect("no panic"), [Some(parent.to_owned()), None]);
    Ok(())
}

#[tokio::test]
async fn follow_up_knows_its_conversation_and_its_cause() -> Result<(), Error> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = {
        let seen = seen.clone();
        move |_: ReceiptSent, ctx: Context| {
            let noted = (ctx.correlation_id().clone(), ctx.causation_id().cloned(), ctx.source().map(str::to_owned));
            seen.lock().expect("one thread").push((noted, ctx.key().map(str::to_owned)));
            async { Ok(()) }
        }
    };
    let test =
        TestService::start(Service::new("billing").on::<OrderPaid>(send_receipt).on::<ReceiptSent>(note)).await?;
    let first = test.publish(&order("o-1")).await?;
    test.settle().await;
    let seen = seen.lock().expect("one thread").clone();
    let source = Some("billing".to_owned());
    assert_eq!(seen, [((first.clone(), Some(first), source), Some("o-1".to_owned()))]);
    Ok(())
}

#[tokio::test]
async fn state_is_shared_and_a_handler_may_be_a_type() -> Result<(), Error> {
    struct Counter(AtomicUsize);
    struct Count {
        by: usize,
    }
    impl Handler<OrderPaid, Counter> for Count {
        async fn call(&self, _: OrderPaid, ctx: Context<Counter>) -> Result<(), HandlerError> {
            ctx.state().0.fetch_add(self.by, Ordering::Relaxed);
            Ok(())
        }
    }
    let total = Arc::new(AtomicUsize::new(0));
    let report = total.clone();
    let service = Service::new("billing")
        .state(Counter(AtomicUsize::new(0)))
        .on_with::<OrderPaid>(Count { by: 2 }, |s| s.group("twos"))
        .on_with::<OrderPaid>(Count { by: 3 }, |s| s.group("threes"))
        .stopped(move |service| async move {
            report.store(service.state().0.load(Ordering::Relaxed), Ordering::Relaxed);
            Ok::<(), Error>(())
        });
    let test = TestService::start(service).await?;
    test.publish(&order("o-1")).await?;
    test.settle().await;
    test.stop().await?;
    assert_eq!(total.load(Ordering::Relaxed), 5);
    Ok(())
}

#[tokio::test]
async fn d3_replicas_share_and_subscriptions_each_get_all() -> Result<(), Error> {
    let memory = Memory::new();
    let billing = || Service::new("billing").on::<OrderPaid>(ignore);
    let (one, two) =
        (TestService::start_on(&memory, billing()).await?, TestService::start_on(&memory, billing()).await?);
    let shipping = TestService::start_on(&memory, Service::new("shipping").on::<OrderPaid>(ignore)).await?;
    for n in 0..100 {
        one.publish(&order(&format!("o-{n}"))).await?;
    }
    one.settle().await;
    let mut shared: Vec<_> = [one.handled::<OrderPaid>(), two.handled::<OrderPaid>()].concat();
    shared.sort_by(|a, b| a.order_id.cmp(&b.order_id));
    shared.dedup();
    assert_eq!(shared.len(), 100);
    assert_eq!(one.handled::<OrderPaid>().len() + two.handled::<OrderPaid>().len(), 100);
    assert_eq!(shipping.handled::<OrderPaid>().len(), 100);
    Ok(())
}

#[tokio::test]
async fn filter_lets_through_what_was_asked_for_and_acks_the_rest() -> Result<(), Error> {
    let large = OrderPaid::currency().one_of(["EUR", "USD"]).and(OrderPaid::amount_minor().at_least(10_000));
    let service = Service::new("billing").on_with::<OrderPaid>(ignore, |s| s.filter(large));
    let test = TestService::start(service).await?;
    for (id, currency, amount) in [("yes", "USD", 10_000), ("small", "EUR", 9_999), ("other", "SEK", 10_000)] {
        let paid = OrderPaid::builder().order_id(id).currency(currency).amount_minor(amount).build();
        test.publish(&paid).await?;
    }
    test.settle().await;
    let handled: Vec<_> = test.handled::<OrderPaid>().into_iter().map(|order| order.order_id).collect();
    assert_eq!(handled, ["yes"]);
    assert!(test.dead_letters().is_empty());
    Ok(())
}

#[tokio::test]
async fn filter_holds_where_the_broker_lets_through_more() -> Result<(), Error> {
    let memory = Memory::new();
    let before = Service::new("billing").transport(memory.clone()).on::<OrderPaid>(ignore);
    before.start().await?.stop().await?;
    let large = OrderPaid::amount_minor().at_least(10_000);
    let now = Service::new("billing").on_with::<OrderPaid>(ignore, |s| s.filter(large));
    let test = TestService::start_on(&memory, now).await?;
    test.publish(&order("small")).await?;
    test.settle().await;
    assert!(test.handled::<OrderPaid>().is_empty() && test.dead_letters().is_empty());
    Ok(())
}

#[tokio::test]
async fn conversation_goes_on_from_message_to_message() -> Result<(), Error> {
    async fn ship(receipt: ReceiptSent, ctx: Context) -> Result<(), HandlerError> {
        let id = receipt.order_id;
        let parcel = ParcelShipped::builder().parcel_id("p-1").order_id(id).carrier(Carrier::Post).build();
        ctx.publish(&parcel).await?;
        Ok(())
    }
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = |_: &str| {
        let seen = seen.clone();
        move |ctx: &Context| {
            let ids = (ctx.message_id().clone(), ctx.correlation_id().clone(), ctx.causation_id().cloned());
            seen.lock().expect("one thread").push(ids);
        }
    };
    let (second, third) = (note("receipt"), note("parcel"));
    let service = Service::new("billing")
        .on::<OrderPaid>(send_receipt)
        .on::<ReceiptSent>(move |receipt: ReceiptSent, ctx: Context| {
            second(&ctx);
            ship(receipt, ctx)
        })
        .on::<ParcelShipped>(move |_: ParcelShipped, ctx: Context| {
            third(&ctx);
            std::future::ready(Ok(()))
        });
    let test = TestService::start(service).await?;
    let first = test.publish(&order("o-1")).await?;
    test.settle().await;
    let seen = seen.lock().expect("one thread").clone();
    let [(receipt, of_receipt, by_receipt), (_, of_parcel, by_parcel)] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!((of_receipt, by_receipt), (&first, &Some(first.clone())));
    assert_eq!((of_parcel, by_parcel), (&first, &Some(receipt.clone())));
    Ok(())
}

#[tokio::test]
async fn group_puts_several_events_on_one_queue() -> Result<(), Error> {
    let service = Service::new("billing")
        .on_with::<OrderPaid>(ignore, |s| s.group("all"))
        .on_with::<ReceiptSent>(ignore, |s| s.group("all"));
    assert_eq!(service.topology()?.queues.len(), 1);
    let test = TestService::start(service).await?;
    test.publish(&order("o-1")).await?;
    test.publish(&ReceiptSent::builder().order_id("o-1").build()).await?;
    test.settle().await;
    assert_eq!((test.handled::<OrderPaid>().len(), test.handled::<ReceiptSent>().len()), (1, 1));
    Ok(())
}

#[tokio::test]
async fn what_was_published_in_another_envelope_is_on_record_too() -> Result<(), Error> {
    async fn in_cloud_events(order: OrderPaid, ctx: Context) -> Result<(), HandlerError> {
        let receipts = ["r-1", "r-2"].map(|_| ReceiptSent::builder().order_id(order.order_id.clone()).build());
        ctx.publish_with(&receipts[0], |p| p.envelope(CloudEvents::default())).await?;
        ctx.publish_all(&receipts).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(())
    }
    let test = TestService::start(Service::new("billing").on::<OrderPaid>(in_cloud_events)).await?;
    test.publish(&order("o-1")).await?;
    test.settle().await;
    assert_eq!(test.published::<ReceiptSent>().len(), 3);
    Ok(())
}

#[tokio::test]
async fn a_service_can_be_on_several_transports() -> Result<(), Error> {
    async fn copy(order: OrderPaid, ctx: Context) -> Result<(), HandlerError> {
        let receipt = ReceiptSent::builder().order_id(order.order_id).build();
        ctx.publish_with(&receipt, |p| p.via("audit")).await?;
        Ok(())
    }
    let audit = Memory::new();
    let billing = Service::new("billing").attach("audit", audit.clone()).on::<OrderPaid>(copy);
    let auditor =
        Service::new("auditor").attach("archive", audit.clone()).on_with::<ReceiptSent>(ignore, |s| s.via("archive"));
    let auditor = TestService::start_on(&Memory::new(), auditor).await?;
    let billing = TestService::start(billing).await?;
    billing.publish(&order("o-1")).await?;
    billing.settle().await;
    audit.quiet().await;
    assert_eq!(auditor.handled::<ReceiptSent>().len(), 1);
    Ok(())
}

#[tokio::test]
async fn k1_a_transport_that_is_not_attached_is_named() -> Result<(), Error> {
    let lost = Service::new("billing").on_with::<OrderPaid>(ignore, |s| s.via("audit"));
    let error = TestService::start(lost).await.err().expect("no such transport");
    assert!(error.to_string().contains("audit"), "{error}");
    let test = TestService::start(Service::new("billing").on::<OrderPaid>(ignore)).await?;
    let error = test.outside().publish_with(&order("o-1"), |p| p.via("audit")).await.expect_err("no such transport");
    assert!(error.to_string().contains("audit"), "{error}");
    Ok(())
}

#[tokio::test]
async fn b1_no_more_handlers_run_at_once_than_asked_for() -> Result<(), Error> {
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let slow = {
        let (running, most) = (running.clone(), most.clone());
        move |_: OrderPaid, _: Context| {
            let (running, most) = (running.clone(), most.clone());
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                running.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            }
        }
    };
    let test = TestService::start(Service::new("billing").on_with::<OrderPaid>(slow, |s| s.concurrency(3))).await?;
    for n in 0..20 {
        test.publish(&order(&format!("o-{n}"))).await?;
    }
    test.settle().await;
    assert_eq!((most.load(Ordering::SeqCst), test.handled::<OrderPaid>().len()), (3, 20));
    Ok(())
}
