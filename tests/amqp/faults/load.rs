//! The load that every trouble is put upon: letters to one service, some of them ordered, some failing at first.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::future::{self, join_all};
use tegami::{
    Context, Event, HandlerError, Publisher, Retry, Service,
    testing::transport::{Done, Injected, LetterFiled, LetterPosted, Trial, filed, letter, until, within},
};

use super::road::TROUBLE;

/// How many publish at once, to each of the two queues.
const POSTERS: usize = 4;
/// How long each rests between two letters.
const REST: Duration = Duration::from_millis(20);
/// How soon it goes on once the trouble is over (N1).
const BACK: Duration = Duration::from_secs(5);

/// Puts the trouble upon the load: nothing is lost, and all goes on soon after.
pub async fn load(trial: &Trial) -> Done {
    under_way(trial).await;
    Done::Kept
}

/// The same; how often a letter had to be sent again.
pub async fn under_way(trial: &Trial) -> usize {
    let billing = trial.start(billing(trial).await).await;
    let sender = trial.start(trial.service("mail").await).await;
    let posts = Posts::default();
    let posting = join_all((0..POSTERS).flat_map(|poster| {
        let by = sender.publisher();
        let key = format!("folder {poster}");
        [
            future::Either::Left(posts.run(trial, by, |number| letter("a", number))),
            future::Either::Right(posts.run(trial, by, move |number| filed(&key, number))),
        ]
    }));
    let trouble = async {
        trial.tally().until_done(10 * POSTERS).await;
        assert_eq!(trial.inject(TROUBLE).await, Injected::Done);
        let before = trial.tally().done();
        within(trial.allow(BACK), "the first completion afterwards", until(|| trial.tally().done() > before)).await;
        trial.lift(TROUBLE).await;
        posts.over.store(true, Ordering::Relaxed);
    };
    future::join(posting, trouble).await;
    trial.until_settled().await;
    trial.tally().until_quiet().await;
    for running in [sender, billing] {
        running.stop().await.expect("no hook can fail");
    }
    trial.complete_rest().await;
    posts.again.load(Ordering::Relaxed)
}

/// Handles letters of both kinds; some fail at first.
async fn billing(trial: &Trial) -> Service {
    let plan = Retry::after([Duration::from_millis(100); 3]);
    let posted = trial.handler(&plan, |letter: LetterPosted, ctx| answer(letter.number, ctx));
    let filed = trial.handler(&plan, |letter: LetterFiled, ctx| answer(letter.number, ctx));
    let retries = plan.clone();
    let service = trial.service("billing").await;
    let service = service.on_with::<LetterPosted>(posted, |subscription| subscription.retry(retries));
    service.on_with::<LetterFiled>(filed, |subscription| subscription.retry(plan))
}

async fn answer(number: u64, ctx: Context) -> Result<(), HandlerError> {
    match (number % 5, ctx.attempt()) {
        (3, 1) => Err(HandlerError::retry("not yet")),
        _ => Ok(()),
    }
}

/// Publishes that go on until the trouble is over.
#[derive(Default)]
struct Posts {
    over: AtomicBool,
    again: AtomicUsize,
}

impl Posts {
    async fn run<E: Event>(&self, trial: &Trial, by: &Publisher, write: impl Fn(usize) -> E) {
        for number in 0.. {
            if self.over.load(Ordering::Relaxed) {
                return;
            }
            let times = trial.post_until_taken(by, &write(number)).await;
            self.again.fetch_add(times - 1, Ordering::Relaxed);
            tokio::time::sleep(REST).await;
        }
    }
}
