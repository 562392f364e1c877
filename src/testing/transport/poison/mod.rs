//! X: what nobody can handle becomes a dead letter, whole and with its reason, and harms nobody else.

mod bombs;
mod data;
mod headers;
mod killer;
mod neighbours;
mod packed;
mod reasons;
mod redrive;
mod sorting;
mod undecodable;
mod versions;

pub use bombs::{x_07_bombs, x_08_depth};
pub use data::x_11_no_magic;
pub use headers::x_12_header_bomb;
pub use killer::x_13_process_killer;
pub use neighbours::{x_03_bad_neighbour, x_04_burst, x_05_dlq_down};
pub use reasons::x_06_reasons;
pub use redrive::x_10_redrive;
pub use sorting::{x_14_chosen_ones_leave, x_15_two_at_once, x_16_cut_while_put_back};
pub use undecodable::{x_01_undecodable, x_02_no_id};
pub use versions::x_09_unknown_and_versions;

use super::{LetterPosted, Trial, office::Office};
use crate::{Retry, Service};

/// The plan of retries that poison must not use.
fn plan() -> Retry {
    Retry::after([std::time::Duration::from_secs(1); 5])
}

/// Opens an office that completes every letter it can read.
async fn open(trial: &Trial, service: Service) -> Office {
    let plan = plan();
    let handler = trial.handler(&plan, |_: LetterPosted, _| async { Ok(()) });
    Office::open(trial, service.on_with::<LetterPosted>(handler, |subscription| subscription.retry(plan))).await
}
