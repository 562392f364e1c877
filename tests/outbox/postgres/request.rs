//! An HTTP handler with a transaction of the user's own pool.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use sqlx::PgPool;
use tegami::{
    Publisher, Service,
    http::axum::{
        Router,
        extract::{Path, State},
        http::StatusCode,
        routing::post,
    },
    middleware::{Next, from_fn},
    transport::{Memory, Outgoing},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{Postgres, until};
use crate::{ReceiptSent, Subject, receipt};

/// Row and message of an order; one whose name says so is refused at last.
async fn pay(
    publisher: Publisher,
    State(pool): State<PgPool>,
    Path(order): Path<String>,
) -> Result<StatusCode, StatusCode> {
    let mut tx = pool.begin().await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let row = sqlx::query("INSERT INTO receipts (order_id) VALUES ($1)").bind(&order);
    row.execute(&mut *tx).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let put = publisher.in_transaction(&mut tx).publish(&receipt(&*order)).await;
    put.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    if order.starts_with("bad") {
        return Err(StatusCode::CONFLICT);
    }
    tx.commit().await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(StatusCode::ACCEPTED)
}

/// What is answered to an order.
async fn asked(address: SocketAddr, order: &str) -> String {
    let mut client = TcpStream::connect(address).await.expect("it listens");
    let request =
        format!("POST /orders/{order} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    client.write_all(request.as_bytes()).await.expect("it is sent");
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.expect("it is answered");
    answer.lines().next().expect("it has a line").to_owned()
}

/// T1, T2.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t1_t2_a_request_leaves_its_row_and_its_message_or_neither() {
    let all = Postgres::open().await;
    let sent = Arc::<Mutex<Vec<String>>>::default();
    let noted = sent.clone();
    let broker = from_fn(move |outgoing: Outgoing, _: Next<Outgoing>| {
        noted.lock().expect("nobody panics").push(outgoing.key.unwrap_or_default());
        async { Ok(()) }
    });
    let service = Service::new("orders").transport(Memory::new()).state(all.pool.clone()).outbox(&all.db);
    let service = service.allow_unroutable::<ReceiptSent>().publish_middleware(broker);
    let routes = Router::new().route("/orders/{order}", post(pay));
    let running = service.routes(routes).http(|http| http.address("127.0.0.1:0")).start().await.expect("it starts");
    let address = running.http_address().expect("it listens");
    for (order, answer) in [("o-1", "202"), ("bad-1", "409"), ("o-2", "202"), ("bad-2", "409")] {
        let answered = asked(address, order).await;
        assert!(answered.starts_with(&format!("HTTP/1.1 {answer}")), "{order}: {answered}");
    }
    until(async || sent.lock().expect("nobody panics").len() >= 2).await;
    running.stop().await.expect("it stops");
    assert_eq!(all.written().await, ["o-1", "o-2"]);
    assert_eq!(*sent.lock().expect("nobody panics"), ["o-1", "o-2"]);
}
