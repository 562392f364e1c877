//! Batches of which every other entry fails.

use bytes::Bytes;
use hyper::http::request::Parts;
use serde_json::{Value, json};

use super::{
    body::Torn,
    call::{Call, Tongue},
    rules::Applied,
    serve::{Answer, Server},
    words,
};

/// Where SNS has the entries of a batch.
const ENTRIES: &str = "PublishBatchRequestEntries.member.";

/// Has every other entry fail, from the first one on: either they are not handed on, or their success is not told.
pub(super) async fn fail_half(server: &Server, sent: (&Parts, &Call), applied: Applied) -> Result<Answer, Torn> {
    let (head, call) = sent;
    let (doomed, kept) = match call.tongue {
        Tongue::Json => split_json(&call.body),
        Tongue::Query => split_form(&call.body),
    };
    let answer = match (applied, kept) {
        (_, _) if doomed.is_empty() => return server.hand_on(head, call).await,
        (Applied::Yes, _) => server.hand_on(head, call).await?,
        (Applied::No, Some(kept)) => server.hand_on(head, &Call { body: kept, ..call.clone() }).await?,
        (Applied::No, None) => words::nothing(call.tongue),
    };
    if answer.status != 200 {
        return Ok(answer);
    }
    let body = match call.tongue {
        Tongue::Json => failed_json(&answer.body, &doomed),
        Tongue::Query => failed_xml(&answer.body, &doomed),
    };
    Ok(answer.saying(body))
}

/// What SQS answers when all of this was done.
pub(super) fn pretended(call: &Call) -> Answer {
    let input: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    let Some(entries) = input["Entries"].as_array() else { return words::nothing(call.tongue) };
    let done: Value = entries.iter().map(|entry| json!({"Id": entry["Id"]})).collect();
    words::nothing(call.tongue).saying(json!({"Successful": done}).to_string())
}

/// The ids that fail, and the request without them; none if nothing is left of it.
fn split_json(body: &[u8]) -> (Vec<String>, Option<Bytes>) {
    let mut input: Value = serde_json::from_slice(body).unwrap_or_default();
    let entries = input["Entries"].as_array().cloned().unwrap_or_default();
    let (doomed, kept): (Vec<_>, Vec<_>) = entries.into_iter().enumerate().partition(|(n, _)| n % 2 == 0);
    let doomed = doomed.iter().filter_map(|(_, entry)| entry["Id"].as_str().map(str::to_owned)).collect();
    if kept.is_empty() {
        return (doomed, None);
    }
    input["Entries"] = kept.into_iter().map(|(_, entry)| entry).collect();
    (doomed, Some(input.to_string().into()))
}

/// The same for a form; what is left is numbered anew.
fn split_form(body: &[u8]) -> (Vec<String>, Option<Bytes>) {
    let (mut doomed, mut kept) = (Vec::new(), form_urlencoded::Serializer::new(String::new()));
    let mut is_empty = true;
    for (name, value) in form_urlencoded::parse(body) {
        match name.strip_prefix(ENTRIES).and_then(|rest| rest.split_once('.')) {
            None => _ = kept.append_pair(&name, &value),
            Some((number, rest)) => match number.parse().unwrap_or(1) {
                number if number % 2 == 0 => {
                    is_empty = false;
                    kept.append_pair(&format!("{ENTRIES}{}.{rest}", number / 2), &value);
                }
                _ if rest == "Id" => doomed.push(value.into_owned()),
                _ => {}
            },
        }
    }
    (doomed, Some(kept.finish().into()).filter(|_| !is_empty))
}

fn failed_json(answer: &[u8], doomed: &[String]) -> Bytes {
    let mut answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let entries = |of: &Value| of.as_array().cloned().unwrap_or_default();
    let is_doomed = |entry: &Value| entry["Id"].as_str().is_some_and(|id| doomed.iter().any(|doomed| doomed == id));
    let (mut good, mut bad) = (entries(&answer["Successful"]), entries(&answer["Failed"]));
    good.retain(|entry| !is_doomed(entry));
    bad.retain(|entry| !is_doomed(entry));
    bad.extend(doomed.iter().map(|id| json!({"Id": id, "SenderFault": false, "Code": "InternalError"})));
    answer["Successful"] = good.into();
    answer["Failed"] = bad.into();
    answer.to_string().into()
}

fn failed_xml(answer: &[u8], doomed: &[String]) -> Bytes {
    let answer = String::from_utf8_lossy(answer);
    // A member that failed has a code; the others went well.
    let members = || answer.split("<member>").skip(1).filter_map(|rest| Some(rest.split_once("</member>")?.0));
    let is_doomed = |member: &str| doomed.iter().any(|id| member.contains(&format!("<Id>{id}</Id>")));
    let (bad, good): (Vec<_>, Vec<_>) =
        members().filter(|member| !is_doomed(member)).partition(|member| member.contains("<Code>"));
    let failed = |id| format!("<Id>{id}</Id><Code>InternalError</Code><SenderFault>false</SenderFault>");
    let bad = bad.into_iter().map(str::to_owned).chain(doomed.iter().map(failed));
    words::published(good, bad.collect()).into()
}
