//! What cannot go out is refused, exactly that, and never seen.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{StreamExt, future, stream};

use super::message_limit;
use crate::{
    Retry,
    envelope::CloudEvents,
    event::Attributes,
    testing::transport::{Done, LetterPosted, Trial, letter},
    transport::{Capabilities, Outgoing, PublishErrorKind, QueuePlan, Transport},
};

/// Messages under way at once, and tasks that publish them.
const WINDOW: [usize; 2] = [100, 50];
/// The largest number of attributes that is tried.
const MOST_ATTRIBUTES: usize = 1_000;

/// P4: a message that nobody is bound for is refused, exactly that one, at any concurrency.
///
/// A transport that does not report it takes it, and it goes nowhere.
pub async fn p_04_unroutable_exact(trial: &Trial) -> Done {
    let (transport, plan) = trial.queue("letters").await;
    let nowhere = trial.declare_dead_end(&*transport, "nobody-listens").await;
    let reports = transport.capabilities().reports_unroutable;
    let message = |number| trial.message(if is_lost(number) { &nowhere } else { &plan }, format!("{number}"));
    let mut reader = trial.reader(&*transport, &plan).await;
    for round in 0..rounds(trial) {
        let answers = publish_window(trial, &*transport, message);
        let (answers, ()) = future::join(answers, reader.complete(WINDOW[0] * 9 / 10)).await;
        for (number, answer) in answers {
            let expected = (reports && is_lost(number)).then_some(PublishErrorKind::Unroutable);
            assert_eq!(answer, expected, "message {number} of round {round}");
        }
    }
    assert_eq!(trial.tally().duplicates(), 0, "nothing is delivered twice without a fault");
    Done::Kept
}

/// P4: where nobody listening is allowed, it is no error, and what goes nowhere goes nowhere.
pub async fn p_05_unroutable_opt_out(trial: &Trial) -> Done {
    let (transport, plan) = trial.queue("letters").await;
    let nowhere = trial.declare_dead_end(&*transport, "nobody-listens").await;
    let message = |number| {
        let mut message = trial.message(if is_lost(number) { &nowhere } else { &plan }, format!("{number}"));
        message.allow_unroutable = true;
        message
    };
    let mut reader = trial.reader(&*transport, &plan).await;
    for round in 0..rounds(trial) {
        let answers = publish_window(trial, &*transport, message);
        let (answers, ()) = future::join(answers, reader.complete(WINDOW[0] * 9 / 10)).await;
        let refused: Vec<_> = answers.into_iter().filter(|(_, answer)| answer.is_some()).collect();
        assert!(refused.is_empty(), "round {round}: {refused:?}");
    }
    opt_out_of_a_service(trial).await;
    Done::Kept
}

async fn opt_out_of_a_service(trial: &Trial) {
    let event = trial.service("news").await.allow_unroutable::<LetterPosted>();
    let (event, publish) = (trial.start(event).await, trial.start(trial.service("mail").await).await);
    let first = trial.post(event.publisher(), &letter("a", 0)).await;
    let second = trial.post_with(publish.publisher(), &letter("a", 1), |options| options.allow_unroutable()).await;
    first.and(second).expect("nobody needs to listen");
    for running in [event, publish] {
        running.stop().await.expect("no hook can fail");
    }
}

fn rounds(trial: &Trial) -> usize {
    trial.many() / 20
}

fn is_lost(number: usize) -> bool {
    number.is_multiple_of(10)
}

/// Publishes a window of messages from many tasks at once; what each was answered.
async fn publish_window(
    trial: &Trial,
    on: &dyn Transport,
    message: impl Fn(usize) -> Outgoing,
) -> BTreeMap<usize, Option<PublishErrorKind>> {
    let [window, tasks] = WINDOW;
    let message = &message;
    let publish = |number| async move {
        let answer = trial.publish(on, message(number)).await;
        (number, answer.err().map(|error| error.kind()))
    };
    let task = |first: usize| stream::iter((first..window).step_by(tasks)).then(publish).collect::<Vec<_>>();
    future::join_all((0..tasks).map(task)).await.into_iter().flatten().collect()
}

/// P2, P7: what is refused is refused with its kind, never delivered, and none the worse for the next message.
pub async fn p_07_rejected_never_delivered(trial: &Trial) -> Done {
    let (transport, plan) = trial.queue("letters").await;
    let mut reader = trial.reader(&*transport, &plan).await;
    for (what, message, kind) in refused(trial, &plan, &transport.capabilities()) {
        let error = trial.publish(&*transport, message).await.expect_err(what);
        match kind {
            Some(kind) => assert_eq!(error.kind(), kind, "{what}: {error}"),
            None => assert_ne!(error.kind(), PublishErrorKind::Unknown, "{what}: {error}"),
        }
        let next = trial.message(&plan, what);
        let id = next.id.clone();
        trial.publish(&*transport, next).await.expect("the next one is none the worse for it");
        reader.complete_all([id]).await;
    }
    refused_by_the_publisher(trial).await;
    let closed = trial.connect().await;
    closed.close().await;
    let error = trial.publish(&*closed, trial.message(&plan, "late")).await.expect_err("it is closed");
    assert_eq!(error.kind(), PublishErrorKind::Closed, "{error}");
    Done::Kept
}

/// Messages that must be refused, and as what; `None` for whatever it is, as long as it is certain.
fn refused(
    trial: &Trial,
    plan: &QueuePlan,
    capabilities: &Capabilities,
) -> Vec<(&'static str, Outgoing, Option<PublishErrorKind>)> {
    let mut late = trial.message(plan, "late");
    late.delay = Some(capabilities.delay.unwrap_or_default() + Duration::from_secs(1));
    let elsewhere = trial.message(&trial.plan("nobody", "not-there"), "elsewhere");
    let mut refused = vec![("delay", late, Some(PublishErrorKind::Unsupported))];
    if capabilities.reports_unroutable {
        refused.push(("a topic that is not there", elsewhere, None));
    }
    if let Some(limit) = message_limit(capabilities) {
        refused.push(("size", trial.message(plan, vec![b'x'; limit + 1]), Some(PublishErrorKind::TooLarge)));
    }
    if capabilities.attribute_limit < MOST_ATTRIBUTES {
        let mut laden = trial.message(plan, "laden");
        let names = (0..=capabilities.attribute_limit).map(|number| format!("attribute-{number}"));
        laden.sealed.attributes = names.fold(Attributes::new(), |all, name| all.with(name, true));
        refused.push(("attributes", laden, Some(PublishErrorKind::TooLarge)));
    }
    refused
}

async fn refused_by_the_publisher(trial: &Trial) {
    let running = trial.listen("billing").await;
    let publisher = running.publisher().clone();
    for name in ["", "with space", "tegami-event", "number", "é"] {
        let answer = trial.post_with(&publisher, &letter("a", 0), |options| options.attribute(name, 1_i64)).await;
        assert_eq!(answer.map_err(|error| error.kind()), Err(PublishErrorKind::Invalid), "`{name}`");
    }
    let answer = trial.post_with(&publisher, &letter("a", 0), |options| options.via("nowhere")).await;
    assert_eq!(answer.map_err(|error| error.kind()), Err(PublishErrorKind::Unsupported));
    running.stop().await.expect("no hook can fail");
    let answer = trial.post(&publisher, &letter("a", 0)).await;
    assert_eq!(answer.map_err(|error| error.kind()), Err(PublishErrorKind::Closed));
}

/// P10: a batch has an answer for each of its events, at its place.
pub async fn p_10_batch_partial(trial: &Trial) -> Done {
    let Some(limit) = message_limit(&trial.capabilities().await) else {
        return Done::NotHere("a limit on messages of at most 16 MiB");
    };
    let handler = trial.handler(&Retry::never(), |_: LetterPosted, _| async { Ok(()) });
    // An envelope that makes nothing smaller.
    let service = trial.service("billing").await.envelope(CloudEvents::json());
    let running = trial.start(service.on::<LetterPosted>(handler)).await;
    let large = |number| LetterPosted { text: "x".repeat(limit), ..letter("a", number) };
    let event = |number| if [2, 5, 9].contains(&number) { large(number) } else { letter("a", number) };
    let events: Vec<LetterPosted> = (0..10).map(event).collect();
    let answers = trial.post_all(running.publisher(), &events).await;
    let kinds: Vec<_> = answers.iter().map(|answer| answer.as_ref().err().map(|error| error.kind())).collect();
    let expected = |number| [2, 5, 9].contains(&number).then_some(PublishErrorKind::TooLarge);
    assert_eq!(kinds, (0..10).map(expected).collect::<Vec<_>>());
    trial.tally().until_done(7).await;
    running.stop().await.expect("no hook can fail");
    Done::Kept
}
