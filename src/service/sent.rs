//! What a service that is run tells to a collector.

use std::{sync::Arc, time::Duration};

use super::{Error, ErrorKind, Parts, running::draw_instance};
use crate::{logs::Beside, telemetry::Otlp, time::Dice};

/// What is sent, if anything.
pub(super) struct Sender(Option<Otlp>);

impl Sender {
    /// Sends from now on what the environment asks for; figures are taken by one more observer.
    pub(super) fn start(parts: &mut Parts) -> Result<Self, Error> {
        let instance = draw_instance(parts.dice.get_or_insert_with(Dice::system));
        let otlp = Otlp::of_replica(&parts.name, Some(&instance)).map_err(|error| {
            Error::new(ErrorKind::Setting, format!("what `OTEL_…` variables ask for cannot be had: {error}"))
        })?;
        if let Some(otlp) = &otlp {
            parts.observers.push(Arc::new(otlp.observer()));
        }
        parts.instance = Some(instance);
        Ok(Self(otlp))
    }

    /// Sends nothing, whatever the environment asks for.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// What goes beside the log's lines.
    pub(super) fn beside(&self) -> Option<Beside> {
        self.0.as_ref().map(|otlp| Box::new(otlp.layer()) as Beside)
    }

    /// Sends what is left, if that takes no longer than this.
    pub(super) async fn close(self, limit: Duration) {
        if let Some(otlp) = self.0 {
            otlp.close_within(limit).await;
        }
    }
}
