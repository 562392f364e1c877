//! The connection that writes, lent to one transaction. Nothing else writes until it is back.

use rusqlite::Connection;

use super::writer::Turn;
use crate::lifecycle;

/// The connection. Dropped, what is not committed is undone, and it goes back.
pub(crate) struct Loan(Option<Back>);

impl Loan {
    pub(super) fn new(connection: Connection, turn: Turn) -> Self {
        Self(Some(Back { connection: Some(connection), turn: Some(turn) }))
    }

    pub(crate) fn connection(&self) -> &Connection {
        let back = self.0.as_ref().expect("it goes back only when it is dropped");
        back.connection.as_ref().expect("it goes back only when it is dropped")
    }

    /// It does not go back: the file is closed.
    pub(super) fn close(mut self) {
        if let Some(mut back) = self.0.take() {
            drop(back.connection.take());
            back.finish();
        }
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        if let Some(back) = self.0.take() {
            lifecycle::apart_or_here(move || back.finish());
        }
    }
}

/// The way back, which is gone also where nobody comes to it any more.
struct Back {
    connection: Option<Connection>,
    turn: Option<Turn>,
}

impl Back {
    /// Gives it back, and writes what waits.
    fn finish(mut self) {
        self.give_back();
        if let Some(turn) = self.turn.take() {
            turn.take();
        }
    }

    fn give_back(&mut self) {
        let (Some(connection), Some(turn)) = (self.connection.take(), &self.turn) else { return };
        if !connection.is_autocommit() {
            let _ = connection.execute_batch("ROLLBACK");
        }
        turn.writer().put_back(connection);
    }
}

impl Drop for Back {
    fn drop(&mut self) {
        self.give_back();
    }
}
