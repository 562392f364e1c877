//! What a request asks for.

use std::borrow::Cow;

use bytes::Bytes;
use hyper::http::request::Parts;
use serde_json::Value;

/// How a service speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tongue {
    /// SQS: the operation is in a header, the rest is JSON.
    Json,
    /// SNS and STS: a form, answered in XML.
    Query,
}

/// One call of an operation.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) tongue: Tongue,
    pub(super) operation: String,
    /// The name of the queue or topic that it is for; the URL or ARN where it has one.
    pub(super) target: String,
    pub(super) body: Bytes,
}

impl Call {
    pub(super) fn read(head: &Parts, body: Bytes) -> Self {
        let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        if let Some((_, operation)) = target.and_then(|target| target.rsplit_once('.')) {
            let input: Value = serde_json::from_slice(&body).unwrap_or_default();
            let target = [&input["QueueUrl"], &input["QueueName"]].into_iter().find_map(Value::as_str);
            let target = target.unwrap_or_default().to_owned();
            return Self { tongue: Tongue::Json, operation: operation.to_owned(), target, body };
        }
        let operation = field(&body, &["Action"]).into_owned();
        let target = field(&body, &["TopicArn", "SubscriptionArn", "Name"]).into_owned();
        Self { tongue: Tongue::Query, operation, target, body }
    }
}

/// The first field of a form with one of these names.
fn field<'a>(form: &'a [u8], names: &[&str]) -> Cow<'a, str> {
    let found = form_urlencoded::parse(form).find(|(name, _)| names.contains(&name.as_ref()));
    found.map(|(_, value)| value).unwrap_or_default()
}
