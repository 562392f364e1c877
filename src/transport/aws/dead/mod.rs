//! The dead letters of a queue: looked at, put back, and deleted.
//!
//! `letters` makes the calls, `held` is what SQS hides from others meanwhile, and `round` has somebody decide.

mod held;
mod letters;
mod round;

use std::{sync::Arc, time::Duration};

use super::{
    letter::{Post, age, dead_letter},
    outlet::Outlet,
    setup::Setup,
};
use crate::transport::{DeadLetter, Sorter, TransportError};
use letters::Letters;
use round::Round;

/// The most messages of one receive.
const MOST: usize = 10;

/// The dead letters of a queue, oldest first. They stay; nobody else sees them meanwhile.
pub(super) async fn look(
    (setup, outlet): (Arc<Setup>, Arc<Outlet>),
    queue: String,
    limit: usize,
) -> Result<Vec<DeadLetter>, TransportError> {
    let letters = Letters::open(setup, outlet, &queue).await?;
    let mut held = letters.none();
    let looked = letters.gather(&mut held, limit).await;
    letters.show(held.all(), Duration::ZERO).await;
    looked?;
    let mut posts: Vec<Post> = held.into_posts().collect();
    posts.sort_by_cached_key(age);
    posts.truncate(limit);
    Ok(posts.iter().map(|post| dead_letter(post, &queue)).collect())
}

/// Does with each dead letter of now what the sorter says; in a FIFO queue oldest first.
pub(super) async fn sort(
    setup: &Arc<Setup>,
    outlet: &Arc<Outlet>,
    queue: &str,
    sorter: &mut dyn Sorter,
) -> Result<(), TransportError> {
    let began = setup.clock.now();
    let opening = (setup.clone(), outlet.clone(), queue.to_owned());
    let letters = setup.run(async move { Letters::open(opening.0, opening.1, &opening.2).await }).await?;
    let mut round = Round::new(Arc::new(letters), began);
    let sorted = round.sort(sorter).await;
    round.end().await?;
    sorted
}
