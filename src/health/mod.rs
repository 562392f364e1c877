//! How a service is: what each of its parts says of itself, and what follows for the whole.
//!
//! This is data and the means to gather it. Who says what stands with the parts; who shows it is `http::admin`.

mod board;
mod check;
mod status;

pub(crate) use board::{Board, Light};
pub(crate) use check::Check;
pub use status::{State, Status};

use serde::Serialize;

/// How a service is, at one moment.
///
/// # Examples
/// ```
/// use tegami::{Service, health::State, transport::Memory};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tegami::Error> {
/// let service = Service::new("billing").transport(Memory::new()).check("disk", async |_| Status::degraded("nearly full"));
/// # use tegami::health::Status;
/// let health = service.start().await?.health().await;
/// assert!(health.is_ready());
/// assert_eq!(health.state, State::Degraded);
/// assert_eq!(health.components[1].status.reason(), Some("nearly full"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Health {
    /// The service's name.
    pub service: String,
    /// How it is as a whole: where it is in its life, else as its worst component.
    pub state: State,
    /// How its parts are.
    pub components: Vec<Component>,
}

/// How one part of a service is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Component {
    /// What kind of part it is.
    pub kind: Kind,
    /// Which one of its kind.
    pub name: String,
    /// How it is.
    #[serde(flatten)]
    pub status: Status,
}

/// The kinds of parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Kind {
    /// A transport; the main one is named after what it is.
    Transport,
    /// A queue that is read.
    Queue,
    /// The HTTP server.
    Http,
    /// All schedules together.
    Schedules,
    /// An outbox that is published from.
    Outbox,
    /// A projection.
    Projection,
    /// A check of the user's.
    Check,
}

impl Health {
    /// May the service be sent requests? It may while it is up or degraded.
    pub fn is_ready(&self) -> bool {
        matches!(self.state, State::Up | State::Degraded)
    }
}

impl Kind {
    /// Its name, in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Transport => "transport",
            Kind::Queue => "queue",
            Kind::Http => "http",
            Kind::Schedules => "schedules",
            Kind::Outbox => "outbox",
            Kind::Projection => "projection",
            Kind::Check => "check",
        }
    }

    /// Does it take work, and so no more of it when the service stops?
    fn takes_work(self) -> bool {
        matches!(self, Kind::Queue | Kind::Http | Kind::Schedules | Kind::Outbox | Kind::Projection)
    }
}
