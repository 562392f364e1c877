//! Several projectors for one projection: one of them runs it, whatever the others believe.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use tegami::{
    Error,
    outbox::{self, Claim as Rows, Claimed, DatabaseError, Fate, Mark, Marked, Outbox},
    projection::{Checkpoint, Checkpoints, Claim, Held, Id, LONGEST},
    service::Running,
    sqlite::{Database, Tx},
    store::Position,
};
use tokio::runtime::Runtime;

use super::{LONG, Shop, all_of, id, run_on, sales, sales_at};

const HOLD: Duration = Duration::from_secs(1);

/// Another connection is to SQLite what another process is.
async fn run_beside(shop: &Shop) -> Running {
    let db = sales_at(&shop.folder.file()).await;
    run_on(&db, &shop.store, sales(), |options| options.hold(HOLD).batch(2)).await
}

async fn projector(shop: &Shop) -> Option<String> {
    shop.db.checkpoint(&id()).await.expect("it is read").and_then(|checkpoint| checkpoint.projector)
}

#[tokio::test]
async fn e4_of_several_one_runs_the_projection_and_the_next_takes_over_at_its_stop() -> Result<(), Error> {
    let shop = Shop::new().await;
    let progress = shop.progress(&sales());
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(run_beside(&shop).await);
    }
    let mut expected = Vec::new();
    while let Some(running) = all.pop() {
        let stream = format!("with-{}", all.len() + 1);
        let last = shop.append(&stream, 9).await;
        progress.until(last, LONG).await.expect("one of them runs it");
        expected.extend(all_of(&stream, 9));
        assert_eq!(shop.sales().await, expected);
        running.stop().await?;
    }
    assert_eq!(projector(&shop).await, None);
    Ok(())
}

/// The one that runs it ends without a word; the other takes over when its hold has ended.
#[tokio::test]
async fn e4_the_next_takes_over_when_the_hold_of_one_that_was_killed_has_ended() -> Result<(), Error> {
    let shop = Shop::new().await;
    let progress = shop.progress(&sales());
    let (threads, path, store) = (Runtime::new().expect("a runtime"), shop.folder.file(), shop.store.clone());
    let starting = async move { run_on(&sales_at(&path).await, &store, sales(), |options| options.hold(HOLD)).await };
    let first = threads.spawn(starting).await.expect("it starts");
    let last = shop.append("first", 5).await;
    progress.until(last, LONG).await.expect("it runs it");
    let killed = projector(&shop).await;
    // Nothing of it runs any more, and it is told nothing.
    threads.shutdown_background();
    std::mem::forget(first);
    let checkpoint = shop.db.checkpoint(&id()).await.expect("it is read").expect("it was run");
    assert_eq!(checkpoint.projector, killed, "nobody gave it up");
    let next = run_beside(&shop).await;
    let last = shop.append("next", 5).await;
    progress.until(last, LONG).await.expect("the next runs it");
    assert_ne!(projector(&shop).await, killed);
    assert!(SystemTime::now() >= checkpoint.held_until, "not before the end of the hold");
    assert_eq!(shop.sales().await, [all_of("first", 5), all_of("next", 5)].concat());
    next.stop().await?;
    Ok(())
}

fn claim(projector: &str, after: Duration) -> Claim {
    Claim::new(id(), projector, HOLD, SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000) + after)
}

async fn held(db: &Database, claim: &Claim) -> Held {
    let mut tx = db.begin().await.expect("it begins");
    let held = db.hold(&mut tx, claim).await.expect("it is asked");
    tx.commit().await.expect("it is committed");
    held
}

async fn moved(db: &Database, claim: &Claim, from: u64, to: u64) -> bool {
    let mut tx = db.begin().await.expect("it begins");
    let moved = db.advance(&mut tx, claim, Position::new(from), Position::new(to)).await.expect("it is asked");
    tx.commit().await.expect("it is committed");
    moved
}

#[tokio::test]
async fn a_hold_is_one_projectors_until_it_ends_and_moves_only_from_where_it_is() {
    let shop = Shop::new().await;
    let db = &shop.db;
    let [a, b] = ["a", "b"].map(|projector| claim(projector, Duration::ZERO));
    assert_eq!(held(db, &a).await, Held::Here(Position::START));
    assert_eq!(held(db, &b).await, Held::Elsewhere);
    assert!(!moved(db, &b, 0, 5).await, "it is not b's");
    assert!(moved(db, &a, 0, 5).await);
    assert!(!moved(db, &a, 0, 5).await, "it is not there any more");
    assert_eq!(held(db, &claim("b", HOLD - Duration::from_millis(1))).await, Held::Elsewhere);
    assert_eq!(held(db, &claim("b", HOLD)).await, Held::Here(Position::new(5)));
    assert!(!moved(db, &a, 5, 6).await, "it is not a's any more");
    // A clock that is put back by a year keeps nobody out for a year.
    let year = Duration::from_secs(365 * 24 * 3600);
    assert_eq!(held(db, &claim("b", year)).await, Held::Here(Position::new(5)));
    assert_eq!(held(db, &a).await, Held::Here(Position::new(5)));
    assert_eq!(held(db, &claim("a", LONGEST)).await, Held::Here(Position::new(5)));
}

/// A database by which everybody who asks has the projection, and is where it was when they last looked.
#[derive(Clone)]
struct Gullible {
    db: Database,
    believed: Arc<Mutex<BTreeMap<String, Position>>>,
    later: Arc<AtomicU32>,
    refused: Arc<AtomicU32>,
}

#[async_trait]
impl Outbox for Gullible {
    fn name(&self) -> String {
        self.db.name()
    }

    async fn take(&self, claim: &Rows) -> Result<Vec<Claimed>, DatabaseError> {
        self.db.take(claim).await
    }

    async fn settle(&self, claim: &Rows, fates: &[(u64, Fate)]) -> Result<(), DatabaseError> {
        self.db.settle(claim, fates).await
    }

    async fn later_than(&self, seen: u64) -> u64 {
        self.db.later_than(seen).await
    }

    async fn waiting(&self) -> Result<u64, DatabaseError> {
        self.db.waiting().await
    }

    async fn forget(&self, older_than: Duration, most: usize) -> Result<usize, DatabaseError> {
        self.db.forget(older_than, most).await
    }
}

#[async_trait]
impl outbox::Database for Gullible {
    type Tx = Tx;

    async fn begin(&self) -> Result<Tx, DatabaseError> {
        self.db.begin().await
    }

    async fn commit(&self, tx: Tx) -> Result<(), DatabaseError> {
        tx.commit().await
    }

    async fn mark(&self, tx: &mut Tx, mark: &Mark) -> Result<Marked, DatabaseError> {
        outbox::Database::mark(&self.db, tx, mark).await
    }
}

#[async_trait]
impl Checkpoints for Gullible {
    async fn checkpoint(&self, id: &Id) -> Result<Option<Checkpoint>, DatabaseError> {
        let known = self.db.checkpoint(id).await?;
        Ok(known.map(|known| known.held(None, SystemTime::UNIX_EPOCH)))
    }

    async fn checkpoint_in(&self, tx: &mut Tx, id: &Id) -> Result<Option<Checkpoint>, DatabaseError> {
        self.db.checkpoint_in(tx, id).await
    }

    async fn checkpoints(&self) -> Result<Vec<Checkpoint>, DatabaseError> {
        self.db.checkpoints().await
    }

    async fn hold(&self, tx: &mut Tx, claim: &Claim) -> Result<Held, DatabaseError> {
        // As if all others had ended long ago.
        let later = LONGEST * 2 * self.later.fetch_add(1, Ordering::SeqCst);
        let taking = Claim::new(claim.id.clone(), &*claim.projector, claim.hold, claim.now + later);
        let Held::Here(position) = self.db.hold(tx, &taking).await? else { panic!("nobody has it") };
        let mut believed = self.believed.lock().expect("nobody panics");
        Ok(Held::Here(*believed.entry(claim.projector.clone()).or_insert(position)))
    }

    async fn advance(&self, tx: &mut Tx, claim: &Claim, from: Position, to: Position) -> Result<bool, DatabaseError> {
        let moved = self.db.advance(tx, claim, from, to).await?;
        let mut believed = self.believed.lock().expect("nobody panics");
        match moved {
            true => drop(believed.insert(claim.projector.clone(), to)),
            false => {
                self.refused.fetch_add(1, Ordering::SeqCst);
                believed.remove(&claim.projector);
            }
        }
        Ok(moved)
    }

    async fn release(&self, tx: &mut Tx, claim: &Claim) -> Result<(), DatabaseError> {
        self.db.release(tx, claim).await
    }

    async fn rewind(&self, tx: &mut Tx, id: &Id) -> Result<(), DatabaseError> {
        self.db.rewind(tx, id).await
    }

    async fn remove_checkpoint(&self, tx: &mut Tx, id: &Id) -> Result<bool, DatabaseError> {
        self.db.remove_checkpoint(tx, id).await
    }
}

/// E-04: the checkpoint is compared where it is set, so that of two with the same events one has them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e4_of_two_who_both_believe_that_they_run_it_one_moves_it() -> Result<(), Error> {
    let shop = Shop::new().await;
    let progress = shop.progress(&sales());
    let (believed, later, refused) = (Arc::default(), Arc::default(), Arc::<AtomicU32>::default());
    let gullible = Gullible { db: shop.db.clone(), believed, later, refused: refused.clone() };
    let mut both = Vec::new();
    for _ in 0..2 {
        both.push(run_on(&gullible, &shop.store, sales(), |options| options.batch(1)).await);
    }
    let mut expected = Vec::new();
    while refused.load(Ordering::SeqCst) < 5 {
        let stream = format!("o-{}", expected.len());
        let last = shop.append(&stream, 10).await;
        expected.extend(all_of(&stream, 10));
        progress.until(last, LONG).await.expect("one of them gets there");
        assert_eq!(shop.sales().await, expected);
    }
    for running in both {
        running.stop().await?;
    }
    assert_eq!(shop.sales().await, expected);
    Ok(())
}
