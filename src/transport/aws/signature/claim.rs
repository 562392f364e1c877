//! What a body says of itself, before anyone believes it.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{SignatureError, SignatureErrorKind, Signed, SignedKind, address::Address, error::refused};
use crate::codec::json::strict::{Fault, Strict};

/// The most bytes of a body: what SNS takes, with each byte of it escaped, and room around it.
const LONGEST: usize = 2 * 1024 * 1024;
/// The most that its time and ours may differ.
const AWAY: Duration = Duration::from_secs(60 * 60);
/// The texts that are signed, in the order in which they are; a subject, which is not always there, is among those of a
/// notification. See the developer guide of SNS, "Verifying the signatures of Amazon SNS messages".
const OF_NOTIFICATIONS: [&str; 6] = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"];
const OF_OTHERS: [&str; 7] = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];
const BESIDE: [&str; 3] = ["SignatureVersion", "Signature", "SigningCertURL"];

/// How the text was hashed before it was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
}

/// What a body says of itself.
#[derive(Debug, PartialEq)]
pub(super) struct Claim {
    /// The message, as it is once it is believed.
    pub(super) signed: Signed,
    /// Where the certificate is.
    pub(super) address: Address,
    /// What is signed.
    pub(super) text: String,
    pub(super) hash: Hash,
    pub(super) signature: Vec<u8>,
}

impl Claim {
    /// Reads a body. Whatever is not just as SNS writes it is refused.
    pub(super) fn read(body: &[u8]) -> Result<Self, SignatureError> {
        if body.len() > LONGEST {
            return Err(malformed("the body is longer than any of SNS"));
        }
        let texts = Texts::read(body).map_err(|fault| malformed("not JSON of SNS").caused_by(fault))?;
        let kind = SignedKind::named(texts.get("Type")?).ok_or_else(|| malformed("`Type` is none of SNS"))?;
        let text = texts.canonical(kind)?;
        let address = Address::read(texts.get("SigningCertURL")?)?;
        let subscribe_url = texts.subscribe_url(kind, &address)?;
        let signed = Signed {
            kind,
            id: texts.get("MessageId")?.to_owned(),
            topic: texts.get("TopicArn")?.to_owned(),
            subject: texts.find("Subject").filter(|_| kind == SignedKind::Notification).map(str::to_owned),
            message: texts.get("Message")?.to_owned(),
            time: time(texts.get("Timestamp")?)?,
            subscribe_url,
        };
        let hash = match texts.get("SignatureVersion")? {
            "1" => Hash::Sha1,
            "2" => Hash::Sha256,
            _ => return Err(malformed("`SignatureVersion` is neither 1 nor 2")),
        };
        let signature = STANDARD.decode(texts.get("Signature")?);
        let signature = signature.map_err(|error| malformed("`Signature` is not base64").caused_by(error))?;
        Ok(Self { signed, address, text, hash, signature })
    }

    /// Is its time near enough?
    pub(super) fn is_recent(&self, now: SystemTime) -> Result<(), SignatureError> {
        let time = self.signed.time;
        let away = now.duration_since(time).or_else(|_| time.duration_since(now)).unwrap_or(Duration::MAX);
        if away <= AWAY {
            return Ok(());
        }
        Err(refused(SignatureErrorKind::Stale, "the message is of another time, more than an hour from now"))
    }

    /// Is its topic one of these, and its address in the region of that?
    pub(super) fn is_from(&self, topics: &[String]) -> Result<(), SignatureError> {
        if !topics.contains(&self.signed.topic) {
            return Err(refused(SignatureErrorKind::Topic, "the message is of a topic that is not on the list"));
        }
        if self.signed.topic.split(':').nth(3) == Some(&self.address.region) {
            return Ok(());
        }
        Err(refused(SignatureErrorKind::Address, "the certificate's address is in another region than the topic"))
    }
}

/// The members that are texts, and of which we know.
struct Texts<'a>(BTreeMap<&'static str, Cow<'a, str>>);

impl<'a> Texts<'a> {
    fn read(body: &'a [u8]) -> Result<Self, Fault> {
        let (mut texts, mut strict) = (BTreeMap::new(), Strict::of(body)?);
        strict.object(|name, member| {
            let mut known = OF_NOTIFICATIONS.iter().chain(&OF_OTHERS).chain(&BESIDE);
            match known.find(|known| **known == name) {
                Some(name) => texts.extend(member.text()?.map(|text| (*name, text))),
                None => drop(member.skip()?),
            }
            Ok(())
        })?;
        strict.end()?;
        Ok(Self(texts))
    }

    fn find(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(Cow::as_ref)
    }

    fn get(&self, name: &str) -> Result<&str, SignatureError> {
        self.find(name).ok_or_else(|| malformed(&format!("`{name}` is missing")))
    }

    /// The text that is signed: names and values, each on a line. A line break in a value could pass one text off as
    /// another; SNS writes none but in a message, which is the first, so that all lines after it are told from the end.
    fn canonical(&self, kind: SignedKind) -> Result<String, SignatureError> {
        let names: &[&str] = if kind == SignedKind::Notification { &OF_NOTIFICATIONS } else { &OF_OTHERS };
        let mut text = String::new();
        for name in names.iter().filter(|name| **name != "Subject" || self.find(name).is_some()) {
            let value = self.get(name)?;
            if *name != "Message" && value.contains(char::is_control) {
                return Err(malformed(&format!("`{name}` has a control character")));
            }
            text.extend([name, "\n", value, "\n"]);
        }
        Ok(text)
    }

    fn subscribe_url(&self, kind: SignedKind, address: &Address) -> Result<Option<String>, SignatureError> {
        if kind == SignedKind::Notification {
            return Ok(None);
        }
        let url = self.get("SubscribeURL")?;
        if url.starts_with(&address.host()) {
            return Ok(Some(url.to_owned()));
        }
        Err(refused(SignatureErrorKind::Address, "the address to confirm at is not on the certificate's host"))
    }
}

fn time(text: &str) -> Result<SystemTime, SignatureError> {
    // The parser beneath reads much else, and years of any length.
    let has_shape = (20..=30).contains(&text.len()) && text.ends_with('Z') && text.as_bytes()[4] == b'-';
    if !has_shape {
        return Err(malformed("`Timestamp` is not a time as SNS tells it"));
    }
    let time: Result<prost_types::Timestamp, _> = text.parse();
    let time = time.map_err(|error| malformed("`Timestamp` is not a time").caused_by(error))?;
    time.try_into().map_err(|error| malformed("`Timestamp` is out of range").caused_by(error))
}

fn malformed(text: &str) -> SignatureError {
    refused(SignatureErrorKind::Malformed, text)
}
