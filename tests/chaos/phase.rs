//! One phase: servers, processes, faults, quiet, and the account.

use std::{
    fs,
    io::{IsTerminal, Write},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use tegami::{
    testing::ledger::{Entry, Ledger, Verdict},
    time::Clock,
    transport::{Provision, QueuePlan},
};
use tokio::time::{Instant, sleep};

use crate::{
    account::Account,
    asked::{Asked, Phase, Whose},
    baseline::{Held, find},
    book::Book,
    crew::{CREW, Crew, PUBLISHER},
    nemesis::{Nemesis, kills, plan},
    place::Place,
    report::{Report, Told},
    worker::{Given, fed},
};

/// How many messages are handled before anything goes wrong, and how long that may take.
const FIRST: usize = 50;
const BEGINS: Duration = Duration::from_secs(60);
/// How often it is looked how far all is, and how often that is told where nobody watches.
const LOOK: Duration = Duration::from_secs(1);
const LINES: u64 = 15;
/// How long nothing goes wrong before it is over.
const QUIET: Duration = Duration::from_secs(2);

/// The place of the phase under way, for whoever has to end its servers.
pub type Open = Mutex<Option<Arc<Place>>>;

/// Runs all phases, and prints what came of them: 0 if every promise was kept, 1 if one was not.
pub async fn all(asked: &Asked, open: &Open) -> i32 {
    let mut reports = Vec::new();
    for phase in &asked.phases {
        let place = Arc::new(Place::open(phase.way, asked.seed).await);
        *open.lock().expect("nobody panics") = Some(place.clone());
        let stage = Stage { asked, phase, place: &place, folder: asked.folder.join(phase.way.name()) };
        let report = stage.play().await;
        close(open).await;
        println!("{report}");
        if asked.kills.is_some() {
            println!("{}", report.summary());
        }
        reports.push(report);
    }
    let is_kept = reports.iter().all(Report::is_kept);
    let figures = serde_json::to_vec_pretty(&reports).expect("it is plain data");
    fs::write(&asked.figures, figures).expect("the figures can be written");
    if !is_kept {
        println!("seed {} fails. Run it again with:\n    {}", asked.seed, asked.replay);
        println!("its ledgers and logs are in {}", asked.folder.display());
    }
    i32::from(!is_kept)
}

/// Ends the servers of the phase under way, if there is one.
pub async fn close(open: &Open) {
    let place = open.lock().expect("nobody panics").take();
    if let Some(place) = place {
        place.close().await;
    }
}

/// A phase under way.
struct Stage<'a> {
    asked: &'a Asked,
    phase: &'a Phase,
    place: &'a Place,
    folder: PathBuf,
}

impl Stage<'_> {
    async fn play(&self) -> Report {
        fs::create_dir_all(&self.folder).expect("the folder can be made");
        let given = self.given(PUBLISHER);
        let queues = given.topology().queues;
        let ledger = Ledger::open(&self.folder, "nemesis", Clock::system()).expect("the ledger can be written");
        promise(&ledger, &queues, self.asked.whose);
        let transport = self.place.transport();
        if self.asked.whose != Whose::Tomodachi {
            transport.provision(&given.topology(), Provision::Create).await.expect("the queues can be made");
        }
        let (place, prefix) = (self.place, &*given.prefix);
        let mut account = Account { place, queues: &queues, prefix, transport: &*transport, database: None };
        if self.asked.whose == Whose::Tegami {
            account = account.with_effects().await;
        }
        let crew = Crew::start((0..CREW.len()).map(|place| self.given(place)).collect());
        let nemesis = Nemesis::new(self.place, &crew, &ledger);
        let (mut book, began) = (Book::of(&self.folder), Instant::now());
        let mut told = Told::default();
        let played = self.acts(&nemesis, &account, (&mut book, &mut told)).await;
        told.wrong.extend(played.err());
        (told.took, told.deeds, told.ended) = (began.elapsed(), nemesis.deeds(), crew.ended().await);
        drop(crew);
        match self.asked.whose {
            // It has no dead letters to look for.
            Whose::Tomodachi => told.left = account.counted().await.values().sum(),
            _ => told.wrong.extend(account.note(&ledger).await),
        }
        book.read();
        transport.close().await;
        let verdict = Verdict::of(&self.folder);
        told.wrong.extend(verdict.as_ref().err().map(ToString::to_string));
        told.put(&book);
        Report::of((self.asked, self.phase, self.place.name()), told, verdict.ok().as_ref(), &self.folder)
    }

    /// What happens, one after the other.
    async fn acts(
        &self,
        nemesis: &Nemesis<'_>,
        account: &Account<'_>,
        (book, told): (&mut Book, &mut Told),
    ) -> Result<(), String> {
        let crew = nemesis.crew;
        self.begun(crew, book).await?;
        if self.asked.rate.is_none() {
            let Held { rate, chosen } = find(crew, book).await;
            (told.held, told.rate) = ((rate > 0).then_some(rate), chosen);
        } else {
            told.rate = self.given(PUBLISHER).rate;
        }
        let began = Instant::now();
        tokio::select! {
            biased;
            raged = self.rage(nemesis) => raged?,
            ended = self.watch(nemesis, book) => return Err(ended),
        }
        told.raged = began.elapsed();
        sleep(QUIET).await;
        crew.watch().await?;
        told.stops.push(crew.stop(PUBLISHER).await?);
        let began = Instant::now();
        let missing =
            account.settled((book, crew), |book, missing| self.show(book, &format!("{missing} to come"))).await?;
        told.settled = began.elapsed();
        if !missing.is_empty() {
            let some = missing.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
            told.wrong.push(format!("{} messages do not come: {some}", missing.len()));
        }
        for place in PUBLISHER + 1..CREW.len() {
            told.stops.push(crew.stop(place).await?);
        }
        Ok(())
    }

    async fn rage(&self, nemesis: &Nemesis<'_>) -> Result<(), String> {
        let seed = self.asked.seed;
        match self.asked.kills {
            Some(kills) => nemesis.kill_all(seed, &kills::drawn(seed, kills)).await,
            None => nemesis.rage(&plan::drawn(seed, self.phase, self.asked.whose)).await,
        }
    }

    /// Waits until messages are handled.
    async fn begun(&self, crew: &Crew, book: &mut Book) -> Result<(), String> {
        let began = Instant::now();
        while book.handled < FIRST {
            if began.elapsed() > BEGINS {
                return Err(format!(
                    "only {} messages were handled in {BEGINS:?}, before anything went wrong",
                    book.handled
                ));
            }
            crew.watch().await?;
            sleep(LOOK / 5).await;
            book.read();
        }
        Ok(())
    }

    /// Tells how far it is, until a process ends by itself.
    async fn watch(&self, nemesis: &Nemesis<'_>, book: &mut Book) -> String {
        for second in 0_u64.. {
            book.read();
            if second.is_multiple_of(LINES) || std::io::stdout().is_terminal() {
                let deeds = nemesis.deeds();
                let more = match self.asked.kills {
                    Some(kills) => format!("{} of {kills} killed", deeds.kills),
                    None => format!("fault {}", deeds.faults.last().map_or("-", String::as_str)),
                };
                self.show(book, &more);
            }
            if let Err(ended) = nemesis.crew.watch().await {
                return ended;
            }
            sleep(LOOK).await;
        }
        unreachable!("it goes on for ever")
    }

    fn show(&self, book: &Book, more: &str) {
        let way = self.phase.way.name();
        let line = format!("   {way}: {} published, {} handled, {more}", book.published, book.handled);
        if std::io::stdout().is_terminal() {
            print!("\r\x1b[K{line}");
            let _ = std::io::stdout().flush();
        } else {
            println!("{line}");
        }
    }

    fn given(&self, place: usize) -> Given {
        let (name, role) = CREW[place];
        Given {
            role,
            name: name.to_owned(),
            life: 1,
            seed: self.asked.seed,
            way: self.phase.way,
            whose: self.asked.whose,
            url: self.place.url(Some(place)),
            prefix: format!("chaos-{:x}-{}-", self.asked.seed, std::process::id()),
            postgres: self.place.database(true),
            folder: self.folder.clone(),
            rate: self.asked.rate.unwrap_or(RATE),
            hold: self.asked.kills.map(|_| kills::HOLD),
            broken: self.asked.broken,
        }
    }
}

/// Messages a second, until it is known how many are held.
const RATE: u32 = 60;

/// Notes what the queues promise.
fn promise(ledger: &Ledger, queues: &[QueuePlan], whose: Whose) {
    for plan in queues.iter().filter(|plan| plan.ordered) {
        ledger.write(Entry::Ordered { subscription: plan.name.clone() });
    }
    if whose == Whose::Tegami {
        for plan in fed(queues, "shop.orders.v1.OrderPaid") {
            ledger.write(Entry::Inbox { subscription: plan.name.clone() });
        }
    }
}
