//! WebSockets: who may open one, and what carries its frames.

mod pump;
mod socket;
mod story;

pub use socket::{Frame, Socket, SocketError, SocketErrorKind};
pub(super) use story::Story;

use std::{
    future::Future,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use axum::{
    extract::{
        FromRequestParts,
        ws::{self, WebSocketUpgrade},
    },
    http::{HeaderMap, StatusCode, Uri, header, request},
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use tokio::sync::{Semaphore, mpsc};

use super::{exchange::Exchange, options::Limits, server::Shared};
use crate::error::panic_text;
use pump::Pump;
use story::Ending;

/// Frames that wait for the handler.
const WAITING: usize = 16;

/// A request to open a WebSocket, as an extractor.
///
/// A browser's request from another origin than the host it asks is a 403, unless
/// [`HttpOptions::allow_origins`](super::HttpOptions::allow_origins) names the origin.
///
/// # Examples
/// ```
/// use tegami::http::{WebSocket, axum::{Router, response::Response, routing::any}};
///
/// async fn echo(request: WebSocket) -> Response {
///     request.open(async |mut socket| {
///         while let Some(frame) = socket.next().await {
///             if socket.send(frame).await.is_err() {
///                 break;
///             }
///         }
///     })
/// }
/// let router: Router = Router::new().route("/echo", any(echo));
/// ```
pub struct WebSocket {
    upgrade: WebSocketUpgrade,
    exchange: Exchange,
}

impl<S: Send + Sync> FromRequestParts<S> for WebSocket {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut request::Parts, state: &S) -> Result<Self, Response> {
        let exchange = parts.extensions.get::<Exchange>().cloned();
        let exchange = exchange.ok_or_else(|| StatusCode::INTERNAL_SERVER_ERROR.into_response())?;
        if !is_welcome(&parts.headers, &exchange.shared().options.origins) {
            return Err(StatusCode::FORBIDDEN.into_response());
        }
        let upgrade = WebSocketUpgrade::from_request_parts(parts, state).await;
        Ok(Self { upgrade: upgrade.map_err(IntoResponse::into_response)?, exchange })
    }
}

impl WebSocket {
    /// Opens it for this handler. It is closed with 1000 when the handler ends, with 1011 when it panics, with 1001 when
    /// the service stops, with 1008 or 1009 when the client meets a limit.
    pub fn open<F, Fut>(self, handler: F) -> Response
    where
        F: FnOnce(Socket) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let limits = self.exchange.shared().limits();
        let upgrade = self.upgrade.max_message_size(limits.socket_message).max_frame_size(limits.socket_frame);
        let (socket, pump) = pair(self.exchange.shared());
        let (story, ending) = story::of(&self.exchange.shared().parts.dice);
        let mut answer = upgrade.on_upgrade(move |opened| async move {
            let lifecycle = pump.lifecycle.clone();
            lifecycle.spawn(attend(pump, opened, async move { handler(socket).await }, ending));
        });
        answer.extensions_mut().insert(story);
        answer
    }
}

/// The two sides of a socket: the handler's, and the client's.
fn pair(shared: &Shared) -> (Socket, Pump) {
    let limits = Arc::new(shared.limits().clone());
    let (incoming, received) = mpsc::channel(WAITING);
    let (send, outgoing) = mpsc::channel(WAITING);
    let room = Arc::new(Semaphore::new(limits.socket_buffer));
    let socket = Socket { incoming: received, outgoing: send, room, most: limits.socket_buffer };
    let (lifecycle, clock) = (shared.parts.lifecycle.clone(), shared.parts.clock);
    (socket, Pump { incoming, outgoing, panicked: Arc::default(), lifecycle, limits, clock })
}

/// Moves frames while the handler runs; after it, what it left.
async fn attend(pump: Pump, opened: ws::WebSocket, handling: impl Future<Output = ()>, mut ending: Ending) {
    ending.opened();
    let (cut, panicked) = (pump.lifecycle.cut_off().clone(), pump.panicked.clone());
    let handling = async { tell(AssertUnwindSafe(handling).catch_unwind().await, &panicked) };
    let moving = async { ending.closed(pump.run(opened).await.code(), &panicked) };
    tokio::select! {
        biased;
        () = cut.cancelled() => {}
        _ = async { tokio::join!(moving, handling) } => {}
    }
}

/// Notes a panic, for the log and for the client.
fn tell(ended: std::thread::Result<()>, panicked: &AtomicBool) {
    if let Err(panic) = ended {
        panicked.store(true, Relaxed);
        tracing::error!(target: "tegami::http", error = panic_text(&*panic), "a WebSocket's handler panicked");
    }
}

/// Does the request come from its own host, from a listed origin, or from no browser?
fn is_welcome(headers: &HeaderMap, listed: &[String]) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let authority = origin.parse::<Uri>().ok().and_then(|uri| uri.authority().map(ToString::to_string));
    let own = authority.zip(host).is_some_and(|(authority, host)| authority.eq_ignore_ascii_case(host));
    own || listed.iter().any(|known| known.eq_ignore_ascii_case(origin))
}
