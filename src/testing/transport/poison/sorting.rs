//! Dead letters that leave by choice: some of them, two at once, and while the connection is cut.

use std::{collections::BTreeSet, time::Duration};

use async_trait::async_trait;
use futures_util::future;
use tokio::sync::Notify;

use super::super::{Done, Fault, Injected, Trial};
use crate::{
    envelope::MessageId,
    transport::{DeadLetter, Deliveries, Delivery, Fate, QueuePlan, Reason, ReasonKind, Sorter, Transport},
};

/// How long lies between two deaths, so that every broker can tell which was first.
const APART: Duration = Duration::from_millis(5);
/// How often what is still dead is put back.
const AGAIN: Duration = Duration::from_millis(200);
/// How many leave in one go.
const FEW: usize = 3;

/// X7: what is chosen leaves, back as itself or for good; all else stays in its place with its reason, and so does what
/// dies meanwhile.
pub async fn x_14_chosen_ones_leave(trial: &Trial) -> Done {
    let (connection, plan) = trial.queue("letters").await;
    let mut deliveries = connection.consume(&plan).await.expect("the queue can be read");
    let mut ids = Vec::new();
    for number in 0..12 {
        let message = trial.message(&plan, number.to_string());
        ids.push(message.id.clone());
        match fate(number) {
            // Nobody counts it: it will be gone.
            Fate::Drop => connection.publish(message).await.expect("it is taken"),
            _ => trial.publish(&*connection, message).await.expect("it is taken"),
        }
        bury(next(&mut *deliveries).await, number).await;
    }
    let before = dead(&*connection, &plan).await;
    trial.publish(&*connection, trial.message(&plan, "late")).await.expect("it is taken");
    let late = next(&mut *deliveries).await;
    let mut desk = Desk { ids: ids.clone(), late: Some(late), asked: 0, left: Vec::new() };
    connection.sort_dead_letters(&plan.name, &mut desk).await.expect("they can be sorted");
    assert_eq!((desk.asked, desk.left.len()), (ids.len(), 6), "each is asked about once");
    let after = dead(&*connection, &plan).await;
    let [stayed @ .., late] = &after[..] else { panic!("some stay") };
    assert_eq!(late.error(), "late");
    let expected: Vec<_> = before.into_iter().filter(|letter| desk.fate_of(letter) == Fate::Stay).collect();
    assert_eq!(stayed, expected, "the others stay as they were");
    for _ in 0..4 {
        let delivery = next(&mut *deliveries).await;
        let number = ids.iter().position(|id| Some(id) == delivery.id.as_ref()).expect("its id is kept");
        assert_eq!(
            (fate(number), delivery.attempt, &*delivery.sealed.body),
            (Fate::Back, 1, number.to_string().as_bytes())
        );
        bury(delivery, number).await;
    }
    Done::Kept
}

/// Of twelve, four go back, and two for good.
fn fate(number: usize) -> Fate {
    match number % 6 {
        0 | 3 => Fate::Back,
        5 => Fate::Drop,
        _ => Fate::Stay,
    }
}

/// Knows the letters by their ids, and has one more die in the middle.
struct Desk {
    ids: Vec<MessageId>,
    late: Option<Delivery>,
    asked: usize,
    left: Vec<Fate>,
}

impl Desk {
    fn fate_of(&self, letter: &DeadLetter) -> Fate {
        let number = self.ids.iter().position(|id| Some(id) == letter.id()).expect("it was there from the beginning");
        fate(number)
    }
}

#[async_trait]
impl Sorter for Desk {
    async fn room(&mut self) -> usize {
        if let Some(late) = self.late.take_if(|_| self.asked > 0) {
            late.dead_letter(reason("late")).await.expect("it is kept");
        }
        FEW
    }

    fn fate(&mut self, letter: &DeadLetter) -> Fate {
        self.asked += 1;
        self.fate_of(letter)
    }

    fn left(&mut self, fate: Fate) {
        self.left.push(fate);
    }
}

/// X7: of two that put back at once, each letter is put back by one.
pub async fn x_15_two_at_once(trial: &Trial) -> Done {
    let (here, plan) = trial.queue("letters").await;
    let (there, count) = (trial.connect().await, trial.many() / 20);
    let ids = many_dead(trial, &*here, &plan, count).await;
    let (mut one, mut other) = (Few::default(), Few::default());
    let both =
        future::join(here.sort_dead_letters(&plan.name, &mut one), there.sort_dead_letters(&plan.name, &mut other));
    let (one_way, other_way) = both.await;
    one_way.and(other_way).expect("they can be put back");
    assert_eq!(one.left + other.left, count, "{} and {}", one.left, other.left);
    let mut reader = trial.reader(&*here, &plan).await;
    reader.complete_all(ids).await;
    assert_eq!(dead(&*here, &plan).await, []);
    assert_eq!(trial.tally().duplicates(), 0, "none comes twice");
    Done::Kept
}

/// X7: where the connection is cut while letters go back, some may come twice, and none is lost.
pub async fn x_16_cut_while_put_back(trial: &Trial) -> Done {
    let (here, plan) = trial.queue("letters").await;
    let ids = many_dead(trial, &*here, &plan, trial.many() / 20).await;
    let mut few = Few::default();
    let begun = few.begun.clone();
    let cut = async {
        begun.notified().await;
        trial.inject(Fault::Cut).await
    };
    // Whether it ends well or not depends on the moment.
    let (_, injected) = future::join(here.sort_dead_letters(&plan.name, &mut few), cut).await;
    if injected == Injected::Done {
        trial.lift(Fault::Cut).await;
    }
    let anew = trial.connect().await;
    let mut reader = trial.reader(&*anew, &plan).await;
    let again = async {
        loop {
            // It fails where the cut is not over yet; what it leaves is for the next.
            let _ = here.redrive(&plan.name).await;
            tokio::time::sleep(AGAIN).await;
        }
    };
    tokio::select! {
        biased;
        () = reader.complete_all(ids) => {}
        () = again => {}
    }
    drop(reader);
    trial.complete_rest().await;
    if injected == Injected::Done { Done::Kept } else { Done::NotHere("a cut connection") }
}

/// Puts all back, a few in one go, with a moment between.
#[derive(Default)]
struct Few {
    left: usize,
    begun: std::sync::Arc<Notify>,
}

#[async_trait]
impl Sorter for Few {
    async fn room(&mut self) -> usize {
        tokio::time::sleep(Duration::from_millis(1)).await;
        FEW
    }

    fn fate(&mut self, _: &DeadLetter) -> Fate {
        self.begun.notify_one();
        Fate::Back
    }

    fn left(&mut self, _: Fate) {
        self.left += 1;
    }
}

async fn many_dead(trial: &Trial, on: &dyn Transport, plan: &QueuePlan, count: usize) -> BTreeSet<MessageId> {
    let mut deliveries = on.consume(plan).await.expect("the queue can be read");
    let mut ids = BTreeSet::new();
    for _ in 0..count {
        let message = trial.message(plan, "letter");
        ids.insert(message.id.clone());
        trial.publish(on, message).await.expect("it is taken");
    }
    for number in 0..count {
        next(&mut *deliveries).await.dead_letter(reason(&number.to_string())).await.expect("it is kept");
    }
    while dead(on, plan).await.len() < count {
        tokio::time::sleep(AGAIN).await;
    }
    ids
}

async fn next(deliveries: &mut dyn Deliveries) -> Delivery {
    deliveries.next(1).await.expect("the queue can be read").pop().expect("one at least")
}

async fn bury(delivery: Delivery, number: usize) {
    delivery.dead_letter(reason(&number.to_string())).await.expect("it is kept");
    tokio::time::sleep(APART).await;
}

fn reason(error: &str) -> Reason {
    Reason::new(ReasonKind::Permanent, error, 1, std::time::UNIX_EPOCH)
}

async fn dead(on: &dyn Transport, plan: &QueuePlan) -> Vec<DeadLetter> {
    on.dead_letters(&plan.name, usize::MAX).await.expect("dead letters can be read")
}
