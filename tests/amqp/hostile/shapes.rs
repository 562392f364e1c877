//! What a stranger writes beside a body.

use std::time::{Duration, SystemTime};

use tegami_test_servers::Properties;

const INPUTS: usize = 186;

/// Names of properties by their places.
const TEXTS: [(&str, usize); 9] = [
    ("content type", 0),
    ("content encoding", 1),
    ("correlation id", 5),
    ("reply-to", 6),
    ("message id", 8),
    ("type", 10),
    ("app id", 12),
    ("cluster id", 13),
    ("user id", 11),
];

/// Shapes of properties, each with a name.
pub(super) fn shapes(queue: &str, bystander: &str) -> Vec<(String, Properties)> {
    let mut shapes = vec![("nothing".to_owned(), Properties::default())];
    shapes.extend(texts());
    shapes.extend(forged(queue, bystander));
    shapes.extend(edges());
    shapes.extend(large());
    assert_eq!(shapes.len(), INPUTS, "the corpus only grows");
    shapes
}

/// Texts that are none, or are more than that.
fn texts() -> Vec<(String, Properties)> {
    let long = "i".repeat(255);
    let values: [&[u8]; 6] =
        [b"", long.as_bytes(), b"a\r\n\x1b[31m\0", "ö".as_bytes(), b"\xff\xfe\xc3", b"tegami-nameless-1"];
    let one = TEXTS.into_iter().flat_map(|(name, place)| {
        values.map(|value| {
            (format!("{name} {:?}", value.escape_ascii().to_string()), Properties::default().text(place, value))
        })
    });
    let all = TEXTS.into_iter().filter(|(name, _)| *name != "user id");
    let all = all.fold(Properties::default(), |all, (_, place)| all.text(place, "x"));
    let all = all.octets(1, 255).timestamp(u64::MAX).text(7, "3000").text(11, "guest").header("x", text("y"));
    let expiries = ["1", "3000", "0"].map(|time| (format!("expires in {time}"), Properties::default().text(7, time)));
    one.chain([("every property".to_owned(), all)]).chain(expiries).collect()
}

/// Headers that the broker or tegami writes.
fn forged(queue: &str, bystander: &str) -> Vec<(String, Properties)> {
    let soon = SystemTime::now() + Duration::from_secs(2);
    let soon = soon.duration_since(SystemTime::UNIX_EPOCH).expect("it is after 1970").as_millis();
    let far = integer(253_402_300_799_000);
    let values = [integer(-1), time(1 << 63), text("99"), nested(b"F", 1), integer(i64::MIN), vec![b'V'], text("")];
    let counters = ["tegami-attempt", "tegami-first", "tegami-reason", "tegami-refused", "tegami-key", "x-death"];
    let others = ["x-delivery-count", "x-acquired-count", "x-first-death-queue", "tegami-integer", "tegami-event"];
    let mut forged = Vec::new();
    for name in counters.into_iter().chain(others) {
        for value in values.iter().chain([&far]) {
            forged.push((name, value.clone()));
        }
    }
    // A time of day beyond all is tried elsewhere: the message waits.
    for value in [integer(i64::try_from(soon).expect("it is soon")), integer(-1), text("9999"), nested(b"F", 1)] {
        forged.push(("tegami-not-before", value));
    }
    forged.push(("tegami-refused", text("a\n\x1b[31mb")));
    forged.push(("tegami-reason", text(REASON)));
    forged.push(("CC", array(&[text(bystander)])));
    forged.push(("BCC", array(&[text(bystander), text(bystander)])));
    forged.push(("CC", text(bystander)));
    forged.push(("x-death", array(&[death(queue)])));
    let one = forged.into_iter().map(|(name, value)| {
        let shown = value.escape_ascii().to_string().chars().take(40).collect::<String>();
        (format!("{name} {shown}"), Properties::default().header(name, value))
    });
    let expired = Properties::default().text(7, "1").header("tegami-reason", text(REASON));
    one.chain([("a reason of its own, expired".to_owned(), expired)]).collect()
}

/// A reason as tegami writes it, made up.
const REASON: &str = r#"{"kind":"permanent","error":"forged\n\u001b[31m","event":"forged","service":"forged","queue":"forged",
    "attempts":1,"first":"2025-11-24T16:00:00Z","last":"2025-11-24T16:00:00Z"}"#;

/// Values at the ends of their types.
fn edges() -> Vec<(String, Properties)> {
    let mut values = vec![integer(i64::MIN), integer(i64::MAX), time(u64::MAX), text(b"\xff\xfe")];
    // The last two are of the standard, and RabbitMQ does not know them.
    let ones =
        [(b't', 1), (b'b', 1), (b'B', 1), (b's', 2), (b'u', 2), (b'I', 4), (b'i', 4), (b'f', 4), (b'U', 2), (b'L', 8)];
    for (kind, size) in ones {
        values.push([vec![kind], vec![0xff; size]].concat());
    }
    values.push([&b"d"[..], &f64::NAN.to_be_bytes()].concat());
    values.push([&b"d"[..], &f64::INFINITY.to_be_bytes()].concat());
    values.push(b"D\xff\xff\xff\xff\xff".to_vec());
    values.push(b"x\0\0\0\x02\xff\0".to_vec());
    values.extend([nested(b"A", 30), nested(b"F", 30)]);
    let shapes = values.into_iter().map(|value| {
        let shown = value.escape_ascii().to_string().chars().take(40).collect::<String>();
        (format!("header {shown}"), Properties::default().header("edge", value))
    });
    let name = Properties::default().header(b"\xff\xfe", text("a name that is no text"));
    shapes.chain([("a name that is no text".to_owned(), name)]).collect()
}

/// As much as fits into a frame, in many headers and in one.
fn large() -> Vec<(String, Properties)> {
    let many = (0..1_000).fold(Properties::default(), |all, number| all.header(format!("h{number}"), text("v")));
    let one = |bytes: usize| Properties::default().header("long", text("v".repeat(bytes)));
    let key = Properties::default().header("tegami-key", text("k".repeat(100_000)));
    let mut shapes = vec![("1,000 headers".to_owned(), many), ("a long key".to_owned(), key)];
    shapes.extend([120_000, 122_000, 123_500, 130_000, 131_000].map(|bytes| (format!("{bytes} bytes"), one(bytes))));
    shapes
}

pub(super) fn integer(number: i64) -> Vec<u8> {
    [&b"l"[..], &number.to_be_bytes()].concat()
}

fn time(seconds: u64) -> Vec<u8> {
    [&b"T"[..], &seconds.to_be_bytes()].concat()
}

fn text(text: impl AsRef<[u8]>) -> Vec<u8> {
    sized(b"S", text.as_ref())
}

fn array(values: &[Vec<u8>]) -> Vec<u8> {
    sized(b"A", &values.concat())
}

fn death(queue: &str) -> Vec<u8> {
    let fields = [("queue", text(queue)), ("reason", text("expired")), ("count", integer(1_000_000))];
    let fields = fields.map(|(name, value)| [&[name.len() as u8], name.as_bytes(), &value].concat());
    sized(b"F", &fields.concat())
}

/// Arrays or tables in each other.
fn nested(kind: &[u8], levels: usize) -> Vec<u8> {
    let name: &[u8] = if kind == b"F" { b"\x01t" } else { b"" };
    (1..levels).fold(sized(kind, b""), |inside, _| sized(kind, &[name, &inside].concat()))
}

fn sized(kind: &[u8], bytes: &[u8]) -> Vec<u8> {
    let size = u32::try_from(bytes.len()).expect("it fits into a frame");
    [kind, &size.to_be_bytes(), bytes].concat()
}
