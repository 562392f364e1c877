//! One side's HTTP server, in a process of its own, until it is killed.
//!
//! `web serve SIDE` answers hello on one thread; `web idle TRANSPORT` is a service with a route, a subscription and a
//! schedule, as its user would start it. Both listen on `$PORT`; the broker is at `$AMQP_URL`.

use std::{env, future::pending, hint::black_box, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{WebSocketUpgrade, ws},
    response::Response,
    routing::{any, get, post},
    serve::ListenerExt,
};
use tegami::{
    Context, HandlerError, Service,
    http::{HttpOptions, WebSocket},
    schedule::{Schedule, Tick},
    service::Running,
    transport::{Memory, amqp::Amqp},
};
use tegami_benches::event::OrderPaid;
use tokio::{net::TcpListener, runtime::Builder};

fn main() {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let address = format!("127.0.0.1:{}", env::var("PORT").expect("PORT says where to listen"));
    let mut runtime = Builder::new_multi_thread();
    match words[..] {
        ["serve", side] => runtime.worker_threads(1).enable_all().build().map(|on| on.block_on(serve(side, address))),
        ["idle", transport] => runtime.enable_all().build().map(|on| on.block_on(idle(transport, address))),
        _ => panic!("no such words: {words:?}"),
    }
    .expect("there are threads");
}

fn hello() -> Router {
    let much = Bytes::from(vec![0; 32 * 1024 * 1024]);
    Router::new()
        .route("/", get(async || "hello"))
        .route("/read", post(async |body: Bytes| body.len().to_string()))
        .route("/much", get(async move || much.clone()))
}

async fn echo(request: WebSocket) -> Response {
    request.open(async |mut socket| {
        while let Some(frame) = socket.next().await {
            if socket.send(frame).await.is_err() {
                break;
            }
        }
    })
}

async fn echo_by_axum(request: WebSocketUpgrade) -> Response {
    request.on_upgrade(async |mut socket: ws::WebSocket| {
        while let Some(Ok(frame)) = socket.recv().await {
            if socket.send(frame).await.is_err() {
                break;
            }
        }
    })
}

async fn serve(side: &str, address: String) {
    let (own, other) = (|| hello().route("/echo", any(echo)), || hello().route("/echo", any(echo_by_axum)));
    match side {
        "tegami" => run(Service::new("billing").transport(Memory::new()).routes(own()), address).await,
        "axum" => axum::serve(bound(address).await, other()).await.expect("it is served"),
        "axum-nodelay" => {
            let listener = bound(address).await.tap_io(|tcp| tcp.set_nodelay(true).expect("it is a socket"));
            axum::serve(listener, other()).await.expect("it is served");
        }
        _ => panic!("no side `{side}` serves"),
    }
}

async fn bound(address: String) -> TcpListener {
    TcpListener::bind(address).await.expect("a free port")
}

async fn idle(transport: &str, address: String) {
    let service = Service::new("billing").on::<OrderPaid>(handle).routes(hello());
    let service = service.schedule(Schedule::every(Duration::from_secs(3600)), tick);
    match transport {
        "memory" => run(service.transport(Memory::new()), address).await,
        "rabbitmq" => {
            let url = env::var("AMQP_URL").expect("AMQP_URL says where the broker is");
            run(service.transport(Amqp::new(&url)), address).await;
        }
        _ => panic!("no transport `{transport}` idles"),
    }
}

async fn run(service: Service, address: String) {
    // Its connections are asked for longer than those of any client, so that none is closed while one looks.
    let http = |http: HttpOptions| http.address(address).limits(|limits| limits.keep_alive_requests = u64::MAX);
    let _running: Running = service.http(http).start().await.expect("the service starts");
    pending().await
}

async fn handle(order: OrderPaid, _: Context) -> Result<(), HandlerError> {
    black_box(order.items);
    Ok(())
}

async fn tick(_: Tick) -> Result<(), HandlerError> {
    Ok(())
}
