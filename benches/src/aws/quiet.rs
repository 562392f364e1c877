//! A service that has little to do.

use std::{net::SocketAddr, time::Duration};

use tegami::Service;
use tokio::time::{interval, sleep};

use super::transport;
use crate::{
    broker::own::{ignore, subscription},
    event::{OrderNoted, noted},
};

/// What a service does while it is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Nothing comes.
    Idle,
    /// A message a second, from itself.
    Trickle,
}

/// Runs a service for so long, and tells when that begins and ends.
///
/// # Panics
/// The emulator is not there.
pub async fn run(emulator: SocketAddr, pace: Pace, time: Duration, tell: impl Fn(&'static str)) {
    let service = Service::new("billing").transport(transport(emulator));
    let running = service.on_with::<OrderNoted>(ignore, subscription).start().await.expect("the service starts");
    let trickle = async {
        let (mut second, order) = (interval(Duration::from_secs(1)), noted(0));
        loop {
            second.tick().await;
            running.publisher().publish(&order).await.expect("it is confirmed");
        }
    };
    tell("begins");
    tokio::select! {
        () = trickle, if pace == Pace::Trickle => {}
        () = sleep(time) => {}
    }
    tell("ends");
    running.stop().await.expect("the service stops");
}
