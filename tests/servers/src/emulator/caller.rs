//! A caller of SNS and SQS that says what it likes: no client library sends what no library should.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::http::post;

/// The region of everything here.
const REGION: &str = "eu-west-1";

/// Calls SNS and SQS on this machine by hand, and waits for each answer.
#[derive(Debug, Clone, Copy)]
pub struct Caller(SocketAddr);

/// A call that was not answered as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The status of HTTP; 0 where there was no answer.
    pub status: u16,
    /// The code of the error, without what stands before its last dot or hash.
    pub code: String,
    /// All that was said.
    pub text: String,
}

impl Caller {
    /// Calls whoever listens there.
    pub fn new(address: SocketAddr) -> Self {
        Self(address)
    }

    /// Whom it calls.
    pub fn address(&self) -> SocketAddr {
        self.0
    }

    /// Calls an operation of SQS, in its JSON protocol.
    ///
    /// # Errors
    /// It is refused, or nobody answers.
    pub fn sqs(&self, operation: &str, input: &Value) -> Result<Value, Refused> {
        let kind = format!("X-Amz-Target: AmazonSQS.{operation}\r\nContent-Type: application/x-amz-json-1.0\r\n");
        let (status, text) = self.call("sqs", &kind, &input.to_string())?;
        let answer: Value = if text.is_empty() { json!({}) } else { serde_json::from_str(&text).unwrap_or_default() };
        if status == 200 {
            return Ok(answer);
        }
        let code = answer["__type"].as_str().unwrap_or_default();
        Err(Refused { status, code: last(code), text })
    }

    /// Calls an operation of SNS with these fields; the XML of the answer.
    ///
    /// # Errors
    /// It is refused, or nobody answers.
    pub fn sns(&self, operation: &str, fields: &[(&str, &str)]) -> Result<String, Refused> {
        self.query(("sns", "2010-03-31"), operation, fields)
    }

    /// Calls an operation of CloudFormation with these fields; the XML of the answer.
    ///
    /// # Errors
    /// It is refused, or nobody answers.
    pub fn cloudformation(&self, operation: &str, fields: &[(&str, &str)]) -> Result<String, Refused> {
        self.query(("cloudformation", "2010-05-15"), operation, fields)
    }

    fn query(
        &self,
        (service, version): (&str, &str),
        operation: &str,
        fields: &[(&str, &str)],
    ) -> Result<String, Refused> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", operation).append_pair("Version", version).extend_pairs(fields);
        let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
        let (status, text) = self.call(service, kind, &form.finish())?;
        if status == 200 { Ok(text) } else { Err(Refused { status, code: last(inside(&text, "Code")), text }) }
    }

    /// Makes a queue with these attributes, such as `{"FifoQueue": "true"}`; its URL.
    ///
    /// # Errors
    /// It is refused.
    pub fn make(&self, queue: &str, attributes: &Value) -> Result<String, Refused> {
        let made = self.sqs("CreateQueue", &json!({"QueueName": queue, "Attributes": attributes}))?;
        Ok(made["QueueUrl"].as_str().unwrap_or_default().to_owned())
    }

    /// The URL of the queue with this name.
    ///
    /// # Errors
    /// There is none.
    pub fn url(&self, queue: &str) -> Result<String, Refused> {
        let found = self.sqs("GetQueueUrl", &json!({"QueueName": queue}))?;
        Ok(found["QueueUrl"].as_str().unwrap_or_default().to_owned())
    }

    /// Sends a message to the queue with this name. The attributes are SQS's own, such as
    /// `{"n": {"DataType": "Number", "StringValue": "1"}}`.
    ///
    /// # Errors
    /// It is refused.
    pub fn send(&self, queue: &str, body: &str, attributes: &Value) -> Result<(), Refused> {
        let url = self.url(queue)?;
        let message = json!({"QueueUrl": url, "MessageBody": body, "MessageAttributes": attributes});
        self.sqs("SendMessage", &message).map(drop)
    }

    /// Receives up to ten messages of the queue with this name, with everything that is known of them, at once.
    ///
    /// # Errors
    /// It is refused.
    pub fn receive(&self, queue: &str) -> Result<Vec<Value>, Refused> {
        let url = self.url(queue)?;
        let wish = json!({"QueueUrl": url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0,
            "MessageAttributeNames": ["All"], "MessageSystemAttributeNames": ["All"]});
        Ok(self.sqs("ReceiveMessage", &wish)?["Messages"].as_array().cloned().unwrap_or_default())
    }

    /// Deletes a message that was received from the queue with this name.
    ///
    /// # Errors
    /// It is refused.
    pub fn delete(&self, queue: &str, message: &Value) -> Result<(), Refused> {
        let url = self.url(queue)?;
        self.sqs("DeleteMessage", &json!({"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]})).map(drop)
    }

    /// How many messages the queue with this name holds: visible, in flight, and delayed.
    ///
    /// # Errors
    /// It is refused.
    pub fn count(&self, queue: &str) -> Result<[u64; 3], Refused> {
        let url = self.url(queue)?;
        let told = self.sqs("GetQueueAttributes", &json!({"QueueUrl": url, "AttributeNames": ["All"]}))?;
        let count = |of: &str| told["Attributes"][of].as_str().and_then(|count| count.parse().ok()).unwrap_or_default();
        Ok(["", "NotVisible", "Delayed"].map(|state| count(&format!("ApproximateNumberOfMessages{state}"))))
    }

    /// The names of the queues that begin so, a thousand at most.
    ///
    /// # Errors
    /// It is refused.
    pub fn list(&self, beginning: &str) -> Result<Vec<String>, Refused> {
        let wish = json!({"QueueNamePrefix": beginning, "MaxResults": 1000});
        let found = self.sqs("ListQueues", &wish)?["QueueUrls"].as_array().cloned().unwrap_or_default();
        Ok(found.iter().filter_map(|url| Some(url.as_str()?.rsplit_once('/')?.1.to_owned())).collect())
    }

    /// Deletes the queue with this name, and what it holds.
    ///
    /// # Errors
    /// There is none.
    pub fn remove(&self, queue: &str) -> Result<(), Refused> {
        self.sqs("DeleteQueue", &json!({"QueueUrl": self.url(queue)?})).map(drop)
    }

    fn call(&self, service: &str, kind: &str, body: &str) -> Result<(u16, String), Refused> {
        // Nobody here checks a signature; the service is read from it.
        let key = format!("Credential=test/20260101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=0");
        post(self.0, &format!("{kind}Authorization: AWS4-HMAC-SHA256 {key}\r\n"), body).map_err(|error| Refused {
            status: 0,
            code: String::new(),
            text: error.to_string(),
        })
    }
}

fn last(code: &str) -> String {
    code.rsplit(['.', '#']).next().unwrap_or_default().to_owned()
}

/// What stands in the first element with this name, in an answer of SNS.
pub fn inside<'a>(xml: &'a str, name: &str) -> &'a str {
    let rest = xml.split_once(&format!("<{name}>")).map_or("", |(_, rest)| rest);
    rest.split_once("</").map_or("", |(inside, _)| inside)
}
