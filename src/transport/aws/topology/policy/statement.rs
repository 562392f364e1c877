//! Our statement in a queue's policy.

use serde_json::{Value as Json, json, value::RawValue};

use super::Sources;

/// What our statement is known by.
const SID: &str = "tegami";
const SERVICE: &str = "sns.amazonaws.com";
const ACTION: &str = "sqs:SendMessage";
const SOURCE: &str = "aws:SourceArn";
/// How a source is compared: letter by letter, or with `*` for any letters.
const EXACT: &str = "ArnEquals";
const LIKE: &str = "ArnLike";

/// Lets SNS write into the queue, from these topics.
pub(super) fn ours(queue: &str, sources: &Sources) -> Json {
    let operator = if sources.are_exact() { EXACT } else { LIKE };
    json!({
        "Sid": SID,
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": ACTION,
        "Resource": queue,
        "Condition": {operator: {SOURCE: sources}},
    })
}

pub(super) fn is_ours(statement: &RawValue) -> bool {
    parsed(statement)["Sid"] == SID
}

/// The topics that it lets in already: another instance may run a newer version, which listens to more.
pub(super) fn sources(statement: &RawValue) -> Vec<String> {
    let statement = parsed(statement);
    let conditions = [EXACT, LIKE].map(|operator| texts(&statement["Condition"][operator][SOURCE]));
    conditions.concat()
}

/// Does it say all that it must, and nothing else?
pub(super) fn is_whole(statement: &RawValue, queue: &str) -> bool {
    lets_in(statement, queue) && parsed(statement)["Principal"] == json!({"Service": SERVICE})
}

/// Does it let SNS, or anyone, write into the queue, from its sources?
pub(super) fn lets_in(statement: &RawValue, queue: &str) -> bool {
    let statement = parsed(statement);
    let (who, action) = (&statement["Principal"], texts(&statement["Action"]));
    let condition = statement["Condition"].as_object();
    let operator = condition.filter(|operators| operators.len() == 1).and_then(|operators| operators.values().next());
    statement["Effect"] == "Allow"
        && (*who == "*" || *who == json!({"Service": SERVICE}))
        && matches!(&action[..], [one] if one.eq_ignore_ascii_case(ACTION))
        && texts(&statement["Resource"]) == [queue]
        && operator.and_then(Json::as_object).is_some_and(|keys| keys.len() == 1)
}

fn parsed(statement: &RawValue) -> Json {
    serde_json::from_str(statement.get()).unwrap_or_default()
}

/// One text may stand without a list around it.
fn texts(value: &Json) -> Vec<String> {
    let list = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
    list.iter().filter_map(Json::as_str).map(str::to_owned).collect()
}
