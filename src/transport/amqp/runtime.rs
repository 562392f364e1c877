//! How lapin runs: on a thread of its own, over our own stream, and in silence.
//!
//! At its most talkative level lapin logs whole frames: payloads, and the answer that holds the password. What it
//! logs is nothing a user could act on, so its thread and its tasks are given no one to log to.

use std::{
    cell::RefCell,
    io::{self, Read, Write},
    net::SocketAddr,
    time::{Duration, Instant},
};

use async_rs::{
    Runtime, Tokio,
    traits::{Executor, Reactor, RuntimeKit},
    util::Task,
};
use futures_util::{
    FutureExt,
    future::{self, BoxFuture},
};
use lapin::{Connection, ConnectionProperties, tcp::AsyncTcpStream, uri::AMQPUri};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tracing::{
    Dispatch,
    dispatcher::{self, DefaultGuard},
    instrument::WithSubscriber,
};

use super::{
    dial::Stream,
    guard::{Guarded, Heard},
};

thread_local! {
    static SILENCE: RefCell<Option<DefaultGuard>> = const { RefCell::new(None) };
}

/// Where a connection's tasks run, and until when.
pub(super) struct Place {
    pub(super) quarters: Handle,
    /// Once set, none of its tasks sleeps on.
    pub(super) gone: CancellationToken,
}

/// Opens a connection over the stream that `dial` makes.
///
/// # Errors
/// `dial` failed, or the broker refused.
pub(super) async fn open(
    uri: AMQPUri,
    dial: impl AsyncFn() -> io::Result<Stream> + Send + Sync + 'static,
    (heard, place): (Heard, Place),
    options: ConnectionProperties,
) -> lapin::Result<Connection> {
    let runtime = Runtime::new(Kit { tokio: Tokio::default().with_handle(place.quarters), gone: place.gone });
    let connect = async move |_: AMQPUri, _: Runtime<Kit>| {
        fall_silent();
        let stream = dial().await?;
        Ok(AsyncTcpStream::Plain(Guarded::new(stream, heard.clone())))
    };
    Connection::connector(uri, runtime, connect, options).with_subscriber(Dispatch::none()).await
}

/// Nothing that this thread does from now on is logged. lapin connects on the thread that does all its reading and
/// writing.
fn fall_silent() {
    SILENCE.with_borrow_mut(|silence| {
        silence.get_or_insert_with(|| dispatcher::set_default(&Dispatch::none()));
    });
}

/// tokio, with streams of ours and tasks that log nothing.
#[derive(Debug, Clone)]
pub(super) struct Kit {
    tokio: Tokio,
    gone: CancellationToken,
}

impl RuntimeKit for Kit {}

impl Executor for Kit {
    type Task<T: Send + 'static> = <Tokio as Executor>::Task<T>;

    fn block_on<T, F: Future<Output = T>>(&self, future: F) -> T {
        self.tokio.block_on(future)
    }

    fn spawn<T: Send + 'static, F: Future<Output = T> + Send + 'static>(&self, future: F) -> Task<Self::Task<T>> {
        self.tokio.spawn(future.with_subscriber(Dispatch::none()))
    }

    fn spawn_blocking<T: Send + 'static, F: FnOnce() -> T + Send + 'static>(&self, work: F) -> Task<Self::Task<T>> {
        self.tokio.spawn_blocking(|| dispatcher::with_default(&Dispatch::none(), work))
    }
}

impl Reactor for Kit {
    type TcpStream = Guarded<Stream>;
    type Sleep = BoxFuture<'static, ()>;

    /// lapin's heartbeat looks whether it is still needed only when it wakes.
    fn sleep(&self, duration: Duration) -> Self::Sleep {
        let (sleep, gone) = (self.tokio.sleep(duration), self.gone.clone());
        Box::pin(async move {
            let _ = future::select(sleep.boxed(), gone.cancelled_owned().boxed()).await;
        })
    }

    fn interval(&self, duration: Duration) -> impl futures_util::Stream<Item = Instant> + Send + 'static {
        self.tokio.interval(duration)
    }

    /// Streams come from `open` alone.
    fn register<H: Read + Write + Send + 'static>(
        &self,
        _: H,
    ) -> io::Result<impl futures_io::AsyncRead + futures_io::AsyncWrite + Send + Unpin + 'static> {
        Err::<Self::TcpStream, _>(io::ErrorKind::Unsupported.into())
    }

    /// Streams come from `open` alone.
    fn tcp_connect_addr(&self, _: SocketAddr) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        future::ready(Err(io::ErrorKind::Unsupported.into()))
    }
}
