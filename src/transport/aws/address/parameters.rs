//! What a URL says behind its `?`.

use std::time::Duration;

use super::setting;
use crate::transport::{TransportError, query};

const KNOWN: [&str; 15] = [
    "endpoint",
    "sns_endpoint",
    "sqs_endpoint",
    "profile",
    "role",
    "external_id",
    "delivery",
    "visibility",
    "wait",
    "linger",
    "kms",
    "kms_reuse",
    "tags",
    "plaintext",
    "compat",
];

/// What a URL says beyond the region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::transport::aws) struct Parameters {
    /// `endpoint`: where both services are, instead of AWS.
    pub(in crate::transport::aws) endpoint: Option<String>,
    /// `sns_endpoint`: where SNS is.
    pub(in crate::transport::aws) sns_endpoint: Option<String>,
    /// `sqs_endpoint`: where SQS is.
    pub(in crate::transport::aws) sqs_endpoint: Option<String>,
    /// `profile`: whose credentials and region, of the shared configuration files.
    pub(in crate::transport::aws) profile: Option<String>,
    /// `role`: the ARN of a role to take on.
    pub(in crate::transport::aws) role: Option<String>,
    /// `external_id`: what the role's owner asks for.
    pub(in crate::transport::aws) external_id: Option<String>,
    /// `delivery`: how SNS writes into queues.
    pub(in crate::transport::aws) delivery: Delivery,
    /// `visibility`: how long a message is hidden from others before we must ask for more time, in seconds.
    pub(in crate::transport::aws) visibility: Duration,
    /// `wait`: how long SQS waits for a message before it says that there is none, in seconds.
    pub(in crate::transport::aws) wait: Duration,
    /// `linger`: how long a publish waits for others to go with it, in milliseconds.
    pub(in crate::transport::aws) linger: Duration,
    /// `kms`: the key that topics and queues are encrypted with.
    pub(in crate::transport::aws) kms: Option<String>,
    /// `kms_reuse`: how long SQS uses a data key of that key again, in seconds.
    pub(in crate::transport::aws) kms_reuse: Option<u32>,
    /// `tags`: `name:value,name:value`, for topics and queues that we make.
    pub(in crate::transport::aws) tags: Vec<(String, String)>,
    /// `plaintext`: where messages may go unencrypted.
    pub(in crate::transport::aws) plaintext: Plaintext,
    /// `compat`: whose queues they are.
    pub(in crate::transport::aws) compat: Compat,
}

/// How SNS writes into queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::transport::aws) enum Delivery {
    /// The message as it was published.
    Raw,
    /// In a notification of SNS, as JSON.
    Notification,
}

/// Where messages may go unencrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::transport::aws) enum Plaintext {
    /// To this machine only.
    Loopback,
    /// To any host.
    Anywhere,
}

/// Whose queues they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::transport::aws) enum Compat {
    /// Our own.
    Tegami,
    /// Shared with tomodachi, which reads notifications only.
    Tomodachi,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            endpoint: None,
            sns_endpoint: None,
            sqs_endpoint: None,
            profile: None,
            role: None,
            external_id: None,
            delivery: Delivery::Raw,
            visibility: Duration::from_secs(30),
            wait: Duration::from_secs(20),
            linger: Duration::from_millis(2),
            kms: None,
            kms_reuse: None,
            tags: Vec::new(),
            plaintext: Plaintext::Loopback,
            compat: Compat::Tegami,
        }
    }
}

impl Parameters {
    /// Reads `name=value&name=value`; each name at most once.
    pub(super) fn parse(query: &str) -> Result<Self, TransportError> {
        let (mut parameters, mut asked) = (Self::default(), None);
        for (name, value) in query::pairs(query).map_err(|name| stray(name, "stands there twice"))? {
            let value = query::decode(value).filter(|value| !value.is_empty());
            let value = value.ok_or_else(|| setting(format!("`{name}` has no value, or is not percent-encoded")))?;
            match name {
                "delivery" => asked = Some(delivery(&value)?),
                _ => parameters.set(name, value)?,
            }
        }
        parameters.delivery = match (asked, parameters.compat) {
            (Some(Delivery::Raw), Compat::Tomodachi) => {
                return Err(setting("`delivery=raw` is what tomodachi cannot read; leave it or `compat` out"));
            }
            (_, Compat::Tomodachi) => Delivery::Notification,
            (asked, Compat::Tegami) => asked.unwrap_or(parameters.delivery),
        };
        parameters.refuse_halves()
    }

    /// Where SNS and SQS are said to be.
    pub(super) fn endpoints(&self) -> impl Iterator<Item = &str> {
        [&self.endpoint, &self.sns_endpoint, &self.sqs_endpoint].into_iter().filter_map(|endpoint| endpoint.as_deref())
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), TransportError> {
        let wrong = |allowed: &str| setting(format!("`{name}` is `{value}`: {allowed}"));
        let seconds = |least: u32, most: u32| {
            let digits = value.bytes().all(|byte| byte.is_ascii_digit());
            let seconds = value.parse().ok().filter(|seconds| digits && (least..=most).contains(seconds));
            seconds.ok_or_else(|| wrong(&format!("give a whole number, {least} to {most}")))
        };
        match name {
            "endpoint" => self.endpoint = Some(endpoint(name, value)?),
            "sns_endpoint" => self.sns_endpoint = Some(endpoint(name, value)?),
            "sqs_endpoint" => self.sqs_endpoint = Some(endpoint(name, value)?),
            "profile" => self.profile = Some(value),
            "role" if is_arn(&value, "iam") => self.role = Some(value),
            "role" => return Err(wrong("give the ARN of a role, `arn:aws:iam::…:role/…`")),
            "external_id" => self.external_id = Some(value),
            // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
            "visibility" => self.visibility = Duration::from_secs(seconds(5, 43_200)?.into()),
            "wait" => self.wait = Duration::from_secs(seconds(0, 20)?.into()),
            "linger" => self.linger = Duration::from_millis(seconds(0, 100)?.into()),
            "kms" => self.kms = Some(value),
            "kms_reuse" => self.kms_reuse = Some(seconds(60, 86_400)?),
            "tags" => self.tags = tags(&value).ok_or_else(|| wrong("give `name:value,name:value`, at most 50"))?,
            "plaintext" if value == "allow" => self.plaintext = Plaintext::Anywhere,
            "plaintext" => return Err(wrong("there is `allow`")),
            "compat" if value == "tomodachi" => self.compat = Compat::Tomodachi,
            "compat" => return Err(wrong("there is `tomodachi`")),
            _ => return Err(stray(name, "is no parameter")),
        }
        Ok(())
    }

    fn refuse_halves(self) -> Result<Self, TransportError> {
        if self.external_id.is_some() && self.role.is_none() {
            return Err(setting("`external_id` is for a `role`, and there is none"));
        }
        if self.kms_reuse.is_some() && self.kms.is_none() {
            return Err(setting("`kms_reuse` is for a key of `kms`, and there is none"));
        }
        Ok(self)
    }
}

fn delivery(value: &str) -> Result<Delivery, TransportError> {
    match value {
        "raw" => Ok(Delivery::Raw),
        "notification" => Ok(Delivery::Notification),
        _ => Err(setting(format!("`delivery` is `{value}`: choose `raw` or `notification`"))),
    }
}

fn endpoint(name: &str, value: String) -> Result<String, TransportError> {
    let rest = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://"));
    // User and password would be sent to whoever reads logs.
    let fits = rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(['@', '?', '#']) && !rest.starts_with('/'));
    if !fits {
        return Err(setting(format!("`{name}` is no `https://host:port`, nor `http://` on this machine")));
    }
    Ok(value)
}

/// `arn:partition:service:…`, of whatever partition.
fn is_arn(text: &str, service: &str) -> bool {
    let mut parts = text.splitn(6, ':');
    let begins = parts.next() == Some("arn") && parts.next().is_some_and(|partition| partition.starts_with("aws"));
    begins && parts.next() == Some(service) && parts.nth(2).is_some_and(|name| !name.is_empty())
}

fn tags(value: &str) -> Option<Vec<(String, String)>> {
    let pairs = value.split(',').map(|pair| pair.split_once(':').filter(|(name, _)| !name.is_empty()));
    let tags: Vec<_> =
        pairs.map(|pair| pair.map(|(name, value)| (name.to_owned(), value.to_owned()))).collect::<Option<_>>()?;
    (tags.len() <= 50).then_some(tags)
}

fn stray(name: &str, why: &str) -> TransportError {
    setting(format!("`{}` {why}; there are, each at most once, {}", name.escape_debug(), KNOWN.join(", ")))
}
