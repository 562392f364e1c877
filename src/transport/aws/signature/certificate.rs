//! The certificate that SNS signs with: whose it is, and what its key has signed.

use std::time::SystemTime;

use ring::signature::{RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};
use rustls_pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm, TrustAnchor, UnixTime,
    alg_id, pem::PemObject,
};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert, ring as algorithms};

use super::{
    SignatureError, SignatureErrorKind,
    address::Address,
    claim::{Claim, Hash},
    error::refused,
};
use crate::time::epoch::since_1970;

/// What issuers may sign with.
const ALGORITHMS: [&dyn SignatureVerificationAlgorithm; 5] = [
    algorithms::RSA_PKCS1_2048_8192_SHA256,
    algorithms::RSA_PKCS1_2048_8192_SHA384,
    algorithms::RSA_PKCS1_2048_8192_SHA512,
    algorithms::ECDSA_P256_SHA256,
    algorithms::ECDSA_P384_SHA384,
];

/// A certificate, with those between it and its issuer that came along.
#[derive(Debug, Clone)]
pub(super) struct Certificate {
    own: CertificateDer<'static>,
    between: Vec<CertificateDer<'static>>,
}

/// Those who issue certificates.
#[derive(Debug, Clone)]
pub(super) struct Issuers(Vec<TrustAnchor<'static>>);

impl Issuers {
    pub(super) fn read(pem: &str) -> Result<Self, SignatureError> {
        let anchors =
            certificates(pem)?.into_iter().map(|issuer| anchor_from_trusted_cert(&issuer).map(|a| a.to_owned()));
        anchors
            .collect::<Result<_, _>>()
            .map(Self)
            .map_err(|error| bad("not a certificate of an issuer").caused_by(error))
    }
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, SignatureError> {
    let read = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>();
    let read = read.map_err(|error| bad("not a certificate in PEM").caused_by(error))?;
    if read.is_empty() { Err(bad("there is no certificate in the text")) } else { Ok(read) }
}

impl Certificate {
    pub(super) fn read(pem: &str) -> Result<Self, SignatureError> {
        let mut all = certificates(pem)?;
        let between = all.split_off(1);
        let own = all.pop().expect("there is one");
        Ok(Self { own, between })
    }

    /// Is it SNS's at this address, valid now, and from one of these issuers?
    pub(super) fn check(
        &self,
        address: &Address,
        issuers: Option<&Issuers>,
        now: SystemTime,
    ) -> Result<(), SignatureError> {
        let certificate = self.parsed()?;
        let names = address.names();
        if !certificate.valid_dns_names().any(|name| names.iter().any(|known| known == name)) {
            return Err(bad("the certificate is not in a name of SNS at its address"));
        }
        let now = since_1970(now);
        let (anchors, now) = (issuers.map_or(&[][..], |issuers| &issuers.0), UnixTime::since_unix_epoch(now));
        let usage = KeyUsage::server_auth();
        let path = certificate.verify_for_usage(&ALGORITHMS, anchors, &self.between, now, usage, None, None);
        match path {
            Ok(_) => Ok(()),
            // What the certificate says of itself is looked at first: its times and what it is for.
            Err(webpki::Error::UnknownIssuer) if issuers.is_none() => Ok(()),
            Err(error) => Err(bad("the certificate is not valid").caused_by(error)),
        }
    }

    /// Has its key signed this?
    pub(super) fn check_signature(&self, claim: &Claim) -> Result<(), SignatureError> {
        let algorithm: &dyn SignatureVerificationAlgorithm = match claim.hash {
            Hash::Sha1 => &Sha1,
            Hash::Sha256 => algorithms::RSA_PKCS1_2048_8192_SHA256,
        };
        let verified = self.parsed()?.verify_signature(algorithm, claim.text.as_bytes(), &claim.signature);
        let forged = || refused(SignatureErrorKind::Forged, "the signature is not of this message");
        verified.map_err(|error| forged().caused_by(error))
    }

    fn parsed(&self) -> Result<EndEntityCert<'_>, SignatureError> {
        EndEntityCert::try_from(&self.own).map_err(|error| bad("not a certificate").caused_by(error))
    }
}

fn bad(text: &str) -> SignatureError {
    refused(SignatureErrorKind::Certificate, text)
}

/// What SNS signs with in version 1. Nothing else here is: no certificate may be.
#[derive(Debug)]
struct Sha1;

impl SignatureVerificationAlgorithm for Sha1 {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, key);
        key.verify(message, signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::RSA_ENCRYPTION
    }

    /// `sha1WithRSAEncryption` (RFC 8017, A.2.4).
    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        AlgorithmIdentifier::from_slice(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00")
    }
}
