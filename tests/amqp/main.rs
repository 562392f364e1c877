//! scratch
use std::sync::Arc;
use tegami::transport::{Transport, TransportError, amqp::Amqp};

mod v310 {
    use super::*;
    tegami::transport_suite!(|| async { Ok::<_, TransportError>(Amqp::new("amqp://guest:guest@127.0.0.1:17670/%2f")) });
}
mod v40 {
    use super::*;
    tegami::transport_suite!(|| async { Ok::<_, TransportError>(Amqp::new("amqp://guest:guest@127.0.0.1:17680/%2f")) });
}
