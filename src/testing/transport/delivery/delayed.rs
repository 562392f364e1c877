//! Messages that are to come later.

use std::time::Duration;

use crate::{
    testing::transport::{Done, Trial, letter},
    transport::{Outgoing, PublishErrorKind},
};

/// How long a message waits, where it can for so long.
const DELAY: Duration = Duration::from_secs(2);
/// How late it comes at most.
const LATE: Duration = Duration::from_secs(1);

/// A delayed message comes at its time and not before, as its first attempt; one without a delay comes, too. Where the transport
/// declares no delay, it is refused.
pub async fn d_13_delayed(trial: &Trial) -> Done {
    let (transport, plan) = trial.queue("letters").await;
    let can = transport.capabilities();
    let Some(longest) = can.delay else { return refused(trial).await };
    let (delay, began) = (longest.min(DELAY), trial.clock.instant());
    let delayed = Outgoing { delay: Some(delay), ..trial.message(&plan, "later") };
    let later = delayed.id.clone();
    trial.publish(&*transport, delayed).await.expect("it is declared");
    trial.publish(&*transport, trial.message(&plan, "now")).await.expect("its queue is bound");
    let (mut reader, mut waited) = (trial.reader(&*transport, &plan).await, false);
    for _ in 0..2 {
        let got = reader.next().await;
        let (took, latest) = (began.elapsed(), delay + 2 * can.delay_step + trial.allow(LATE));
        if got.id() == later.as_str() {
            waited = true;
            assert!(took >= delay && took <= latest, "delayed by {delay:?}, it came after {took:?}");
        }
        if can.exact_attempts {
            assert_eq!(got.delivery.attempt, 1, "to wait is no attempt");
        }
        got.ack().await.expect("the delivery is ours to ack");
    }
    assert!(waited, "what was delayed came under another id, or without one");
    assert_eq!(trial.tally().duplicates(), 0, "nothing is delivered twice without a fault");
    Done::Kept
}

async fn refused(trial: &Trial) -> Done {
    let running = trial.listen("billing").await;
    let answer = trial.post_with(running.publisher(), &letter("a", 0), |options| options.delay(DELAY)).await;
    let error = answer.expect_err("it is not declared, so nobody can ask for it");
    assert_eq!(error.kind(), PublishErrorKind::Unsupported, "{error}");
    running.stop().await.expect("no hook can fail");
    Done::Refused
}
