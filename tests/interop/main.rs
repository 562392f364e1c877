//! The real tomodachi and tegami over one broker, both ways. Needs `scripts/wire-peers --install`.

mod amqp;
mod aws;
mod desk;
mod failing;
mod peer;
mod share;

use std::time::Duration;

// Not every generated item is used here.
#[allow(dead_code, missing_docs)]
mod generated {
    tegami::include_contracts!();
}

/// How long anything may take to come; it is there much sooner.
const WAIT: Duration = Duration::from_secs(90);
