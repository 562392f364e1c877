//! Queues that want some messages of a topic only.

use crate::{
    event::{Filter, TextField},
    testing::transport::{Done, Trial},
};

/// D1: a queue gets all that its filter wants, whatever the filter says. What it does not want it may get, too: whoever handles
/// it looks for himself.
pub async fn d_14_filters(trial: &Trial) -> Done {
    let (transport, count) = (trial.connect().await, trial.many() / 10);
    let choosy = wanting_red().into_iter().enumerate().map(|(number, filter)| {
        let mut plan = trial.plan(&format!("choosy-{number}"), "letters");
        plan.bindings[0].policy = filter.policy().clone();
        plan
    });
    let plans: Vec<_> = choosy.chain([trial.plan("all", "letters")]).collect();
    trial.declare(&*transport, &plans).await;
    for number in 0..count {
        let red = trial.message(&plans[0], number.to_string());
        trial.publish(&*transport, red).await.expect("queues are bound");
    }
    for plan in &plans {
        trial.reader(&*transport, plan).await.complete(count).await;
    }
    assert_eq!(trial.tally().duplicates(), 0, "nothing is delivered twice without a fault");
    Done::Kept
}

/// Filters that let every message of a trial pass.
fn wanting_red() -> [Filter<()>; 6] {
    let (stamp, weight) = (|| TextField::<()>::new("stamp"), TextField::<()>::new("weight"));
    [
        stamp().is("red"),
        stamp().one_of(["blue", "red"]),
        stamp().none_of(["blue", "green"]),
        stamp().starts_with("re"),
        stamp().exists(),
        stamp().is("red").and(weight.is_absent()),
    ]
}
