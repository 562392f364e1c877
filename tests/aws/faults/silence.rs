//! Calls that are never answered.

use std::time::Duration;

use tegami::testing::transport::Case;
use tegami_test_servers::{Rule, Trouble};
use tokio::time::sleep;

use super::{load, tried};
use crate::broker::Place;

/// How long nothing may come because of a receive that hangs (F21).
const STALL: Duration = Duration::from_secs(30);
/// Longer than a receive waits for messages: whoever asks has asked.
const ASKED: Duration = Duration::from_millis(1_500);

static HANGING: Case = Case::new("F-21", "f_21_receive_hangs", |trial| Box::pin(load(trial)));

/// Every receive hangs that is asked for now; whoever gives up on it and asks again is answered.
async fn hang(place: &Place) {
    place.fault.put(Rule::on("ReceiveMessage", Trouble::Hang));
    place.struck(STALL, "ReceiveMessage", 2).await;
    sleep(ASKED).await;
    place.fault.spare();
    place.served(STALL, "ReceiveMessage").await;
}

#[test]
fn f21_a_receive_that_is_never_answered_is_given_up_on_and_loses_nothing() {
    tried(&HANGING, |place| Box::pin(hang(place)));
}
