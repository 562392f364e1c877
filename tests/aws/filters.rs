//! What an emulator decides of filter policies, in the words that `transport/aws/filter` compiles to.

use std::sync::atomic::{AtomicUsize, Ordering};

use aws_credential_types::Credentials;
use aws_sdk_sns::{
    config::{BehaviorVersion, Region},
    types::MessageAttributeValue,
};
use aws_sdk_sqs::types::QueueAttributeName;

/// An attribute's name, type and text; bytes, where the type is `Binary`.
pub type Told<'a> = (&'a str, &'a str, &'a str);

type Failed = Box<dyn std::error::Error>;

static TOPICS: AtomicUsize = AtomicUsize::new(0);

/// Does a queue that is subscribed with this policy get a message with these attributes? An error where the policy, or
/// the message, is refused.
pub async fn decision(endpoint: &str, policy: &str, attributes: &[Told<'_>]) -> Result<bool, Failed> {
    let (sns, sqs) = clients(endpoint);
    let name = format!("filters-{}-{}", std::process::id(), TOPICS.fetch_add(1, Ordering::Relaxed));
    let topic = sns.create_topic().name(&name).send().await?.topic_arn.ok_or("a topic has an ARN")?;
    let queue = sqs.create_queue().queue_name(&name).send().await?.queue_url.ok_or("a queue has a URL")?;
    let arn = QueueAttributeName::QueueArn;
    let told = sqs.get_queue_attributes().queue_url(&queue).attribute_names(arn.clone()).send().await?;
    let arn = told.attributes.and_then(|mut told| told.remove(&arn)).ok_or("a queue has an ARN")?;
    let subscribed = sns.subscribe().topic_arn(&topic).protocol("sqs").endpoint(arn);
    let subscribed = subscribed.attributes("RawMessageDelivery", "true").attributes("FilterPolicy", policy);
    let taken = async {
        subscribed.send().await?;
        sns.publish().topic_arn(&topic).message("-").set_message_attributes(Some(seen(attributes)?)).send().await?;
        // What is in the queue is received at once; an emulator delivers within the publish.
        let received = sqs.receive_message().queue_url(&queue).wait_time_seconds(1).send().await?;
        Ok(received.messages.is_some_and(|messages| !messages.is_empty()))
    }
    .await;
    sns.delete_topic().topic_arn(topic).send().await?;
    sqs.delete_queue().queue_url(queue).send().await?;
    taken
}

fn seen(attributes: &[Told<'_>]) -> Result<std::collections::HashMap<String, MessageAttributeValue>, Failed> {
    let value = |kind: &str, value: &str| match kind {
        "Binary" => MessageAttributeValue::builder().data_type(kind).binary_value(value.as_bytes().into()),
        _ => MessageAttributeValue::builder().data_type(kind).string_value(value),
    };
    attributes.iter().map(|(name, kind, text)| Ok(((*name).to_owned(), value(kind, text).build()?))).collect()
}

fn clients(endpoint: &str) -> (aws_sdk_sns::Client, aws_sdk_sqs::Client) {
    let credentials = Credentials::new("test", "test", None, None, "tests");
    let (region, version) = (Region::new("eu-west-1"), BehaviorVersion::latest());
    let http = aws_smithy_http_client::Builder::new().tls_provider(aws_smithy_http_client::tls::Provider::Rustls(
        aws_smithy_http_client::tls::rustls_provider::CryptoMode::Ring,
    ));
    let http = http.build_https();
    let sns = aws_sdk_sns::Config::builder().endpoint_url(endpoint).region(region.clone()).http_client(http.clone());
    let sqs = aws_sdk_sqs::Config::builder().endpoint_url(endpoint).region(region).http_client(http);
    let sns = sns.behavior_version(version).credentials_provider(credentials.clone()).build();
    let sqs = sqs.behavior_version(version).credentials_provider(credentials).build();
    (aws_sdk_sns::Client::from_conf(sns), aws_sdk_sqs::Client::from_conf(sqs))
}

/// Each condition as it is told, with what fits it and what does not.
const CONDITIONS: [(&str, Told<'static>, bool); 14] = [
    (r#"{"a":["EUR","USD"]}"#, ("a", "String", "USD"), true),
    (r#"{"a":["EUR","USD"]}"#, ("a", "String", "usd"), false),
    (r#"{"a":["EUR"]}"#, ("b", "String", "EUR"), false),
    (r#"{"a":[{"anything-but":["EUR"]},{"exists":false}]}"#, ("a", "String", "USD"), true),
    (r#"{"a":[{"anything-but":["EUR"]},{"exists":false}]}"#, ("a", "String", "EUR"), false),
    (r#"{"a":[{"anything-but":["EUR"]},{"exists":false}]}"#, ("b", "String", "EUR"), true),
    (r#"{"a":[{"prefix":"E"},{"exists":false}]}"#, ("a", "String", "EUR"), true),
    (r#"{"a":[{"prefix":"E"},{"exists":false}]}"#, ("a", "String", "USD"), false),
    (r#"{"a":[{"prefix":"E"},{"exists":false}]}"#, ("b", "String", "USD"), true),
    (r#"{"a":[{"numeric":["=",1000000000]}]}"#, ("a", "Number", "1000000000"), true),
    (r#"{"a":[{"numeric":[">=",-1000000000]}]}"#, ("a", "Number", "-1000000000"), true),
    (r#"{"a":[{"numeric":[">=",5,"<=",9]}]}"#, ("a", "Number", "9"), true),
    (r#"{"a":[{"numeric":[">=",5,"<=",9]}]}"#, ("a", "Number", "10"), false),
    (r#"{"a":[{"numeric":["<=",9]}]}"#, ("a", "Number", "10"), false),
];

/// Each condition alone, in a topic with other events, and as one of two alternatives: the emulator lets through what
/// fits, and nothing else.
pub async fn conditions_are_decided_as_they_are_read(endpoint: &str) -> Result<(), Failed> {
    let mark = ("tegami", "Binary", r#"{"id": "1"}"#);
    for (policy, told, fits) in CONDITIONS {
        let named = policy.replacen('{', r#"{"tegami-event":["E"],"#, 1);
        let one_of = format!(r#"{{"$or":[{named},{{"tegami-event":["F","G"]}}]}}"#);
        for (policy, event, expected) in [
            (policy, "E", fits),
            (&named, "E", fits),
            (&named, "F", false),
            (&one_of, "E", fits),
            (&one_of, "G", true),
            (&one_of, "H", false),
        ] {
            let taken = decision(endpoint, policy, &[("tegami-event", "String", event), mark, told]).await?;
            assert_eq!(taken, expected, "{policy} of {event} {told:?}");
        }
    }
    Ok(())
}

/// Everything is wanted, also of those who tell nothing.
pub async fn a_policy_that_says_nothing_lets_everything_through(endpoint: &str) -> Result<(), Failed> {
    assert!(decision(endpoint, "{}", &[]).await? && decision(endpoint, "{}", &[("a", "String", "b")]).await?);
    Ok(())
}

#[tokio::test]
#[ignore = "asks the endpoint in AWS_ENDPOINT_URL"]
async fn an_emulator_decides_what_it_is_told() -> Result<(), Failed> {
    let endpoint = std::env::var("AWS_ENDPOINT_URL")?;
    conditions_are_decided_as_they_are_read(&endpoint).await?;
    a_policy_that_says_nothing_lets_everything_through(&endpoint).await
}
