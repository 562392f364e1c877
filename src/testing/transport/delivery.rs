//! D: what is published is delivered.

use super::{Done, Trial, letter};
use crate::Retry;

/// D3: replicas of a subscription share its messages; different subscriptions each get all.
pub async fn d_02_groups(trial: &Trial) -> Done {
    let plan = Retry::default();
    let mut replicas = Vec::new();
    for name in ["billing", "billing", "billing", "shipping", "shipping", "shipping"] {
        let service = trial.service(name).await;
        let handler = trial.handler(&plan, |_: super::LetterPosted, _| async { Ok(()) });
        replicas.push(trial.start(service.on::<super::LetterPosted>(handler)).await);
    }
    for number in 0..trial.many() {
        trial.post(replicas[0].publisher(), &letter("a", number)).await.expect("both listen");
    }
    trial.tally().until_done(2 * trial.many()).await;
    assert_eq!(trial.tally().duplicates(), 0, "each message goes to one replica of each");
    for replica in replicas {
        replica.stop().await.expect("no hook can fail");
    }
    Done::Kept
}
