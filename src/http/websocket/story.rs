//! A WebSocket in the access log: a line when it opens, and one when it ends.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use super::super::access::{About, seconds};
use crate::{envelope::MessageId, time::Dice};

/// What is told of a socket, once it is known that somebody wants to read it. Its answer carries it.
#[derive(Clone)]
pub(in crate::http) struct Story(Arc<Facts>);

struct Facts {
    id: MessageId,
    about: OnceLock<About>,
}

/// The socket's end: dropped, it is told.
pub(super) struct Ending {
    story: Story,
    state: State,
    code: Option<u16>,
}

/// How a socket is, in the words of tomodachi.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// The client left before it was open.
    Cancelled,
    Closed,
    /// Its handler panicked.
    Error,
}

/// The story of a socket to be, and its end.
pub(super) fn of(dice: &Dice) -> (Story, Ending) {
    let story = Story(Arc::new(Facts { id: MessageId::draw(dice), about: OnceLock::new() }));
    (story.clone(), Ending { story, state: State::Cancelled, code: None })
}

impl Story {
    /// It is to be told, and who asked for the socket.
    pub(in crate::http) fn begin(&self, about: &About) {
        let _ = self.0.about.set(about.clone());
    }

    /// The client has its answer.
    pub(in crate::http) fn opened(&self) {
        self.tell(State::Open, None);
    }

    fn tell(&self, state: State, code: Option<u16>) {
        let Some(about) = self.0.about.get() else { return };
        let total = (state != State::Open).then(|| seconds(about.elapsed()));
        tracing::info!(
            target: "tegami::http",
            parent: &about.span,
            websocket_state = state.word(),
            websocket_close_code = code,
            remote_ip = %about.client,
            auth_user = about.user.as_deref(),
            request_path = about.uri.path(),
            request_query_string = about.query(),
            websocket_id = %self.0.id,
            user_agent = about.agent.as_deref(),
            total_request_time = total,
        );
    }
}

impl Ending {
    pub(super) fn opened(&mut self) {
        self.state = State::Closed;
    }

    /// It is closed, with this code if the client could be told one.
    pub(super) fn closed(&mut self, code: Option<u16>, panicked: &AtomicBool) {
        self.code = code;
        if panicked.load(Relaxed) {
            self.state = State::Error;
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.story.tell(self.state, self.code);
    }
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Cancelled => "cancelled",
            State::Closed => "closed",
            State::Error => "error",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_that_never_opened_was_cancelled_and_one_that_did_is_closed() {
        let (_, mut ending) = of(&Dice::system());
        assert_eq!(ending.state, State::Cancelled);
        ending.opened();
        assert_eq!(ending.state, State::Closed);
        ending.closed(Some(1011), &AtomicBool::new(true));
        assert_eq!((ending.state, ending.code), (State::Error, Some(1011)));
    }
}
