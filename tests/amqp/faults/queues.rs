//! Queues that somebody deletes.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tegami::{
    HandlerError, Retry,
    testing::transport::{Case, Done, Injected, LetterPosted, Trial, judge, letter, until, within},
    transport::ReasonKind,
};
use tegami_test_servers::Release;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::filter::LevelFilter;

use super::{Place, Road, log::Log, road::TROUBLE, tried};

/// How many letters are there when the queue goes, and as many come afterwards.
const LETTERS: usize = 5;
/// How soon a queue is there again.
const BACK: Duration = Duration::from_secs(5);

static READ: Case = Case::new("F-06", "f_06_queue_deleted", |trial| Box::pin(declared_again(trial)));
static DEAD: Case = Case::new("F-44", "f_44_dead_letters_deleted", |trial| Box::pin(kept_at_last(trial)));

async fn delete_read(place: &Place) {
    place.rabbit.delete("-bikes").await;
}

async fn delete_dead(place: &Place) {
    place.rabbit.delete("-bikes-dead").await;
}

/// The queue goes while it is consumed: it is declared again, and told by its name.
async fn declared_again(trial: &Trial) -> Done {
    let go = CancellationToken::new();
    let (gone, came) = (go.clone(), Arc::new(AtomicUsize::new(0)));
    let coming = came.clone();
    let handler = trial.handler(&Retry::never(), move |letter: LetterPosted, _| {
        let (go, coming) = (go.clone(), coming.clone());
        async move {
            go.cancelled().await;
            coming.fetch_add(usize::from(letter.r#box == "b"), Ordering::SeqCst);
            Ok(())
        }
    });
    let service = trial.service("billing").await;
    let service =
        service.on_with::<LetterPosted>(handler, |asked| asked.group("bikes").concurrency(1).retry(Retry::never()));
    let running = trial.start(service).await;
    for number in 0..LETTERS {
        trial.post(running.publisher(), &letter("a", number)).await.expect("its queue is bound");
    }
    until(|| trial.tally().attempts() > 0).await;
    assert_eq!(trial.inject(TROUBLE).await, Injected::Done);
    gone.cancel();
    let again = async {
        for number in 0..LETTERS {
            trial.post_until_taken(running.publisher(), &letter("b", number)).await;
        }
        // Those that were here before it went are handled, too, and are none of these.
        until(|| came.load(Ordering::SeqCst) >= LETTERS).await;
    };
    within(trial.allow(BACK), "the queue to be there again", again).await;
    trial.tally().until_quiet().await;
    let (name, lines) = (trial.queues()[0].name.clone(), log().lines());
    let told = lines.iter().any(|line| line.contains("the queue is gone") && line.contains(&name));
    assert!(told, "`{name}` is told: {lines:?}");
    running.stop().await.expect("no hook can fail");
    Done::Kept
}

/// The dead-letter queue goes: what belongs there waits, others go on, and it is declared again.
async fn kept_at_last(trial: &Trial) -> Done {
    let plan = Retry::never();
    let handler = trial.handler(&plan, |letter: LetterPosted, _| async move {
        if letter.number == 0 { Err(HandlerError::reject("a letter to nobody")) } else { Ok(()) }
    });
    let service = trial.service("billing").await;
    let running = trial.start(service.on_with::<LetterPosted>(handler, |asked| asked.group("bikes").retry(plan))).await;
    assert_eq!(trial.inject(TROUBLE).await, Injected::Done);
    for number in 0..LETTERS {
        trial.post(running.publisher(), &letter("a", number)).await.expect("its queue is bound");
    }
    trial.tally().until_done(LETTERS - 1).await;
    let (connection, queue) = (trial.connect().await, &trial.queues()[0].name);
    let kept = async {
        loop {
            match connection.dead_letters(queue, 2).await {
                Ok(letters) if !letters.is_empty() => return letters,
                _ => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        }
    };
    let letters = within(trial.allow(BACK), "the dead letter", kept).await;
    let reasons: Vec<_> = letters.iter().map(|letter| letter.reason()).collect();
    assert!(reasons.iter().all(|reason| *reason == ReasonKind::Permanent), "{reasons:?}");
    running.stop().await.expect("no hook can fail");
    Done::Kept
}

/// What everybody in this process has logged that is worth a warning.
fn log() -> &'static Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        tracing::subscriber::set_global_default(log.subscriber(LevelFilter::WARN)).expect("nobody else sets one");
        log
    })
}

/// The queue's own messages may be gone, as far as they were not yet here to be handled; nothing else is.
fn loses_what_it_held(release: Release) {
    log();
    let report = judge(&READ, || Road::new(release, |place| Box::pin(delete_read(place))), std::process::id().into());
    let Err(account) = report.result else { return };
    let count = |figure: &str| {
        let lines = account.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let counts = lines.filter(|words| words.first() == Some(&figure)).map(|words| words[1].parse().ok());
        counts.flatten().next().unwrap_or(usize::MAX)
    };
    assert!((1..=LETTERS).contains(&count("lost")), "{account}");
    for figure in ["left-over", "phantom", "ghost", "corrupt", "dead"] {
        assert_eq!(count(figure), 0, "{account}");
    }
}

#[test]
fn f06_a_deleted_queue_is_declared_again_and_loses_what_it_held_at_most_on_3() {
    loses_what_it_held(Release::V3);
}

#[test]
fn f06_a_deleted_queue_is_declared_again_and_loses_what_it_held_at_most_on_4() {
    loses_what_it_held(Release::V4);
}

#[test]
fn f44_a_deleted_dead_letter_queue_is_declared_again_and_loses_nothing_on_4() {
    tried(&DEAD, Release::V4, |place| Box::pin(delete_dead(place)));
}
