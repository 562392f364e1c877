//! Whatever a handler, an error or an envelope does, the service goes on and the attempt counts (H, R2, X6).

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tegami::{
    Context, Error, Handler, HandlerError, Retry, Service,
    codec::{DecodeError, EncodeError},
    envelope::{Envelope, Message, Payload, Sealed},
    event::Encoding,
    middleware::{Answer, BoxFuture, Middleware, Next},
    pipeline::Incoming,
    testing::{DeadLetter, ReasonKind, TestService},
    transport::Memory,
};

use crate::{contracts::shop::orders::v1::OrderPaid, order};

const QUEUE: &str = "billing-shop-orders-v1-OrderPaid";

async fn ignore(_: OrderPaid, _: Context) -> Result<(), HandlerError> {
    Ok(())
}

/// Tries once, for a second.
fn once(handler: impl Handler<OrderPaid>) -> Service {
    let second = Duration::from_secs(1);
    Service::new("billing").on_with::<OrderPaid>(handler, |s| s.timeout(second).retry(Retry::never()))
}

/// The dead letter that one order becomes.
async fn dead_letter(service: Service) -> Result<DeadLetter, Error> {
    let test = TestService::start(service).await?;
    test.publish(&order("o-1")).await?;
    test.settle().await;
    let [letter] = &test.dead_letters()[..] else { panic!("one dead letter") };
    Ok(letter.clone())
}

#[derive(Debug)]
enum Bad {
    Panics,
    CausesItself,
    IsLong,
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bad::Panics => panic!("no words"),
            Bad::CausesItself => f.write_str("again"),
            Bad::IsLong => (0..1_000_000).try_for_each(|_| f.write_str("\u{e9}\n")),
        }
    }
}

impl std::error::Error for Bad {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        matches!(self, Bad::CausesItself).then_some(self)
    }
}

#[tokio::test]
async fn h1_an_error_that_panics_while_it_is_told_is_a_failed_attempt() -> Result<(), Error> {
    let letter = dead_letter(once(|_: OrderPaid, _: Context| async { Err(Bad::Panics.into()) })).await?;
    assert_eq!((letter.reason(), letter.attempts()), (ReasonKind::HandlerError, 1));
    Ok(())
}

#[tokio::test]
async fn x6_an_error_of_any_length_is_told_in_a_kibibyte() -> Result<(), Error> {
    let letter = dead_letter(once(|_: OrderPaid, _: Context| async { Err(Bad::CausesItself.into()) })).await?;
    assert!(letter.error().starts_with("again: again: ") && letter.error().len() <= 1024, "{}", letter.error());
    let letter = dead_letter(once(|_: OrderPaid, _: Context| async { Err(Bad::IsLong.into()) })).await?;
    assert!(letter.error().starts_with("\u{e9} \u{e9} ") && letter.error().len() <= 1024, "{}", letter.error());
    Ok(())
}

/// Panics when it is dropped.
struct Trap;

impl Drop for Trap {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "the trap snaps");
    }
}

#[tokio::test]
async fn h1_a_panic_while_a_late_handler_is_dropped_is_a_failed_attempt() -> Result<(), Error> {
    async fn hangs(_: OrderPaid, _: Context) -> Result<(), HandlerError> {
        let _trap = Trap;
        std::future::pending().await
    }
    let letter = dead_letter(once(hangs)).await?;
    assert_eq!((letter.reason(), letter.attempts()), (ReasonKind::HandlerPanic, 1));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn s2_a_panic_while_a_handler_is_cut_off_gives_the_delivery_back() -> Result<(), Error> {
    async fn hangs(_: OrderPaid, _: Context) -> Result<(), HandlerError> {
        let _trap = Trap;
        std::future::pending().await
    }
    let memory = Memory::new();
    let service = Service::new("billing").transport(memory.clone()).on::<OrderPaid>(hangs);
    let running = service.drain(Duration::ZERO).start().await?;
    running.publisher().publish(&order("o-1")).await?;
    tokio::time::sleep(Duration::from_millis(1)).await;
    running.stop().await?;
    let depth = memory.depth(QUEUE).expect("the queue");
    assert_eq!((depth.ready, depth.in_flight, depth.dead), (1, 0, 0));
    Ok(())
}

#[tokio::test]
async fn h1_a_panic_before_the_future_is_made_is_a_failed_attempt() -> Result<(), Error> {
    fn panics(_: OrderPaid, _: Context) -> std::future::Ready<Result<(), HandlerError>> {
        panic!("at once")
    }
    let letter = dead_letter(once(panics)).await?;
    assert_eq!((letter.reason(), letter.attempts()), (ReasonKind::HandlerPanic, 1));
    assert!(letter.error().contains("at once"), "{}", letter.error());
    Ok(())
}

#[tokio::test]
async fn h1_a_panic_in_a_middleware_is_a_failed_attempt() -> Result<(), Error> {
    struct Panics;
    impl Middleware<Incoming> for Panics {
        fn call(&self, _: Incoming, _: Next<Incoming>) -> BoxFuture<Answer<Incoming>> {
            panic!("in the step")
        }
    }
    let letter = dead_letter(once(ignore).middleware(Panics)).await?;
    assert_eq!((letter.reason(), letter.attempts()), (ReasonKind::HandlerPanic, 1));
    Ok(())
}

#[tokio::test]
async fn x3_a_message_that_panics_the_envelope_is_dead_at_once() -> Result<(), Error> {
    struct Panics;
    impl Envelope for Panics {
        fn encoding(&self) -> Encoding {
            Encoding::Json
        }
        fn seal(&self, message: Message<Payload>) -> Result<Sealed, EncodeError> {
            Ok(Sealed { body: message.content.bytes, attributes: message.head.attributes })
        }
        fn open(&self, _: &Sealed) -> Result<Message<Payload>, DecodeError> {
            panic!("what is this?")
        }
    }
    let letter = dead_letter(once(ignore).envelope(Panics)).await?;
    assert_eq!((letter.reason(), letter.attempts()), (ReasonKind::Undecodable, 1));
    assert!(letter.error().contains("what is this?"), "{}", letter.error());
    Ok(())
}

#[tokio::test]
async fn r2_the_longest_delay_and_the_longest_timeout_do_not_overflow() -> Result<(), Error> {
    async fn never_again(_: OrderPaid, _: Context) -> Result<(), HandlerError> {
        Err(HandlerError::retry_after(Duration::MAX, "never again"))
    }
    async fn fails(_: OrderPaid, _: Context) -> Result<(), HandlerError> {
        Err(HandlerError::retry("no"))
    }
    let forever = || Retry::after([Duration::MAX]);
    let service = Service::new("billing")
        .drain(Duration::MAX)
        .on_with::<OrderPaid>(never_again, |s| s.group("one").retry(forever()).timeout(Duration::MAX))
        .on_with::<OrderPaid>(fails, |s| s.group("two").retry(forever()));
    let memory = Memory::new();
    let test = TestService::start_on(&memory, service).await?;
    test.publish(&order("o-1")).await?;
    test.advance(Duration::from_secs(1)).await;
    for queue in ["billing-one", "billing-two"] {
        assert_eq!(memory.depth(queue).expect("the queue").delayed, 1, "{queue}");
    }
    test.stop().await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn h2_ten_thousand_panics_leak_no_task_no_slot_and_no_bytes() -> Result<(), Error> {
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = most.clone();
    let handler = move |order: OrderPaid, _: Context| {
        let (running, most) = (running.clone(), most.clone());
        async move {
            if order.amount_minor == 0 {
                // As `panic!`, without ten thousand lines on the terminal.
                std::panic::resume_unwind(Box::new("no"));
            }
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_secs(1)).await;
            running.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        }
    };
    let memory = Memory::new();
    let service = Service::new("billing")
        .transport(memory.clone())
        .on_with::<OrderPaid>(handler, |s| s.concurrency(3).retry(Retry::never()));
    let service = service.start().await?;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    for n in 0..10_000 {
        let bad = OrderPaid::builder().order_id(format!("bad-{n}")).currency("EUR").build();
        service.publisher().publish(&bad).await?;
    }
    for n in 0..9 {
        service.publisher().publish(&order(&format!("good-{n}"))).await?;
    }
    memory.quiet().await;
    tokio::task::yield_now().await;
    assert_eq!(memory.depth(QUEUE).expect("the queue").dead, 10_000);
    assert_eq!((seen.load(Ordering::SeqCst), tasks()), (3, before), "all slots are back, and no task is left");
    service.stop().await?;
    Ok(())
}
