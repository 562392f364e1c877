//! The SDK by itself: as little as one can do and still lose nothing.

use std::{hint::black_box, net::SocketAddr, sync::Arc};

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_sdk_sns::{
    primitives::Blob,
    types::{MessageAttributeValue, PublishBatchRequestEntry},
};
use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName,
    QueueAttributeName::{ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible},
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use futures_util::{StreamExt, stream};
use tegami::event::Event;
use tokio::task::JoinSet;

use super::{RECEIVES, REQUESTS, TOGETHER, WAIT};
use crate::{
    broker::{
        QUEUE, body,
        meter::{Cost, Drain, Mark},
    },
    event::OrderNoted,
};

/// The clients, as the SDK makes them.
pub async fn clients(emulator: SocketAddr) -> (aws_sdk_sns::Client, aws_sdk_sqs::Client) {
    let config = aws_config::defaults(BehaviorVersion::latest())
        .http_client(Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "emulator"))
        .endpoint_url(format!("http://{emulator}"))
        .load()
        .await;
    (aws_sdk_sns::Client::new(&config), aws_sdk_sqs::Client::new(&config))
}

/// The clients, and where the messages go.
#[derive(Debug, Clone)]
pub struct Client {
    sns: aws_sdk_sns::Client,
    sqs: aws_sdk_sqs::Client,
    topic: String,
    queue: String,
}

impl Client {
    /// Looks topic and queue up, which must be there.
    pub async fn connect(emulator: SocketAddr) -> Self {
        let (sns, sqs) = clients(emulator).await;
        let made = sns.create_topic().name(OrderNoted::CONTRACT.topic).send().await.expect("it is there");
        let found = sqs.get_queue_url().queue_name(QUEUE).send().await.expect("it is there");
        let (topic, queue) = (made.topic_arn.expect("it has one"), found.queue_url.expect("it has one"));
        Self { sns, sqs, topic, queue }
    }

    /// How many messages are in the queue, handed out or not.
    pub async fn waiting(&self) -> usize {
        let names = [ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible];
        let asked = self.sqs.get_queue_attributes().queue_url(&self.queue).set_attribute_names(Some(names.to_vec()));
        let said = asked.send().await.expect("it is there").attributes.expect("it has some");
        names.iter().map(|name| said[name].parse::<usize>().expect("a number")).sum()
    }

    /// Publishes one message.
    pub async fn publish(&self, body: &str) {
        let attributes = attributes().into();
        let asked = self.sns.publish().topic_arn(&self.topic).message(body).set_message_attributes(Some(attributes));
        asked.send().await.expect("it is stored");
    }

    async fn publish_together(&self, body: &str, many: usize) {
        let entries = (0..many).map(|place| {
            let entry = PublishBatchRequestEntry::builder().id(place.to_string()).message(body);
            entry.set_message_attributes(Some(attributes().into())).build().expect("it is whole")
        });
        let asked = self.sns.publish_batch().topic_arn(&self.topic);
        let asked = asked.set_publish_batch_request_entries(Some(entries.collect()));
        let answer = asked.send().await.expect("they are stored");
        assert_eq!(answer.successful.map_or(0, |stored| stored.len()), many, "all are stored");
    }

    /// Waits for messages, so many at most.
    pub async fn receive(&self, many: usize) -> Vec<Message> {
        let asked = self.sqs.receive_message().queue_url(&self.queue);
        let asked = asked.max_number_of_messages(i32::try_from(many).expect("a small number"));
        let asked = asked.wait_time_seconds(WAIT.as_secs().try_into().expect("a small number"));
        let asked =
            asked.message_attribute_names("All").message_system_attribute_names(MessageSystemAttributeName::All);
        asked.send().await.expect("the queue is there").messages.unwrap_or_default()
    }

    /// Deletes a message.
    pub async fn delete(&self, message: Message) {
        let receipt = message.receipt_handle.expect("it has one");
        self.sqs.delete_message().queue_url(&self.queue).receipt_handle(receipt).send().await.expect("it is gone");
    }

    /// Deletes messages, all in one request.
    pub async fn delete_together(&self, messages: Vec<Message>) {
        if messages.is_empty() {
            return;
        }
        let many = messages.len();
        let entries = messages.into_iter().enumerate().map(|(place, message)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(place.to_string());
            entry.receipt_handle(message.receipt_handle.expect("it has one")).build().expect("it is whole")
        });
        let asked = self.sqs.delete_message_batch().queue_url(&self.queue).set_entries(Some(entries.collect()));
        assert_eq!(asked.send().await.expect("they are gone").successful.len(), many, "all are gone");
    }
}

/// The attributes that tegami's messages have.
fn attributes() -> [(String, MessageAttributeValue); 2] {
    let mark = Blob::new(r#"{"id":"8ff55b4c-1b4d-4b4a-9a45-2d8b0e4f6a7b"}"#);
    let mark = MessageAttributeValue::builder().data_type("Binary").binary_value(mark);
    let event = MessageAttributeValue::builder().data_type("String").string_value(OrderNoted::CONTRACT.name);
    [("tegami", mark), ("tegami-event", event)]
        .map(|(name, value)| (name.to_owned(), value.build().expect("it is whole")))
}

fn text() -> String {
    String::from_utf8(body()).expect("it is JSON")
}

/// Publishes so many, ten in a request, with as many requests at once as tegami has.
pub async fn publish(emulator: SocketAddr, messages: usize) -> Cost {
    let (client, body) = (Client::connect(emulator).await, text());
    client.publish(&body).await;
    let mark = Mark::now();
    let batches = (1..messages).step_by(TOGETHER).map(|first| TOGETHER.min(messages - first));
    let sends = stream::iter(batches).map(|many| client.publish_together(&body, many));
    sends.buffer_unordered(REQUESTS).for_each(async |()| {}).await;
    mark.cost(messages - 1)
}

/// Publishes so many, one after the other.
pub async fn publish_each(emulator: SocketAddr, messages: usize) -> Cost {
    let (client, body, mark) = (Client::connect(emulator).await, text(), Mark::now());
    for _ in 0..messages {
        client.publish(&body).await;
    }
    mark.cost(messages)
}

/// Drains the queue with as many receives at once as tegami has; each deletes what it got while it asks for more.
pub async fn consume(emulator: SocketAddr, drain: Drain) -> Cost {
    let (client, drain) = (Client::connect(emulator).await, Arc::new(drain));
    let receivers: JoinSet<()> = (0..RECEIVES).map(|_| receiver(client.clone(), drain.clone())).collect();
    receivers.join_all().await;
    drain.cost().await
}

/// Receives until all messages have come.
async fn receiver(client: Client, drain: Arc<Drain>) {
    let mut done = Vec::new();
    while drain.count() < drain.messages() {
        let deleting = client.delete_together(std::mem::take(&mut done));
        let receiving = async {
            tokio::select! {
                messages = client.receive(TOGETHER) => messages,
                _ = drain.cost() => Vec::new(),
            }
        };
        ((), done) = tokio::join!(deleting, receiving);
        for message in &done {
            black_box(message.body.as_ref().map(String::len));
            drain.handled();
        }
    }
    client.delete_together(done).await;
}

/// Drains the queue, one message after the other.
pub async fn consume_each(emulator: SocketAddr, drain: Drain) -> Cost {
    let client = Client::connect(emulator).await;
    while drain.count() < drain.messages() {
        for message in client.receive(1).await {
            black_box(message.body.as_ref().map(String::len));
            drain.handled();
            client.delete(message).await;
        }
    }
    drain.cost().await
}
