//! The checker is checked: broken memory transports, each of which breaks one promise and is caught by name. Two more,
//! with a broken inbox and a broken outbox, are in `broken_state`.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use tegami::{
    envelope::MessageId,
    event::TextField,
    testing::transport::{Case, Done, Faulty, Tamper, Tampered, judge},
    time::Dice,
    transport::{
        Deliveries, Delivery, Lease, Memory, Outgoing, Provision, PublishError, PublishErrorKind, QueuePlan, Reach,
        Reason, SettleError, Settlement, Topology, Transport, TransportError,
    },
};
use tokio::{sync::Semaphore, time::timeout};

/// Runs a case on a broken transport; what it says must have these words. A verdict that is not clean ends in what it
/// found, `NOT clean: lost 1`, with a line of its own for every figure before.
fn caught<T: Tamper>(broken: fn() -> T, case: &str, words: &str) {
    let case = Case::of(case).expect("the case is listed");
    let memory = || Faulty::new(Memory::new());
    let kept = judge(case, memory, 7);
    assert_eq!(kept.result, Ok(Done::Kept), "unbroken");
    let report = judge(case, || Tampered::new(memory(), broken()), 7);
    let found = report.result.expect_err("a broken transport is caught");
    assert!(found.contains(words), "caught for another reason: {found}");
}

/// Is this the one to break: the tenth, and then every thousandth?
fn strikes(count: &AtomicUsize) -> bool {
    count.fetch_add(1, Ordering::SeqCst) % 1_000 == 9
}

/// A lease that settles nothing.
struct Settled;

#[async_trait]
impl Lease for Settled {
    async fn settle(self: Box<Self>, _: Settlement) -> Result<(), SettleError> {
        Ok(())
    }
}

struct AcksBeforeTheRun;

#[async_trait]
impl Tamper for AcksBeforeTheRun {
    async fn next(&self, from: &mut dyn Deliveries, room: usize) -> Result<Vec<Delivery>, TransportError> {
        let mut early = Vec::new();
        for delivery in from.next(room).await? {
            let mut copy = Delivery::new(delivery.sealed.clone(), delivery.attempt, Settled);
            copy.id = delivery.id.clone();
            early.push(copy);
            delivery.ack().await.expect("the delivery is ours");
        }
        Ok(early)
    }
}

#[test]
fn d2_ack_before_the_run_is_caught() {
    caught(|| AcksBeforeTheRun, "R-01", "NOT clean: lost 100");
}

struct WaitsForNoConfirm;

#[async_trait]
impl Tamper for WaitsForNoConfirm {
    async fn publish(&self, outgoing: Outgoing, on: &dyn Transport) -> Result<(), PublishError> {
        let _ = timeout(Duration::from_millis(1), on.publish(outgoing)).await;
        Ok(())
    }
}

#[test]
fn p1_missing_confirm_is_caught() {
    caught(|| WaitsForNoConfirm, "P-12", "NOT clean: lost ");
}

#[derive(Default)]
struct DropsOneInAThousand(AtomicUsize);

#[async_trait]
impl Tamper for DropsOneInAThousand {
    async fn publish(&self, outgoing: Outgoing, on: &dyn Transport) -> Result<(), PublishError> {
        if strikes(&self.0) { Ok(()) } else { on.publish(outgoing).await }
    }
}

#[test]
fn d1_one_message_lost_in_a_thousand_is_caught() {
    caught(DropsOneInAThousand::default, "P-03", "NOT clean: lost 1");
}

/// Nor does what was published in the fault, and may come or not, stand in for it.
#[test]
fn d1_one_message_lost_before_a_fault_is_caught_behind_it() {
    caught(DropsOneInAThousand::default, "N-01", "NOT clean: lost 1");
}

#[derive(Default)]
struct RejectsAndDelivers(AtomicUsize);

#[async_trait]
impl Tamper for RejectsAndDelivers {
    async fn publish(&self, outgoing: Outgoing, on: &dyn Transport) -> Result<(), PublishError> {
        on.publish(outgoing).await?;
        match strikes(&self.0) {
            true => Err(PublishError::new(PublishErrorKind::Refused, "not today")),
            false => Ok(()),
        }
    }
}

#[test]
fn p2_rejected_and_yet_delivered_is_caught() {
    caught(RejectsAndDelivers::default, "P-03", "ghost 1");
}

struct DoublesWithANewId(AtomicUsize, Dice);

#[async_trait]
impl Tamper for DoublesWithANewId {
    async fn publish(&self, outgoing: Outgoing, on: &dyn Transport) -> Result<(), PublishError> {
        if strikes(&self.0) {
            let mut double = outgoing.clone();
            double.id = MessageId::draw(&self.1);
            on.publish(double).await?;
        }
        on.publish(outgoing).await
    }
}

#[test]
fn d5_double_with_a_new_id_is_caught() {
    caught(|| DoublesWithANewId(AtomicUsize::new(0), Dice::seeded(8)), "P-03", "phantom 1");
}

#[derive(Default)]
struct SwapsTwoOfAKey(Mutex<Vec<Outgoing>>, AtomicUsize);

#[async_trait]
impl Tamper for SwapsTwoOfAKey {
    async fn publish(&self, outgoing: Outgoing, on: &dyn Transport) -> Result<(), PublishError> {
        if strikes(&self.1) {
            self.0.lock().unwrap().push(outgoing);
            return Ok(());
        }
        let of_its_key = |held: &mut Vec<Outgoing>| {
            let place = held.iter().position(|held| held.key == outgoing.key)?;
            Some(held.swap_remove(place))
        };
        let held = of_its_key(&mut self.0.lock().unwrap());
        on.publish(outgoing).await?;
        match held {
            Some(held) => on.publish(held).await,
            None => Ok(()),
        }
    }
}

#[test]
fn o2_two_swapped_messages_of_a_key_are_caught() {
    caught(SwapsTwoOfAKey::default, "O-01", "NOT clean: order 2");
}

#[derive(Default)]
struct FlipsOneBit(AtomicUsize);

#[async_trait]
impl Tamper for FlipsOneBit {
    async fn publish(&self, mut outgoing: Outgoing, on: &dyn Transport) -> Result<(), PublishError> {
        if strikes(&self.0) {
            let mut body = outgoing.sealed.body.to_vec();
            body[0] ^= 1;
            outgoing.sealed.body = body.into();
        }
        on.publish(outgoing).await
    }
}

#[test]
fn p9_one_flipped_bit_is_caught() {
    caught(FlipsOneBit::default, "P-03", "corrupt 1");
}

struct LosesAttributes;

#[async_trait]
impl Tamper for LosesAttributes {
    async fn publish(&self, mut outgoing: Outgoing, on: &dyn Transport) -> Result<(), PublishError> {
        let last = outgoing.sealed.attributes.iter().last().map(|(name, _)| name.to_owned());
        last.map(|name| outgoing.sealed.attributes.remove(&name));
        on.publish(outgoing).await
    }
}

#[test]
fn p9_lost_attributes_are_caught() {
    caught(|| LosesAttributes, "P-02", "corrupt 2");
}

struct AlsoTakesTheTopic;

#[async_trait]
impl Tamper for AlsoTakesTheTopic {
    async fn publish(&self, outgoing: Outgoing, on: &dyn Transport) -> Result<(), PublishError> {
        if outgoing.queue.is_some() {
            let mut by_topic = outgoing.clone();
            by_topic.queue = None;
            on.publish(by_topic).await?;
        }
        on.publish(outgoing).await
    }
}

#[test]
fn p4_what_goes_straight_into_a_queue_and_by_its_topic_too_is_caught() {
    caught(|| AlsoTakesTheTopic, "P-13", "phantom ");
}

/// Declares a delay, and keeps none.
struct DelaysNothing;

#[async_trait]
impl Tamper for DelaysNothing {
    async fn publish(&self, mut outgoing: Outgoing, on: &dyn Transport) -> Result<(), PublishError> {
        outgoing.delay = None;
        on.publish(outgoing).await
    }
}

#[test]
fn r3_delay_that_is_declared_and_not_kept_is_caught() {
    caught(|| DelaysNothing, "D-13", "delayed by 2s, it came after");
}

/// Takes every filter for another.
struct FiltersByAnother;

#[async_trait]
impl Tamper for FiltersByAnother {
    async fn provision(&self, topology: &Topology, mode: Provision, on: &dyn Transport) -> Result<(), TransportError> {
        let (mut topology, blue) = (topology.clone(), TextField::<()>::new("stamp").is("blue"));
        let bindings = topology.queues.iter_mut().flat_map(|queue| &mut queue.bindings);
        bindings
            .filter(|binding| !binding.policy.is_empty())
            .for_each(|binding| binding.policy = blue.policy().clone());
        on.provision(&topology, mode).await
    }
}

#[test]
fn d1_message_lost_to_a_filter_that_wants_it_is_caught() {
    caught(|| FiltersByAnother, "D-14", "NOT clean: lost 600");
}

struct DeadLettersWithoutReason;

#[async_trait]
impl Tamper for DeadLettersWithoutReason {
    async fn settle(&self, delivery: Delivery, settlement: Settlement) -> Result<(), SettleError> {
        let settlement = match settlement {
            Settlement::DeadLetter(reason) => {
                Settlement::DeadLetter(Reason::new(reason.kind, "", reason.attempts, SystemTime::UNIX_EPOCH))
            }
            other => other,
        };
        delivery.settle(settlement).await
    }
}

#[test]
fn x2_dead_letter_without_a_reason_is_caught() {
    caught(|| DeadLettersWithoutReason, "R-05", "NOT clean: dead 100");
}

/// Has one queue for all instances, whatever was asked for.
struct SharesWhatIsEach;

fn shared(plan: &QueuePlan) -> QueuePlan {
    QueuePlan { reach: Reach::Shared, ..plan.clone() }
}

#[async_trait]
impl Tamper for SharesWhatIsEach {
    async fn provision(&self, topology: &Topology, mode: Provision, on: &dyn Transport) -> Result<(), TransportError> {
        let queues = topology.queues.iter().map(shared).collect();
        on.provision(&Topology { queues, ..topology.clone() }, mode).await
    }

    async fn consume(&self, queue: &QueuePlan, on: &dyn Transport) -> Result<Box<dyn Deliveries>, TransportError> {
        on.consume(&shared(queue)).await
    }
}

#[test]
fn d3_queue_shared_by_instances_that_should_have_their_own_is_caught() {
    caught(|| SharesWhatIsEach, "D-09", "both to have all");
}

/// Hands out ten at once, and forgets to count back what is to be retried.
struct LeaksASlotPerPanic(Semaphore);

#[async_trait]
impl Tamper for LeaksASlotPerPanic {
    async fn next(&self, from: &mut dyn Deliveries, _: usize) -> Result<Vec<Delivery>, TransportError> {
        let slot = self.0.acquire().await.expect("it is never closed");
        let next = from.next(1).await?;
        slot.forget();
        Ok(next)
    }

    async fn settle(&self, delivery: Delivery, settlement: Settlement) -> Result<(), SettleError> {
        if !matches!(settlement, Settlement::Retry { .. }) {
            self.0.add_permits(1);
        }
        delivery.settle(settlement).await
    }
}

#[test]
fn h2_slot_lost_with_each_panic_is_caught() {
    caught(|| LeaksASlotPerPanic(Semaphore::new(10)), "H-01", "not done");
}
