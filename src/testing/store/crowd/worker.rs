//! One who appends: anywhere, at a version, as the first, after a decision, in a transaction.

use std::sync::Arc;

use fastrand::Rng;
use tokio::task::yield_now;

use super::{Crowd, MOST, STEPS, STREAMS};
use crate::{
    store::{Append, Appended, Criterion, Expected, Query, Store, StoreError, StoreErrorKind},
    testing::{
        store::{
            history::{Answer, Asked, Moment},
            trial::{Begun, letter},
        },
        transport::LetterPosted,
    },
};

pub(super) struct Worker {
    crowd: Arc<Crowd>,
    store: Store,
    dice: Rng,
}

impl Worker {
    pub(super) fn new(crowd: Arc<Crowd>, n: usize, dice: Rng) -> Self {
        let store = crowd.stores[n % crowd.stores.len()].clone();
        Self { crowd, store, dice }
    }

    pub(super) async fn work(mut self) {
        for _ in 0..STEPS {
            yield_now().await;
            let n = self.dice.u64(0..STREAMS);
            let append = match self.dice.u8(0..10) {
                0 | 1 => self.letters(n, Expected::Any),
                2 => self.letters(n, Expected::None),
                3..=5 => self.next(n).await,
                6 | 7 => self.decision(n).await,
                _ => {
                    self.transact(n).await;
                    continue;
                }
            };
            self.record(append).await;
        }
    }

    /// So many letters to a stream, all in its box.
    fn letters(&mut self, n: u64, expected: Expected) -> Append {
        let append = Append::to(self.crowd.stream(n)).expecting(expected);
        let append = (0..self.dice.usize(1..4)).fold(append, |append, _| self.with_letter(append, n));
        self.store.filled(append)
    }

    fn with_letter(&self, append: Append, n: u64) -> Append {
        append.event(&letter(&self.r#box(n), self.crowd.letter())).expect("it is valid")
    }

    fn r#box(&self, n: u64) -> String {
        self.crowd.stream(n).to_string()
    }

    /// Letters behind those that the stream has.
    async fn next(&mut self, n: u64) -> Append {
        let version = self.crowd.read(&self.store, &self.crowd.stream(n)).await;
        yield_now().await;
        self.letters(n, Expected::Exactly(version))
    }

    /// A letter that is to be recorded only if no other came into its box, or to any, since that was looked at.
    async fn decision(&mut self, n: u64) -> Append {
        let of_box = Criterion::of::<LetterPosted>().tagged("box", self.r#box(n));
        let query = if self.dice.u8(0..6) == 0 { Query::all() } else { of_box.into() };
        let after = self.crowd.look(&self.store, &query, self.crowd.start, MOST).await;
        let ahead = self.store.inner().read_ahead(&query, after, MOST).await.expect("the store can be read");
        yield_now().await;
        let append = Append::to(self.crowd.decided(n)).unless(query, after);
        let mut append = self.store.filled(self.with_letter(append, n));
        if let Some(unless) = &mut append.unless {
            unless.known = ahead.iter().map(|recorded| recorded.position).collect();
        }
        append
    }

    /// Appends, and notes the answer.
    async fn record(&self, append: Append) {
        let began = self.crowd.now();
        let answer = Answer::of(self.store.append(append.clone()).await);
        self.note(Asked { append, since: began, began, ended: self.crowd.now(), answer });
    }

    fn note(&self, mut asked: Asked) {
        if asked.answer == Answer::Unknown {
            asked.ended = Moment::MAX;
        }
        self.crowd.notes().appends.push(asked);
    }

    /// Appends in a transaction: once or twice, to streams in their order, so that none waits for another in a circle.
    async fn transact(&mut self, n: u64) {
        let mut appends = match self.dice.u8(0..3) {
            0 => vec![self.decision(n).await],
            1 => vec![self.next(n).await],
            _ => vec![self.letters(n, Expected::Any)],
        };
        if n + 1 < STREAMS && appends[0].unless.is_none() {
            let more = self.dice.u64(n + 1..STREAMS);
            appends.push(self.letters(more, Expected::Any));
        }
        let (since, commits) = (self.crowd.now(), self.dice.u8(0..4) > 0);
        match self.crowd.subject.begin().await {
            Ok(Some(tx)) => self.append_in(tx, appends, (since, commits)).await,
            Ok(None) => self.record(appends.swap_remove(0)).await,
            Err(error) => assert!(error.is_transient(), "a transaction is not begun: {error:?}"),
        }
    }

    /// A refusal leaves the transaction as it was; after every other error it is given up, with all that is in it.
    async fn append_in(&self, mut tx: Box<dyn Begun>, appends: Vec<Append>, (since, commits): (Moment, bool)) {
        let (mut inside, mut goes_on) = (Vec::new(), true);
        for append in appends {
            let began = self.crowd.now();
            let answer = Answer::of(tx.append(append.clone()).await);
            let asked = Asked { append, since, began, ended: self.crowd.now(), answer };
            if answer.is_recorded() {
                inside.push(asked);
                continue;
            }
            goes_on = matches!(answer, Answer::Refused(kind) if kind.is_conflict());
            self.note(asked);
            if !goes_on {
                break;
            }
        }
        let ended = match commits && goes_on {
            true => tx.commit().await.map_err(|error| error.kind()),
            false => Err(StoreErrorKind::Closed),
        };
        for mut asked in inside {
            asked.ended = self.crowd.now();
            match ended {
                Ok(()) => {}
                Err(StoreErrorKind::Unknown) => asked.answer = Answer::Unknown,
                Err(_) => asked.answer = Answer::Undone,
            }
            self.note(asked);
        }
    }
}

impl Answer {
    fn of(answered: Result<Appended, StoreError>) -> Self {
        match answered {
            Ok(appended) => Self::Recorded(appended),
            Err(error) if error.kind() == StoreErrorKind::Unknown => Self::Unknown,
            Err(error) if error.kind().is_conflict() || error.is_transient() => Self::Refused(error.kind()),
            Err(error) => panic!("an append is refused: {error:?}"),
        }
    }

    pub(super) fn is_recorded(self) -> bool {
        matches!(self, Self::Recorded(_))
    }

    pub(super) fn is_refused(self) -> bool {
        matches!(self, Self::Refused(_))
    }
}
