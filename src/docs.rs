//! The guides: configuration, contracts, delivery, health and the admin listener, HTTP, logs, from tomodachi, operations, outbox,
//! personal data, processes, projections, promises, RabbitMQ, SNS and SQS, schedules, settings, the event store, subscriptions,
//! telemetry, the words of other frameworks, testing, who may be hostile, and why things are as they are.

#[doc = include_str!("../docs/admin.md")]
pub mod admin {}

#[doc = include_str!("../docs/amqp.md")]
pub mod amqp {}

#[doc = include_str!("../docs/aws.md")]
#[cfg(feature = "aws")]
pub mod aws {}

#[doc = include_str!("../docs/configuration.md")]
pub mod configuration {}

#[doc = include_str!("../docs/contracts.md")]
pub mod contracts {}

#[doc = include_str!("../docs/delivery.md")]
pub mod delivery {}

#[doc = include_str!("../docs/gate.md")]
pub mod gate {}

#[doc = include_str!("../docs/http.md")]
#[cfg(feature = "http")]
pub mod http {}

#[doc = include_str!("../docs/logs.md")]
#[cfg(feature = "logs")]
pub mod logs {}

#[doc = include_str!("../docs/migration.md")]
pub mod migration {}

#[doc = include_str!("../docs/operations.md")]
pub mod operations {}

#[doc = include_str!("../docs/outbox.md")]
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub mod outbox {}

#[doc = include_str!("../docs/personal.md")]
#[cfg(feature = "sqlite")]
pub mod personal {}

#[doc = include_str!("../docs/processes.md")]
#[cfg(feature = "sqlite")]
pub mod processes {}

#[doc = include_str!("../docs/projections.md")]
#[cfg(feature = "sqlite")]
pub mod projections {}

#[doc = include_str!("../docs/promises.md")]
pub mod promises {}

#[doc = include_str!("../docs/schedules.md")]
#[cfg(feature = "schedule")]
pub mod schedules {}

#[doc = include_str!("../docs/settings.md")]
pub mod settings {}

#[doc = include_str!("../docs/store.md")]
#[cfg(feature = "store")]
pub mod store {}

#[doc = include_str!("../docs/subscriptions.md")]
#[cfg(feature = "sqlite")]
pub mod subscriptions {}

#[doc = include_str!("../docs/telemetry.md")]
pub mod telemetry {}

#[doc = include_str!("../docs/terms.md")]
pub mod terms {}

#[doc = include_str!("../docs/testing.md")]
pub mod testing {}

#[doc = include_str!("../docs/threats.md")]
pub mod threats {}

#[doc = include_str!("../docs/design/README.md")]
pub mod design {
    #[doc = include_str!("../docs/design/admin.md")]
    pub mod admin {}

    #[doc = include_str!("../docs/design/configuration.md")]
    pub mod configuration {}
    #[doc = include_str!("../docs/design/fuzzing.md")]
    pub mod fuzzing {}

    #[doc = include_str!("../docs/design/http.md")]
    pub mod http {}

    #[doc = include_str!("../docs/design/logs.md")]
    pub mod logs {}

    #[doc = include_str!("../docs/design/outbox.md")]
    pub mod outbox {}

    #[doc = include_str!("../docs/design/personal.md")]
    pub mod personal {}

    #[doc = include_str!("../docs/design/processes.md")]
    pub mod processes {}

    #[doc = include_str!("../docs/design/projections.md")]
    pub mod projections {}

    #[doc = include_str!("../docs/design/schedules.md")]
    pub mod schedules {}

    #[doc = include_str!("../docs/design/store.md")]
    pub mod store {}

    #[doc = include_str!("../docs/design/subscriptions.md")]
    pub mod subscriptions {}

    #[doc = include_str!("../docs/design/telemetry.md")]
    pub mod telemetry {}

    #[doc = include_str!("../docs/design/tomodachi.md")]
    pub mod tomodachi {}
}
