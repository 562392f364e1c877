//! One way through the dead letters of a queue, while somebody decides what becomes of each.

use std::{
    collections::{HashSet, VecDeque},
    mem,
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures_util::future;

use super::{
    super::letter::{age, dead_letter, dead_since},
    MOST,
    held::{Held, Taken},
    letters::{Letters, RENEWED},
};
use crate::transport::{Fate, Sorter, TransportError};

/// How many are taken at once from a FIFO queue, to begin with the oldest: SQS keeps no order among groups.
const WINDOW: usize = 300;

/// One way through.
pub(super) struct Round {
    letters: Arc<Letters>,
    began: SystemTime,
    /// What waits and what stays: hidden until the end, so that it is not seen again.
    held: Held,
    /// Those that nobody has decided on, by their ids, oldest first.
    waiting: VecDeque<String>,
    /// Those that stay.
    stay: HashSet<String>,
}

impl Round {
    pub(super) fn new(letters: Arc<Letters>, began: SystemTime) -> Self {
        let held = letters.none();
        Self { letters, began, held, waiting: VecDeque::new(), stay: HashSet::new() }
    }

    pub(super) async fn sort(&mut self, sorter: &mut dyn Sorter) -> Result<(), TransportError> {
        loop {
            // Before they are received: but for an order's sake, what waits for its turn is hidden from nobody.
            let room = loop {
                match tokio::time::timeout_at(self.held.hidden + RENEWED, sorter.room()).await {
                    Ok(0) => return Ok(()),
                    Ok(room) => break room,
                    Err(_) => self.keep_hidden().await?,
                }
            };
            match self.waiting.is_empty() {
                true => self.receive(room).await?,
                false => self.keep_hidden().await?,
            }
            let some = room.min(MOST).min(self.waiting.len());
            if some == 0 {
                // Nothing is there, or nothing else: it has gone round.
                return Ok(());
            }
            let some: Vec<_> = self.waiting.drain(..some).collect();
            self.decide(some, sorter).await?;
        }
    }

    /// Shows to others what stays.
    pub(super) async fn end(self) -> Result<(), TransportError> {
        let Self { letters, held, .. } = self;
        let setup = letters.setup.clone();
        let showing = async move {
            letters.show(held.all(), Duration::ZERO).await;
            Ok(())
        };
        setup.run(showing).await
    }

    /// Receives some that nobody has decided on.
    async fn receive(&mut self, room: usize) -> Result<(), TransportError> {
        let (letters, mut held) = self.lent();
        let most = held.len() + WINDOW;
        let receiving = async move {
            let received = match letters.in_order() {
                true => letters.gather(&mut held, most).await,
                false => letters.more(&mut held, room).await.map(drop),
            };
            Ok((held, received))
        };
        let (held, received) = self.letters.setup.run(receiving).await?;
        self.held = held;
        received?;
        let mut news: Vec<&Taken> = self.held.all().filter(|taken| !self.stay.contains(taken.id())).collect();
        news.sort_by_cached_key(|taken| age(&taken.post));
        self.waiting = news.into_iter().map(|taken| taken.id().to_owned()).collect();
        Ok(())
    }

    async fn keep_hidden(&mut self) -> Result<(), TransportError> {
        let (letters, mut held) = self.lent();
        let hiding = async move {
            letters.keep_hidden(&mut held).await;
            Ok(held)
        };
        self.held = self.letters.setup.run(hiding).await?;
        Ok(())
    }

    /// What is held, for the transport's thread.
    fn lent(&mut self) -> (Arc<Letters>, Held) {
        (self.letters.clone(), mem::replace(&mut self.held, self.letters.none()))
    }

    async fn decide(&mut self, some: Vec<String>, sorter: &mut dyn Sorter) -> Result<(), TransportError> {
        let mut leaving = Vec::new();
        for id in some {
            let taken = self.held.leave(&id).expect("what waits is held");
            // What came after we had begun has died anew.
            let anew = dead_since(&taken.post).is_some_and(|since| since > self.began);
            match if anew { Fate::Stay } else { sorter.fate(&dead_letter(&taken.post, &self.letters.queue)) } {
                Fate::Stay => self.stay(taken),
                fate => leaving.push(self.leave(taken, fate)),
            }
        }
        let mut answer = Ok(());
        for left in future::join_all(leaving).await {
            match left {
                Ok((_, Ok(fate))) => sorter.left(fate),
                // The others have left all the same.
                Ok((taken, Err(error))) => {
                    self.stay(taken);
                    answer = Err(error);
                }
                Err(error) => answer = Err(error),
            }
        }
        answer
    }

    fn stay(&mut self, taken: Taken) {
        self.stay.insert(taken.id().to_owned());
        self.held.keep(taken);
    }

    /// Has one leave, on the transport's thread.
    fn leave(
        &self,
        taken: Taken,
        fate: Fate,
    ) -> impl Future<Output = Result<(Taken, Result<Fate, TransportError>), TransportError>> + use<> {
        let (letters, setup) = (self.letters.clone(), self.letters.setup.clone());
        let leaving = async move {
            let left = letters.leave(&taken, fate).await;
            Ok((taken, left.map(|()| fate)))
        };
        async move { setup.run(leaving).await }
    }
}
