//! The suite on a transport from outside the crate that can do as little as one may: its negative cases are right.

mod pigeons;

use std::sync::Arc;

use async_trait::async_trait;
use tegami::{
    testing::transport::{Pace, Subject},
    transport::{Transport, TransportError},
};

use pigeons::Pigeons;

#[async_trait]
impl Subject for Pigeons {
    async fn connect(&self) -> Result<Arc<dyn Transport>, TransportError> {
        Ok(Arc::new(self.connected()))
    }

    fn pace(&self) -> Pace {
        Pace::Virtual
    }
}

tegami::transport_suite!(Pigeons::default());
