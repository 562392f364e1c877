//! What is left when all is over: waiting until it is, and noting dead letters, effects, and what still lies in a queue.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use sqlx::PgPool;
use tegami::{
    envelope::Sealed,
    outbox::Outbox,
    postgres::Database,
    testing::ledger::{Entry, Ledger},
    transport::{QueuePlan, Transport},
};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    book::Book,
    crew::Crew,
    place::{Broker, Place},
    worker::checksum,
};

/// How long nothing may come of what is missing, once nothing goes wrong any more. Retries and what a killed process held
/// come within it, by far.
const SETTLES: Duration = Duration::from_secs(60);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(500);
/// How long a queue is silent that is empty.
const SILENCE: Duration = Duration::from_secs(3);

/// Those who know what is left.
pub struct Account<'a> {
    pub place: &'a Place,
    pub queues: &'a [QueuePlan],
    /// What the names of all queues begin with.
    pub prefix: &'a str,
    pub transport: &'a dyn Transport,
    /// The database, where there is a transactional handler.
    pub database: Option<(Database, PgPool)>,
}

/// An effect: of which queue, of which message, and the receipt that belongs to it.
type Effect = (String, String, String);

impl Account<'_> {
    /// Makes the table for effects.
    pub async fn with_effects(mut self) -> Self {
        let url = self.place.database(false);
        let pool = PgPool::connect(&url).await.expect("the database is there");
        let table = "CREATE TABLE effects (queue text NOT NULL, id text NOT NULL, receipt text NOT NULL)";
        sqlx::raw_sql(table).execute(&pool).await.expect("the table can be made");
        let database = Database::connect(url).await.expect("the database is there");
        self.database = Some((database, pool));
        self
    }

    /// Waits until all that was taken and all that was committed is handled or dead, but not for ever: what is missing
    /// by then.
    ///
    /// # Errors
    /// A process ended by itself.
    pub async fn settled(
        &self,
        (book, crew): (&mut Book, &Crew),
        mut still: impl FnMut(&Book, usize),
    ) -> Result<Vec<String>, String> {
        let (mut began, mut dead, mut before) = (Instant::now(), BTreeSet::new(), None);
        loop {
            crew.watch().await?;
            book.read();
            let mut missing: Vec<String> = book.missing(&dead).into_iter().map(str::to_owned).collect();
            missing.extend(self.unseen(book, &dead).await);
            still(book, missing.len());
            if missing.is_empty() || began.elapsed() > SETTLES {
                return Ok(missing);
            }
            // It costs the broker something to tell of dead letters, so only where nothing goes on.
            if before.as_ref() == Some(&missing) {
                dead = self.dead().await;
            } else {
                began = Instant::now();
            }
            before = Some(missing);
            sleep(LOOK).await;
        }
    }

    /// What is committed, and was not yet seen anywhere.
    async fn unseen(&self, book: &Book, dead: &BTreeSet<String>) -> Vec<String> {
        let Some((database, _)) = &self.database else { return Vec::new() };
        let waiting = database.waiting().await.unwrap_or(1);
        let rows = (waiting > 0).then(|| format!("{waiting} rows of the outbox"));
        let effects = self.effects().await.into_iter().map(|(.., receipt)| receipt);
        let unseen = effects.filter(|receipt| !book.is_done(receipt) && !dead.contains(receipt));
        unseen.chain(rows).collect()
    }

    async fn effects(&self) -> Vec<Effect> {
        let Some((_, pool)) = &self.database else { return Vec::new() };
        let asked = sqlx::query_as("SELECT queue, id, receipt FROM effects");
        asked.fetch_all(pool).await.unwrap_or_default()
    }

    async fn dead(&self) -> BTreeSet<String> {
        let mut dead = BTreeSet::new();
        for plan in self.queues {
            let letters = self.transport.dead_letters(&plan.name, usize::MAX).await.unwrap_or_default();
            dead.extend(letters.iter().filter_map(|letter| letter.id().map(ToString::to_string)));
        }
        dead
    }

    /// Notes everything, once every process has ended; and what the broker counts otherwise than we.
    pub async fn note(&self, ledger: &Ledger) -> Vec<String> {
        for (queue, id, receipt) in self.effects().await {
            ledger.effect(id, queue);
            ledger.write(Entry::State { id: receipt });
        }
        let (mut wrong, counts) = (Vec::new(), self.counted().await);
        for plan in self.queues {
            let noted = self.note_dead(ledger, plan).await;
            let count = counts.get(&plan.dead_letters).copied().unwrap_or_default();
            if count != noted {
                let name = &plan.dead_letters;
                wrong.push(format!("the broker counts {count} messages in {name}, and {noted} were read"));
            }
            let is_ours = |name: &&String| name.starts_with(&plan.name) && **name != plan.dead_letters;
            let left: usize = counts.keys().filter(is_ours).map(|name| counts[name]).sum();
            if left > 0 {
                wrong.push(format!("{left} messages are left in {}", plan.name));
                self.note_left(ledger, plan).await;
            }
        }
        wrong
    }

    async fn note_dead(&self, ledger: &Ledger, plan: &QueuePlan) -> usize {
        let letters = self.transport.dead_letters(&plan.name, usize::MAX).await.expect("dead letters can be read");
        for letter in &letters {
            let id = letter.id().map_or_else(|| "(no id)".to_owned(), ToString::to_string);
            let sealed = Sealed { body: letter.payload().clone(), attributes: letter.attributes().clone() };
            let (subscription, checksum) = (plan.name.clone(), checksum(&sealed));
            let reason = Some(letter.reason().to_string()).filter(|_| !letter.error().is_empty());
            ledger.write(Entry::Dead { id, subscription, reason, checksum });
        }
        letters.len()
    }

    async fn note_left(&self, ledger: &Ledger, plan: &QueuePlan) {
        let mut deliveries = self.transport.consume(plan).await.expect("the queue can be read");
        while let Ok(next) = timeout(SILENCE, deliveries.next(100)).await {
            for delivery in next.expect("the queue can be read") {
                let id = delivery.id.as_ref().map_or_else(|| "(no id)".to_owned(), ToString::to_string);
                let (subscription, checksum) = (plan.name.clone(), checksum(&delivery.sealed));
                ledger.write(Entry::Left { id, subscription, checksum });
                // Or it would come again, for ever.
                let _ = delivery.ack().await;
            }
        }
    }

    /// How many messages the broker itself counts in each queue of ours.
    pub async fn counted(&self) -> BTreeMap<String, usize> {
        match &self.place.broker {
            Broker::Amqp { rabbit, .. } => {
                rabbit.counts(self.prefix).await.into_iter().map(|(name, count)| (name, count as usize)).collect()
            }
            Broker::Aws { emulator, .. } => {
                let (caller, mut counts) = (emulator.caller(), BTreeMap::new());
                for name in self.queues.iter().flat_map(|plan| [&plan.name, &plan.dead_letters]) {
                    let count = caller.count(name).expect("the queue is there").iter().sum::<u64>();
                    counts.insert(name.clone(), count as usize);
                }
                counts
            }
        }
    }
}
