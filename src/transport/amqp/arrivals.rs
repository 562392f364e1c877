//! What comes from the broker for one consumer, and why nothing more comes.

use std::time::Duration;

use futures_util::{FutureExt, Stream, StreamExt};
use lapin::message::Delivery as Arrival;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::fault::told;
use crate::transport::{TransportError, TransportErrorKind};

/// How long the client has to say why, once the connection is gone.
const WORD: Duration = Duration::from_secs(1);

/// The deliveries of one consumer.
///
/// lapin tells once that a consumer has ended, and after that waits for ever. Here the end stays, and comes with that
/// of the connection, also where lapin says nothing.
pub(super) struct Arrivals<S> {
    stream: S,
    queue: String,
    /// Set once nothing more comes, from whichever side.
    lost: CancellationToken,
    end: Option<TransportError>,
}

impl<S: Stream<Item = lapin::Result<Arrival>> + Unpin> Arrivals<S> {
    /// What this stream has for a consumer of the queue, until `lost` is set, which is done here where the stream ends.
    pub(super) fn new(stream: S, queue: &str, lost: CancellationToken) -> Self {
        Self { stream, queue: queue.to_owned(), lost, end: None }
    }

    pub(super) fn stream(&self) -> &S {
        &self.stream
    }

    /// Why nothing more comes, if that is known.
    pub(super) fn ended(&self) -> Result<(), TransportError> {
        self.end.as_ref().map_or(Ok(()), |end| Err(end.again()))
    }

    /// What is here already.
    pub(super) fn ready(&mut self) -> Option<Result<Arrival, TransportError>> {
        self.next().now_or_never()
    }

    /// Waits for the next.
    ///
    /// # Errors
    /// Nothing more comes. Asked again, it is the same.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub(super) async fn next(&mut self) -> Result<Arrival, TransportError> {
        self.ended()?;
        let arrived = tokio::select! {
            biased;
            arrived = self.stream.next() => Some(arrived),
            () = self.lost.cancelled() => None,
        };
        let arrived = match arrived {
            Some(arrived) => Ok(arrived),
            None => timeout(WORD, self.stream.next()).await,
        };
        let error = match arrived {
            Ok(Some(Ok(arrival))) => return Ok(arrival),
            Ok(Some(Err(error))) => told(format!("consume from queue `{}`", self.queue), error),
            Ok(None) => self.over("RabbitMQ has ended the consumer", "the queue is gone or has moved"),
            Err(_) => self.over("nothing more comes to the consumer", "the connection is gone"),
        };
        self.lost.cancel();
        Err(self.end.insert(error).again())
    }

    fn over(&self, what: &str, why: &str) -> TransportError {
        TransportError::new(TransportErrorKind::Unreachable, format!("{what} of queue `{}`: {why}", self.queue))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream::{self, BoxStream};
    use lapin::{ConnectionState, ErrorKind};

    use super::*;

    fn arrival(tag: u64) -> lapin::Result<Arrival> {
        Ok(Arrival::mock(tag, "".into(), "".into(), false, Vec::new()))
    }

    fn failure() -> lapin::Result<Arrival> {
        Err(ErrorKind::InvalidConnectionState(ConnectionState::Closed).into())
    }

    /// A consumer to which this comes, and then nothing.
    fn arrivals(
        items: impl IntoIterator<Item = Option<lapin::Result<Arrival>>>,
    ) -> Arrivals<BoxStream<'static, lapin::Result<Arrival>>> {
        let mut items: std::collections::VecDeque<_> = items.into_iter().collect();
        let stream = stream::poll_fn(move |_| items.pop_front().map_or(std::task::Poll::Pending, Into::into));
        Arrivals::new(stream.boxed(), "billing", CancellationToken::new())
    }

    fn end(arrived: Option<Result<Arrival, TransportError>>) -> String {
        arrived.expect("it has ended").expect_err("nothing more comes").to_string()
    }

    #[test]
    fn n1_the_end_of_a_consumer_is_told_as_often_as_it_is_asked_for() {
        for (last, why) in [(None, "queue is gone or has moved"), (Some(failure()), "the connection failed")] {
            let mut arrivals = arrivals([Some(arrival(1)), last]);
            assert_eq!(arrivals.ready().expect("one is here").expect("before the end").delivery_tag, 1);
            assert!(arrivals.ended().is_ok() && !arrivals.lost.is_cancelled());
            for _ in 0..3 {
                let told = end(arrivals.ready());
                assert!(told.contains("`billing`") && told.contains(why), "{told}");
            }
            assert!(arrivals.ended().is_err() && arrivals.lost.is_cancelled(), "what it holds is lost");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn n1_a_connection_that_is_gone_ends_a_consumer_that_hears_nothing_of_it() {
        let mut arrivals = arrivals([]);
        assert!(arrivals.ready().is_none());
        arrivals.lost.cancel();
        assert!(arrivals.ready().is_none(), "the client may still say why");
        let told = arrivals.next().await.expect_err("nothing more comes").to_string();
        assert!(told.contains("`billing`") && told.contains("the connection is gone"), "{told}");
        assert_eq!(end(arrivals.ready()), told);
    }

    #[tokio::test(start_paused = true)]
    async fn n1_the_client_is_heard_first_once_the_connection_is_gone() {
        let mut arrivals = arrivals([Some(arrival(1)), Some(failure())]);
        arrivals.lost.cancel();
        assert_eq!(arrivals.next().await.expect("it came before").delivery_tag, 1);
        let told = arrivals.next().await.expect_err("nothing more comes").to_string();
        assert!(told.contains("the connection failed"), "{told}");
    }
}
