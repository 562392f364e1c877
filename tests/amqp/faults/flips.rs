//! A bit that changes on its way. TLS notices; plaintext AMQP has no checksum, and hands the payload on as it came.

use std::time::Duration;

use tegami::testing::transport::{Case, Done, Injected, Trial, check, judge};
use tegami_test_servers::{Fault, Release, Way};
use tokio::time::sleep;

use super::{Place, Road, load, road::TROUBLE};

/// How soon the next bytes come, and with them the flip and what follows from it.
const NEXT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(500);
/// A payload, and where in what is sent for it the flip surely hits it.
const PAYLOAD: usize = 64 * 1024;
const MIDDLE: u64 = PAYLOAD as u64 / 2;

static TLS: Case = Case::new("F-13", "f_13_flipped_bit_over_tls", |trial| Box::pin(load(trial)));
static PLAIN: Case = Case::new("F-13", "f_13_flipped_bit_in_plaintext", |trial| Box::pin(changed(trial)));

/// Each flip costs its connection.
async fn flip(place: &Place) {
    let mut chance = fastrand::Rng::with_seed(13);
    for way in [Way::Up, Way::Down].repeat(2) {
        let before = place.proxy.counts();
        place.proxy.put(way, Fault::FlipAfter(chance.u64(1..10_000)));
        place.counted(NEXT, "the flip", |counts| counts.flipped > before.flipped).await;
        place.counted(NEXT, "another connection", |counts| counts.connections > before.connections).await;
        sleep(PAUSE).await;
    }
}

async fn flip_payload(place: &Place) {
    place.proxy.put(Way::Up, Fault::FlipAfter(MIDDLE));
}

/// A payload is handed on with one bit changed.
async fn changed(trial: &Trial) -> Done {
    let (connection, plan) = trial.queue("letters").await;
    let publisher = trial.connect().await;
    trial.publish(&*publisher, trial.message(&plan, "the connection is open")).await.expect("its queue is bound");
    trial.reader(&*connection, &plan).await.complete(1).await;
    // Its ack would be on its way else, and could be what is hit.
    connection.close().await;
    let body = vec![b'x'; PAYLOAD];
    assert_eq!(trial.inject(TROUBLE).await, Injected::Done);
    trial.publish(&*publisher, trial.message(&plan, body.clone())).await.expect("nobody notices");
    let connection = trial.connect().await;
    let got = trial.reader(&*connection, &plan).await.next().await;
    let bits: u32 = got.delivery.sealed.body.iter().zip(&body).map(|(came, sent)| (came ^ sent).count_ones()).sum();
    assert_eq!(bits, 1);
    got.ack().await.expect("the delivery is ours to ack");
    Done::Kept
}

#[test]
fn f13_over_tls_a_flipped_bit_costs_the_connection_and_changes_nothing_on_4() {
    check(module_path!(), &TLS, || Road::new(Release::V4, |place| Box::pin(flip(place))).tls());
}

#[test]
fn f13_in_plaintext_a_flipped_bit_is_handed_on_and_counted_on_4() {
    let seed = std::process::id().into();
    let report = judge(&PLAIN, || Road::new(Release::V4, |place| Box::pin(flip_payload(place))), seed);
    let account = report.result.expect_err("the ledger finds the changed message");
    let offences = account.lines().filter(|line| line.contains("checksum") || line.contains("corrupt"));
    assert!(account.starts_with("the ledger is not clean") && offences.count() > 0, "{account}");
}
