//! Every transport is held to what it declares, before it is asked (P7).

use std::{sync::atomic::Ordering, time::Duration};

use tegami::{
    Context, Error, ErrorKind, HandlerError, Retry, Service,
    event::Attributes,
    middleware::{Next, from_fn},
    transport::{Capabilities, Outgoing, PublishError, PublishErrorKind},
};

use crate::{
    contracts::shop::{orders::v1::OrderPaid, warehouse::v1::StockMoved},
    faulty::{Faults, Faulty},
    order,
};

async fn ignore(_: OrderPaid, _: Context) -> Result<(), HandlerError> {
    Ok(())
}

/// What a publish is answered on a transport that can do this, when the message leaves the last middleware like that;
/// refused, it never came to the transport.
async fn answer(
    capabilities: Capabilities,
    change: impl Fn(&mut Outgoing) + Send + Sync + 'static,
) -> Result<Result<(), PublishError>, Error> {
    let faulty = Faulty::new(Faults { capabilities: Some(capabilities), ..Faults::default() });
    let change = from_fn(move |mut work: Outgoing, next: Next<Outgoing>| {
        (work.sealed.body, work.sealed.attributes) = ("twelve bytes".into(), Attributes::new());
        change(&mut work);
        next.run(work)
    });
    let service = Service::new("billing").transport(faulty.transport()).publish_middleware(change);
    let running = service.on::<OrderPaid>(ignore).start().await?;
    let answer = running.publisher().publish(&order("o-1")).await.map(drop);
    assert_eq!(faulty.faults.publishes.load(Ordering::SeqCst), usize::from(answer.is_ok()));
    running.stop().await?;
    Ok(answer)
}

/// Takes the one and refuses the other, with a text that has these words.
async fn assert_limit(
    capabilities: Capabilities,
    [at, beyond]: [impl Fn(&mut Outgoing) + Send + Sync + 'static; 2],
    kind: PublishErrorKind,
    words: [&str; 2],
) -> Result<(), Error> {
    answer(capabilities, at).await?.expect("it is at the limit");
    let error = answer(capabilities, beyond).await?.expect_err("it is beyond");
    assert_eq!(error.kind(), kind);
    assert!(words.iter().all(|word| error.to_string().contains(word)), "{error}");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn p7_a_message_is_as_large_as_its_transport_takes_attributes_counted() -> Result<(), Error> {
    let small = Capabilities::none().message_limit(16);
    let with = |text: &'static str| move |work: &mut Outgoing| work.sealed.attributes.set("a", text);
    assert_limit(small, [with("123"), with("1234")], PublishErrorKind::TooLarge, ["17", "16"]).await
}

#[tokio::test(start_paused = true)]
async fn p7_a_message_has_as_many_attributes_as_its_transport_takes() -> Result<(), Error> {
    let few = Capabilities::none().attribute_limit(10);
    let with =
        |count: i64| move |work: &mut Outgoing| (0..count).for_each(|n| work.sealed.attributes.set(format!("a{n}"), n));
    assert_limit(few, [with(10), with(11)], PublishErrorKind::TooLarge, ["11", "10"]).await
}

#[tokio::test(start_paused = true)]
async fn p7_a_message_waits_as_long_as_its_transport_can_keep_it() -> Result<(), Error> {
    let late = |seconds: u64| move |work: &mut Outgoing| work.delay = Some(Duration::from_secs(seconds));
    let short = Capabilities::none().delay(Duration::from_secs(900));
    assert_limit(short, [late(900), late(901)], PublishErrorKind::Unsupported, ["901s", "900s"]).await?;
    assert_limit(Capabilities::none(), [late(0), late(1)], PublishErrorKind::Unsupported, ["1s", "0ns"]).await
}

#[tokio::test(start_paused = true)]
async fn p7_attributes_have_bounds_on_every_transport() -> Result<(), Error> {
    let any = Capabilities::none();
    let named = |length: usize| move |work: &mut Outgoing| work.sealed.attributes.set("n".repeat(length), 1_i64);
    assert_limit(any, [named(128), named(129)], PublishErrorKind::TooLarge, ["129", "128"]).await?;
    let valued = |length: usize| move |work: &mut Outgoing| work.sealed.attributes.set("a", "v".repeat(length));
    assert_limit(any, [valued(4096), valued(4097)], PublishErrorKind::TooLarge, ["4097", "4096"]).await?;
    let full = |last: usize| {
        move |work: &mut Outgoing| {
            let lengths = [4095, 4095, 4095, 4095, 4095, 4095, 4095, last];
            let all = lengths.iter().enumerate();
            all.for_each(|(n, length)| work.sealed.attributes.set(n.to_string(), "v".repeat(*length)));
        }
    };
    assert_limit(any, [full(4095), full(4096)], PublishErrorKind::TooLarge, ["32769", "32768"]).await
}

#[tokio::test(start_paused = true)]
async fn p7_a_body_is_as_large_as_readers_open_on_every_transport() -> Result<(), Error> {
    let sized = |length: usize| move |work: &mut Outgoing| work.sealed.body = vec![b'x'; length].into();
    let limit = 1024 * 1024;
    assert_limit(
        Capabilities::none(),
        [sized(limit), sized(limit + 1)],
        PublishErrorKind::TooLarge,
        ["1048577 bytes in its body", "1048576"],
    )
    .await
}

#[tokio::test(start_paused = true)]
async fn p7_the_key_of_what_is_ordered_has_a_bound_on_every_transport() -> Result<(), Error> {
    let keyed = |length: usize, ordered: bool| {
        move |work: &mut Outgoing| (work.key, work.ordered) = (Some("k".repeat(length)), ordered)
    };
    let any = Capabilities::none().ordered();
    let words = ["4097 bytes in its key", "4096"];
    assert_limit(any, [keyed(4096, true), keyed(4097, true)], PublishErrorKind::TooLarge, words).await?;
    answer(any, keyed(4097, false)).await?.expect("it orders nothing");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn l3_a_handler_has_as_long_as_its_transport_gives_it_and_no_longer() -> Result<(), Error> {
    let limit = Duration::from_secs(25 * 60);
    let start = |timeout| {
        let capabilities = Some(Capabilities::none().handling_limit(limit));
        let service =
            Service::new("billing").transport(Faulty::new(Faults { capabilities, ..Faults::default() }).transport());
        service.on_with::<OrderPaid>(ignore, move |s| s.timeout(timeout)).start()
    };
    start(limit).await?.stop().await?;
    let error = start(limit + Duration::from_nanos(1)).await.err().expect("one beyond");
    assert_eq!(error.kind(), ErrorKind::Subscription);
    let words = ["`billing-shop-orders-v1-OrderPaid`", "1500.000000001s", "1500s"];
    assert!(words.iter().all(|word| error.to_string().contains(word)), "{error}");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn l3_retries_wait_in_their_place_as_long_as_the_transport_leaves_them_and_no_longer() -> Result<(), Error> {
    async fn file(_: StockMoved, _: Context) -> Result<(), HandlerError> {
        Ok(())
    }
    let can = Capabilities::none().ordered().per_instance().waiting_limit(Duration::from_secs(30 * 60));
    let service = || {
        let faults = Faults { capabilities: Some(can), ..Faults::default() };
        Service::new("billing").transport(Faulty::new(faults).transport())
    };
    let (minute, more) = (Duration::from_secs(60), Duration::from_nanos(1));
    // With the quarter that chance may add, they have 24 minutes.
    let (within, beyond) = ([20 * minute, 4 * minute], [20 * minute, 4 * minute + more]);
    let filing = |delays| service().on_with::<StockMoved>(file, |s| s.retry(Retry::after(delays)));
    let halting = |delay| {
        let delays = Retry::after([delay, delay]);
        service().on_with::<StockMoved>(file, |s| s.retry(delays).halt_on_dead())
    };
    let each = |delays| service().on_with::<OrderPaid>(ignore, |s| s.retry(Retry::after(delays)).per_instance());
    let beside = service().on_with::<OrderPaid>(ignore, |s| s.retry(Retry::after(beyond)));
    for taken in [filing(within), halting(24 * minute), each(within), beside] {
        taken.start().await?.stop().await?;
    }
    for refused in [filing(beyond), halting(24 * minute + more), each(beyond)] {
        let error = refused.start().await.err().expect("one beyond");
        assert_eq!(error.kind(), ErrorKind::Subscription);
        let words = ["`billing-shop-", "1800.000000001s", "1800s"];
        assert!(words.iter().all(|word| error.to_string().contains(word)), "{error}");
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn d3_a_queue_for_each_instance_is_refused_where_there_can_be_none() -> Result<(), Error> {
    let start = |capabilities| {
        let faulty = Faulty::new(Faults { capabilities: Some(capabilities), ..Faults::default() });
        let service = Service::new("billing").transport(faulty.transport());
        service.on_with::<OrderPaid>(ignore, |s| s.per_instance()).start()
    };
    start(Capabilities::none().per_instance()).await?.stop().await?;
    let error = start(Capabilities::none()).await.err().expect("it is not declared");
    assert_eq!(error.kind(), ErrorKind::Subscription);
    assert!(error.to_string().contains("each instance"), "{error}");
    Ok(())
}
