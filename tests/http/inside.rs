//! The routes of a service under test, without a socket.

use tegami::{
    Context, Error, HandlerError, Publisher, Service,
    http::{
        ClientAddress, Page, WebSocket,
        axum::{
            Router,
            body::{Body, Bytes, to_bytes},
            extract::{Path, State},
            http::{Request, StatusCode},
            response::Response,
            routing::{any, get as on_get, post as on_post},
        },
    },
    testing::TestService,
};

use crate::contracts::shop::{billing::v1::ReceiptSent, orders::v1::OrderPaid};

async fn pay(State(shop): State<&'static str>, publisher: Publisher, Path(id): Path<String>) -> StatusCode {
    let paid = OrderPaid::builder().order_id(format!("{shop}-{id}")).currency("EUR").amount_minor(990).build();
    publisher.publish(&paid).await.map_or(StatusCode::SERVICE_UNAVAILABLE, |_| StatusCode::ACCEPTED)
}

async fn receipt(paid: OrderPaid, ctx: Context<&'static str>) -> Result<(), HandlerError> {
    ctx.publish(&ReceiptSent::builder().order_id(paid.order_id).build()).await?;
    Ok(())
}

async fn text(answer: Response) -> String {
    let bytes = to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
    String::from_utf8(bytes.into()).expect("text")
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).expect("a request")
}

#[tokio::test]
async fn a_request_is_followed_to_the_last_event() -> Result<(), Error> {
    let router = Router::new().route("/orders/{id}", on_post(pay));
    let service = Service::new("billing").state("shop").on::<OrderPaid>(receipt).routes(router);
    let test = TestService::start(service).await?;
    let request = Request::post("/orders/1").header("x-correlation-id", "c-1").body("").expect("a request");
    assert_eq!(test.call(request).await.status(), StatusCode::ACCEPTED);
    test.settle().await;
    assert_eq!(test.handled::<OrderPaid>()[0].order_id, "shop-1");
    assert_eq!(test.published::<ReceiptSent>()[0].order_id, "shop-1");
    Ok(())
}

#[tokio::test]
async fn limits_pages_and_panics_are_those_of_the_server() -> Result<(), Error> {
    async fn panics() {
        panic!("the password is tiger")
    }
    let router = Router::new()
        .route("/address", on_get(async |ClientAddress(address): ClientAddress| address.to_string()))
        .route("/read", on_post(async |body: Bytes| body.len().to_string()))
        .route("/never", on_get(async || std::future::pending::<()>().await))
        .route("/panics", on_get(panics))
        .route("/socket", any(async |request: WebSocket| request.open(async |_| {})));
    let service = Service::new("billing").routes(router);
    let service = service.http(|http| {
        let page = async |page: Page| format!("no {} here", page.uri.path());
        http.page(StatusCode::NOT_FOUND, page).limits(|limits| limits.body = 10)
    });
    let test = TestService::start(service).await?;
    assert_eq!(text(test.call(get("/address")).await).await, "127.0.0.1");
    assert_eq!(text(test.call(get("/nowhere")).await).await, "no /nowhere here");
    for (length, status) in [(10, StatusCode::OK), (11, StatusCode::PAYLOAD_TOO_LARGE)] {
        let request = Request::post("/read").body("a".repeat(length)).expect("a request");
        assert_eq!(test.call(request).await.status(), status);
    }
    let long = format!("/{}", "u".repeat(8 * 1024));
    for (path, status) in [
        ("/panics", StatusCode::INTERNAL_SERVER_ERROR),
        ("/never", StatusCode::SERVICE_UNAVAILABLE),
        ("/socket", StatusCode::BAD_REQUEST),
        (&long, StatusCode::URI_TOO_LONG),
    ] {
        assert_eq!(test.call(get(path)).await.status(), status, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn k1_a_wrong_choice_stops_the_start_of_a_test_too() {
    let service = Service::new("billing").routes(Router::new()).http(|http| http.trust_proxies(["nowhere"]));
    let error = TestService::start(service).await.err().expect("it is no network");
    assert!(error.to_string().contains("nowhere"), "{error}");
}
