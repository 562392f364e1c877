//! Queues and topics of one question, with names that no other has.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tegami_test_servers::{Caller, Refused};

/// Does it do so? An error is one that nobody asked for.
pub type Found = Result<bool, Refused>;

/// How long SNS may take to write into a queue.
const SOON: Duration = Duration::from_secs(60);
/// What has not come by then does not come.
const LATE: Duration = Duration::from_millis(400);

/// Where one question is asked.
pub struct Place {
    pub caller: Caller,
    name: String,
}

impl Place {
    pub fn new(caller: Caller) -> Self {
        Self { caller, name: format!("lean-{:016x}", fastrand::u64(..)) }
    }

    /// The name of a queue or topic of ours.
    pub fn name(&self, ending: &str) -> String {
        format!("{}{ending}", self.name)
    }

    /// Makes a queue with these attributes; its name.
    pub fn queue(&self, ending: &str, attributes: &Value) -> Result<String, Refused> {
        self.caller.make(&self.name(ending), attributes)?;
        Ok(self.name(ending))
    }

    /// Makes a queue in order; its name.
    pub fn fifo(&self) -> Result<String, Refused> {
        self.queue(".fifo", &json!({"FifoQueue": "true"}))
    }

    pub fn arn_of(&self, queue: &str) -> Result<String, Refused> {
        let url = self.caller.url(queue)?;
        let told = self.caller.sqs("GetQueueAttributes", &json!({"QueueUrl": url, "AttributeNames": ["QueueArn"]}))?;
        Ok(told["Attributes"]["QueueArn"].as_str().unwrap_or_default().to_owned())
    }

    /// Makes a topic with these attributes; its ARN.
    pub fn topic(&self, ending: &str, attributes: &[(&str, &str)]) -> Result<String, Refused> {
        let name = self.name(ending);
        let mut fields = vec![("Name".to_owned(), name)];
        fields.extend(entries(attributes));
        let made = self.sns("CreateTopic", &fields)?;
        Ok(inside(&made, "TopicArn"))
    }

    /// Has SNS write what is published to this topic into this queue.
    pub fn subscribe(&self, topic: &str, queue: &str, attributes: &[(&str, &str)]) -> Result<(), Refused> {
        let mut fields = pairs(&[("TopicArn", topic), ("Protocol", "sqs"), ("Endpoint", &self.arn_of(queue)?)]);
        fields.extend(entries(attributes));
        self.sns("Subscribe", &fields).map(drop)
    }

    /// Publishes a body with attributes, each a name, a type and a text.
    pub fn publish(&self, topic: &str, body: &str, attributes: &[[&str; 3]]) -> Result<(), Refused> {
        let mut fields = pairs(&[("TopicArn", topic), ("Message", body)]);
        for (n, [name, kind, text]) in attributes.iter().enumerate() {
            let at = format!("MessageAttributes.entry.{}", n + 1);
            fields.push((format!("{at}.Name"), (*name).to_owned()));
            fields.push((format!("{at}.Value.DataType"), (*kind).to_owned()));
            fields.push((format!("{at}.Value.StringValue"), (*text).to_owned()));
        }
        self.sns("Publish", &fields).map(drop)
    }

    pub fn sns(&self, operation: &str, fields: &[(String, String)]) -> Result<String, Refused> {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.caller.sns(operation, &fields)
    }

    /// The next messages of a queue, once there are any.
    pub fn next(&self, queue: &str) -> Result<Vec<Value>, Refused> {
        let end = Instant::now() + SOON;
        loop {
            let messages = self.caller.receive(queue)?;
            if !messages.is_empty() || Instant::now() > end {
                return Ok(messages);
            }
        }
    }

    /// Has nothing come after a while?
    pub fn stays_empty(&self, queue: &str) -> Found {
        std::thread::sleep(LATE);
        Ok(self.caller.receive(queue)?.is_empty())
    }

    /// Sends to a queue in order: the body is what is not to be repeated, too.
    pub fn send_in_order(&self, queue: &str, group: &str, body: &str) -> Result<(), Refused> {
        let url = self.caller.url(queue)?;
        let message =
            json!({"QueueUrl": url, "MessageBody": body, "MessageGroupId": group, "MessageDeduplicationId": body});
        self.caller.sqs("SendMessage", &message).map(drop)
    }

    /// Hides a message that was received for so many seconds more.
    pub fn hide(&self, queue: &str, message: &Value, seconds: u32) -> Result<(), Refused> {
        let url = self.caller.url(queue)?;
        let wish = json!({"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": seconds});
        self.caller.sqs("ChangeMessageVisibility", &wish).map(drop)
    }
}

/// Was it refused, with this code?
pub fn refused<T>(answer: Result<T, Refused>, codes: &[&str]) -> Found {
    match answer {
        Ok(_) => Ok(false),
        Err(refused) if codes.iter().any(|code| refused.code.contains(code)) => Ok(true),
        Err(refused) => Err(refused),
    }
}

/// The bodies of messages.
pub fn bodies(messages: &[Value]) -> Vec<&str> {
    messages.iter().filter_map(|message| message["Body"].as_str()).collect()
}

pub fn pairs(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A map of attributes as SNS takes it.
fn entries(attributes: &[(&str, &str)]) -> Vec<(String, String)> {
    let entry = |(n, (name, value)): (usize, &(&str, &str))| {
        let at = format!("Attributes.entry.{}", n + 1);
        [(format!("{at}.key"), (*name).to_owned()), (format!("{at}.value"), (*value).to_owned())]
    };
    attributes.iter().enumerate().flat_map(entry).collect()
}

fn inside(xml: &str, name: &str) -> String {
    let rest = xml.split_once(&format!("<{name}>")).map_or("", |(_, rest)| rest);
    rest.split_once("</").map_or("", |(inside, _)| inside).to_owned()
}
