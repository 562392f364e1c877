//! Batches of which a part fails.

use std::time::Duration;

use tegami::testing::transport::Case;
use tegami_test_servers::{Applied, Rule, Trouble};

use super::{load, tried};
use crate::broker::Place;

/// How soon so many are struck.
const SOON: Duration = Duration::from_secs(20);
/// How many of each kind.
const TIMES: u64 = 10;

static PARTLY: Case = Case::new("F-22", "f_22_batch_partly_failed", |trial| Box::pin(load(trial)));

/// Of half of all batches, half of the entries fails, or is only said to.
async fn fail_parts(place: &Place, operations: &[&'static str]) {
    for operation in operations {
        for applied in [Applied::No, Applied::Yes] {
            place.fault.put(Rule::on(operation, Trouble::PartlyFailed(applied)).share(0.3));
        }
    }
    for operation in operations {
        place.struck(SOON, operation, TIMES).await;
    }
}

#[test]
fn f22_publishes_of_which_a_part_fails_lose_nothing() {
    tried(&PARTLY, |place| Box::pin(fail_parts(place, &["PublishBatch"])));
}

#[test]
fn f22_deletes_and_delays_of_which_a_part_fails_lose_nothing() {
    tried(&PARTLY, |place| Box::pin(fail_parts(place, &["DeleteMessageBatch", "ChangeMessageVisibilityBatch"])));
}
