//! WebSockets: who may open one, and what carries its frames.

mod pump;
mod socket;
mod story;
mod words;

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
use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::FutureExt;
use tokio::sync::{Semaphore, mpsc};

use super::{exchange::Exchange, options::Limits, server::Shared};
use crate::error::panic_text;
use pump::Pump;
use story::Ending;

/// Frames that wait for the handler, or to be written, at most.
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
        if !speaks_our_version(&parts.headers) {
            return Err(OTHER_VERSION.into_response());
        }
        let (has_key, has_body) = (has_one_key(&parts.headers), has_body(&parts.headers));
        let upgrade = WebSocketUpgrade::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
        if !has_key {
            return Err((StatusCode::BAD_REQUEST, "`Sec-WebSocket-Key` is not 16 bytes in base64").into_response());
        }
        if has_body {
            return Err((StatusCode::BAD_REQUEST, "a handshake has no body").into_response());
        }
        Ok(Self { upgrade, exchange })
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
    let room = || Arc::new(Semaphore::new(limits.socket_buffer));
    let socket = Socket { incoming: received, outgoing: send, room: room(), most: limits.socket_buffer };
    let (room, lifecycle, clock) = (room(), shared.parts.lifecycle.clone(), shared.parts.clock);
    (socket, Pump { incoming, room, outgoing, panicked: Arc::default(), lifecycle, limits, clock })
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

/// RFC 6455, 4.2.2: another version is answered with the one that is spoken.
const OTHER_VERSION: (StatusCode, [(header::HeaderName, &str); 2]) =
    (StatusCode::UPGRADE_REQUIRED, [(header::UPGRADE, "websocket"), (header::SEC_WEBSOCKET_VERSION, VERSION)]);
const VERSION: &str = "13";

/// Is no other version asked for?
fn speaks_our_version(headers: &HeaderMap) -> bool {
    headers.get_all(header::SEC_WEBSOCKET_VERSION).iter().all(|version| version == VERSION)
}

/// RFC 6455, 4.2.1: one key, of 16 bytes in base64. axum takes any.
fn has_one_key(headers: &HeaderMap) -> bool {
    let mut keys = headers.get_all(header::SEC_WEBSOCKET_KEY).iter();
    let (Some(key), None) = (keys.next(), keys.next()) else { return false };
    STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == 16)
}

/// Is anything to come before the frames? Two readers could part the bytes differently.
fn has_body(headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH).is_some_and(|length| length != "0");
    length || headers.contains_key(header::TRANSFER_ENCODING)
}

/// Does the request come from its own host, from a listed origin, or from no browser?
fn is_welcome(headers: &HeaderMap, listed: &[String]) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else { return true };
    let (Ok(origin), None) = (origin.to_str(), origins.next()) else { return false };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let authority = origin.parse::<Uri>().ok().and_then(|uri| uri.authority().map(ToString::to_string));
    let own = authority.zip(host).is_some_and(|(authority, host)| authority.eq_ignore_ascii_case(host));
    own || listed.iter().any(|known| known.eq_ignore_ascii_case(origin))
}
