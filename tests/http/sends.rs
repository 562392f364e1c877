//! What a handler sends on a WebSocket: each reason for which it is not sent.

use std::sync::Arc;

use tegami::{
    Error,
    http::{
        Frame, SocketErrorKind, WebSocket,
        axum::{Router, response::Response, routing::any},
    },
};
use tokio::sync::mpsc;

use crate::{
    LONG,
    client::Client,
    contracts::shop::{
        orders::v1::OrderPaid,
        shipping::v1::{ParcelShipped, parcel_shipped::Carrier},
    },
    serve,
    sockets::{BINARY, TEXT, frame, next, open},
};

/// All that may wait to be written.
const BUFFER: usize = 1_000;

/// Sends as many bytes as it is told, or the reason why not.
async fn many(request: WebSocket) -> Response {
    request.open(async |mut socket| {
        while let Some(Frame::Text(length)) = socket.next().await {
            let bytes = vec![0; length.parse().expect("a number")];
            let Err(error) = socket.send(Frame::Binary(bytes.into())).await else { continue };
            socket.send(Frame::Text(format!("{:?}", error.kind()))).await.expect("it is open");
        }
    })
}

/// Sends a parcel of as many grams as it is told, or the reason why not.
async fn parcels(request: WebSocket) -> Response {
    request.open(async |mut socket| {
        while let Some(Frame::Text(grams)) = socket.next().await {
            let parcel = ParcelShipped::builder().parcel_id("p-1").order_id("o-1").carrier(Carrier::Dhl);
            let parcel = parcel.weight_grams(grams.parse::<i64>().expect("a number")).build();
            let Err(error) = socket.send_event(&parcel).await else { continue };
            let told = format!("{:?}: {error}", error.kind());
            socket.send(Frame::Text(told)).await.expect("it is open");
        }
    })
}

async fn told(client: &mut Client, what: &str) -> (u8, String) {
    client.send(frame(TEXT, what.as_bytes())).await;
    let (kind, payload) = next(client).await.expect("it is open");
    (kind, String::from_utf8(payload).expect("text"))
}

#[tokio::test]
async fn w1_a_frame_is_sent_that_is_as_large_as_the_buffer_and_none_larger() -> Result<(), Error> {
    let service =
        serve(Router::new().route("/", any(many)), |http| http.limits(|limits| limits.socket_buffer = BUFFER));
    let service = service.await?;
    let mut client = open(&service, "/").await;
    for (length, expected) in [
        (BUFFER - 1, (BINARY, "\0".repeat(BUFFER - 1))),
        (BUFFER, (BINARY, "\0".repeat(BUFFER))),
        (BUFFER + 1, (TEXT, "TooLarge".to_owned())),
        (100 * BUFFER, (TEXT, "TooLarge".to_owned())),
        (0, (BINARY, String::new())),
        (BUFFER, (BINARY, "\0".repeat(BUFFER))),
    ] {
        assert_eq!(told(&mut client, &length.to_string()).await, expected, "{length}");
    }
    Ok(())
}

#[tokio::test]
async fn an_event_that_breaks_its_contract_is_not_sent_and_the_socket_goes_on() -> Result<(), Error> {
    let service = serve(Router::new().route("/", any(parcels)), |http| http).await?;
    let mut client = open(&service, "/").await;
    for (grams, is_sent) in [("31500", true), ("31501", false), ("0", false), ("1", true)] {
        let (_, told) = told(&mut client, grams).await;
        assert_eq!(told.contains("\"p-1\""), is_sent, "{told}");
        assert_eq!(told.starts_with("Invalid: "), !is_sent, "{told}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_sent_to_a_client_that_has_left_is_told_to_be_closed() -> Result<(), Error> {
    let (tell, mut told) = mpsc::channel(8);
    let tell = Arc::new(tell);
    // One sends when nobody is there any more, the other waits for room when the client leaves.
    let after = tell.clone();
    let after = async move |request: WebSocket| {
        request.open(async move |mut socket| {
            while socket.next().await.is_some() {}
            let of_text = socket.send(Frame::Text("hello".into())).await.map_err(|error| error.kind());
            let order = OrderPaid::builder().order_id("o-1").build();
            let of_event = socket.send_event(&order).await.map_err(|error| error.kind());
            after.send([of_text, of_event]).await.expect("the test waits");
        })
    };
    let within = async move |request: WebSocket| {
        request.open(async move |socket| {
            let mut sent = Ok(());
            while sent.is_ok() {
                sent = socket.send(Frame::Binary(vec![0; BUFFER].into())).await.map_err(|error| error.kind());
            }
            tell.send([sent, sent]).await.expect("the test waits");
        })
    };
    let router = Router::new().route("/after", any(after)).route("/within", any(within));
    let service = serve(router, |http| http.limits(|limits| limits.socket_buffer = BUFFER)).await?;
    for path in ["/after", "/within"] {
        let client = open(&service, path).await;
        drop(client);
        let kinds = tokio::time::timeout(LONG, told.recv()).await.expect("in time").expect("it tells");
        assert_eq!(kinds, [Err(SocketErrorKind::Closed); 2], "{path}");
    }
    Ok(())
}
