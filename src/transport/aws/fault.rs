//! What went wrong in a call, and what that means for whoever made it.

use std::{error::Error as StdError, fmt, io};

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::actions::Action;
use crate::{
    error::causes,
    transport::{PublishError, PublishErrorKind, TransportError, TransportErrorKind},
};

/// Nobody was patient enough to read the request to its end.
const TIMED_OUT: u16 = 408;

/// Why a call, or an entry of a batch, did not succeed.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) kind: FaultKind,
    /// May it have been carried out all the same?
    pub(super) reach: Reach,
    text: String,
}

/// What a fault means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// Nobody answers.
    Away,
    /// Asked too often, or out of order for now.
    Busy,
    /// Credentials that are no longer good, or not yet.
    Credentials,
    /// There are no credentials.
    Nobody,
    /// Not allowed.
    Denied,
    /// A topic or queue is not there.
    Missing,
    /// There is one of this name, which differs.
    Differs,
    /// Larger than it takes.
    TooLarge,
    /// The message is no longer held by us.
    Lost,
    /// Anything else that asking again does not mend.
    Wrong,
}

/// How far a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// It was certainly not carried out.
    Not,
    /// It may have been.
    Maybe,
}

impl Fault {
    pub(super) fn new(kind: FaultKind, reach: Reach, text: impl Into<String>) -> Self {
        Self { kind, reach, text: text.into() }
    }

    /// What an SDK call ended with.
    pub(super) fn of<E>(error: SdkError<E, HttpResponse>) -> Self
    where
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let text = Causes(&error).to_string();
        let (kind, reach) = match &error {
            SdkError::ConstructionFailure(_) => (not_built(&error), Reach::Not),
            SdkError::DispatchFailure(failure) => {
                let unsent = failure.is_timeout() || failure.is_user() || never_left(&error);
                let kind = if find::<CredentialsError>(&error).is_some() { not_built(&error) } else { FaultKind::Away };
                (kind, if unsent || kind != FaultKind::Away { Reach::Not } else { Reach::Maybe })
            }
            SdkError::ServiceError(answer) => {
                let status = answer.raw().status().as_u16();
                let kind = meaning(answer.err().code().unwrap_or_default(), status);
                (kind, reach_at(status))
            }
            _ => (FaultKind::Away, Reach::Maybe),
        };
        Self::new(kind, reach, text)
    }

    /// There is no way to the services, for the settings are wrong.
    pub(super) fn of_setup(error: TransportError) -> Self {
        Self::new(FaultKind::Nobody, Reach::Not, error.with_causes().to_string())
    }

    /// What became of one entry of a batch that was answered. AWS says whose fault it was, and of a fault of its own not
    /// how far the entry came: unless its code is one that it refuses with, it may be stored, as after an answer of 5xx.
    pub(super) fn of_entry(code: &str, message: Option<&str>, sender_fault: bool) -> Self {
        let (kind, reach) = match meaning(code, 400) {
            FaultKind::Wrong if !sender_fault => (FaultKind::Busy, Reach::Maybe),
            kind => (kind, Reach::Not),
        };
        Self::new(kind, reach, format!("{code}: {}", message.unwrap_or_default()))
    }

    /// The same after an earlier try that came so far.
    pub(super) fn reaching(self, before: Reach) -> Self {
        let reach = if before == Reach::Maybe { before } else { self.reach };
        Self { reach, ..self }
    }

    /// Is it worth to ask again?
    pub(super) fn is_transient(&self) -> bool {
        matches!(self.kind, FaultKind::Away | FaultKind::Busy | FaultKind::Credentials)
    }

    /// The same, where we were not allowed to: with the permission that it takes, and for what.
    pub(super) fn needing(self, action: Action, place: impl fmt::Display) -> Self {
        match self.kind {
            FaultKind::Denied => {
                Self { text: format!("{}; it takes `{}` on `{place}`", self.text, action.permission()), ..self }
            }
            _ => self,
        }
    }

    /// The same of a question that was asked before anything was sent.
    pub(super) fn unsent(self) -> Self {
        Self { reach: Reach::Not, ..self }
    }

    /// As what a publisher is told.
    pub(super) fn for_publisher(&self, topic: &str) -> PublishError {
        let kind = match (self.kind, self.reach) {
            (_, Reach::Maybe) => PublishErrorKind::Unknown,
            (FaultKind::Away, _) => PublishErrorKind::Unreachable,
            (FaultKind::Busy, _) => PublishErrorKind::Backpressure,
            (FaultKind::TooLarge, _) => PublishErrorKind::TooLarge,
            (FaultKind::Missing, _) => PublishErrorKind::Unroutable,
            _ => PublishErrorKind::Refused,
        };
        PublishError::new(kind, format!("`{topic}` did not take the message")).caused_by(self.again())
    }

    /// As what a service is told that wanted to do this.
    pub(super) fn told(self, doing: impl fmt::Display) -> TransportError {
        let kind = match self.kind {
            FaultKind::Away | FaultKind::Busy => TransportErrorKind::Unreachable,
            FaultKind::Credentials | FaultKind::Denied => TransportErrorKind::Refused,
            FaultKind::Nobody => TransportErrorKind::Setting,
            FaultKind::Missing => TransportErrorKind::Missing,
            FaultKind::Differs => TransportErrorKind::Mismatch,
            FaultKind::TooLarge | FaultKind::Lost | FaultKind::Wrong => TransportErrorKind::Unsupported,
        };
        TransportError::new(kind, format!("cannot {doing}")).caused_by(self)
    }

    /// The same once more, for another who waits for it.
    pub(super) fn again(&self) -> Self {
        Self::new(self.kind, self.reach, self.text.clone())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for Fault {}

/// An error with its causes, on one line.
struct Causes<'a>(&'a (dyn StdError + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        causes(self.0.source())
            .try_for_each(|cause| write!(f, ": {}", first_line(&cause.to_string()).replace(char::is_control, " ")))
    }
}

/// Where a signature is wrong, AWS tells in further lines what should have been signed: a session's token is in them (K3).
/// The SDK spells an end of line out.
fn first_line(text: &str) -> String {
    let end = text.find('\n').into_iter().chain(text.find("\\n")).min();
    end.map_or_else(|| text.to_owned(), |end| text[..end].to_owned() + "…")
}

/// No request came about: for want of credentials, or because of what it said.
fn not_built(error: &(dyn StdError + 'static)) -> FaultKind {
    match find::<CredentialsError>(error) {
        Some(CredentialsError::CredentialsNotLoaded(_) | CredentialsError::InvalidConfiguration(_)) => {
            FaultKind::Nobody
        }
        Some(_) => FaultKind::Credentials,
        None => FaultKind::Wrong,
    }
}

fn never_left(error: &(dyn StdError + 'static)) -> bool {
    use io::ErrorKind::{AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable};
    let kind = find::<io::Error>(error).map(io::Error::kind);
    kind.is_some_and(|kind| [ConnectionRefused, AddrNotAvailable, HostUnreachable, NetworkUnreachable].contains(&kind))
}

/// The first of this type among an error and its causes.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    causes(Some(error)).find_map(|error| error.downcast_ref())
}

/// An answer of 5xx, and one of 408, which has no body, may come from something on the way.
fn reach_at(status: u16) -> Reach {
    if status >= 500 || status == TIMED_OUT { Reach::Maybe } else { Reach::Not }
}

/// The codes of SNS, SQS and of what all services of AWS share; some say them with a namespace before them.
fn meaning(code: &str, status: u16) -> FaultKind {
    let name = code.rsplit(['.', '#']).next().unwrap_or_default();
    match name.strip_suffix("Exception").unwrap_or(name) {
        "ExpiredToken"
        | "InvalidClientTokenId"
        | "UnrecognizedClient"
        | "SignatureDoesNotMatch"
        | "InvalidAccessKeyId"
        | "RequestExpired"
        | "RequestTimeTooSkewed"
        | "IncompleteSignature"
        | "InvalidSignature"
        | "MissingAuthenticationToken"
        | "AuthFailure"
        | "InvalidSecurity" => FaultKind::Credentials,
        "AccessDenied"
        | "AuthorizationError"
        | "UnauthorizedOperation"
        | "NotAuthorized"
        | "OptInRequired"
        | "KmsAccessDenied"
        | "KMSAccessDenied" => FaultKind::Denied,
        "NonExistentQueue" | "QueueDoesNotExist" | "NotFound" => FaultKind::Missing,
        "QueueNameExists" | "QueueAlreadyExists" => FaultKind::Differs,
        "BatchRequestTooLong" => FaultKind::TooLarge,
        "ReceiptHandleIsInvalid" | "MessageNotInflight" | "InvalidReceiptHandle" => FaultKind::Lost,
        "OverLimit"
        | "RequestThrottled"
        | "Throttling"
        | "Throttled"
        | "TooManyRequests"
        | "RequestLimitExceeded"
        | "SlowDown"
        | "KmsThrottled"
        | "KMSThrottling"
        | "BandwidthLimitExceeded"
        // A queue of this name was deleted within the last minute; after it, it can be made.
        | "QueueDeletedRecently"
        | "ThrottledException"
        | "RequestTimeout" => FaultKind::Busy,
        _ if status == 403 => FaultKind::Denied,
        _ if status == TIMED_OUT || status == 429 || status >= 500 => FaultKind::Busy,
        _ => FaultKind::Wrong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_mean_the_same_with_and_without_a_namespace() {
        for (code, status, kind) in [
            ("AWS.SimpleQueueService.NonExistentQueue", 400, FaultKind::Missing),
            ("com.amazonaws.sqs#QueueDoesNotExist", 400, FaultKind::Missing),
            ("ExpiredTokenException", 400, FaultKind::Credentials),
            ("ExpiredToken", 403, FaultKind::Credentials),
            ("ThrottlingException", 400, FaultKind::Busy),
            ("AccessDeniedException", 400, FaultKind::Denied),
            ("", 403, FaultKind::Denied),
            ("", 503, FaultKind::Busy),
            ("", 408, FaultKind::Busy),
            ("RequestTimeout", 400, FaultKind::Busy),
            ("InternalFailure", 500, FaultKind::Busy),
            ("AWS.SimpleQueueService.QueueDeletedRecently", 400, FaultKind::Busy),
            ("InvalidParameterValue", 400, FaultKind::Wrong),
            ("ReceiptHandleIsInvalid", 400, FaultKind::Lost),
        ] {
            assert_eq!(meaning(code, status), kind, "{code} {status}");
        }
    }

    #[test]
    fn n7_only_what_is_denied_is_told_with_its_permission() {
        let told = |kind| Fault::new(kind, Reach::Not, "no").needing(Action::ReceiveMessage, "billing").to_string();
        assert_eq!(told(FaultKind::Denied), "no; it takes `sqs:ReceiveMessage` on `billing`");
        assert_eq!(told(FaultKind::Missing), "no");
    }

    #[test]
    fn p2_an_answer_from_something_on_the_way_says_nothing_of_the_call() {
        for (status, reach) in [(400, Reach::Not), (429, Reach::Not), (408, Reach::Maybe), (500, Reach::Maybe)] {
            assert_eq!(reach_at(status), reach, "{status}");
        }
    }

    #[test]
    fn p2_an_entry_that_failed_by_a_fault_of_aws_may_be_stored() {
        for (code, sender_fault, told) in [
            ("InternalError", false, PublishErrorKind::Unknown),
            ("ServiceUnavailable", false, PublishErrorKind::Unknown),
            ("", false, PublishErrorKind::Unknown),
            ("RequestThrottled", false, PublishErrorKind::Backpressure),
            ("KmsThrottled", true, PublishErrorKind::Backpressure),
            ("InvalidParameterValue", true, PublishErrorKind::Refused),
        ] {
            let fault = Fault::of_entry(code, None, sender_fault);
            assert_eq!(fault.for_publisher("shop").kind(), told, "{code}");
            assert_eq!(fault.is_transient(), told != PublishErrorKind::Refused, "{code}");
        }
    }

    #[test]
    fn k3_what_was_signed_is_not_told() {
        for said in ["it differs.\nx-amz-security-token:t0ken", r"it differs.\nx-amz-security-token:t0ken"] {
            assert_eq!(first_line(said), "it differs.…");
        }
        assert_eq!(first_line("it differs."), "it differs.");
    }

    #[test]
    fn p2_what_may_have_been_carried_out_is_unknown() {
        let told = |kind, reach| Fault::new(kind, reach, "").for_publisher("shop").kind();
        assert_eq!(told(FaultKind::Busy, Reach::Maybe), PublishErrorKind::Unknown);
        assert_eq!(told(FaultKind::Busy, Reach::Not), PublishErrorKind::Backpressure);
        assert_eq!(told(FaultKind::Away, Reach::Not), PublishErrorKind::Unreachable);
        assert_eq!(told(FaultKind::Denied, Reach::Not), PublishErrorKind::Refused);
    }
}
