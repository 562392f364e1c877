//! What OpenTelemetry's registry of conventions calls what a transport sends through.

/// The system that this kind of transport publishes to topics of.
pub(crate) fn of_topics(kind: &str) -> &str {
    match kind {
        "aws" => "aws.sns",
        other => of_queues(other),
    }
}

/// The system that this kind of transport reads queues of. One that is not registered is called by its own name.
pub(crate) fn of_queues(kind: &str) -> &str {
    match kind {
        "amqp" => "rabbitmq",
        "aws" => "aws_sqs",
        other => other,
    }
}

/// Was this attempt of a publish, which ended with a kind of error, on its way to the broker?
#[cfg_attr(not(any(feature = "metrics", feature = "otel")), expect(dead_code, reason = "nobody counts"))]
pub(super) fn was_sent(error: Option<&str>) -> bool {
    !matches!(error, Some("invalid" | "undeclared" | "too-large" | "backpressure" | "unsupported" | "closed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_transport_is_called_as_the_registry_has_it() {
        let called = ["amqp", "aws", "memory", "pigeon"].map(|kind| [of_topics(kind), of_queues(kind)]);
        let registered = [["rabbitmq", "rabbitmq"], ["aws.sns", "aws_sqs"], ["memory", "memory"], ["pigeon", "pigeon"]];
        assert_eq!(called, registered);
    }
}
