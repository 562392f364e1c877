//! Subscriptions to a store: recorded events as deliveries, on both databases.

pub(crate) mod cases;
pub(crate) mod kills;
pub(crate) mod suite;

use std::time::Duration;

use tegami::records::{Queues, Records};

/// With little patience.
fn quick<D: Queues>(records: Records<D>) -> Records<D> {
    records.poll(Duration::from_millis(20)).hold(Duration::from_secs(2))
}

/// Names one test for each case of the suite for transports, on this database.
// A macro, because the runner knows by a test's module which needs a server.
macro_rules! transports {
    ($subject:ty: $($id:literal $case:ident)+) => {$(
        #[test]
        fn $case() {
            let case = tegami::testing::transport::Case::of($id).expect("the case is listed");
            let subject = || $crate::records::suite::OnDatabase::<$subject>::default();
            tegami::testing::transport::check(module_path!(), case, subject);
        }
    )+};
}
pub(crate) use transports;
