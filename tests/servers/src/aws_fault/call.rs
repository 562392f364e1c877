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
    /// The name of the queue or topic that it is for; the URL or ARN where it has one. A role, where one is taken on.
    pub(super) target: String,
    /// The id of the key that it is signed with.
    pub(super) key: String,
    pub(super) body: Bytes,
}

impl Call {
    pub(super) fn read(head: &Parts, body: Bytes) -> Self {
        let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
        let key = header("authorization").map(signed_with).unwrap_or_default().to_owned();
        let target = header("x-amz-target");
        if let Some((_, operation)) = target.and_then(|target| target.rsplit_once('.')) {
            let input: Value = serde_json::from_slice(&body).unwrap_or_default();
            let target = [&input["QueueUrl"], &input["QueueName"]].into_iter().find_map(Value::as_str);
            let target = target.unwrap_or_default().to_owned();
            return Self { tongue: Tongue::Json, operation: operation.to_owned(), target, key, body };
        }
        let operation = field(&body, &["Action"]).into_owned();
        let target = field(&body, &["TopicArn", "SubscriptionArn", "ResourceArn", "RoleArn", "Name"]).into_owned();
        Self { tongue: Tongue::Query, operation, target, key, body }
    }
}

/// The first field of a form with one of these names.
fn field<'a>(form: &'a [u8], names: &[&str]) -> Cow<'a, str> {
    let found = form_urlencoded::parse(form).find(|(name, _)| names.contains(&name.as_ref()));
    found.map(|(_, value)| value).unwrap_or_default()
}

/// The id of the key in `AWS4-HMAC-SHA256 Credential=<id>/<date>/…`.
fn signed_with(authorization: &str) -> &str {
    let credential = authorization.split_once("Credential=").map_or("", |(_, credential)| credential);
    credential.split('/').next().unwrap_or_default()
}
