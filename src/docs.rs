//! The guides: configuration, contracts, delivery, features, health and the admin listener, HTTP, logs, from tomodachi, operations, outbox,
//! personal data, processes, projections, promises, RabbitMQ, SNS and SQS, schedules, settings, the event store, subscriptions,
//! telemetry, the words of other frameworks, testing, who may be hostile, and why things are as they are.

#[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/admin.md"))]
pub mod admin {}

#[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/amqp.md"))]
pub mod amqp {}

#[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/aws.md"))]
#[cfg(feature = "aws")]
pub mod aws {}

#[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/configuration.md"))]
pub mod configuration {}

#[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/contracts.md"))]
pub mod contracts {}

#[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/delivery.md"))]
pub mod delivery {}

#[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/features.md"))]
pub mod features {}

#[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/gate.md"))]
pub mod gate {}

#[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/http.md"))]
#[cfg(feature = "http")]
pub mod http {}

#[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/logs.md"))]
#[cfg(feature = "logs")]
pub mod logs {}

#[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/migration.md"))]
pub mod migration {}

#[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/operations.md"))]
pub mod operations {}

#[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/outbox.md"))]
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub mod outbox {}

#[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/personal.md"))]
#[cfg(feature = "sqlite")]
pub mod personal {}

#[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/processes.md"))]
#[cfg(feature = "sqlite")]
pub mod processes {}

#[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/projections.md"))]
#[cfg(feature = "sqlite")]
pub mod projections {}

#[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/promises.md"))]
pub mod promises {}

#[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/schedules.md"))]
#[cfg(feature = "schedule")]
pub mod schedules {}

#[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/settings.md"))]
pub mod settings {}

#[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/store.md"))]
#[cfg(feature = "store")]
pub mod store {}

#[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/subscriptions.md"))]
#[cfg(feature = "sqlite")]
pub mod subscriptions {}

#[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/telemetry.md"))]
pub mod telemetry {}

#[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/terms.md"))]
pub mod terms {}

#[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/testing.md"))]
pub mod testing {}

#[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/threats.md"))]
pub mod threats {}

#[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/design/README.md"))]
pub mod design {
    #[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/design/admin.md"))]
    pub mod admin {}

    #[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/design/chaos.md"))]
    pub mod chaos {}

    #[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/design/configuration.md"))]
    pub mod configuration {}

    #[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/design/fuzzing.md"))]
    pub mod fuzzing {}

    #[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/design/gate.md"))]
    pub mod gate {}

    #[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/design/http.md"))]
    pub mod http {}

    #[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/design/logs.md"))]
    pub mod logs {}

    #[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/design/operations.md"))]
    pub mod operations {}

    #[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/design/outbox.md"))]
    pub mod outbox {}

    #[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/design/personal.md"))]
    pub mod personal {}

    #[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/design/processes.md"))]
    pub mod processes {}

    #[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/design/projections.md"))]
    pub mod projections {}

    #[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/design/schedules.md"))]
    pub mod schedules {}

    #[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/design/simulation.md"))]
    pub mod simulation {}

    #[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/design/store.md"))]
    pub mod store {}

    #[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/design/subscriptions.md"))]
    pub mod subscriptions {}

    #[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/design/telemetry.md"))]
    pub mod telemetry {}

    #[doc = include_str!(concat!(env!("OUT_DIR"), "/docs/design/tomodachi.md"))]
    pub mod tomodachi {}
}
