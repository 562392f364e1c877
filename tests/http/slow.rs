//! Clients that take their time, with a good one beside them.

use std::{sync::Arc, time::Duration};

use tegami::{
    Error,
    http::axum::{
        Router,
        body::Bytes,
        routing::{get as on_get, post as on_post},
    },
    service::Running,
};
use tokio::{
    sync::{Notify, mpsc},
    task::JoinSet,
};

use crate::{
    LONG, SHORT,
    client::{Client, NOTHING, get},
    serve,
};

/// Clients of each kind.
const EACH: usize = 100;
/// One more than there are slow clients at once.
const PLACES: usize = 6 * EACH + 1;
/// How long they are waited for: so long that all come before the first is let go; where the machine has more to do, longer.
const PATIENCE: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(6), Duration::from_secs(18)];

/// What a test sees of the handlers that hold their requests.
struct Held {
    begun: mpsc::Receiver<()>,
    end: Arc<Notify>,
}

async fn service(patience: Duration) -> Result<(Running, Held), Error> {
    let much = Bytes::from(vec![0; 32 * 1024 * 1024]);
    let ((begins, begun), end) = (mpsc::channel(PLACES), Arc::new(Notify::new()));
    let ends = end.clone();
    let hold = async move || {
        let ended = ends.notified();
        begins.send(()).await.expect("the test waits");
        ended.await;
    };
    let router = Router::new()
        .route("/", on_get(async || "hello"))
        .route("/read", on_post(async |body: Bytes| body.len().to_string()))
        .route("/much", on_get(async move || much.clone()))
        .route("/hold", on_get(hold));
    let service = serve(router, move |http| {
        http.limits(|limits| {
            (limits.first_byte, limits.head, limits.idle, limits.write) = (patience, patience, patience, patience);
            limits.body_grace = patience;
            (limits.connections, limits.connections_per_address, limits.requests) = (PLACES, PLACES, PLACES);
        })
    });
    Ok((service.await?, Held { begun, end }))
}

/// Sends a byte now and then, until the connection ends.
async fn drip(mut client: Client) -> Vec<u16> {
    while client.send("a").await {
        tokio::time::sleep(PATIENCE[0] / 8).await;
    }
    client.closed().await
}

/// One client of each kind that ends by itself once it is let go.
async fn slow_clients(service: &Running, slow: &mut JoinSet<(&'static str, Vec<u16>)>) {
    let mut silent = Client::connect(service).await;
    slow.spawn(async move { ("silent", silent.closed().await) });
    let mut partial = Client::connect(service).await;
    partial.send("GET / HT").await;
    slow.spawn(async move { ("half a head", partial.closed().await) });
    let mut head = Client::connect(service).await;
    head.send("GET / HTTP/1.1\r\nHost: a\r\nx: ").await;
    slow.spawn(async move { ("drips a head", drip(head).await) });
    let mut idle = Client::connect(service).await;
    idle.send(get("/")).await;
    slow.spawn(async move { ("idle", idle.closed().await) });
    let mut body = Client::connect(service).await;
    body.send("POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n").await;
    slow.spawn(async move { ("drips a body", drip(body).await) });
}

#[tokio::test]
async fn w1_slow_clients_are_let_go_and_disturb_nobody() -> Result<(), Error> {
    for patience in PATIENCE {
        if were_all_there(patience).await? {
            return Ok(());
        }
    }
    panic!("they were never there all at once");
}

/// Has them come and be let go, with a good client beside them; were they there all at once?
async fn were_all_there(patience: Duration) -> Result<bool, Error> {
    let (service, mut held) = service(patience).await?;
    let (mut slow, mut stuck) = (JoinSet::new(), Vec::new());
    for _ in 0..EACH {
        slow_clients(&service, &mut slow).await;
        // It asks for much, and reads nothing of it.
        let mut client = Client::connect(&service).await;
        client.send(get("/much")).await;
        stuck.push(client);
    }
    let mut beside_all = 0;
    while !slow.is_empty() {
        let mut good = Client::connect(&service).await;
        assert_eq!(good.ask(get("/")).await.status, 200, "a good client is served");
        let Ok(Some(ended)) = tokio::time::timeout(SHORT / 40, slow.join_next()).await else {
            beside_all += usize::from(slow.len() == 5 * EACH);
            continue;
        };
        let (kind, statuses) = ended.expect("no panic");
        match kind {
            "idle" => assert_eq!(statuses, [200]),
            // The answer may be lost: the client writes on after the connection's end.
            "drips a body" => assert!(statuses.is_empty() || statuses == [408], "{statuses:?}"),
            _ => assert_eq!(statuses, NOTHING, "{kind}"),
        }
    }
    // All places are free, those of the clients that read nothing too.
    let mut others = Vec::new();
    for _ in 0..PLACES {
        let mut client = Client::connect(&service).await;
        client.send(get("/hold")).await;
        others.push(client);
    }
    for _ in 0..PLACES {
        tokio::time::timeout(LONG, held.begun.recv()).await.expect("in time").expect("it is handled");
    }
    held.end.notify_waiters();
    for client in &mut others {
        assert_eq!(client.answer().await.status, 200);
    }
    drop(stuck);
    Ok(beside_all > 0)
}

#[tokio::test]
async fn a_client_that_takes_its_answer_slowly_gets_all_of_it() -> Result<(), Error> {
    let router = Router::new().route("/much", on_get(async || vec![0_u8; 32 * 1024 * 1024]));
    let service = serve(router, |http| http.limits(|limits| limits.idle = SHORT)).await?;
    let mut client = Client::connect(&service).await;
    client.send(get("/much")).await;
    // Ten times the idle limit, a part every fraction of it.
    for _ in 0..80 {
        tokio::time::sleep(SHORT / 8).await;
        assert!(client.bytes(256 * 1024).await.is_some());
    }
    Ok(())
}

#[tokio::test]
async fn w1_a_client_that_does_not_read_loses_its_place() -> Result<(), Error> {
    let router = Router::new()
        .route("/", on_get(async || "hello"))
        .route("/much", on_get(async || vec![0_u8; 32 * 1024 * 1024]));
    let service = serve(router, |http| http.limits(|limits| (limits.connections, limits.write) = (1, SHORT))).await?;
    let mut stuck = Client::connect(&service).await;
    stuck.send(get("/much")).await;
    let mut next = Client::connect(&service).await;
    assert_eq!(next.ask(get("/")).await.status, 200);
    Ok(())
}
