//! What becomes of a delivery whose handler failed (R, H, L4), beside what the suite for transports tries.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tegami::{
    Context, Error, HandlerError, Retry, Service,
    testing::{ReasonKind, TestService},
};
use tokio::time::Instant;

use crate::{contracts::shop::orders::v1::OrderPaid, order};

#[derive(Clone, Default)]
struct Starts(Arc<Mutex<Vec<(u32, Instant)>>>);

impl Starts {
    fn note(&self, ctx: &Context<Starts>) {
        self.0.lock().expect("one thread").push((ctx.attempt(), Instant::now()));
    }

    fn attempts(&self) -> Vec<u32> {
        self.0.lock().expect("one thread").iter().map(|(attempt, _)| *attempt).collect()
    }

    fn gaps(&self) -> Vec<Duration> {
        let starts = self.0.lock().expect("one thread");
        starts.windows(2).map(|pair| pair[1].1 - pair[0].1).collect()
    }
}

fn service(starts: &Starts) -> Service<Starts> {
    Service::new("billing").state(starts.clone())
}

async fn always_fails(_: OrderPaid, ctx: Context<Starts>) -> Result<(), HandlerError> {
    ctx.state().note(&ctx);
    Err(HandlerError::retry("the mail server does not answer"))
}

#[tokio::test]
async fn r2_default_plan_is_kept_and_jitter_only_lengthens() -> Result<(), Error> {
    let starts = Starts::default();
    let test = TestService::start(service(&starts).on::<OrderPaid>(always_fails)).await?;
    test.publish(&order("o-1")).await?;
    test.settle().await;
    assert_eq!(starts.attempts(), [1, 2, 3, 4, 5, 6]);
    for (gap, planned) in starts.gaps().iter().zip([1, 5, 30, 120, 600].map(Duration::from_secs)) {
        assert!(*gap >= planned && *gap <= planned.mul_f64(1.25) + Duration::from_secs(1), "{gap:?} for {planned:?}");
    }
    let [letter] = &test.dead_letters()[..] else { panic!("one dead letter") };
    assert_eq!((letter.reason(), letter.attempts()), (ReasonKind::HandlerError, 6));
    assert_eq!(letter.error(), "the mail server does not answer");
    Ok(())
}

#[tokio::test]
async fn retry_after_waits_as_long_as_the_handler_asks() -> Result<(), Error> {
    async fn asks_for_time(_: OrderPaid, ctx: Context<Starts>) -> Result<(), HandlerError> {
        ctx.state().note(&ctx);
        match ctx.attempt() {
            1 => Err(HandlerError::retry_after(Duration::from_secs(77), "busy")),
            _ => Ok(()),
        }
    }
    let starts = Starts::default();
    let test = TestService::start(service(&starts).on::<OrderPaid>(asks_for_time)).await?;
    test.publish(&order("o-1")).await?;
    test.settle().await;
    assert!(starts.gaps()[0] >= Duration::from_secs(77), "{:?}", starts.gaps());
    Ok(())
}

#[tokio::test]
async fn h1_a_panic_is_a_failed_attempt_and_the_service_goes_on() -> Result<(), Error> {
    async fn panics_for_one(order: OrderPaid, _: Context) -> Result<(), HandlerError> {
        assert_ne!(order.order_id, "bad", "cannot handle it");
        Ok(())
    }
    let subscribed = Service::new("billing")
        .on_with::<OrderPaid>(panics_for_one, |s| s.concurrency(1).retry(Retry::after([Duration::from_millis(10)])));
    let test = TestService::start(subscribed).await?;
    test.publish(&order("bad")).await?;
    test.publish(&order("good")).await?;
    test.settle().await;
    let [letter] = &test.dead_letters()[..] else { panic!("one dead letter") };
    assert_eq!((letter.reason(), letter.attempts()), (ReasonKind::HandlerPanic, 2));
    assert!(letter.error().contains("cannot handle it"), "{}", letter.error());
    assert_eq!(test.handled::<OrderPaid>().len(), 1);
    Ok(())
}

#[tokio::test]
async fn l4_a_handler_past_its_timeout_is_dropped_and_retried() -> Result<(), Error> {
    async fn hangs_once(_: OrderPaid, ctx: Context<Starts>) -> Result<(), HandlerError> {
        ctx.state().note(&ctx);
        if ctx.attempt() == 1 {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
    let starts = Starts::default();
    let test = TestService::start(service(&starts).on::<OrderPaid>(hangs_once)).await?;
    test.publish(&order("o-1")).await?;
    test.settle().await;
    assert_eq!(starts.attempts(), [1, 2]);
    assert!(starts.gaps()[0] >= Duration::from_secs(61), "60 s of timeout and 1 s of delay: {:?}", starts.gaps());
    Ok(())
}

#[tokio::test]
async fn fail_next_fails_one_handling_before_the_handler_runs() -> Result<(), Error> {
    async fn notes(_: OrderPaid, ctx: Context<Starts>) -> Result<(), HandlerError> {
        ctx.state().note(&ctx);
        Ok(())
    }
    let starts = Starts::default();
    let test = TestService::start(service(&starts).on::<OrderPaid>(notes)).await?;
    test.fail_next::<OrderPaid>(HandlerError::retry("as a test wishes"));
    test.publish(&order("o-1")).await?;
    test.settle().await;
    assert_eq!(starts.attempts(), [2]);
    Ok(())
}
