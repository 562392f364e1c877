//! What clients do that no client would: each is let go, and costs nobody else a request.

mod beside;
mod cost;
mod http2;
mod server;
mod websocket;

use std::time::Duration;

use tegami::service::Running;

use crate::client::{ask, get};

/// A good client asks while the attack lasts, and once more.
async fn beside<T>(service: &Running, attack: impl Future<Output = T>) -> T {
    let good = async {
        loop {
            assert_eq!(ask(service, get("/")).await.status, 200, "a good client is served");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let ended = tokio::select! {
        ended = attack => ended,
        () = good => unreachable!("it asks until the attack is over"),
    };
    assert_eq!(ask(service, get("/")).await.status, 200, "and is served after it");
    ended
}
