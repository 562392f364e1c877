//! A template of CloudFormation.

use serde_json::{Map, Value as Json, json};

use super::{Drawing, Drawn, Way, id, typed};

/// CloudFormation writes these for us, where a text stands in `Fn::Sub`.
const OURS: &str = "${AWS::";

pub(super) fn arn(service: &str, name: &str) -> String {
    format!("arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{name}")
}

/// Topics are shared with other services, and one stack alone can make each: a parameter says whether it is this one.
pub(super) fn template(drawing: &Drawing<'_>) -> Json {
    let (mut parameters, mut conditions, mut resources) = (Map::new(), Map::new(), Map::new());
    for (name, attributes) in &drawing.topics {
        let (topic, makes) = (id("Topic", name), id("Makes", name));
        parameters.insert(
            makes.clone(),
            json!({
                "Type": "String", "AllowedValues": ["true", "false"], "Default": "true",
                "Description": format!("Is topic {name} made by this stack? One stack alone can make it"),
            }),
        );
        conditions.insert(makes.clone(), json!({"Fn::Equals": [{"Ref": makes}, "true"]}));
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), typed(value)));
        let mut properties: Map<String, Json> = attributes.collect();
        properties.insert("TopicName".to_owned(), json!(name));
        tag(&mut properties, drawing);
        resources.insert(topic, json!({"Type": "AWS::SNS::Topic", "Condition": makes, "Properties": properties}));
    }
    for (name, queue) in &drawing.queues {
        resources.insert(id("Queue", name), queue_of(name, queue, drawing));
        resources.extend(queue.policy.as_ref().map(|policy| (id("Policy", name), policy_of(name, policy))));
    }
    resources.extend(drawing.ways.iter().map(|way| (id("Way", &format!("{}:{}", way.topic, way.queue)), way_of(way))));
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Parameters": parameters, "Conditions": conditions, "Resources": resources,
    })
}

/// A queue stays when the stack goes: it may hold messages.
fn queue_of(name: &str, Drawn { attributes, redrive, .. }: &Drawn, drawing: &Drawing<'_>) -> Json {
    let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), typed(value)));
    let mut properties: Map<String, Json> = attributes.collect();
    properties.insert("QueueName".to_owned(), json!(name));
    if let Some((dead_letters, most)) = redrive {
        let policy = json!({"deadLetterTargetArn": of_queue(dead_letters), "maxReceiveCount": most});
        properties.insert("RedrivePolicy".to_owned(), policy);
    }
    tag(&mut properties, drawing);
    json!({
        "Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain",
        "Properties": properties,
    })
}

fn policy_of(queue: &str, policy: &Json) -> Json {
    let properties = json!({"Queues": [{"Ref": id("Queue", queue)}], "PolicyDocument": written(policy.clone())});
    json!({"Type": "AWS::SQS::QueuePolicy", "Properties": properties})
}

/// A queue lets SNS in before it is subscribed: what comes in between would be lost.
fn way_of(Way { queue, topic, raw, filter }: &Way<'_>) -> Json {
    let topic_arn =
        json!({"Fn::If": [id("Makes", topic), {"Ref": id("Topic", topic)}, written(json!(arn("sns", topic)))]});
    let mut properties = json!({
        "Protocol": "sqs", "TopicArn": topic_arn, "Endpoint": of_queue(queue), "RawMessageDelivery": raw,
    });
    if let Some(filter) = filter {
        properties["FilterPolicy"] = filter.clone();
        properties["FilterPolicyScope"] = json!("MessageAttributes");
    }
    json!({"Type": "AWS::SNS::Subscription", "DependsOn": [id("Policy", queue)], "Properties": properties})
}

fn of_queue(name: &str) -> Json {
    json!({"Fn::GetAtt": [id("Queue", name), "Arn"]})
}

fn tag(properties: &mut Map<String, Json>, drawing: &Drawing<'_>) {
    if !drawing.tags.is_empty() {
        let tags = drawing.tags.iter().map(|(name, value)| json!({"Key": name, "Value": value}));
        properties.insert("Tags".to_owned(), tags.collect());
    }
}

/// The same with its variables written by CloudFormation.
fn written(json: Json) -> Json {
    match json {
        Json::String(text) if text.contains(OURS) => json!({"Fn::Sub": text}),
        Json::Array(list) => list.into_iter().map(written).collect(),
        Json::Object(fields) => fields.into_iter().map(|(name, value)| (name, written(value))).collect(),
        other => other,
    }
}
