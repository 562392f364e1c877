//! Where SNS serves its certificate, and the names that it has.

use std::fmt;

use super::{SignatureError, SignatureErrorKind, error::refused};

const BEGIN: &str = "https://sns.";
const FILE: &str = "/SimpleNotificationService-";
/// The domains of AWS, in China and elsewhere.
const DOMAINS: [&str; 2] = ["amazonaws.com", "amazonaws.com.cn"];
/// Longer than the name of any region, and than any certificate's number.
const LONGEST: usize = 64;

/// `https://sns.<region>.<domain>/SimpleNotificationService-<hex>.pem`, and nothing that looks alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) region: String,
    domain: &'static str,
    number: String,
}

impl Address {
    /// Takes an address apart.
    pub(super) fn read(text: &str) -> Result<Self, SignatureError> {
        parse(text).ok_or_else(|| {
            refused(SignatureErrorKind::Address, "the certificate's address is not one at which SNS serves its own")
        })
    }

    /// The beginning of every address on the same host.
    pub(super) fn host(&self) -> String {
        format!("{BEGIN}{}.{}/", self.region, self.domain)
    }

    /// The names that SNS's certificate has in this region. (Which one it is differs by region, and AWS has no list.)
    pub(super) fn names(&self) -> [String; 5] {
        let Self { region, domain, .. } = self;
        let government = if region.starts_with("us-gov-") { "us-gov-west-1" } else { region };
        [
            format!("sns.{domain}"),
            format!("sns.{region}.{domain}"),
            format!("sns-signing.{region}.{domain}"),
            format!("sns-{region}.{domain}"),
            format!("sns-{government}.{domain}"),
        ]
    }
}

fn parse(text: &str) -> Option<Address> {
    let (host, number) = text.strip_prefix(BEGIN)?.strip_suffix(".pem")?.split_once(FILE)?;
    let (region, domain) = host.split_once('.')?;
    let domain = DOMAINS.into_iter().find(|known| *known == domain)?;
    let is_region = region.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    let is_number = number.bytes().all(|byte| matches!(byte, b'a'..=b'f' | b'0'..=b'9'));
    let fits = |text: &str| (1..=LONGEST).contains(&text.len());
    let is_one = is_region && is_number && fits(region) && fits(number);
    is_one.then(|| Address { region: region.to_owned(), domain, number: number.to_owned() })
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{BEGIN}{}.{}{FILE}{}.pem", self.region, self.domain, self.number)
    }
}
