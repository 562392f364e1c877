//! Takes calls, does to them what the rules say, and hands them on.

use std::{
    collections::HashMap,
    future::{Future, poll_fn},
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, StatusCode, Uri,
    body::Incoming,
    http::{HeaderMap, header, request::Parts},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::sleep,
};

use super::{
    batch,
    body::{self, Body, Torn},
    call::Call,
    rules::{Book, Trouble},
    words,
};

/// Shorter than the emulators keep a connection that nobody uses.
const IDLE: Duration = Duration::from_secs(1);

/// What stands between a client and one emulator.
#[derive(Debug)]
pub(super) struct Server {
    emulator: SocketAddr,
    /// Where clients find it.
    door: SocketAddr,
    pub(super) book: Book,
    onward: Client<HttpConnector, Full<Bytes>>,
    /// The last answer that brought messages, by queue.
    received: Mutex<HashMap<String, Answer>>,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    /// Hands it over as it is.
    fn whole(self) -> Response<Body> {
        self.coming(body::whole)
    }

    /// Hands its body over in this way; the length is said before.
    fn coming(self, how: impl FnOnce(Bytes) -> Body) -> Response<Body> {
        let length = self.body.len();
        let mut response = Response::new(how(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
        response
    }

    /// The same with another body.
    pub(super) fn saying(self, body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..self }
    }
}

pub(super) async fn listen() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Takes connections for ever; they end with this task.
pub(super) async fn accept(listener: TcpListener, server: Arc<Server>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                if let Ok((client, _)) = accepted {
                    connections.spawn(carry(client, server.clone()));
                }
            }
        }
    }
}

/// Serves one connection until it ends.
async fn carry(client: TcpStream, server: Arc<Server>) {
    // Small answers are not to wait for one another.
    let _ = client.set_nodelay(true);
    let service = service_fn(move |request| -> Pin<Box<dyn Future<Output = _> + Send>> {
        let server = server.clone();
        Box::pin(async move { server.answer(request).await })
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(client), service);
    let ended = poll_fn(|cx| connection.poll_without_shutdown(cx)).await;
    let torn = ended.err().and_then(|error| std::error::Error::source(&error)?.downcast_ref().copied());
    if torn == Some(Torn::Reset) {
        // A client that is gone needs none.
        let _ = connection.into_parts().io.into_inner().set_zero_linger();
    }
}

impl Server {
    pub(super) fn new(emulator: SocketAddr, door: SocketAddr, seed: u64) -> Self {
        let mut onward = Client::builder(TokioExecutor::new());
        let onward = onward.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).build_http();
        Self { emulator, door, book: Book::new(seed), onward, received: Mutex::default() }
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, Torn> {
        let (mut head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Torn::Reset)?.to_bytes();
        let call = Call::read(&head, body);
        // Its own host and length are written anew.
        head.headers.remove(header::HOST);
        head.headers.remove(header::CONTENT_LENGTH);
        head.headers.remove(header::TRANSFER_ENCODING);
        let struck = (self.book.until_lifted(), self.book.strike(&call));
        match struck {
            (lifted, Some(Trouble::Hang)) => lifted.await,
            (_, Some(trouble)) => return self.strike(trouble, &head, &call).await,
            (_, None) => {}
        }
        Ok(self.hand_on(&head, &call).await?.whole())
    }

    async fn strike(&self, trouble: Trouble, head: &Parts, call: &Call) -> Result<Response<Body>, Torn> {
        let answered = async || self.hand_on(head, call).await;
        Ok(match trouble {
            Trouble::Answer(status, code) => words::refusal(call.tongue, status, code).whole(),
            Trouble::WrongSignature => words::wrong_signature(call.tongue, &head.headers).whole(),
            Trouble::Throttled => words::throttled(call.tongue).whole(),
            Trouble::Reset => return Err(Torn::Reset),
            Trouble::LostAnswer => return answered().await.and(Err(Torn::Reset)),
            Trouble::Late(by) => {
                sleep(by).await;
                answered().await?.whole()
            }
            Trouble::Pretended => batch::pretended(call).whole(),
            Trouble::Cut => answered().await?.coming(body::half),
            Trouble::Drip(pause) => answered().await?.coming(|body| body::drops(body, pause)),
            Trouble::PartlyFailed(applied) => batch::fail_half(self, (head, call), applied).await?.whole(),
            Trouble::EarlierReceive => self.earlier(call).map_or(Err(Torn::Reset), |answer| Ok(answer.whole()))?,
            Trouble::WrongDigest => words::with_wrong_digests(answered().await?).whole(),
            Trouble::Hang => answered().await?.whole(),
        })
    }

    /// Hands a call on to the emulator; one that is gone tears the connection, as it would without us.
    pub(super) async fn hand_on(&self, head: &Parts, call: &Call) -> Result<Answer, Torn> {
        let mut request = Request::new(Full::new(call.body.clone()));
        *request.method_mut() = head.method.clone();
        *request.headers_mut() = head.headers.clone();
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let uri: Result<Uri, _> = format!("http://{}{path}", self.emulator).parse();
        *request.uri_mut() = uri.map_err(|_| Torn::Reset)?;
        let response = self.onward.request(request).await.map_err(|_| Torn::Reset)?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|_| Torn::Reset)?.to_bytes();
        let mut headers = head.headers;
        headers.remove(header::CONNECTION);
        headers.remove(header::TRANSFER_ENCODING);
        let answer = self.leading_back(call, Answer { status: head.status, headers, body });
        self.remember(call, &answer);
        Ok(answer)
    }

    /// URLs of queues are those of the door: whoever goes by them comes by here.
    fn leading_back(&self, call: &Call, answer: Answer) -> Answer {
        if !["CreateQueue", "GetQueueUrl", "ListQueues", "ListDeadLetterSourceQueues"].contains(&&*call.operation) {
            return answer;
        }
        let body = String::from_utf8_lossy(&answer.body).replace(&self.emulator.to_string(), &self.door.to_string());
        answer.saying(body)
    }

    fn remember(&self, call: &Call, answer: &Answer) {
        if call.operation == "ReceiveMessage" && answer.body.windows(11).any(|part| part == b"\"MessageId\"") {
            let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
            received.insert(call.target.clone(), answer.clone());
        }
    }

    fn earlier(&self, call: &Call) -> Option<Answer> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).get(&call.target).cloned()
    }
}
