//! W3C trace context, carried from what causes a message to the message: `traceparent` and `tracestate`.

use tracing::Span;

use crate::{
    envelope::Head,
    event::{Attributes, is_plain_text},
    telemetry::spans,
};

const PARENT: &str = "traceparent";
const STATE: &str = "tracestate";
/// The longest `tracestate` that is carried (the standard's least).
const STATE_LIMIT: usize = 512;

/// The trace that something belongs to, if any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Trace(Option<spans::Context>);

impl Trace {
    /// Reads it where it is told under the standard's names; one that breaks the standard is none.
    pub(crate) fn read<'a>(told: impl Fn(&'static str) -> Option<&'a str>) -> Self {
        let parent = told(PARENT).filter(|text| is_parent(text));
        let state = told(STATE).filter(|text| text.len() <= STATE_LIMIT && is_plain_text(text));
        Self(parent.map(|parent| spans::Context { parent: parent.to_owned(), state: state.map(str::to_owned) }))
    }

    /// That of a message.
    pub(crate) fn of(head: &Head) -> Self {
        Self::read(|name| head.attributes.text(name))
    }

    /// That of what goes on in this task, where OpenTelemetry has one for it.
    pub(super) fn current() -> Option<Self> {
        spans::context(&Span::current()).map(|context| Self(Some(context)))
    }

    /// As spans that are a part of it are told.
    pub(crate) fn context(&self) -> Option<&spans::Context> {
        self.0.as_ref()
    }

    /// The trace's id, 32 digits of hex.
    pub(crate) fn id(&self) -> Option<&str> {
        self.0.as_ref().and_then(|context| context.parent.get(3..35))
    }

    /// Adds it to a message, unless the message tells one of its own.
    pub(super) fn write(&self, attributes: &mut Attributes) {
        let Some(spans::Context { parent, state }) = &self.0 else { return };
        if attributes.get(PARENT).is_some() || attributes.get(STATE).is_some() {
            return;
        }
        attributes.set(PARENT, parent.as_str());
        if let Some(state) = state {
            attributes.set(STATE, state.as_str());
        }
    }
}

/// `00-<trace id>-<parent id>-<flags>`; a later version may say more after it.
fn is_parent(text: &str) -> bool {
    let hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let some = |part: &str| part.bytes().any(|byte| byte != b'0');
    let parts: Vec<&str> = text.split('-').collect();
    let [version, trace, parent, flags, rest @ ..] = parts.as_slice() else { return false };
    hex(version, 2)
        && *version != "ff"
        && (rest.is_empty() || *version != "00")
        && text.len() <= 128
        && is_plain_text(text)
        && hex(trace, 32)
        && some(trace)
        && hex(parent, 16)
        && some(parent)
        && hex(flags, 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_trace_is_carried_only_in_the_standards_form() {
        assert!(is_parent(GOOD));
        let told = Trace::read(|name| (name == PARENT).then_some(GOOD));
        assert_eq!(told.id(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        assert!(is_parent(&format!("cc{}-more", &GOOD[2..])));
        for bad in [
            "",
            "00",
            &GOOD.to_uppercase(),
            &GOOD[..54],
            &format!("{GOOD}-more"),
            &format!("ff{}", &GOOD[2..]),
            &GOOD.replace("00f067aa0ba902b7", "0000000000000000"),
            &GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
        ] {
            assert!(!is_parent(bad), "{bad}");
        }
    }
}
