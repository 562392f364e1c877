//! Consumers that hold messages of a queue in memory, told from seeds: requests and answers are late, in another order, or
//! lost; handlers take longer than the holds.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{Change, Done, Holding};
use crate::transport::aws::{
    fault::{Fault, FaultKind, Reach},
    setup::Setup,
};

const VISIBILITY: Duration = Duration::from_secs(30);
const MESSAGES: u64 = 12;
/// The longest way of a request, or of its answer, in milliseconds.
const WAY: u64 = 2_000;
/// How long a call waits for a message, and how late its answer may be, in milliseconds: of one that is later than half of
/// the hold, only the renewal tells whether it is still ours.
const WAIT: u64 = 20_000;
const LATE: u64 = 14_500;
/// How long things go wrong.
const STORM: Duration = Duration::from_secs(10 * 60);

/// A queue, with those that consume it.
struct World {
    rng: Mutex<fastrand::Rng>,
    began: Instant,
    queue: Mutex<BTreeMap<u64, Message>>,
}

/// One message, as the queue has it.
#[derive(Default)]
struct Message {
    visible: Option<Instant>,
    /// The latest; older ones count no more.
    receipt: u64,
    deleted: bool,
    completed: bool,
    /// Told to whoever handles it.
    lost: Option<CancellationToken>,
}

impl World {
    fn new(seed: u64) -> Arc<Self> {
        let queue = (0..MESSAGES).map(|number| (number, Message::default())).collect();
        let (rng, queue) = (Mutex::new(fastrand::Rng::with_seed(seed)), Mutex::new(queue));
        Arc::new(Self { rng, began: Instant::now(), queue })
    }

    fn draw(&self, below: u64) -> u64 {
        self.rng.lock().unwrap().u64(0..below)
    }

    /// Does something go wrong that does in so many of a hundred cases?
    fn strikes(&self, percent: u64) -> bool {
        self.began.elapsed() < STORM && self.draw(100) < percent
    }

    async fn way(&self) {
        sleep(Duration::from_millis(self.draw(WAY))).await;
    }

    fn with<T>(&self, number: u64, work: impl FnOnce(&mut Message) -> T) -> T {
        work(self.queue.lock().unwrap().get_mut(&number).expect("it is known"))
    }

    fn is_empty(&self) -> bool {
        self.queue.lock().unwrap().values().all(|message| message.deleted)
    }

    /// A message that can be seen, with its new receipt.
    fn receive(&self) -> Option<(u64, u64)> {
        let now = Instant::now();
        let mut queue = self.queue.lock().unwrap();
        let free = |message: &Message| !message.deleted && message.visible.is_none_or(|visible| visible <= now);
        let found: Vec<u64> = queue.iter().filter(|(_, message)| free(message)).map(|(number, _)| *number).collect();
        let number = *found.get(self.draw(found.len().max(1) as u64) as usize)?;
        let message = queue.get_mut(&number)?;
        (message.visible, message.receipt) = (Some(now + VISIBILITY), message.receipt + 1);
        Some((number, message.receipt))
    }

    /// Hides a message for longer, or shows it; what the queue says, unless nobody hears of it.
    async fn change(&self, receipt: &str, after: Duration) -> Option<Result<(), Fault>> {
        self.way().await;
        if self.strikes(40) {
            return None;
        }
        let (number, receipt) = parsed(receipt);
        let changed = self.with(number, |message| {
            let now = Instant::now();
            let is_current = message.receipt == receipt && message.visible.is_some_and(|visible| visible > now);
            if is_current && !message.deleted {
                message.visible = Some(now + after);
            }
            is_current
        });
        self.way().await;
        let answer = if changed { Ok(()) } else { Err(Fault::new(FaultKind::Lost, Reach::Not, "not in flight")) };
        (!self.strikes(40)).then_some(answer)
    }

    /// An old receipt deletes nothing, and the queue does not say so.
    async fn delete(&self, receipt: &str) -> bool {
        self.way().await;
        if self.strikes(15) {
            return false;
        }
        let (number, receipt) = parsed(receipt);
        self.with(number, |message| {
            if message.receipt == receipt {
                assert!(message.completed, "d1: {number} is deleted, and nobody completed it");
                message.deleted = true;
            }
        });
        self.way().await;
        !self.strikes(15)
    }
}

fn parsed(receipt: &str) -> (u64, u64) {
    let (number, receipt) = receipt.split_once('/').expect("it is one of ours");
    (number.parse().expect("a number"), receipt.parse().expect("a number"))
}

/// One consumer: receives, handles, and has what follows asked.
async fn consume(world: Arc<World>, slots: usize) {
    let holding = Holding::new(Arc::new(Setup::new("aws:eu-west-1")), "post".to_owned(), VISIBILITY);
    let asked = Mutex::new(Vec::new());
    let watching = holding.watch(|change| asked.lock().unwrap().push(change));
    let mut watching = std::pin::pin!(watching);
    let asking = AtomicUsize::new(0);
    let mut work: FuturesUnordered<Pin<Box<dyn Future<Output = ()> + Send + '_>>> = FuturesUnordered::new();
    while !world.is_empty() || !work.is_empty() {
        if !world.is_empty() && holding.count() + asking.load(SeqCst) < slots {
            asking.fetch_add(1, SeqCst);
            work.push(receive(&world, &holding, &asking).boxed());
        }
        tokio::select! {
            biased;
            () = &mut watching => unreachable!("it watches for ever"),
            Some(()) = work.next() => {}
            () = sleep(Duration::from_millis(500)) => {}
        }
        for change in std::mem::take(&mut *asked.lock().unwrap()) {
            work.push(changed(&world, &holding, change).boxed());
        }
    }
    assert_eq!(holding.count(), 0, "nothing is held at the end");
}

/// One call, which waits for a message and whose answer is late; and what becomes of what it brings.
async fn receive(world: &World, holding: &Holding, asking: &AtomicUsize) {
    let asked = Instant::now();
    sleep(Duration::from_millis(world.draw(WAIT))).await;
    let came = world.receive();
    let late = if world.strikes(30) { LATE } else { WAY };
    sleep(Duration::from_millis(world.draw(late))).await;
    asking.fetch_sub(1, SeqCst);
    if let Some(came) = came {
        handle(world, holding, came, asked).await;
    }
}

/// From the receipt to what the handler decides.
async fn handle(world: &World, holding: &Holding, (number, receipt): (u64, u64), asked: Instant) {
    let (held, lost) = holding.take(format!("{number}/{receipt}"), asked);
    let before = world.with(number, |message| message.lost.replace(lost.clone()));
    let overlaps = before.is_some_and(|before| !before.is_cancelled());
    assert!(!overlaps, "l1: {number} is handed out, and whoever has it was not told");
    let time = Duration::from_millis(world.draw(3 * VISIBILITY.as_millis() as u64));
    let cut = tokio::select! {
        biased;
        () = lost.cancelled() => true,
        () = sleep(time) => false,
    };
    let fails = world.strikes(30);
    world.with(number, |message| message.completed |= !cut && !fails);
    match fails {
        // What is not held any more is somebody else's.
        _ if cut => {}
        true => {
            let after = Duration::from_millis(world.draw(20_000));
            leaves(world, number, &lost);
            if let Some(change) = holding.shown(held, after) {
                changed(world, holding, change).await;
            }
        }
        false => {
            leaves(world, number, &lost);
            if let Some(done) = holding.done(held) {
                deleted(world, holding, done).await;
            }
        }
    }
}

/// Nobody handles it any more, unless somebody else has begun to.
fn leaves(world: &World, number: u64, mine: &CancellationToken) {
    world.with(number, |message| {
        if !mine.is_cancelled() {
            message.lost = None;
        }
    });
}

async fn changed(world: &World, holding: &Holding, change: Change) {
    while let Some(until) = holding.until_changed(&change).filter(|until| *until > Instant::now()) {
        let answer = tokio::time::timeout_at(until, world.change(&change.receipt, change.after)).await;
        match answer {
            Ok(Some(answer)) => return holding.changed(change, answer),
            Ok(None) => sleep(Duration::from_secs(1)).await,
            Err(_) => break,
        }
    }
    holding.changed(change, Err(Fault::new(FaultKind::Lost, Reach::Not, "no answer")));
}

async fn deleted(world: &World, holding: &Holding, done: Done) {
    let until = holding.until(done.number);
    while Instant::now() < until && !world.delete(&done.receipt).await {
        sleep(Duration::from_secs(1)).await;
    }
    holding.deleted(done, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn l1_l2_whatever_is_lost_on_its_way_nobody_has_a_message_beside_another_and_each_is_done() {
    for seed in 0..60 {
        let world = World::new(seed);
        let slots = 1 + world.draw(4) as usize;
        let consumers = [consume(world.clone(), slots), consume(world.clone(), slots)];
        let all = futures_util::future::join_all(consumers);
        let ended = tokio::time::timeout(STORM * 10, all).await;
        assert!(ended.is_ok(), "seed {seed}: {:?}", world.began.elapsed());
    }
}
