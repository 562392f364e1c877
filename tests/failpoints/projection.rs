//! A process that ends at each point of a projection, and starts again: every event has its effect once; or is published at
//! least once, with its own id and in its order.

#![cfg(unix)]

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::Write,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use tegami::{
    Service,
    error::BoxError,
    failpoint::{
        Point,
        fail::{self, FailScenario},
    },
    middleware::{Next, from_fn},
    projection::{Checkpoints, Id, Progress, Projection, ProjectionOptions, Publishing},
    store::{Append, Position, Query, Store, Stored, StreamId},
    testing::at_length,
    transport::{Memory, Outgoing},
};
use tokio::runtime::Runtime;

use crate::{
    contracts::shop::orders::v1::OrderPaid,
    outbox::{
        Folder, each,
        place::{File, Place, Postgres},
    },
};

/// Tells the binary to be the process that ends: where its folder and its database are, and what it does.
const ROLE: &str = "FAILPOINTS_PROJECTION";
const ADDRESS: &str = "FAILPOINTS_DATABASE";
const WORK: &str = "FAILPOINTS_WORK";
const LONG: Duration = Duration::from_secs(60);
const SIGABRT: i32 = 6;

/// What is done with the events.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Work {
    Table,
    Publishing,
}

/// Where it is done.
#[derive(Clone, Copy)]
struct Here<'a> {
    folder: &'a Path,
    address: &'a str,
    work: Work,
}

fn id() -> Id {
    Id::new("sales", 1)
}

/// Events of two keys.
async fn record<P: Place>(address: &str) {
    let db = P::open(address).await;
    let append = Append::to(StreamId::new("orders").expect("a good name"));
    let append = (1..=at_length(10, 66) as i64).fold(append, |append, n| {
        let order = format!("o-{}", n % 2);
        append
            .event(&OrderPaid::builder().order_id(order).currency("EUR").amount_minor(n).build())
            .expect("it is valid")
    });
    P::store(&db).append(append).await.expect("it is appended");
    P::close(db).await;
}

async fn write<P: Place>(paid: Stored<OrderPaid>, tx: &mut P::Tx) -> Result<(), BoxError> {
    P::write(tx, &paid.event.amount_minor.to_string()).await
}

/// A service whose broker is a file, with what it does; and how far that is.
fn service<P: Place<Db: Checkpoints>>(here: Here<'_>, db: &P::Db, store: &Store) -> (Service, Progress) {
    let sent = OpenOptions::new().create(true).append(true).open(here.folder.join("sent")).expect("a file");
    let broker = from_fn(move |outgoing: Outgoing, _: Next<Outgoing>| {
        let mut sent = sent.try_clone().expect("the file is open");
        async move {
            sent.write_all(format!("{}\n", outgoing.id).as_bytes()).expect("it is written");
            Ok(())
        }
    });
    let service = Service::new("shop").transport(Memory::new()).publish_middleware(broker);
    let three = |options: ProjectionOptions| options.batch(3).poll(Duration::from_millis(20));
    match here.work {
        Work::Table => {
            let sales = Projection::new("sales", 1).on::<OrderPaid>(write::<P>);
            let progress = sales.progress(db, store);
            (service.projection_with(db, store, sales, three), progress)
        }
        Work::Publishing => {
            let sales = Publishing::new("sales", 1).event::<OrderPaid>();
            let progress = sales.progress(db, store);
            (service.publishing_with(db, store, sales, three), progress)
        }
    }
}

/// Runs it until it has all events, three in a transaction.
async fn work<P: Place<Db: Checkpoints>>(here: Here<'_>) {
    let db = P::open(here.address).await;
    let (service, progress) = service::<P>(here, &db, &P::store(&db));
    let running = service.start().await.expect("it starts");
    progress.until_caught_up(LONG).await.expect("it gets there");
    running.stop().await.expect("it stops");
    P::close(db).await;
}

/// Not a test by itself: the process that the tests below start.
#[test]
fn process() {
    let Some(folder) = std::env::var_os(ROLE) else { return };
    let [address, work] = [ADDRESS, WORK].map(|name| std::env::var(name).expect("it was told"));
    let work = if work == "Table" { Work::Table } else { Work::Publishing };
    let here = Here { folder: Path::new(&folder), address: &address, work };
    let scenario = FailScenario::setup();
    Runtime::new().expect("a runtime").block_on(async {
        match address.starts_with("postgres://") {
            true => self::work::<Postgres>(here).await,
            false => self::work::<File>(here).await,
        }
    });
    scenario.teardown();
}

/// Runs it with these points set, and says whether it ended at one.
fn ended_at_point(here: Here<'_>, set: &str) -> bool {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["projection::process", "--exact"]).stdin(Stdio::null()).env(ROLE, here.folder);
    command.env(ADDRESS, here.address).env(WORK, format!("{:?}", here.work)).env("FAILPOINTS", set);
    let output = command.output().expect("this binary runs");
    let ended = output.status.signal() == Some(SIGABRT);
    assert!(ended || output.status.success(), "{set}: {}", String::from_utf8_lossy(&output.stderr));
    ended
}

/// What is there: each event up to the checkpoint once, or published; and in order. With `all`, that is every event.
async fn check<P: Place<Db: Checkpoints>>(here: Here<'_>, what: &str, all: bool) {
    let db = P::open(here.address).await;
    let checkpoint = db.checkpoint(&id()).await.expect("it is read").map_or(Position::START, |known| known.position);
    let page = P::store(&db).inner().read_all(&Query::all(), Position::START, 100).await.expect("it is read");
    let (written, events) = (P::written(&db).await, page.events);
    P::close(db).await;
    let count = events.iter().filter(|event| event.position <= checkpoint).count();
    assert!(!all || count == events.len(), "{what}: the checkpoint is {checkpoint}");
    if here.work == Work::Table {
        let expected: Vec<_> = (1..=count).map(|n| n.to_string()).collect();
        return assert_eq!(written, expected, "{what}: the checkpoint is {checkpoint}");
    }
    let heads: Vec<_> = events.into_iter().map(|event| event.entry.message.head).collect();
    let key_of = |id: &str| heads.iter().find(|head| head.id.as_ref().is_some_and(|own| own.as_str() == id));
    let mut sent = BTreeMap::<String, Vec<String>>::new();
    for id in fs::read_to_string(here.folder.join("sent")).unwrap_or_default().lines() {
        let head = key_of(id).unwrap_or_else(|| panic!("{what}: {id} was never recorded"));
        sent.entry(head.key.clone().expect("it has one")).or_default().push(id.to_owned());
    }
    for key in ["o-0", "o-1"] {
        let of_key = |count: usize| heads[..count].iter().filter(|head| head.key.as_deref() == Some(key));
        let ids =
            |count| of_key(count).map(|head| head.id.as_ref().expect("it has one").to_string()).collect::<Vec<_>>();
        let sent = sent.remove(key).unwrap_or_default();
        let mut firsts = Vec::new();
        for id in &sent {
            if !firsts.contains(id) {
                firsts.push(id.clone());
            }
        }
        assert!(sent.iter().all(|id| sent.iter().filter(|other| *other == id).count() <= 2), "{what}: {sent:?}");
        assert!(firsts.len() >= ids(count).len(), "{what}: {key} was not published up to {checkpoint}: {sent:?}");
        assert_eq!(firsts, ids(heads.len())[..firsts.len()], "{what}: not in its order");
    }
}

/// Ends the process at each point, once it was passed so often.
fn strikes<P: Place<Db: Checkpoints>>(work: Work, passed: &[usize]) {
    let (place, runtime) = (P::new(), Runtime::new().expect("a runtime"));
    for (point, passed) in each(&Point::IN_PROJECTIONS, passed) {
        let what = format!("{} after {passed}", point.name());
        let folder = Folder::new(&format!("projection-{}-{passed}-{work:?}", point.name()));
        let address = place.fresh(&folder.0);
        let here = Here { folder: &folder.0, address: &address, work };
        runtime.block_on(record::<P>(&address));
        assert!(ended_at_point(here, &format!("{}={passed}*off->1*return(abort)", point.name())), "{what}: not passed");
        runtime.block_on(check::<P>(here, &what, false));
        runtime.block_on(P::end_leases(&address));
        assert!(!ended_at_point(here, ""), "{what}");
        runtime.block_on(check::<P>(here, &what, true));
    }
}

/// A failure at each point.
fn fails<P: Place<Db: Checkpoints>>(work: Work) {
    let (scenario, place, runtime) = (FailScenario::setup(), P::new(), Runtime::new().expect("a runtime"));
    for point in Point::IN_PROJECTIONS {
        let folder = Folder::new(&format!("projection-{}-{work:?}-error", point.name()));
        let address = place.fresh(&folder.0);
        let here = Here { folder: &folder.0, address: &address, work };
        runtime.block_on(record::<P>(&address));
        fail::cfg(point.name(), "1*off->1*return(error)->off").expect("a good action");
        runtime.block_on(self::work::<P>(here));
        fail::remove(point.name());
        runtime.block_on(check::<P>(here, point.name(), true));
    }
    scenario.teardown();
}

mod sqlite {
    use super::*;

    /// E-04.
    #[test]
    fn e4_f27_a_process_that_ends_at_any_point_of_a_projection_leaves_effect_and_checkpoint_together() {
        strikes::<File>(Work::Table, &[0, 1, 2]);
    }

    #[test]
    fn e4_a_failure_at_any_point_of_a_projection_is_mended_by_the_next_attempt() {
        fails::<File>(Work::Table);
    }

    #[test]
    fn t2_f27_a_process_that_ends_while_it_publishes_what_is_recorded_publishes_all_of_it_in_order() {
        strikes::<File>(Work::Publishing, &[1]);
    }

    #[test]
    fn t2_a_failure_while_what_is_recorded_is_published_is_mended_by_the_next_attempt() {
        fails::<File>(Work::Publishing);
    }
}

mod postgres {
    use super::*;

    #[test]
    fn e4_f27_a_process_that_ends_at_any_point_of_a_projection_leaves_effect_and_checkpoint_together() {
        strikes::<Postgres>(Work::Table, &[1]);
    }

    #[test]
    fn e4_a_failure_at_any_point_of_a_projection_is_mended_by_the_next_attempt() {
        fails::<Postgres>(Work::Table);
    }

    #[test]
    fn t2_f27_a_process_that_ends_while_it_publishes_what_is_recorded_publishes_all_of_it_in_order() {
        strikes::<Postgres>(Work::Publishing, &[1]);
    }

    #[test]
    fn t2_a_failure_while_what_is_recorded_is_published_is_mended_by_the_next_attempt() {
        fails::<Postgres>(Work::Publishing);
    }
}
