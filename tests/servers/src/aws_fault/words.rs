//! What the services say when they refuse.

use bytes::Bytes;
use hyper::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE};
use serde_json::{Value, json};

use super::{call::Tongue, serve::Answer};

/// Whose words the XML is in.
const SPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";
/// What ends every answer in XML.
const ID: &str = "<ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ResponseMetadata>";

/// An answer with this status and error code.
pub(super) fn refusal(tongue: Tongue, status: u16, code: &str) -> Answer {
    refusal_saying(tongue, status, (code, "a test wants it"))
}

/// A signature that is wrong: AWS tells what it should have been made of, each header on a line of its own.
pub(super) fn wrong_signature(tongue: Tongue, headers: &HeaderMap) -> Answer {
    let of = |(name, value): (&HeaderName, &HeaderValue)| format!("{name}:{}\n", value.to_str().unwrap_or_default());
    let signed: String = headers.iter().map(of).collect();
    let said = format!(
        "The request signature we calculated does not match the signature you provided.\n\n\
         The Canonical String for this request should have been\n'POST\n/\n\n{signed}'\n"
    );
    refusal_saying(tongue, 403, ("SignatureDoesNotMatch", &said))
}

fn refusal_saying(tongue: Tongue, status: u16, (code, message): (&str, &str)) -> Answer {
    let (kind, body) = match tongue {
        Tongue::Json => json(code, message),
        Tongue::Query => xml(status, code, message),
    };
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
    let status = StatusCode::from_u16(status).expect("a test names a status that there is");
    Answer { status, headers, body: Bytes::from(body) }
}

/// Too many calls: a code of SQS's own, and one that SNS has for itself alone.
pub(super) fn throttled(tongue: Tongue) -> Answer {
    match tongue {
        Tongue::Json => refusal(tongue, 400, "RequestThrottled"),
        Tongue::Query => refusal(tongue, 429, "Throttled"),
    }
}

fn json(code: &str, message: &str) -> (&'static str, String) {
    let body = json!({"__type": format!("com.amazonaws.sqs#{code}"), "message": message});
    ("application/x-amz-json-1.0", body.to_string())
}

fn xml(status: u16, code: &str, message: &str) -> (&'static str, String) {
    let fault = if status < 500 { "Sender" } else { "Receiver" };
    let error = format!("<Type>{fault}</Type><Code>{code}</Code><Message>{message}</Message>");
    ("text/xml", format!(r#"<ErrorResponse xmlns="{SPACE}"><Error>{error}</Error></ErrorResponse>"#))
}

/// The answer to a batch of which nothing was handed on.
pub(super) fn nothing(tongue: Tongue) -> Answer {
    match tongue {
        Tongue::Json => refusal(tongue, 200, "").saying("{}"),
        Tongue::Query => refusal(tongue, 200, ""),
    }
}

/// The answer to a batch that was published, of these members.
pub(super) fn published(good: Vec<&str>, bad: Vec<String>) -> String {
    let good: String = good.iter().map(|member| format!("<member>{member}</member>")).collect();
    let bad: String = bad.iter().map(|member| format!("<member>{member}</member>")).collect();
    let result = format!("<Successful>{good}</Successful><Failed>{bad}</Failed>");
    format!(
        r#"<PublishBatchResponse xmlns="{SPACE}"><PublishBatchResult>{result}</PublishBatchResult>{ID}</PublishBatchResponse>"#
    )
}

/// The same answer with other digests.
pub(super) fn with_wrong_digests(answer: Answer) -> Answer {
    let mut said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    falsify(&mut said);
    answer.saying(said.to_string())
}

fn falsify(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if name.starts_with("MD5Of") { *value = "0".repeat(32).into() } else { falsify(value) }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(falsify),
        _ => {}
    }
}
