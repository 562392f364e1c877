//! Queues in order: groups, and what tells a repeat.

use std::{collections::BTreeMap, time::UNIX_EPOCH};

use serde_json::Value;
use tegami::transport::aws::tomodachi_queue;

use super::{
    Emulated,
    office::{COMPAT, FILED, Office, Way, filed, filing, reads_filed},
};
use crate::{desk::Plan, generated::letters::v1::LetterFiled, peer::Kind, share::at_times};

/// Letters in each folder.
const LETTERS: u64 = 10;
/// Folders where one reads, and where two do.
const FEW: u64 = 4;
const MANY: u64 = 12;

/// Each folder's first letter, then each one's second.
fn letters(folders: u64) -> impl Iterator<Item = LetterFiled> {
    let numbers = (0..LETTERS).flat_map(move |number| (0..folders).map(move |folder| (folder, number)));
    numbers.map(|(folder, number)| letter(folder, number))
}

fn letter(folder: u64, number: u64) -> LetterFiled {
    LetterFiled::builder().r#box(format!("folder-{folder}")).number(number).text("hello").build()
}

/// Numbers by their folders, in the order in which they came.
type Seen = BTreeMap<String, Vec<u64>>;

fn in_order(folders: u64) -> Seen {
    (0..folders).map(|folder| (format!("folder-{folder}"), (0..LETTERS).collect())).collect()
}

pub async fn to_tomodachi(on: Emulated, kind: Kind, way: Way) {
    let office = Office::open(on).await;
    let mut peer = office.peer([reads_filed(kind, Some("peer.fifo"))]).await;
    let running = office.service(kind, "").start().await.expect("it starts");
    let (publisher, mut seen) = (running.publisher(), Seen::new());
    for letter in letters(FEW) {
        let sent = match way {
            Way::Topic | Way::Notification => publisher.publish(&letter).await,
            Way::Queue => publisher.publish_with(&letter, |p| p.queue("peer.fifo")).await,
        };
        sent.expect("it is published");
    }
    for _ in 0..FEW * LETTERS {
        let read = peer.read().await;
        assert_eq!(read.beside["group"], read.data["box"], "a group is a key");
        assert_eq!(read.beside["deduplication"], read.id, "a repeat is told by the message's id");
        seen.entry(read.beside["group"].as_str().expect("text").to_owned()).or_default().push(read.number());
    }
    assert_eq!(seen, in_order(FEW));
    running.stop().await.expect("it stops");
}

pub async fn to_tegami(on: Emulated, kind: Kind, way: Way) {
    let office = Office::open(on).await;
    let mut desk = office.desk(Plan { parameters: way.parameters(), ..filing(kind) }).await.expect("it starts");
    let mut peer = office.peer([]).await;
    for letter in letters(FEW) {
        let repeat = format!("{}.{}", letter.r#box, letter.number);
        for _ in 0..2 {
            peer.send(filed(kind, way, &letter, &repeat)).await;
        }
    }
    let mut seen = Seen::new();
    for _ in 0..FEW * LETTERS {
        let run = desk.run().await;
        seen.entry(run.letter.r#box).or_default().push(run.letter.number);
    }
    assert_eq!(seen, in_order(FEW), "each once, and in order");
    desk.running.stop().await.expect("it stops");
}

pub async fn given_up(on: Emulated, kind: Kind) {
    let office = Office::open(on).await;
    let mut desk = office.desk(Plan { fails: |run, _| run <= 2, ..filing(kind) }).await.expect("it starts");
    let mut peer = office.peer([]).await;
    for number in 0..2 {
        peer.send(filed(kind, Way::Topic, &letter(0, number), &number.to_string())).await;
    }
    let runs = [desk.run().await, desk.run().await, desk.run().await];
    assert_eq!(runs.map(|run| (run.letter.number, run.ctx.attempt())), [(0, 1), (0, 2), (1, 1)]);
    let dead = office.emulator.caller().receive(&office.name("desk-dead.fifo")).expect("it is there");
    let [dead] = &dead[..] else { panic!("one is given up on: {dead:?}") };
    let reason = dead["MessageAttributes"]["tegami-reason"]["StringValue"].as_str().expect("it has one");
    let reason: Value = serde_json::from_str(reason).expect("it is JSON");
    assert_eq!(reason["group"], "folder-0", "where it goes back to");
    desk.running.stop().await.expect("it stops");
}

pub async fn shared(on: Emulated, kind: Kind) {
    let office = Office::open(on).await;
    let mut peer = office.peer([reads_filed(kind, None)]).await;
    let queue = tomodachi_queue(FILED) + ".fifo";
    let plan = Plan { parameters: COMPAT, queue, fails: at_times, ..filing(kind) };
    let mut desk = office.desk(plan).await.expect("it joins");
    let letters: Vec<_> = letters(MANY).collect();
    for answer in desk.running.publisher().publish_all(&letters).await {
        answer.expect("it is published");
    }
    let (mut handled, mut by_tomodachi) = (Vec::new(), 0);
    while handled.len() < letters.len() {
        tokio::select! {
            read = peer.read() => {
                by_tomodachi += 1;
                let folder = read.data["box"].as_str().expect("text").to_owned();
                handled.push((read.at, folder, read.number()));
            }
            run = desk.run() => if !run.failed {
                let at = run.at.duration_since(UNIX_EPOCH).expect("it is later").as_secs_f64();
                handled.push((at, run.letter.r#box, run.letter.number));
            },
        }
    }
    // Both run here, by one clock; what each tells comes to us as it likes.
    handled.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut seen = Seen::new();
    for (_, folder, number) in handled {
        seen.entry(folder).or_default().push(number);
    }
    assert_eq!(seen, in_order(MANY), "each once, and in order");
    assert!((1..letters.len()).contains(&by_tomodachi), "each has a part: {by_tomodachi}");
    desk.running.stop().await.expect("it stops");
}
