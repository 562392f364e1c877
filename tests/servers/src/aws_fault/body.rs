//! How the body of an answer comes to the client.

use std::{convert::Infallible, fmt, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use tokio::time::sleep;

/// Time enough for what was written to be on its way.
const ON_ITS_WAY: Duration = Duration::from_millis(50);

pub(super) type Body = UnsyncBoxBody<Bytes, Torn>;

/// Why a connection ends before an answer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Torn {
    /// It is reset.
    Reset,
    /// It ends in good order.
    Ended,
}

impl fmt::Display for Torn {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("torn by the test")
    }
}

impl std::error::Error for Torn {}

pub(super) fn whole(body: Bytes) -> Body {
    Full::new(body).map_err(|never: Infallible| match never {}).boxed_unsync()
}

/// One half, and then the end.
pub(super) fn half(body: Bytes) -> Body {
    let half = body.slice(..body.len() / 2);
    let pieces = stream::unfold(Some(half), |half| async {
        match half {
            Some(half) => Some((Ok(Frame::data(half)), None)),
            None => {
                sleep(ON_ITS_WAY).await;
                Some((Err(Torn::Ended), None))
            }
        }
    });
    StreamBody::new(pieces).boxed_unsync()
}

/// Byte by byte, with such a pause before each.
pub(super) fn drops(body: Bytes, pause: Duration) -> Body {
    let pieces = stream::unfold(body, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        sleep(pause).await;
        Some((Ok(Frame::data(rest.split_to(1))), rest))
    });
    StreamBody::new(pieces).boxed_unsync()
}
