//! A queue into which a stranger puts such messages, and the account of them: the ledger knows only those of others.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use tegami::{
    HandlerError, Retry,
    service::Running,
    testing::transport::{Done, LetterPosted, Trial, letter, until},
    transport::Transport,
};
use tegami_test_servers::{Producer, Properties};
use tokio::task::spawn_blocking;

use super::shapes::{integer, shapes};

/// What the handler does with a letter.
const BOXES: [&str; 3] = ["well", "later", "never"];
/// Letters of others in the same queue.
const NEIGHBOURS: usize = 100;
/// Longer than any expiry of a shape that a copy could have kept.
const LONGER: Duration = Duration::from_secs(4);
/// What the subscription waits before it tries again.
const SHORT: [Duration; 2] = [Duration::from_millis(10), Duration::from_millis(20)];
/// The same steps, the last so long that what waits there is still there when the test looks. (An expired message that is
/// asked for at just that time is kept back by RabbitMQ 3.10 until something else happens in the queue.)
const LONG: [Duration; 2] = [SHORT[0], Duration::from_secs(60 * 60)];
/// How much too early a message comes.
const EARLY: Duration = Duration::from_secs(3);
/// How long anybody can have a message wait, and some time for the test.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60 + 60);

/// How often each letter was completed, by its number.
type Completed = Arc<Mutex<BTreeMap<u64, usize>>>;

/// R5, X1, X3: whatever stands beside a body.
pub async fn r5_what_a_stranger_writes_is_handled_or_kept_once(trial: &Trial) -> Done {
    let (completed, queue) = (Completed::default(), make(trial).await);
    let bystander = trial.plan("bystander", "elsewhere");
    let (put, refused) = put_all(trial, queue.clone(), bystander.name.clone()).await;
    // Its copies, if there were some, would find the way from now on.
    trial.declare(&*trial.connect().await, std::slice::from_ref(&bystander)).await;
    let running = billing(trial, &completed, SHORT).await;
    let neighbours = trial.listen("neighbour").await;
    for number in 0..NEIGHBOURS {
        let posted = letter("well", 1_000_000 + number);
        trial.post(neighbours.publisher(), &posted).await.expect("there are queues for it");
    }
    let outside = trial.connect().await;
    until(|| completed.lock().unwrap().range(1_000_000..).count() == NEIGHBOURS).await;
    let wanted: BTreeSet<u64> = put.keys().copied().collect();
    let mut dead = BTreeMap::new();
    while settled(&completed, &dead) != wanted {
        tokio::time::sleep(Duration::from_millis(200)).await;
        dead = dead_letters(&*outside, &queue).await;
    }
    tokio::time::sleep(LONGER).await;
    let dead = dead_letters(&*outside, &queue).await;
    for (number, shape) in &put {
        let times = completed.lock().unwrap().get(number).copied().unwrap_or_default();
        let kept = dead.get(number).map_or(0, Vec::len);
        assert_eq!(times + kept, 1, "{shape}: completed {times} times, kept {kept} times");
    }
    let texts = dead.values().flatten().map(String::as_str).collect::<String>();
    assert!(!texts.contains(char::is_control), "a dead letter tells what could forge a line");
    assert!(!texts.contains("forged"), "a dead letter tells what its sender made up");
    println!("{} messages: {} kept; RabbitMQ refused {refused:?}", put.len(), dead.len());
    for running in [running, neighbours] {
        running.stop().await.expect("no hook can fail");
    }
    Done::Kept
}

/// R5: a message that is not to be handled before the year 9999 does not wait for so long.
pub async fn r5_a_stranger_parks_no_message_for_ever(trial: &Trial) -> Done {
    let (completed, queue) = (Completed::default(), make(trial).await);
    let running = billing(trial, &completed, LONG).await;
    let parked = Properties::default().header("tegami-not-before", integer(253_402_300_799_000));
    put_one(trial, queue.clone(), parked).await;
    let neighbour = trial.listen("neighbour").await;
    trial.post(neighbour.publisher(), &letter("well", 1_000_000)).await.expect("there are queues for it");
    let latest = SystemTime::now() + LONGEST;
    let until = not_before(trial, &format!("{queue}-retry-2")).await;
    assert!(until < latest, "it waits until {until:?}");
    for running in [running, neighbour] {
        running.stop().await.expect("no hook can fail");
    }
    Done::Kept
}

/// R5: what comes too early is not handled before its time, also while there is no queue to wait in.
pub async fn r5_what_comes_too_early_waits_also_where_it_is(trial: &Trial) -> Done {
    let (completed, queue) = (Completed::default(), make(trial).await);
    let running = billing(trial, &completed, LONG).await;
    delete(trial, format!("{queue}-retry-1")).await;
    let time = SystemTime::now() + EARLY;
    let millis = time.duration_since(SystemTime::UNIX_EPOCH).expect("it is later than 1970").as_millis();
    let early = Properties::default().header("tegami-not-before", integer(millis as i64));
    put_one(trial, queue, early).await;
    let neighbour = trial.listen("neighbour").await;
    trial.post(neighbour.publisher(), &letter("well", 1_000_000)).await.expect("there are queues for it");
    until(|| completed.lock().unwrap().contains_key(&0)).await;
    assert!(SystemTime::now() >= time, "it was handled before its time");
    for running in [running, neighbour] {
        running.stop().await.expect("no hook can fail");
    }
    Done::Kept
}

/// Makes the queue of the strangers, which the account does not know; its name.
async fn make(trial: &Trial) -> String {
    let service = trial.service("billing").await.on::<LetterPosted>(quiet);
    let queue = service.topology().expect("it has one subscription").queues.remove(0).name;
    billing(trial, &Completed::default(), SHORT).await.stop().await.expect("no hook can fail");
    queue
}

async fn quiet(_: LetterPosted, _: tegami::Context) -> Result<(), HandlerError> {
    Ok(())
}

async fn billing(trial: &Trial, completed: &Completed, delays: [Duration; 2]) -> Running {
    let completed = completed.clone();
    let handler = move |letter: LetterPosted, ctx: tegami::Context| {
        let completed = completed.clone();
        async move {
            match (letter.r#box.as_str(), ctx.attempt()) {
                ("later", 1) => Err(HandlerError::retry("not yet")),
                ("never", _) => Err(HandlerError::reject("no such box")),
                _ => {
                    *completed.lock().unwrap().entry(letter.number).or_default() += 1;
                    Ok(())
                }
            }
        }
    };
    let service = trial.service("billing").await.on_with::<LetterPosted>(handler, |s| s.retry(Retry::after(delays)));
    service.start().await.expect("the service can start")
}

/// Puts three letters of each shape; which number is which shape, and what RabbitMQ did not take.
async fn put_all(trial: &Trial, queue: String, bystander: String) -> (BTreeMap<u64, String>, Vec<String>) {
    let port = port(trial).await;
    let work = move || {
        let (mut put, mut refused, mut producer) = (BTreeMap::new(), Vec::new(), Producer::connect(port)?);
        for (shape, (name, properties)) in shapes(&queue, &bystander).into_iter().enumerate() {
            for (place, address) in BOXES.into_iter().enumerate() {
                let number = (BOXES.len() * shape + place) as u64;
                match producer.put_as(&queue, &properties, body(address, number).as_bytes()) {
                    Ok(()) => drop(put.insert(number, format!("{name}, {address}"))),
                    Err(_) => {
                        refused.push(name.clone());
                        producer = Producer::connect(port)?;
                        break;
                    }
                }
            }
        }
        io::Result::Ok((put, refused))
    };
    spawn_blocking(work).await.expect("nothing there panics").expect("RabbitMQ is there")
}

async fn put_one(trial: &Trial, queue: String, properties: Properties) {
    let port = port(trial).await;
    let put = move || Producer::connect(port)?.put_as(&queue, &properties, body("well", 0).as_bytes());
    spawn_blocking(put).await.expect("nothing there panics").expect("RabbitMQ takes it");
}

async fn delete(trial: &Trial, queue: String) {
    let port = port(trial).await;
    let deleted = move || Producer::connect(port)?.delete(&queue);
    spawn_blocking(deleted).await.expect("nothing there panics").expect("RabbitMQ deletes it");
}

async fn port(trial: &Trial) -> u16 {
    let address = trial.address().await.expect("RabbitMQ has one");
    let port = address.rsplit(':').next().and_then(|rest| rest.split('/').next());
    port.and_then(|port| port.parse().ok()).expect("the address has a port")
}

fn body(address: &str, number: u64) -> String {
    let metadata = format!(
        r#"{{"message_uuid": "stranger-{number}", "protocol_version": "tomodachi-json-base--1.0.0", "timestamp": 1.5,
            "topic": "letters", "data_encoding": "raw"}}"#
    );
    let data = format!(r#"{{"box": "{address}", "number": "{number}", "text": "written by hand"}}"#);
    format!(r#"{{"service": {{"name": "foreign", "uuid": "f"}}, "metadata": {metadata}, "data": {data}}}"#)
}

fn settled(completed: &Completed, dead: &BTreeMap<u64, Vec<String>>) -> BTreeSet<u64> {
    let completed = completed.lock().unwrap();
    completed.keys().chain(dead.keys()).copied().filter(|number| *number < 1_000_000).collect()
}

/// What the dead letters of each number say.
async fn dead_letters(on: &dyn Transport, queue: &str) -> BTreeMap<u64, Vec<String>> {
    let mut dead = BTreeMap::<u64, Vec<String>>::new();
    for letter in on.dead_letters(queue, usize::MAX).await.expect("dead letters can be read") {
        let body = String::from_utf8_lossy(letter.payload());
        let number = body.split(r#""number": ""#).nth(1).and_then(|rest| rest.split('"').next());
        let number = number.and_then(|number| number.parse().ok()).expect("its body is whole");
        dead.entry(number).or_default().push(format!("{:?}", letter.details()));
    }
    dead
}

/// Takes the message that waits in a queue, and says until when.
async fn not_before(trial: &Trial, queue: &str) -> SystemTime {
    const NAME: &[u8] = b"tegami-not-beforel";
    let (port, queue) = (port(trial).await, queue.to_owned());
    let take = move || {
        let mut producer = Producer::connect(port)?;
        loop {
            if let Some(properties) = producer.take(&queue)? {
                return io::Result::Ok(properties);
            }
        }
    };
    let properties = spawn_blocking(take).await.expect("nothing there panics").expect("RabbitMQ is there");
    let at = properties.windows(NAME.len()).position(|bytes| bytes == NAME).expect("it says until when") + NAME.len();
    let millis = u64::from_be_bytes(properties[at..at + 8].try_into().expect("eight bytes"));
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}
