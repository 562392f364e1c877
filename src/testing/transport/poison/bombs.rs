//! Small messages that want to become large or deep.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;

use super::{
    super::{
        Done, Trial,
        office::{LETTER, Office, enveloped},
        process::{memory_from_now, most_memory, time_on_cpu},
        tally::until,
    },
    open,
    packed::{MEBIBYTE, bytes_per_mebibyte, field, in_base64, letter, protobuf, repeated, zlib, zlibbed},
};
use crate::{
    Service,
    envelope::ProtobufBase,
    telemetry::{End, Fact},
    testing::ledger::Checksum,
    transport::ReasonKind::{self, TooLarge, Undecodable},
};

/// The most time on processors that one message may take. Without optimisation the same work takes up to twenty times
/// as long, which is allowed for; the bound that is promised is the other one.
const MOST_TIME: Duration = if cfg!(debug_assertions) { Duration::from_secs(1) } else { Duration::from_millis(50) };
/// The most memory that one message may take beyond what was there.
const MOST_MEMORY: u64 = 16 * MEBIBYTE as u64;
/// The largest message that a service opens.
const MESSAGE_LIMIT: usize = MEBIBYTE;

type Bomb = (&'static str, Bytes, ReasonKind);

/// X3: a message that unpacks to a multiple of itself, or pretends to, is dead after little time and memory.
pub async fn x_07_bombs(trial: &Trial) -> Done {
    if memory_from_now().is_none() || time_on_cpu().is_none() {
        return Done::NotHere("Linux's /proc, to read time on processors and memory, and to count the most of it anew");
    }
    let room = room(trial).await;
    explode(trial, "billing", in_json(room), |service| service).await;
    explode(trial, "shipping", in_protobuf(room), |service| service.envelope(ProtobufBase::default())).await;
    assert_eq!(trial.tally().attempts(), 0, "no handler runs");
    Done::Kept
}

/// The bytes of the largest message that gets here, less what is around a bomb.
async fn room(trial: &Trial) -> usize {
    trial.capabilities().await.message_limit.min(MESSAGE_LIMIT) - 4 * 1024
}

/// Puts each of them alone, into a queue of its own, and looks at what it costs.
async fn explode(trial: &Trial, named: &str, bombs: Vec<Bomb>, choose: fn(Service) -> Service) {
    for (number, (name, body, reason)) in bombs.into_iter().enumerate() {
        let service = trial.service(named).await.prefix(format!("{}{named}-{number}-", trial.prefix()));
        let buried = Arc::new(AtomicUsize::new(0));
        let office = open(trial, choose(service).observe(counting(&buried))).await;
        // What a connection needs once is there after the first message, and is no bomb's.
        let first = put(trial, &office, "no envelope", Bytes::from_static(b"no envelope")).await;
        office.dead(1).await;
        until(|| buried.load(Ordering::SeqCst) >= 1).await;
        let (time, memory) = (time_on_cpu().unwrap_or_default(), memory_from_now().unwrap_or_default());
        let id = put(trial, &office, name, body).await;
        // A look at dead letters takes time on processors, too, and on a busy machine there would be many.
        until(|| buried.load(Ordering::SeqCst) >= 2).await;
        let (time, most) = (time_on_cpu().unwrap_or_default() - time, most_memory().unwrap_or(u64::MAX));
        let memory = most.saturating_sub(memory);
        let letters = office.dead(2).await;
        assert!(letters.iter().any(|letter| letter.id() == Some(&first)));
        let letter = letters.iter().find(|letter| letter.id() == Some(&id)).expect("it is dead");
        assert_eq!(letter.reason(), reason, "{name}: {}", letter.error());
        assert!(time <= MOST_TIME, "{name} took {time:?}");
        assert!(memory <= MOST_MEMORY, "{name} took {memory} bytes");
        office.close().await;
    }
}

/// Counts the messages that are dead.
fn counting(buried: &Arc<AtomicUsize>) -> impl Fn(&Fact<'_>) + use<> {
    let buried = buried.clone();
    move |fact| {
        let is_dead = matches!(fact, Fact::Settled(settled) if settled.end == End::DeadLettered);
        buried.fetch_add(usize::from(is_dead), Ordering::SeqCst);
    }
}

/// As [`Office::put`], without a look whether a letter is in it: that would explode it here.
async fn put(trial: &Trial, office: &Office, name: &str, body: Bytes) -> crate::envelope::MessageId {
    let message = trial.message(&office.queue, body);
    let (id, checksum) = (message.id.clone(), Checksum::of(&message.sealed));
    trial.note_publish(&id, None, checksum, vec![office.queue.name.clone()]);
    let answer = office.outside.publish(message).await;
    trial.note_answer(&id, &answer);
    answer.unwrap_or_else(|error| panic!("{name}: {error}"));
    id
}

/// As many mebibytes of a byte as can be packed into a message of this size, of which base64 takes a quarter.
fn most_mebibytes(byte: u8, room: usize) -> usize {
    room * 3 / 4 / bytes_per_mebibyte(byte) - 2
}

fn in_json(room: usize) -> Vec<Bomb> {
    let bomb = |packed: &[u8]| Bytes::from(zlibbed("m", &in_base64(packed)));
    let most = most_mebibytes(0, room).min(most_mebibytes(b' ', room));
    let small = repeated(b' ', 64.min(most));
    let many = |byte, mebibytes: usize| repeated(byte, mebibytes.min(most_mebibytes(byte, room)));
    let just_beyond = [b"\x78\xda", &zlib(&vec![b' '; 8 * MEBIBYTE + 1])[2..]].concat();
    let digits = "9".repeat(room - 1024);
    let mut bombs = vec![
        ("16 MiB", bomb(&repeated(0, 16)), TooLarge),
        ("64 MiB", bomb(&many(b'[', 64)), TooLarge),
        ("128 MiB, if they fit", bomb(&many(b'"', 128)), TooLarge),
        ("as many MiB as fit", bomb(&repeated(b' ', most)), TooLarge),
        ("a byte beyond the limit", bomb(&just_beyond), TooLarge),
        ("cut far behind the limit", bomb(&small[..small.len() / 2]), TooLarge),
        ("more bytes behind a bomb", bomb(&[&small[..], b"junk"].concat()), TooLarge),
        ("a bomb in a bomb", bomb(&zlib(&repeated(0, most))), Undecodable),
        ("a bomb behind a letter", bomb(&[zlib(b"{\"box\": \"a\"}"), repeated(0, most / 2)].concat()), Undecodable),
        ("gzip", bomb(&[b"\x1f\x8b\x08\0\0\0\0\0\0\x03", &many(0, 64)[2..]].concat()), Undecodable),
        ("exactly the limit, and no JSON", bomb(&repeated(0, 8)), Undecodable),
        ("8 MiB of brackets", bomb(&repeated(b'[', 8)), Undecodable),
    ];
    let data = [
        ("a long number", format!(r#"{{"box": "a", "number": {digits}}}"#)),
        ("a long number as text", format!(r#"{{"box": "a", "number": "{digits}"}}"#)),
        ("a number of many digits below 1", format!(r#"{{"box": "a", "number": 0.1{digits}}}"#)),
        ("an exponent without end", format!(r#"{{"box": "a", "number": 1e{digits}}}"#)),
        ("a long text where a number is", format!(r#"{{"box": "a", "number": "{}"}}"#, "x".repeat(room - 1024))),
        ("many names", format!("{{{}}}", names(room - 1024))),
        ("many lists", format!("[{}0]", "[],".repeat(room / 3 - 1024))),
    ];
    bombs.extend(data.map(|(name, data)| (name, enveloped("m", &data).into(), Undecodable)));
    bombs
}

/// Members of an object, so many bytes of them; the last is the first again.
fn names(room: usize) -> String {
    let members = (0..room / 12).map(|number| format!("\"{number:06x}\":0,"));
    members.collect::<String>() + "\"000000\":0"
}

fn in_protobuf(room: usize) -> Vec<Bomb> {
    let body = |encoding: &str, data: &[u8]| Bytes::from(in_base64(protobuf("m", encoding, data)));
    let most = most_mebibytes(0, room).min(most_mebibytes(b'\n', room));
    let packed = in_base64(repeated(0, most * 3 / 4));
    let claim = [field(2, b""), vec![0x1a, 0xff, 0xff, 0xff, 0xff, 0x07]].concat();
    vec![
        ("16 MiB in protobuf", body("gzip_proto", &repeated(0, 16)), TooLarge),
        ("as many MiB as fit in protobuf", body("gzip_proto", &repeated(b'\n', most)), TooLarge),
        ("base64 of base64", body("base64_gzip_proto", packed.as_bytes()), TooLarge),
        ("8 MiB that are no letter", body("gzip_proto", &repeated(0, 8)), Undecodable),
        ("a cut stream", body("gzip_proto", &repeated(0, 7)[..2048]), Undecodable),
        ("a length of 2 GiB", in_base64(claim).into(), Undecodable),
        ("a number without end", in_base64(vec![0xff; room / 2]).into(), Undecodable),
    ]
}

/// X1, X3: a message that is nested a hundred thousand times, or as often as fits, is dead, and the process lives.
pub async fn x_08_depth(trial: &Trial) -> Done {
    let service = trial.service("billing").await;
    survive(trial, &open(trial, service).await, deep_json(room(trial).await), |id| enveloped(id, LETTER)).await;
    let service = trial.service("shipping").await.prefix(format!("{}p-", trial.prefix()));
    let service = service.envelope(ProtobufBase::default());
    let good = |id: &str| in_base64(protobuf(id, "proto", &letter()));
    survive(trial, &open(trial, service).await, deep_protobuf(), good).await;
    Done::Kept
}

async fn survive(trial: &Trial, office: &Office, bodies: Vec<String>, good: impl FnOnce(&str) -> String) {
    let before = trial.tally().done();
    for body in &bodies {
        office.put(trial, |message| message.sealed.body = body.clone().into()).await;
    }
    office.put(trial, |message| message.sealed.body = good(message.id.as_str()).into()).await;
    trial.tally().until_done(before + 1).await;
    let dead = office.dead(bodies.len()).await;
    assert_eq!(dead.len(), bodies.len(), "each is one dead letter");
    assert!(dead.iter().all(|letter| letter.reason() == Undecodable), "{dead:?}");
    assert_eq!(trial.tally().attempts(), before + 1, "no handler runs for them");
}

fn deep_json(room: usize) -> Vec<String> {
    let levels = (room / 6 - 100).min(100_000);
    let lists = "[".repeat(levels) + &"]".repeat(levels);
    let objects = "{\"a\":".repeat(levels) + "0" + &"}".repeat(levels);
    let with = |text: &str| format!(r#"{{"box": "a", "text": {text}}}"#);
    vec![
        "[".repeat(levels),
        lists.clone(),
        objects.clone(),
        enveloped("m", &lists),
        enveloped("m", &with(&objects)),
        enveloped("m", LETTER).replace("\"foreign\"", &lists),
        zlibbed("m", &in_base64(zlib(with(&lists).as_bytes()))),
        zlibbed("m", &in_base64(zlib(objects.as_bytes()))),
    ]
}

fn deep_protobuf() -> Vec<String> {
    const LEVELS: usize = 10_000;
    // Groups of the number 100, which nobody knows: opened, and closed again.
    let groups = [[0xa3, 0x06].repeat(LEVELS), [0xa4, 0x06].repeat(LEVELS)].concat();
    let messages = (0..LEVELS).fold(b"a".to_vec(), |inner, _| field(1, &inner));
    vec![
        in_base64(&groups),
        in_base64([0xa3, 0x06].repeat(LEVELS)),
        in_base64(field(2, &groups)),
        in_base64(protobuf("m", "proto", &[letter(), groups.clone()].concat())),
        in_base64(protobuf("m", "gzip_proto", &zlib(&groups))),
        in_base64(&messages),
        in_base64(protobuf("m", "proto", &messages)),
    ]
}
