//! What a publish answers when connection or broker fail under it.

use std::{
    collections::BTreeSet,
    process,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, future, stream};
use tokio_util::sync::CancellationToken;

use crate::{
    envelope::MessageId,
    testing::transport::{
        Done, Fault, Injected, Tamper, Trial, letter,
        letters::checksum,
        life::{End, NEEDS},
        subject::PUBLISH,
        tampered,
        trial::held,
        until,
    },
    transport::{Outgoing, PublishError, PublishErrorKind, QueuePlan, Transport},
};

/// Publishes under way at once.
const WINDOW: usize = 50;
/// How long a publish waits at least before there is no room for it (P8).
const WAITS: Duration = Duration::from_secs(9);
/// More than may be under way at once, in messages of a byte and of 64 KiB (P8).
const FLOOD: usize = 1_100;
const FLOODS: [(usize, usize); 2] = [(1, 1_000), (64 * 1024, 512)];

/// How long a broker that is started again stays away, so that somebody publishes meanwhile.
const DOWN: Duration = Duration::from_millis(100);

/// P1, D1: every publish that was answered with ok is delivered, though its connection ended at some point, and
/// where messages outlive that, its process was killed and the broker was started again.
pub async fn p_01_ok_means_stored(trial: &Trial) -> Done {
    if trial.life().is_some() {
        return publish_until_killed(trial).await;
    }
    let mut taken = publish_until_closed(trial).await;
    let (mut is_killed, mut is_started_again) = (false, false);
    let is_durable = trial.capabilities().await.durable;
    if is_durable {
        is_killed = trial.live(1).await == Some(End::Killed);
        let by_life = trial.taken_by_lives().into_iter();
        taken.extend(by_life.map(|id| MessageId::parse(id).expect("it was drawn")));
        is_started_again = start_again(trial).await == Injected::Done;
    }
    let reading = trial.connect().await;
    let plan = &trial.queues()[0];
    trial.reader(&*reading, plan).await.complete_all(taken).await;
    trial.complete_rest().await;
    match (is_durable, is_killed, is_started_again) {
        (false, ..) | (_, true, true) => Done::Kept,
        (_, false, _) => Done::NotHere(NEEDS),
        (..) => Done::NotHere(Fault::Killed.needs()),
    }
}

/// Publishes until some time after the connection was closed; what was taken.
async fn publish_until_closed(trial: &Trial) -> Vec<MessageId> {
    let (publishing, plan) = trial.queue("letters").await;
    let end = trial.chance().usize(trial.many() / 4..trial.many());
    let publishes = stream::iter(0..trial.many()).map(|number| {
        let (publishing, message) = (&publishing, trial.message(&plan, number.to_string()));
        async move {
            if number == end {
                publishing.close().await;
            }
            let id = message.id.clone();
            trial.publish(&**publishing, message).await.is_ok().then_some(id)
        }
    });
    let taken: Vec<MessageId> = publishes.buffer_unordered(WINDOW).filter_map(future::ready).collect().await;
    let possible = end.saturating_sub(WINDOW)..trial.many();
    assert!(possible.contains(&taken.len()), "{} taken, closed at {end}", taken.len());
    taken
}

/// Publishes until this process is killed, with others under way.
async fn publish_until_killed(trial: &Trial) -> Done {
    let (publishing, plan) = trial.queue("letters").await;
    let end = trial.chance().usize(trial.many() / 4..trial.many() - WINDOW);
    let publishes = stream::iter(0..trial.many()).map(|number| {
        let message = trial.message(&plan, number.to_string());
        trial.publish(&*publishing, message)
    });
    let mut answers = publishes.buffer_unordered(WINDOW).take(end);
    while let Some(answer) = answers.next().await {
        answer.expect("the broker is there");
    }
    process::abort()
}

async fn start_again(trial: &Trial) -> Injected {
    let injected = trial.inject(Fault::Killed).await;
    if injected == Injected::Done {
        tokio::time::sleep(DOWN).await;
        trial.lift(Fault::Killed).await;
    }
    injected
}

/// P3: a broker that does not answer holds no publish beyond its deadline, and then nobody knows.
pub async fn p_06_deadline(trial: &Trial) -> Done {
    let (running, answering) = (trial.listen("billing").await, CancellationToken::new());
    let silent = tampered(trial.connect().await, Arc::new(Silent(answering.clone())));
    let sender = trial.start(trial.service_on(silent, "mail")).await;
    let began = trial.clock.instant();
    let letters: Vec<_> = (0..10).map(|number| letter("a", number)).collect();
    let answers = future::join_all(letters.iter().map(|letter| trial.post(sender.publisher(), letter))).await;
    let took = began.elapsed();
    assert!(took <= trial.allow(PUBLISH), "{took:?}");
    for answer in answers {
        assert_eq!(answer.map_err(|error| error.kind()), Err(PublishErrorKind::Unknown));
    }
    answering.cancel();
    trial.post(sender.publisher(), &letter("b", 0)).await.expect("the broker answers again");
    for running in [sender, running] {
        running.stop().await.expect("no hook can fail");
    }
    trial.complete_rest().await;
    Done::Kept
}

/// Takes publishes, and answers none until it may.
struct Silent(CancellationToken);

#[async_trait]
impl Tamper for Silent {
    async fn publish(&self, outgoing: Outgoing, on: &dyn Transport) -> Result<(), PublishError> {
        let answer = on.publish(outgoing).await;
        self.0.cancelled().await;
        answer
    }
}

/// P2, P6: a publish whose answer was lost says so; sent again it is the same message, so that it can count once.
pub async fn p_08_unknown_then_resend(trial: &Trial) -> Done {
    let running = trial.listen("billing").await;
    let deaf = tampered(trial.connect().await, Arc::new(Deaf::default()));
    let sender = trial.start(trial.service_on(deaf, "mail")).await;
    let letters: Vec<_> = (0..trial.many() / 10).map(|number| letter("a", number)).collect();
    let posts = letters.iter().map(|letter| trial.post_until_taken(sender.publisher(), letter));
    let times = future::join_all(posts).await;
    assert!(times.iter().all(|times| *times == 2), "each answer was lost once: {times:?}");
    trial.tally().until_done(letters.len()).await;
    for running in [sender, running] {
        running.stop().await.expect("no hook can fail");
    }
    trial.complete_rest().await;
    let came = trial.tally().of(&trial.queues()[0].name);
    assert_eq!(came.len(), letters.len(), "both copies of a message have one id");
    assert!(came.values().all(|runs| runs.completed <= 2), "two copies went out: {came:?}");
    Done::Kept
}

/// Does not hear the first answer to a message.
#[derive(Default)]
struct Deaf(Mutex<BTreeSet<MessageId>>);

#[async_trait]
impl Tamper for Deaf {
    async fn publish(&self, outgoing: Outgoing, on: &dyn Transport) -> Result<(), PublishError> {
        let is_first = held(&self.0).insert(outgoing.id.clone());
        on.publish(outgoing).await?;
        if is_first {
            return Err(PublishError::new(PublishErrorKind::Unknown, "the connection was cut before the answer came"));
        }
        Ok(())
    }
}

/// P8: while the broker is stalled, only so many publishes are under way; the others wait, and are refused in time.
pub async fn p_09_bounded_inflight(trial: &Trial) -> Done {
    let (transport, plan) = trial.queue("letters").await;
    for (size, most) in FLOODS {
        // Noted before the time is taken: that of the notes is the suite's.
        let messages = noted(trial, &plan, size);
        if trial.inject(Fault::Frozen).await == Injected::Cannot {
            return Done::NotHere(Fault::Frozen.needs());
        }
        let began = trial.clock.instant();
        let publishes = messages.into_iter().map(|message| async {
            let id = message.id.clone();
            let answer = transport.publish(message).await;
            trial.note_answer(&id, &answer);
            (answer.expect_err("nobody answered").kind(), began.elapsed())
        });
        let answers = future::join_all(publishes).await;
        let took = began.elapsed();
        trial.lift(Fault::Frozen).await;
        assert!(took <= trial.allow(PUBLISH), "{took:?}");
        let answers = answers.into_iter();
        let (sent, others): (Vec<_>, Vec<_>) = answers.partition(|(kind, _)| *kind == PublishErrorKind::Unknown);
        assert!((1..=most).contains(&sent.len()), "{} of {size} bytes under way, {most} allowed", sent.len());
        let is_refused = |(kind, after): &(_, _)| *kind == PublishErrorKind::Backpressure && *after >= WAITS;
        assert!(others.iter().all(is_refused), "{others:?}");
        trial.complete_rest().await;
    }
    Done::Kept
}

/// A flood of messages of this size, noted as published.
fn noted(trial: &Trial, plan: &QueuePlan, size: usize) -> Vec<Outgoing> {
    let body = Bytes::from(vec![b'x'; size]);
    let checksum = checksum(&trial.message(plan, body.clone()).sealed);
    let messages = (0..FLOOD).map(|_| trial.message(plan, body.clone()));
    messages
        .inspect(|message| trial.note_publish(&message.id, None, checksum.clone(), vec![plan.name.clone()]))
        .collect()
}

/// P1, N1: a broker that is started again twice while many publish loses nothing that it took.
pub async fn p_12_restart_under_publish(trial: &Trial) -> Done {
    if start_again(trial).await == Injected::Cannot {
        return Done::NotHere(Fault::Killed.needs());
    }
    let (running, taken) = (trial.listen("billing").await, AtomicUsize::new(0));
    let (tasks, each) = (100, trial.many() / 10);
    let publishing = (0..tasks).map(|task| {
        let (running, taken) = (&running, &taken);
        async move {
            let mut longest = Duration::ZERO;
            for number in 0..each {
                let began = trial.clock.instant();
                trial.post_until_taken(running.publisher(), &letter(&format!("box {task}"), number)).await;
                longest = longest.max(began.elapsed());
                taken.fetch_add(1, Ordering::Relaxed);
                // Where time is paused, everything would else be published before the broker can go.
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            longest
        }
    });
    let restarts = async {
        for part in [3, 2] {
            until(|| taken.load(Ordering::Relaxed) >= tasks * each / part).await;
            start_again(trial).await;
        }
    };
    let (longest, ()) = future::join(future::join_all(publishing), restarts).await;
    // Whether the publish is refused meanwhile or waits: it is taken only once the broker is back.
    assert!(
        longest.iter().any(|longest| *longest >= DOWN / 2),
        "nobody published while the broker was away: {longest:?}"
    );
    trial.tally().until_done(tasks * each).await;
    running.stop().await.expect("no hook can fail");
    trial.complete_rest().await;
    Done::Kept
}
