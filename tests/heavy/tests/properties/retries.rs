//! The retry plan: no attempt comes early or goes missing, and jitter lengthens by a quarter at most.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use proptest::{
    collection::vec,
    prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest},
    sample::select,
};
use tegami::{
    Context, Error, HandlerError, Retry, Service,
    testing::{ReasonKind, TestService},
    time::Dice,
};
use tegami_heavy_tests::heavy::v1::EverythingTold;
use tokio::time::Instant;

use crate::cases;

/// tokio's clock counts milliseconds.
const TICK: Duration = Duration::from_millis(1);

/// No delay is longer.
const LONGEST: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// Any length, the edges among them.
fn lengths() -> impl Strategy<Value = Duration> {
    let over = LONGEST + Duration::from_nanos(1);
    let edges = [Duration::ZERO, Duration::from_nanos(1), TICK, Duration::from_secs(600), LONGEST, over, Duration::MAX];
    prop_oneof![
        1 => select(edges.to_vec()),
        1 => (any::<u64>(), 0..1_000_000_000_u32).prop_map(|(seconds, nanos)| Duration::new(seconds, nanos)),
        2 => (0..4_000_000_000_000_u64).prop_map(Duration::from_nanos),
    ]
}

/// Delays that a test can wait for.
fn delays() -> impl Strategy<Value = Duration> {
    prop_oneof![
        1 => select(vec![Duration::ZERO, Duration::from_nanos(1), TICK]),
        1 => (0..100_000_000_u64).prop_map(Duration::from_nanos),
        2 => (0..86_400_000_000_000_u64).prop_map(Duration::from_nanos),
    ]
}

#[derive(Clone, Default)]
struct Starts(Arc<Mutex<Vec<(u32, Instant)>>>);

async fn fails(_: EverythingTold, ctx: Context<Starts>) -> Result<(), HandlerError> {
    ctx.state().0.lock().unwrap().push((ctx.attempt(), Instant::now()));
    Err(HandlerError::retry("no"))
}

fn told() -> EverythingTold {
    EverythingTold { id: "o-1".to_owned(), ..EverythingTold::default() }
}

async fn started(starts: &Starts, plan: Retry) -> Result<TestService, Error> {
    let service = Service::new("heavy").state(starts.clone());
    let test = TestService::start(service.on_with::<EverythingTold>(fails, |s| s.retry(plan))).await?;
    test.publish(&told()).await?;
    Ok(test)
}

/// Runs a service whose handler fails until the plan ends: its starts, and what the dead letter says.
async fn run(plan: Retry) -> Result<(Vec<(u32, Instant)>, Vec<(ReasonKind, u32)>), Error> {
    let starts = Starts::default();
    let test = started(&starts, plan).await?;
    test.settle().await;
    let letters = test.dead_letters().iter().map(|letter| (letter.reason(), letter.attempts())).collect();
    test.stop().await?;
    Ok((std::mem::take(&mut starts.0.lock().unwrap()), letters))
}

fn on_a_paused_clock<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(work)
}

#[test]
fn r2_jitter_only_lengthens_and_by_a_quarter_at_most() {
    proptest!(cases(10_000), |(seed in any::<u64>(), delays in vec(lengths(), 0..8))| {
        let dice = Dice::seeded(seed);
        for delay in delays {
            let longer = dice.lengthen(delay);
            prop_assert!(longer >= delay && longer <= delay.saturating_add(delay / 4), "{:?} {:?}", delay, longer);
        }
    });
}

#[test]
fn r2_a_plan_has_one_attempt_more_than_delays() {
    proptest!(cases(10_000), |(delays in vec(lengths(), 0..20))| {
        let plan = Retry::after(delays.clone());
        prop_assert_eq!(plan.attempts() as usize, delays.len() + 1);
        let kept: Vec<_> = delays.into_iter().map(|delay| delay.min(LONGEST)).collect();
        prop_assert_eq!(plan.delays(), kept);
    });
}

/// Fewer cases, for each runs a service.
#[test]
fn r2_a_service_keeps_any_plan_and_ends_it_with_a_dead_letter() {
    proptest!(cases(1_000), |(delays in vec(delays(), 0..6))| {
        let (starts, letters) = on_a_paused_clock(run(Retry::after(delays.clone()))).unwrap();
        let attempts: Vec<u32> = starts.iter().map(|(attempt, _)| *attempt).collect();
        let planned: Vec<u32> = (1..=Retry::after(delays.clone()).attempts()).collect();
        prop_assert_eq!(attempts, planned);
        for (pair, delay) in starts.windows(2).zip(&delays) {
            let gap = pair[1].1 - pair[0].1;
            prop_assert!(gap >= *delay && gap <= *delay + *delay / 4 + TICK, "{:?} for {:?}", gap, delay);
        }
        prop_assert_eq!(letters, [(ReasonKind::HandlerError, delays.len() as u32 + 1)]);
    });
}

#[test]
fn r3_the_longest_delay_of_all_is_waited_for_and_disturbs_nothing() -> Result<(), Error> {
    on_a_paused_clock(async {
        let starts = Starts::default();
        let test = started(&starts, Retry::after([Duration::MAX])).await?;
        test.advance(Duration::from_secs(10 * 365 * 24 * 60 * 60)).await;
        assert_eq!(starts.0.lock().unwrap().len(), 1);
        test.publish(&told()).await?;
        test.advance(TICK).await;
        assert_eq!(starts.0.lock().unwrap().len(), 2);
        assert!(test.dead_letters().is_empty());
        test.stop().await.map(drop)
    })
}
