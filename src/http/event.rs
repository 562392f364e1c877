//! Events as bodies: in JSON or protobuf, held to their contract.

use std::sync::Arc;

use axum::{
    extract::{FromRequest, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;

use super::problem::Problem;
use crate::{
    codec::{self, Payload},
    error::told,
    event::{self, Encoding, Format},
};

/// An event as a request's body, or as an answer.
///
/// As an extractor it reads JSON or protobuf, as `Content-Type` says, and checks what the contract asks. As an answer
/// it is JSON, or protobuf where `Accept` prefers that and the contract has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event<E>(pub E);

/// Why a body is not the event: 400 cannot be read, 415 of another kind, 422 against the contract. As an answer it is
/// [`Problem`] details; with 422 they name each field that breaks a rule, or the first one that cannot be read. A body that
/// meets a limit of the server is answered by the server, with the limit's status and without a body.
pub type EventRejection = Problem;

impl<E: event::Event, S: Send + Sync> FromRequest<S> for Event<E> {
    type Rejection = EventRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let encoding = encoding_told::<E>(request.headers())?;
        if let Some(coding) = request.headers().get(header::CONTENT_ENCODING).filter(|coding| *coding != "identity") {
            let text = format!("the body is encoded as `{}`", coding.to_str().unwrap_or("?").escape_debug());
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
        }
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| Problem::new(rejection.status(), "the body could not be read"))?;
        let payload = Payload { encoding, bytes };
        let event: E = codec::read(&payload).map_err(|error| undecodable::<E>(&payload, error))?;
        event.validate().map_err(|invalid| {
            let wrong = invalid.violations();
            wrong.fold(broken::<E>(), |problem, (field, reason)| problem.field(field, reason))
        })?;
        Ok(Self(event))
    }
}

/// Not to be read at all; or, if it is JSON, with a field that is not the contract's.
fn undecodable<E: event::Event>(payload: &Payload, error: codec::DecodeError) -> Problem {
    let wrong = match payload.encoding {
        Encoding::Json => codec::json::wrong_field::<E>(&payload.bytes),
        Encoding::Protobuf => None,
    };
    match wrong {
        Some((field, reason)) => broken::<E>().field(field, reason),
        None => Problem::new(StatusCode::BAD_REQUEST, told(&error)),
    }
}

fn broken<E: event::Event>() -> Problem {
    let text = format!("the body breaks the contract of `{}`", E::CONTRACT.name);
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, text)
}

/// The encoding that the body is said to be in.
fn encoding_told<E: event::Event>(headers: &HeaderMap) -> Result<Encoding, Problem> {
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let encoding = encoding_of(text.split(';').next().unwrap_or_default());
    let encodings = <E::Format as Format<E>>::ENCODINGS;
    encoding.filter(|encoding| encodings.contains(encoding)).ok_or_else(|| {
        let kinds: Vec<_> = encodings.iter().map(|encoding| encoding.media_type()).collect();
        let text = format!("`{}` is read as {}", E::CONTRACT.name, kinds.join(" or "));
        Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text)
    })
}

fn encoding_of(media_type: &str) -> Option<Encoding> {
    let media_type = media_type.trim().to_ascii_lowercase();
    match media_type.as_str() {
        "application/json" => Some(Encoding::Json),
        "application/protobuf" | "application/x-protobuf" | "application/vnd.google.protobuf" => {
            Some(Encoding::Protobuf)
        }
        other => other.ends_with("+json").then_some(Encoding::Json),
    }
}

/// The other form of an answer, for the front to choose: an answer does not see its request.
#[derive(Clone)]
struct OtherForm(Arc<dyn Fn() -> Option<Bytes> + Send + Sync>);

impl<E: event::Event> IntoResponse for Event<E> {
    fn into_response(self) -> Response {
        let payload = match codec::encode(&self.0, Encoding::Json) {
            Ok(payload) => payload,
            Err(error) => {
                let error = error.with_causes();
                tracing::error!(target: "tegami::http", error, "an answer is not its event");
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
        };
        let kind = HeaderValue::from_static(payload.encoding.media_type());
        let mut answer = ([(header::CONTENT_TYPE, kind)], payload.bytes).into_response();
        if <E::Format as Format<E>>::ENCODINGS.contains(&Encoding::Protobuf) {
            let encode = move || codec::encode(&self.0, Encoding::Protobuf).ok().map(|payload| payload.bytes);
            answer.extensions_mut().insert(OtherForm(Arc::new(encode)));
        }
        answer
    }
}

/// What a client would have events in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Preference(Encoding);

impl Default for Preference {
    /// Whoever says nothing gets JSON.
    fn default() -> Self {
        Self(Encoding::Json)
    }
}

impl Preference {
    /// What a request's headers say: protobuf, if it is wanted more than JSON; else JSON.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let (mut json, mut protobuf) = (0, 0);
        let lines = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        for range in lines.flat_map(|line| line.split(',')) {
            let (kind, parameters) = range.split_once(';').unwrap_or((range, ""));
            match encoding_of(kind) {
                Some(Encoding::Json) => json = json.max(weight(parameters)),
                Some(Encoding::Protobuf) => protobuf = protobuf.max(weight(parameters)),
                None => {}
            }
        }
        Self(if protobuf > json { Encoding::Protobuf } else { Encoding::Json })
    }

    /// Puts the answer into that form, where it has it.
    pub(super) fn apply(self, answer: &mut Response) {
        let Some(OtherForm(encode)) = answer.extensions_mut().remove() else { return };
        answer.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
        let plain = !answer.headers().contains_key(header::CONTENT_ENCODING);
        let Some(bytes) = (self.0 == Encoding::Protobuf && plain).then(|| encode()).flatten() else { return };
        let kind = HeaderValue::from_static(Encoding::Protobuf.media_type());
        answer.headers_mut().insert(header::CONTENT_TYPE, kind);
        answer.headers_mut().remove(header::CONTENT_LENGTH);
        *answer.body_mut() = bytes.into();
    }
}

/// A media range's `q`, in thousandths.
fn weight(parameters: &str) -> u32 {
    let told = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("q="));
    let weight = told.and_then(|text| text.trim().parse::<f32>().ok()).unwrap_or(1.0);
    (weight.clamp(0.0, 1.0) * 1000.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protobuf_is_preferred_only_where_it_is_wanted_more() {
        for (accept, expected) in [
            ("application/protobuf", Encoding::Protobuf),
            ("application/json;q=0.5, application/x-protobuf", Encoding::Protobuf),
            ("application/protobuf;q=0", Encoding::Json),
            ("application/protobuf, application/json", Encoding::Json),
            ("*/*", Encoding::Json),
            ("", Encoding::Json),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().expect("a header"))]);
            assert_eq!(Preference::of(&headers), Preference(expected), "{accept}");
        }
    }
}
