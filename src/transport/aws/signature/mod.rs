//! Is a message that came over HTTP from SNS? Its signature says so, for whom the certificate convinces.
//!
//! A queue needs none of it: its policy lets only SNS in. [`Checks`] weigh a message without asking anyone; a
//! [`Verifier`] fetches the certificates, too.

mod address;
mod certificate;
mod claim;
mod error;
mod fetch;
mod signed;
#[cfg(test)]
mod tests;

pub use error::{SignatureError, SignatureErrorKind};
pub use signed::{Signed, SignedKind};

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use certificate::{Certificate, Issuers};
use claim::Claim;
use fetch::Fetch;

use crate::time::Clock;

/// The most certificates that are kept: SNS has one in each region, and renews it now and then.
const KEPT: usize = 32;

/// What a message must be like to be taken for one of SNS.
///
/// It must be signed, version 1 or 2, with the key of a certificate that is SNS's by name and valid now, and whose
/// address is in the topic's region; it must come from one of these topics; and it must not be older than an hour.
#[derive(Debug, Clone)]
pub struct Checks {
    topics: Vec<String>,
    issuers: Option<Issuers>,
}

impl Checks {
    /// The message must come from one of these topics, told by their ARNs.
    pub fn of<T: Into<String>>(topics: impl IntoIterator<Item = T>) -> Self {
        Self { topics: topics.into_iter().map(Into::into).collect(), issuers: None }
    }

    /// The certificate must be issued by one of these, which are told as PEM.
    ///
    /// SNS serves its certificate alone, without those between it and a root, and they change: who checks the issuer has
    /// to have them (`Amazon RSA 2048 M01` and its like, from Amazon's trust repository). Without it, a certificate is
    /// trusted for the address that it was fetched from, and that over HTTPS.
    ///
    /// # Errors
    /// `Certificate`: the text holds no certificate, or something else than certificates.
    pub fn issued_by(self, pem: &str) -> Result<Self, SignatureError> {
        Ok(Self { issuers: Some(Issuers::read(pem)?), ..self })
    }

    /// The message in this body, if it is from SNS. The certificate is the one at the address that the message tells; it
    /// must have been fetched from there, for anyone can make one that looks alike.
    ///
    /// # Errors
    /// It is none, or not one to be trusted; the kind says why.
    pub fn verify(&self, body: &[u8], certificate: &str, now: SystemTime) -> Result<Signed, SignatureError> {
        let claim = self.weigh(body, now)?;
        self.confirm(claim, &Certificate::read(certificate)?, now)
    }

    /// All that can be said without the certificate.
    fn weigh(&self, body: &[u8], now: SystemTime) -> Result<Claim, SignatureError> {
        let claim = Claim::read(body)?;
        claim.is_recent(now)?;
        claim.is_from(&self.topics)?;
        Ok(claim)
    }

    fn confirm(&self, claim: Claim, certificate: &Certificate, now: SystemTime) -> Result<Signed, SignatureError> {
        certificate.check(&claim.address, self.issuers.as_ref(), now)?;
        certificate.check_signature(&claim)?;
        Ok(claim.signed)
    }
}

/// Verifies messages of SNS, and fetches the certificates for that.
///
/// # Examples
/// ```no_run
/// use tegami::transport::aws::{Checks, SignedKind, Verifier};
///
/// # async fn receive(body: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = Verifier::new(Checks::of(["arn:aws:sns:eu-west-1:123456789012:orders"]));
/// let signed = verifier.verify(body).await?;
/// if signed.kind() == SignedKind::Notification {
///     println!("{}", signed.message());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Verifier {
    checks: Checks,
    clock: Clock,
    fetch: Fetch,
    kept: Mutex<BTreeMap<String, Certificate>>,
}

impl Verifier {
    /// Verifies messages that pass these checks.
    pub fn new(checks: Checks) -> Self {
        Self::with(checks, Clock::system(), Fetch::new())
    }

    fn with(checks: Checks, clock: Clock, fetch: Fetch) -> Self {
        Self { checks, clock, fetch, kept: Mutex::default() }
    }

    /// The message in this body, if it is from SNS. Of messages that tell of another topic, of another time or of an
    /// address that is not SNS's, no certificate is fetched.
    ///
    /// # Errors
    /// As [`Checks::verify`], and `Unreachable` when the certificate could not be fetched, within ten seconds.
    ///
    /// # Cancel safety
    /// Nothing is lost when this future is dropped.
    pub async fn verify(&self, body: &[u8]) -> Result<Signed, SignatureError> {
        let claim = self.checks.weigh(body, self.clock.now())?;
        let (address, kept) = (claim.address.to_string(), self.kept(&claim.address.to_string()));
        let certificate = match kept {
            Some(certificate) => certificate,
            None => Certificate::read(&self.fetch.text(&address).await?)?,
        };
        let signed = self.checks.confirm(claim, &certificate, self.clock.now())?;
        self.keep(address, certificate);
        Ok(signed)
    }

    fn kept(&self, address: &str) -> Option<Certificate> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(address).cloned()
    }

    fn keep(&self, address: String, certificate: Certificate) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT && !kept.contains_key(&address) {
            kept.clear();
        }
        kept.insert(address, certificate);
    }
}
