//! What stands between the suite and a transport says only what it is to say: all else is the transport's.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use tegami::{
    Context, HandlerError, Service,
    envelope::{Envelope, MessageId, Raw, Sealed},
    testing::transport::{Case, Done, Faulty, Injected, LetterPosted, Nest, Pace, Subject, Tamper, Tampered, judge},
    time::Dice,
    transport::{
        Backlog, Capabilities, DeadLetter, Deliveries, Delivery, Lease, Memory, Outgoing, Provision, Prune,
        PublishError, QueuePlan, Remnant, SettleError, Settlement, Sorter, Topology, Transport, TransportError,
        TransportErrorKind,
    },
};
use tokio_util::sync::CancellationToken;

/// A transport with an answer of its own wherever there is another by default.
struct Peculiar;

struct Lost(CancellationToken);

#[async_trait]
impl Lease for Lost {
    async fn settle(self: Box<Self>, _: Settlement) -> Result<(), SettleError> {
        Ok(())
    }

    fn lost(&self) -> Option<&CancellationToken> {
        Some(&self.0)
    }
}

/// Hands out one that is lost already.
struct One;

#[async_trait]
impl Deliveries for One {
    async fn next(&mut self, _: usize) -> Result<Vec<Delivery>, TransportError> {
        let lost = CancellationToken::new();
        lost.cancel();
        Ok(vec![Delivery::new(Sealed::default(), 1, Lost(lost))])
    }
}

fn peculiar<T>(what: &str) -> Result<T, TransportError> {
    Err(TransportError::new(TransportErrorKind::Mismatch, what))
}

#[async_trait]
impl Transport for Peculiar {
    fn name(&self) -> &'static str {
        "peculiar"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::none()
    }

    fn envelope(&self) -> Option<Arc<dyn Envelope>> {
        Some(Arc::new(Raw::json()))
    }

    async fn provision(&self, _: &Topology, _: Provision) -> Result<(), TransportError> {
        Ok(())
    }

    async fn differences(&self, _: &Topology, _: Provision) -> Result<Vec<TransportError>, TransportError> {
        peculiar("differences")
    }

    async fn publish(&self, _: Outgoing) -> Result<(), PublishError> {
        Ok(())
    }

    async fn consume(&self, _: &QueuePlan) -> Result<Box<dyn Deliveries>, TransportError> {
        peculiar("consume")
    }

    async fn dead_letters(&self, _: &str, _: usize) -> Result<Vec<DeadLetter>, TransportError> {
        peculiar("dead letters")
    }

    async fn sort_dead_letters(&self, _: &str, _: &mut dyn Sorter) -> Result<(), TransportError> {
        peculiar("sorting")
    }

    async fn tail(&self, _: &QueuePlan) -> Result<Box<dyn Deliveries>, TransportError> {
        Ok(Box::new(One))
    }

    fn exports(&self, _: &Topology, _: &[String]) -> Result<BTreeMap<String, String>, TransportError> {
        peculiar("exports")
    }

    async fn prune(&self, _: &[QueuePlan], _: &Topology, _: Prune) -> Result<Vec<Remnant>, TransportError> {
        peculiar("prune")
    }

    async fn backlog(&self, _: &QueuePlan) -> Backlog {
        Backlog::new(Some(7), None)
    }

    async fn close(&self) {}
}

/// Few are many for it, and it is somewhere.
struct Place;

#[async_trait]
impl Subject for Place {
    async fn connect(&self) -> Result<Arc<dyn Transport>, TransportError> {
        Ok(Arc::new(Peculiar))
    }

    fn many(&self) -> usize {
        7
    }

    async fn address(&self) -> Option<String> {
        Some("here".to_owned())
    }

    async fn connect_to(&self, address: &str) -> Result<Arc<dyn Transport>, TransportError> {
        if address == "here" { self.connect().await } else { peculiar("address") }
    }

    async fn put_nested(&self, _: &str, _: &Outgoing, _: Nest) -> Injected {
        Injected::Done
    }
}

struct Nothing;

impl Tamper for Nothing {}

/// Any plan: nobody looks at it.
fn plan() -> QueuePlan {
    let ignore = async |_: LetterPosted, _: Context| Ok::<(), HandlerError>(());
    let service = Service::new("billing").on::<LetterPosted>(ignore);
    service.topology().expect("it has one subscription").queues.remove(0)
}

async fn passes_through(subject: impl Subject) {
    assert_eq!((subject.many(), subject.address().await.as_deref()), (7, Some("here")));
    assert!(subject.connect_to("elsewhere").await.is_err());
    let (plan, topology) = (plan(), Topology::default());
    let message = Outgoing::new(MessageId::draw(&Dice::system()), "letter", "letters", Sealed::default());
    assert_eq!(subject.put_nested(&plan.name, &message, Nest::Lists(1)).await, Injected::Done);
    for transport in [subject.connect().await, subject.connect_to("here").await] {
        let transport = transport.expect("it is there");
        assert_eq!(transport.backlog(&plan).await, Backlog::new(Some(7), None));
        assert!(transport.envelope().is_some());
        let told = [
            transport.differences(&topology, Provision::Verify).await.map(drop),
            transport.prune(&[], &topology, Prune::Look).await.map(drop),
            transport.exports(&topology, &[]).map(drop),
        ];
        let told = told.map(|told| told.expect_err("it is peculiar").to_string());
        assert_eq!(told, ["differences", "prune", "exports"]);
        let mut copies = transport.tail(&plan).await.expect("it is followed");
        let copy = copies.next(1).await.expect("there is one").remove(0);
        tokio::time::timeout(Duration::from_secs(1), copy.lost()).await.expect("it is lost");
    }
}

#[tokio::test]
async fn what_a_hand_does_not_name_passes_through() {
    passes_through(Tampered::new(Place, Nothing)).await;
}

#[tokio::test]
async fn what_is_no_fault_passes_through() {
    passes_through(Faulty::new(Place)).await;
}

/// A memory transport for which an odd number is many.
struct Odd(Memory, usize);

#[async_trait]
impl Subject for Odd {
    async fn connect(&self) -> Result<Arc<dyn Transport>, TransportError> {
        self.0.connect().await
    }

    fn pace(&self) -> Pace {
        Pace::Virtual
    }

    fn many(&self) -> usize {
        self.1
    }
}

/// `P-03` has fifty tasks, `P-12` takes fifty away.
#[test]
fn any_number_of_messages_can_be_many() {
    for many in [0, 7, 130] {
        for case in ["P-03", "P-12"] {
            let case = Case::of(case).expect("the case is listed");
            let report = judge(case, || Faulty::new(Odd(Memory::new(), many)), 7);
            assert_eq!(report.result, Ok(Done::Kept), "{case:?}, {many} are many");
        }
    }
}
