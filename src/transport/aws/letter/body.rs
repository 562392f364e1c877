//! Bodies that carry another one: notifications of SNS and tomodachi's direct sends.

use std::borrow::Cow;

use super::{Named, spelling};
use crate::codec::json::strict::{Fault, Strict};

/// What a body carries.
#[derive(Debug, PartialEq)]
pub(super) struct Carried<'a> {
    pub(super) message: Cow<'a, str>,
    /// The id that SNS gave it.
    pub(super) id: Option<Cow<'a, str>>,
    pub(super) attributes: Named,
}

/// What the body carries, if it is of one of the two kinds; it is anything that someone could send.
pub(super) fn carried(body: &str) -> Option<Carried<'_>> {
    let first = body.trim_ascii_start().as_bytes().first();
    if first != Some(&b'{') {
        return None;
    }
    let members = Members::read(body).ok()?;
    let is_wrapped = match members.kind.as_deref()? {
        "Notification" => members.topic.is_some(),
        "Message" => members.queue.is_some(),
        _ => false,
    };
    let attributes = members.attributes.map_or(Some(Named::new()), spelling::read)?;
    is_wrapped.then_some(())?;
    Some(Carried { message: members.message?, id: members.id, attributes })
}

/// The members that say what a body is.
#[derive(Default)]
struct Members<'a> {
    kind: Option<Cow<'a, str>>,
    topic: Option<Cow<'a, str>>,
    queue: Option<Cow<'a, str>>,
    message: Option<Cow<'a, str>>,
    id: Option<Cow<'a, str>>,
    attributes: Option<&'a str>,
}

impl<'a> Members<'a> {
    fn read(body: &'a str) -> Result<Self, Fault> {
        let (mut members, mut strict) = (Self::default(), Strict::of(body.as_bytes())?);
        strict.object(|name, member| {
            match name {
                "Type" => members.kind = member.text()?,
                "TopicArn" => members.topic = member.text()?,
                "QueueUrl" => members.queue = member.text()?,
                "Message" => members.message = member.text()?,
                "MessageId" => members.id = member.text()?,
                "MessageAttributes" => members.attributes = Some(member.skip()?),
                _ => drop(member.skip()?),
            }
            Ok(())
        })?;
        strict.end()?;
        Ok(members)
    }
}
