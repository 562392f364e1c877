//! What goes wrong between a service and SNS and SQS: many faults, one [load](load::load).
//!
//! A [`Road`] is the way to an emulator with one trouble on it: to MiniStack, and a few also to LocalStack. Each trouble looks whether it happened. What is not here
//! is in the suite, which runs on the same emulators, or cannot be:
//!
//! | fault | where |
//! |---|---|
//! | F01 the services are gone, under load | N-01, N-06, P-12: an emulator forgets everything when it is killed, so it is out of reach instead |
//! | F03 they hang for 20 s | N-02, S-03 |
//! | F24 no name is found | not here: names are asked of the system, which no test may change; a name that is not found is one more call that fails |
//! | F30 handlers fail | R-01, R-02, and every load here |
//! | F31 handlers panic | H-01 |
//! | F32 handlers hang | H-02, S-02 |
//! | F36 keys, nacks and repeats | O-01 to O-05, and every load here |
//! | F41 ten thousand that nobody can read | X-03, X-04 |
//! | F44 dead letters are refused | X-05 |

mod answers;
mod batches;
mod broken;
mod full;
mod holds;
mod limits;
mod line;
#[path = "../../amqp/faults/load.rs"]
mod load;
mod mutants;
mod queues;
mod refusals;
mod road;
mod silence;
mod stops;

use load::load;
use road::{Road, Trouble};
use tegami::testing::transport::Case;
use tegami_test_servers::Kind;

/// Tries the case on MiniStack, with this trouble.
fn tried(case: &'static Case, trouble: Trouble) {
    tried_on(Kind::MiniStack, case, trouble);
}

/// Tries the case on this emulator, with this trouble.
fn tried_on(kind: Kind, case: &'static Case, trouble: Trouble) {
    tegami::testing::transport::check(module_path!(), case, || Road::new(kind, trouble));
}
