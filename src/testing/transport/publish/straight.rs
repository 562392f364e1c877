//! What names a queue goes there, whatever its topic says.

use crate::{
    event::TextField,
    testing::transport::{Done, Trial},
    transport::{Outgoing, PublishErrorKind, QueuePlan, Transport},
};

/// P1, P4: what is to go straight into a queue is stored in that one alone, past its topic and every filter of the
/// transport. Where it is not there, exactly that message is refused, and stored nowhere.
pub async fn p_13_straight_into_a_queue(trial: &Trial) -> Done {
    let transport = trial.connect().await;
    let (fed, choosy) = (trial.plan("fed", "letters"), choosy(trial));
    trial.declare(&*transport, &[fed.clone(), choosy.clone()]).await;
    let nowhere = trial.plan("not-there", "letters");
    let rounds = trial.many() / 20;
    for round in 0..rounds {
        let error = straight(trial, &*transport, (&nowhere, Vec::new())).await.expect_err("the queue is not there");
        assert_eq!(error, PublishErrorKind::Unroutable, "round {round}");
        for plan in [&fed, &choosy] {
            let answer = straight(trial, &*transport, (plan, vec![plan.name.clone()])).await;
            assert_eq!(answer, Ok(()), "round {round}, queue `{}`", plan.name);
        }
    }
    for plan in [&fed, &choosy] {
        trial.reader(&*transport, plan).await.complete(rounds).await;
    }
    assert_eq!(trial.tally().duplicates(), 0, "nothing is delivered twice without a fault");
    Done::Kept
}

/// A queue that wants none of these messages from the topic.
fn choosy(trial: &Trial) -> QueuePlan {
    let mut plan = trial.plan("choosy", "letters");
    plan.bindings[0].policy = TextField::<()>::new("stamp").is("blue").policy().clone();
    plan
}

/// Publishes a message of the topic that both are fed by, straight into a queue.
async fn straight(
    trial: &Trial,
    on: &dyn Transport,
    (into, to): (&QueuePlan, Vec<String>),
) -> Result<(), PublishErrorKind> {
    let message = Outgoing { queue: Some(into.name.clone()), ..trial.message(into, "straight") };
    trial.publish_to(on, message, to).await.map_err(|error| error.kind())
}
