//! The one that writes: takes what waits, does it in one transaction, and tells each how it went.
//!
//! It runs on a thread for what blocks, while there is something to do. (A thread of its own would be idle mostly, and on a
//! paused clock time would jump while it works.)

use std::{
    collections::VecDeque,
    mem,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rusqlite::Connection;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::timeout,
};

use super::{builder::Settings, fault, loan::Loan, write::Failed};
use crate::{
    failpoint::{self, Point},
    lifecycle,
    store::{StoreError, StoreErrorKind},
};

/// The most that waits and is not written yet, in KiB; what is smaller than `LEAST` counts as that.
const ROOM: u32 = 64 * 1024;
const LEAST: u32 = 64;
/// The most pieces of work of one transaction.
const GROUP: usize = 256;
/// How long to wait for room, and then for an answer; a wait for the lock comes to that.
const FOR_ROOM: Duration = Duration::from_secs(5);
const FOR_ANSWER: Duration = Duration::from_secs(10);

pub(crate) struct Writer {
    path: PathBuf,
    answer_within: Duration,
    connection: Mutex<Option<Connection>>,
    queue: Mutex<Queue>,
    room: Arc<Semaphore>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// Does somebody write?
    busy: bool,
}

/// What waits for its turn.
enum Waiting {
    Job(Box<dyn Job>),
    /// A transaction of its own, which takes its time.
    Loan(oneshot::Sender<Loan>),
}

/// What is to be done next.
enum Next {
    Group(Vec<Box<dyn Job>>),
    Loan(oneshot::Sender<Loan>),
}

/// Work that may be done more than once: where a group could not be written, each is tried alone.
trait Job: Send {
    /// Does anybody wait for it?
    fn is_wanted(&self) -> bool;
    /// Does it, inside a transaction.
    fn run(&mut self, connection: &Connection) -> Result<(), Failed>;
    /// Tells that it is written, or why it is not.
    fn tell(self: Box<Self>, written: Result<(), StoreError>);
}

struct Work<T, F> {
    work: F,
    done: Option<T>,
    answer: oneshot::Sender<Result<T, StoreError>>,
    _room: OwnedSemaphorePermit,
}

impl<T: Send, F: FnMut(&Connection) -> Result<T, Failed> + Send> Job for Work<T, F> {
    fn is_wanted(&self) -> bool {
        !self.answer.is_closed()
    }

    fn run(&mut self, connection: &Connection) -> Result<(), Failed> {
        self.done = Some((self.work)(connection)?);
        Ok(())
    }

    fn tell(self: Box<Self>, written: Result<(), StoreError>) {
        let done = self.done;
        let _ = self.answer.send(written.map(|()| done.expect("what was written was done")));
    }
}

impl Writer {
    pub(super) fn new(connection: Connection, settings: &Settings) -> Self {
        Self {
            path: settings.path.clone(),
            answer_within: settings.lock_wait() + FOR_ANSWER,
            connection: Mutex::new(Some(connection)),
            queue: Mutex::default(),
            room: Arc::new(Semaphore::new(ROOM as usize)),
        }
    }

    /// Has this done in a transaction, and answers once that is written. `size` is what waits meanwhile, in bytes.
    ///
    /// # Cancel safety
    /// It is done or not done.
    pub(crate) async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        size: usize,
        work: impl FnMut(&Connection) -> Result<T, Failed> + Send + 'static,
    ) -> Result<T, StoreError> {
        let needed = u32::try_from(size / 1024).unwrap_or(ROOM).clamp(LEAST, ROOM);
        let room = timeout(FOR_ROOM, self.room.clone().acquire_many_owned(needed)).await;
        let room = room.map_err(|_| self.crowded())?.map_err(|_| fault::closed(&self.path))?;
        let (answer, answered) = oneshot::channel();
        self.hand_over(Waiting::Job(Box::new(Work { work, done: None, answer, _room: room })));
        let silent = || {
            let text = format!("`{}` did not answer: what was appended may be there", self.path.display());
            StoreError::new(StoreErrorKind::Unknown, text)
        };
        timeout(self.answer_within, answered).await.map_err(|_| silent())?.map_err(|_| silent())?
    }

    /// Lends the connection, in its turn, to a transaction that takes its time; nothing else is written meanwhile.
    ///
    /// # Errors
    /// `Busy`: its turn did not come in this time.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub(crate) async fn lend(self: &Arc<Self>, within: Duration) -> Result<Loan, StoreError> {
        if self.room.is_closed() {
            return Err(fault::closed(&self.path));
        }
        let lent = timeout(within, self.lent()).await.map_err(|_| self.taken(within))?;
        lent.ok_or_else(|| fault::closed(&self.path))
    }

    async fn lent(self: &Arc<Self>) -> Option<Loan> {
        let (answer, answered) = oneshot::channel();
        self.hand_over(Waiting::Loan(answer));
        answered.await.ok()
    }

    pub(super) fn put_back(&self, connection: Connection) {
        *held(&self.connection) = Some(connection);
    }

    /// Puts it with what waits, and sees to it that somebody writes.
    fn hand_over(self: &Arc<Self>, what: Waiting) {
        let mut queue = held(&self.queue);
        queue.waiting.push_back(what);
        if !mem::replace(&mut queue.busy, true) {
            let turn = Turn { writer: self.clone(), over: false };
            drop(queue);
            lifecycle::apart(move || turn.take());
        }
    }

    /// Waits until all that was handed over is written and every transaction is over, and closes the file.
    pub(super) async fn close(self: &Arc<Self>) {
        self.room.close();
        if let Some(loan) = self.lent().await {
            let _ = lifecycle::apart(move || loan.close()).await;
        }
    }

    fn write_group_of(&self, jobs: Vec<Box<dyn Job>>) {
        match held(&self.connection).as_mut() {
            Some(connection) => self.write_group(connection, jobs),
            None => jobs.into_iter().for_each(|job| job.tell(Err(fault::closed(&self.path)))),
        }
    }

    /// What waits; if nothing does, nobody writes from here on.
    fn next(&self) -> Option<Next> {
        let mut queue = held(&self.queue);
        let mut jobs = Vec::new();
        while jobs.len() < GROUP {
            match queue.waiting.pop_front() {
                Some(Waiting::Job(job)) => jobs.push(job),
                Some(Waiting::Loan(asker)) if jobs.is_empty() => return Some(Next::Loan(asker)),
                Some(loan) => {
                    queue.waiting.push_front(loan);
                    break;
                }
                None => break,
            }
        }
        queue.busy = !jobs.is_empty();
        jobs.retain(|job| job.is_wanted());
        queue.busy.then_some(Next::Group(jobs))
    }

    fn write_group(&self, connection: &mut Connection, mut jobs: Vec<Box<dyn Job>>) {
        match self.transact(connection, &mut jobs) {
            Ok(refused) => {
                for (job, refused) in jobs.into_iter().zip(refused) {
                    job.tell(refused.map_or(Ok(()), Err));
                }
            }
            // One of them may be to blame, or be too large for what room is left.
            Err(error) if jobs.len() > 1 && !concerns_all(error.kind()) => {
                jobs.into_iter().for_each(|job| self.write_group(connection, vec![job]));
            }
            Err(error) => jobs.into_iter().for_each(|job| job.tell(Err(error.again()))),
        }
    }

    /// Does all in one transaction: which of them were refused, once the others are written.
    ///
    /// # Errors
    /// None of them is written; of the kind `Unknown`, all may be.
    fn transact(
        &self,
        connection: &Connection,
        jobs: &mut [Box<dyn Job>],
    ) -> Result<Vec<Option<StoreError>>, StoreError> {
        let failed = |error| fault::of(error, &self.path);
        // Immediate: a transaction that only then begins to write is refused at once where others were faster.
        connection.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
        let open = Open(connection);
        let mut refused = Vec::with_capacity(jobs.len());
        for job in jobs {
            refused.push(alone(connection, &mut **job).map_err(failed)?);
        }
        failpoint::hit(Point::StoreBeforeCommit).map_err(|struck| self.struck(struck, StoreErrorKind::Unreachable))?;
        connection.execute_batch("COMMIT").map_err(|error| fault::of_commit(error, &self.path))?;
        drop(open);
        failpoint::hit(Point::StoreAfterCommit).map_err(|struck| self.struck(struck, StoreErrorKind::Unknown))?;
        Ok(refused)
    }

    fn struck(&self, struck: failpoint::Struck, kind: StoreErrorKind) -> StoreError {
        StoreError::new(kind, format!("`{}` failed at a commit", self.path.display())).caused_by(struck)
    }

    fn taken(&self, within: Duration) -> StoreError {
        let path = self.path.display();
        let text = format!("other transactions kept `{path}` for {within:?}: keep them short, and await nothing else");
        StoreError::new(StoreErrorKind::Busy, text)
    }

    fn crowded(&self) -> StoreError {
        let text = format!("more waits to be written to `{}` than is allowed, for {FOR_ROOM:?}", self.path.display());
        StoreError::new(StoreErrorKind::Busy, text)
    }
}

/// Would each piece of work fail so, if it were alone?
fn concerns_all(kind: StoreErrorKind) -> bool {
    matches!(kind, StoreErrorKind::Busy | StoreErrorKind::Unknown)
}

/// Does one piece of work so that nothing of it stays if it is refused; the error that it was refused with.
///
/// # Errors
/// SQLite failed, and with it the whole transaction.
fn alone(connection: &Connection, job: &mut dyn Job) -> rusqlite::Result<Option<StoreError>> {
    connection.prepare_cached("SAVEPOINT job")?.execute(())?;
    let refused = match job.run(connection) {
        Ok(()) => None,
        Err(Failed::Refused(error)) => {
            connection.prepare_cached("ROLLBACK TO job")?.execute(())?;
            Some(error)
        }
        Err(Failed::Sqlite(error)) => return Err(error),
    };
    connection.prepare_cached("RELEASE job")?.execute(())?;
    Ok(refused)
}

/// A transaction that is undone unless it was committed.
struct Open<'a>(&'a Connection);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        // SQLite undoes it by itself after some errors.
        if !self.0.is_autocommit() {
            let _ = self.0.execute_batch("ROLLBACK");
        }
    }
}

/// The right to write. Given up by whoever never came to it, when the runtime ends, it goes to the next.
pub(super) struct Turn {
    writer: Arc<Writer>,
    over: bool,
}

impl Turn {
    /// Writes until nothing waits, or somebody borrows the connection and with it this right.
    pub(super) fn take(mut self) {
        while let Some(next) = self.writer.next() {
            match next {
                Next::Group(jobs) => self.writer.write_group_of(jobs),
                Next::Loan(asker) if asker.is_closed() => {}
                Next::Loan(asker) => {
                    let Some(connection) = held(&self.writer.connection).take() else { continue };
                    // Where nobody waits any more, it is dropped, and comes back.
                    let _ = asker.send(Loan::new(connection, self));
                    return;
                }
            }
        }
        self.over = true;
    }

    pub(super) fn writer(&self) -> &Writer {
        &self.writer
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.over {
            held(&self.writer.queue).busy = false;
        }
    }
}

fn held<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}
