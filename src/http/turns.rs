//! The turns of a connection among the other tasks.
//!
//! With HTTP/2 each request is a task of its own. When it has its answer it wakes the connection, which would write that
//! answer alone, and a write costs more than all else. So while requests are under way, a connection that is woken goes
//! behind all that can go on by now, and then writes what there is.

use std::task::{Context, Poll};

/// One connection's turns.
#[derive(Default)]
pub(super) struct Turns {
    is_behind: bool,
}

impl Turns {
    /// Ready when the connection may go on: at once, unless others go first.
    pub(super) fn poll(&mut self, others_first: bool, cx: &mut Context<'_>) -> Poll<()> {
        self.is_behind = others_first && !self.is_behind;
        if self.is_behind {
            // A task that wakes itself comes after those that are ready.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_go_first_once() {
        let (mut turns, mut cx) = (Turns::default(), Context::from_waker(futures_util::task::noop_waker_ref()));
        let mut polled = |others| turns.poll(others, &mut cx).is_ready();
        assert_eq!([true, true, true, false, true, false].map(&mut polled), [false, true, false, true, false, true]);
    }
}
