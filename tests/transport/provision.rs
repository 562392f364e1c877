//! What provisioning creates, checks and refuses; brokers by name.

use tegami::transport::{
    Binding, Memory, Provision, PublishErrorKind, QueuePlan, Topology, Transport, TransportError, TransportErrorKind,
};

use crate::support::{TOPIC, binding, consumer, declare, id, message, one, ordered, plan, topology};

async fn create(memory: &Memory, topology: &Topology) -> Result<(), TransportError> {
    memory.provision(topology, Provision::Create).await
}

#[tokio::test(start_paused = true)]
async fn n7_plan_that_differs_is_a_mismatch_that_names_it() {
    let memory = Memory::new();
    declare(&memory, [plan("billing")]).await;
    declare(&memory, [plan("billing")]).await;
    let other_dead = QueuePlan { dead_letters: "elsewhere".to_owned(), ..plan("billing") };
    for (queue, named) in [(ordered("billing"), "ordered"), (other_dead, "elsewhere")] {
        for mode in [Provision::Create, Provision::Verify] {
            let error = memory.provision(&topology([queue.clone()]), mode).await.unwrap_err();
            assert_eq!(error.kind(), TransportErrorKind::Mismatch);
            assert!(error.to_string().contains("`billing`") && error.to_string().contains(named), "{error}");
        }
    }
    let mut reordered = topology([]);
    reordered.topics[0].ordered = true;
    let error = create(&memory, &reordered).await.unwrap_err();
    assert_eq!((error.kind(), error.to_string().contains(TOPIC)), (TransportErrorKind::Mismatch, true));
}

#[tokio::test(start_paused = true)]
async fn n7_all_that_differs_is_told_and_nothing_is_made() {
    let memory = Memory::new();
    declare(&memory, [plan("billing"), plan("shipping")]).await;
    let others = topology([ordered("billing"), ordered("shipping"), plan("mail")]);
    for (mode, more) in [(Provision::Create, 0), (Provision::Verify, 2)] {
        let told = memory.differences(&others, mode).await.unwrap();
        assert_eq!(told.len(), 2 + more, "{told:?}");
        assert!(["`billing`", "`shipping`"].iter().zip(&told).all(|(name, one)| one.to_string().contains(name)));
        assert_eq!(memory.depth("mail"), None);
    }
    assert!(memory.differences(&topology([plan("billing")]), Provision::Verify).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn n7_failed_provisioning_changes_nothing() {
    let memory = Memory::new();
    let error = create(&memory, &topology([plan("billing"), ordered("billing")])).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Mismatch);
    assert_eq!(memory.depth("billing"), None);
}

#[tokio::test(start_paused = true)]
async fn bindings_of_several_plans_add_up() {
    let memory = Memory::new();
    let mut billing = consumer(&memory, plan("billing")).await;
    let bindings = vec![Binding { topic: "shop-parcels-v1".to_owned(), ..binding() }];
    declare(&memory, [QueuePlan { bindings, ..plan("billing") }]).await;
    let mut parcel = message("parcel");
    parcel.topic = "shop-parcels-v1".into();
    memory.publish(parcel).await.unwrap();
    memory.publish(message("order")).await.unwrap();
    let both = billing.next(10).await.unwrap();
    assert_eq!(both.iter().map(id).collect::<Vec<_>>(), ["parcel", "order"]);
}

#[tokio::test(start_paused = true)]
async fn verify_names_what_is_missing_and_creates_nothing() {
    let memory = Memory::new();
    let verify = async |topology: &Topology| memory.provision(topology, Provision::Verify).await;
    let missing = verify(&topology([plan("billing")])).await.unwrap_err();
    assert_eq!((missing.kind(), missing.to_string().contains(TOPIC)), (TransportErrorKind::Missing, true));
    create(&memory, &topology([])).await.unwrap();
    let missing = verify(&topology([plan("billing")])).await.unwrap_err();
    assert_eq!((missing.kind(), missing.to_string().contains("`billing`")), (TransportErrorKind::Missing, true));
    assert_eq!(memory.depth("billing"), None);
    declare(&memory, [plan("billing")]).await;
    verify(&topology([plan("billing")])).await.unwrap();
    let wider = QueuePlan { bindings: vec![Binding { by_name: true, ..binding() }], ..plan("billing") };
    assert_eq!(verify(&topology([wider])).await.unwrap_err().kind(), TransportErrorKind::Missing);
}

#[tokio::test(start_paused = true)]
async fn assume_looks_at_nothing_and_consuming_finds_out() {
    let memory = Memory::new();
    memory.provision(&topology([plan("billing")]), Provision::Assume).await.unwrap();
    let missing = memory.consume(&plan("billing")).await.err().unwrap();
    assert_eq!(missing.kind(), TransportErrorKind::Missing);
}

#[tokio::test(start_paused = true)]
async fn one_name_means_one_broker_for_as_long_as_it_is_held() {
    let first = Memory::named("provision-orders");
    let mut billing = consumer(&Memory::named("provision-orders"), plan("billing")).await;
    first.publish(message("a")).await.unwrap();
    assert_eq!(id(&one(&mut billing).await), "a");
    let other = Memory::named("provision-parcels");
    assert_eq!(other.publish(message("a")).await.unwrap_err().kind(), PublishErrorKind::Unroutable);
    drop((first, billing));
    assert_eq!(Memory::named("provision-orders").depth("billing"), None);
}

#[tokio::test(start_paused = true)]
async fn s5_closed_connection_says_so_and_leaves_the_others_open() {
    let memory = Memory::new();
    let closing = memory.clone();
    let mut billing = consumer(&closing, plan("billing")).await;
    let (ended, ()) = tokio::join!(billing.next(1), closing.close());
    assert_eq!(ended.unwrap_err().kind(), TransportErrorKind::Closed);
    assert_eq!(billing.next(1).await.unwrap_err().kind(), TransportErrorKind::Closed);
    assert_eq!(closing.publish(message("a")).await.unwrap_err().kind(), PublishErrorKind::Closed);
    assert_eq!(closing.consume(&plan("billing")).await.err().unwrap().kind(), TransportErrorKind::Closed);
    assert_eq!(create(&closing, &topology([])).await.unwrap_err().kind(), TransportErrorKind::Closed);
    closing.close().await;
    memory.publish(message("a")).await.unwrap();
    assert_eq!(memory.depth("billing").unwrap().ready, 1);
}
