//! H, B: what one handler does harms no other.

use std::{
    panic::resume_unwind,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use futures_util::future::{self, BoxFuture};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::{
    Done, LetterPosted, Trial, letter,
    tally::{until, within},
    trial::held,
};
use crate::{Context, HandlerError, Publisher, Retry};

/// How many handlers run at once.
const SLOTS: usize = 10;
/// How often each message panics.
const PANICS: usize = 10;
/// How long a handler blocks its thread at most, waiting for another subscription.
const BLOCKED: Duration = Duration::from_secs(120);
/// How many letters that one handles meanwhile (B2).
const MEANWHILE: usize = 100;

/// H1, H2: ten thousand panics end no process, and take no slot, no task and no message with them.
pub async fn h_01_panic_storm(trial: &Trial) -> Done {
    let plan = Retry::after([Duration::from_millis(1); PANICS]);
    let (go, panics) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
    let handler = trial.handler(&plan, panicking(&go, &panics));
    let service = trial.service("billing").await;
    let service = service.on_with::<LetterPosted>(handler, |s| s.concurrency(SLOTS).retry(plan));
    let running = trial.start(service).await;
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let (before, soon) = (tasks(), trial.allow(Duration::from_secs(1)));
    post(trial, running.publisher(), "bad", trial.many()).await;
    trial.tally().until_done(trial.many()).await;
    let panicked = panics.load(Ordering::SeqCst);
    assert!(panicked >= PANICS * trial.many(), "{panicked} panics");
    within(soon, "the tasks of panicked handlers to end", until(|| tasks() <= before)).await;
    let began = trial.tally().attempts();
    post(trial, running.publisher(), "good", SLOTS).await;
    within(soon, "every slot to be in use again", until(|| trial.tally().attempts() >= began + SLOTS)).await;
    go.cancel();
    trial.tally().until_done(trial.many() + SLOTS).await;
    running.stop().await.expect("no hook can fail");
    Done::Kept
}

/// Panics at a letter in the bad box until its last attempt; handles one in the good box once it may.
fn panicking(
    go: &CancellationToken,
    panics: &Arc<AtomicUsize>,
) -> impl Fn(LetterPosted, Context) -> BoxFuture<'static, Result<(), HandlerError>> + use<> {
    let (go, panics) = (go.clone(), panics.clone());
    move |posted, ctx| {
        let (go, panics) = (go.clone(), panics.clone());
        Box::pin(async move {
            if posted.r#box == "good" {
                go.cancelled().await;
            } else if ctx.attempt() as usize <= PANICS {
                panics.fetch_add(1, Ordering::SeqCst);
                // Without the panic hook, whose lines would be all there is to read.
                resume_unwind(Box::new("the handler has had enough"));
            }
            Ok(())
        })
    }
}

async fn post(trial: &Trial, by: &Publisher, address: &str, count: usize) {
    let posts = (0..count).map(|number| async move {
        trial.post(by, &letter(address, number)).await.expect("somebody listens");
    });
    future::join_all(posts).await;
}

/// B2, L4: a handler that blocks its thread stops no other subscription: that one handles letters all the while.
pub async fn h_02_blocked_thread(trial: &Trial) -> Done {
    let (go_on, told) = mpsc::sync_channel(1);
    let told = Arc::new(Mutex::new(told));
    let blocks = move |posted: LetterPosted, _: Context| {
        let told = told.clone();
        async move {
            if posted.number == 0 {
                held(&told).recv_timeout(BLOCKED).expect("the other subscription handles letters meanwhile");
            }
            Ok(())
        }
    };
    let seen = Arc::new(AtomicUsize::new(0));
    let counts = seen.clone();
    let counting = move |_: LetterPosted, _: Context| {
        if counts.fetch_add(1, Ordering::SeqCst) == MEANWHILE {
            go_on.try_send(()).expect("there is room for one");
        }
        future::ready(Ok(()))
    };
    let blocked = trial.start(trial.handling(trial.service("billing").await, blocks, |s| s)).await;
    let free = trial.start(trial.handling(trial.service("shipping").await, counting, |s| s)).await;
    let mut posted = 0;
    while seen.load(Ordering::SeqCst) <= MEANWHILE {
        trial.post(free.publisher(), &letter("a", posted)).await.expect("both listen");
        posted += 1;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    trial.tally().until_done(2 * posted).await;
    assert_eq!(trial.tally().attempts(), 2 * posted, "the handler that was blocked ran to its end");
    blocked.stop().await.expect("no hook can fail");
    free.stop().await.expect("no hook can fail");
    Done::Kept
}
