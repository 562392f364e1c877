//! Processes that wait: each letter of a key sets, replaces or cancels the timeout of its key.

use std::{sync::Arc, time::Duration};

use tegami::{
    Context, Event, HandlerError, TransactionalHandler,
    process::{Manager, Process, Reaction},
    testing::transport::{LetterFiled, LetterPosted, filed},
};

use crate::{happened::How, load::Run, office::Tx, world::World};

/// Letters from this number on are timeouts.
pub const TIMEOUTS: u64 = 1 << 32;
/// So many letters may come for one key.
const LETTERS: u64 = 1 << 16;

tegami::event_set! {
    /// What comes for a key.
    #[derive(Clone)]
    pub enum Step { Posted(LetterPosted), Filed(LetterFiled) }
}

/// What has come for one key.
#[derive(Default)]
pub struct Errand {
    letters: u64,
}

impl Step {
    fn number(&self) -> u64 {
        match self {
            Self::Posted(letter) => letter.number,
            Self::Filed(letter) => letter.number,
        }
    }

    fn key(&self) -> &str {
        match self {
            Self::Posted(letter) => &letter.r#box,
            Self::Filed(letter) => &letter.r#box,
        }
    }
}

impl Process for Errand {
    const KIND: &'static str = "errand";
    type Event = Step;

    fn evolve(&mut self, event: &Step) {
        self.letters += u64::from(event.number() < TIMEOUTS);
    }

    fn react(&self, event: &Step) -> Reaction<Step> {
        if event.number() >= TIMEOUTS {
            return Reaction::none();
        }
        let key = event.key();
        let line: u64 = key.trim_start_matches('k').parse().expect("keys are numbered");
        let number = usize::try_from(TIMEOUTS + line * LETTERS + self.letters).expect("letters are few");
        // The same for the same letters, and spread out.
        let after = Duration::from_millis(self.letters * 7_919 % 30_000);
        match self.letters % 4 {
            0 => Reaction::none().cancel::<LetterFiled>(),
            1..3 => Reaction::none().timeout(after, filed(key, number)),
            _ => Reaction::none(),
        }
    }
}

/// The handler of the processes, which says what it did.
#[derive(Clone)]
pub struct Errands {
    pub world: Arc<World>,
    pub manager: Manager<Errand>,
}

impl<E: Event> TransactionalHandler<E, (), Tx> for Errands
where
    Manager<Errand>: TransactionalHandler<E, (), Tx>,
    Step: From<E>,
{
    async fn call(&self, event: E, ctx: Context, tx: &mut Tx) -> Result<(), HandlerError> {
        let mut run = Run::begin(&self.world, Step::from(event.clone()).number(), &ctx);
        tx.has_effect(run.tag);
        self.world.sleep(0..200).await;
        let answer = self.manager.call(event, ctx, tx).await;
        let fails = !self.world.is_calm() && self.world.draw(0..100) < 5;
        let answer = if fails { Err(HandlerError::retry("the way was blocked")) } else { answer };
        run.how = Some(if answer.is_ok() { How::Done } else { How::Failed(None) });
        answer
    }
}
