//! What comes back is what was given, up to the limits.

use std::time::{Duration, SystemTime};

use super::{
    Done, Trial,
    trial::{letter, letters, stream, versions},
};
use crate::{
    codec::Payload,
    envelope::{Head, Message, MessageId},
    event::{Attributes, Encoding, Value},
    store::{Append, Entry, Expected, Position, Query, Snapshot, StoreErrorKind, Version},
};

/// Every part of an entry is given back as it was, to the nanosecond and the byte.
pub async fn e_10_kept_as_given(trial: &Trial) -> Done {
    let store = trial.store().await;
    let epoch = SystemTime::UNIX_EPOCH;
    let times = [epoch + Duration::new(1_795_224_550, 768_429_517), epoch, epoch - Duration::new(1, 1)];
    let attributes = Attributes::new()
        .with("text", "é\u{1f980} '\";--\u{0}\n")
        .with("least", Value::Integer(i64::MIN.into()))
        .with("most", Value::Integer(u64::MAX.into()))
        .with("float", -0.1 + 1e-17)
        .with("infinite", f64::INFINITY)
        .with("yes", true)
        .with("no", false)
        .with("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    let id = |text: &str| MessageId::parse(text).expect("an id");
    let full = Head::new()
        .service("billing")
        .instance("i-1")
        .topic("letters-v1")
        .correlation_id(id("c-1"))
        .causation_id(id("~!@#$%^&*()"))
        .key("o-1 é")
        .attributes(attributes);
    let payloads = [(0..=255).collect::<Vec<u8>>(), Vec::new(), b"{}".to_vec()];
    let heads = [full, Head::new(), Head::new().key("")];
    for (n, ((payload, time), head)) in payloads.into_iter().zip(times).zip(heads).enumerate() {
        let encoding = if n == 2 { Encoding::Json } else { Encoding::Protobuf };
        let payload = Payload { encoding, bytes: payload.into() };
        let head = head.id(id(&format!("m-{n}"))).time(time).event("letters.v1.LetterPosted");
        let entry = Entry::new(Message::new(head, payload), n as u32, (n == 0).then(|| "box".into()));
        let append = Append::to(stream("kept")).entry(entry.clone());
        let appended = store.inner().append(append).await.expect("it is appended");
        for page in [
            store.inner().read_stream(&stream("kept"), Version::new(n as u64), 10).await.expect("it is read"),
            store.inner().read_all(&Query::all(), Position::START, 10).await.expect("it is read").events,
        ] {
            let last = page.last().expect("it is there");
            assert_eq!(last.entry, entry, "what was given");
            assert_eq!((last.position, last.version), (appended.position, appended.version));
            assert_eq!(last.stream, stream("kept"));
        }
    }
    Done::Kept
}

/// The latest snapshot of each kind of state is kept, whichever comes first.
pub async fn e_11_snapshots(trial: &Trial) -> Done {
    let store = trial.connect().await;
    let stream = stream("box/a");
    let snapshot =
        |state: &str, version, text: &'static str| Snapshot::new(stream.clone(), state, Version::new(version), text);
    assert_eq!(store.snapshot(&stream, "box.1").await.expect("it is read"), None);
    for (version, text) in [(3, "three"), (9, "nine"), (6, "six")] {
        store.keep_snapshot(snapshot("box.1", version, text)).await.expect("it is kept");
    }
    store.keep_snapshot(snapshot("box.2", 1, "")).await.expect("it is kept");
    let kept = trial.connect().await;
    assert_eq!(kept.snapshot(&stream, "box.1").await.expect("it is read"), Some(snapshot("box.1", 9, "nine")));
    assert_eq!(kept.snapshot(&stream, "box.2").await.expect("it is read"), Some(snapshot("box.2", 1, "")));
    assert_eq!(kept.snapshot(&super::trial::stream("box/b"), "box.1").await.expect("it is read"), None);
    Done::Kept
}

/// What is at a limit is taken, and what is beyond it is refused, with nothing recorded.
pub async fn e_13_limits(trial: &Trial) -> Done {
    let store = trial.store().await;
    let stream = stream("limits");
    let append = || Append::to(stream.clone());
    let beside = letter("limits", 0);
    let text =
        |size: usize| Entry::of(&crate::testing::transport::LetterPosted { text: "x".repeat(size), ..beside.clone() });
    let small = text(0).expect("it is valid").size();
    // 3 bytes of length and field number come before a long text.
    let entry = |size: usize| text(size - small - 4).expect("it is valid");
    let with = |attributes: Attributes| {
        let mut entry = text(0).expect("it is valid");
        entry.message.head.attributes = attributes;
        entry
    };
    let pairs = |count: usize| (0..count).fold(Attributes::new(), |all, n| all.with(format!("a{n}"), true));
    let mib = 1024 * 1024;
    assert_eq!(entry(mib).size(), mib, "the sum of the parts");
    for (taken, refused) in [
        (append().entry(entry(mib)), append().entry(entry(mib + 1))),
        (letters(&stream, 0..1_000, Expected::Any), letters(&stream, 0..1_001, Expected::Any)),
        (append().entry(with(pairs(64))), append().entry(with(pairs(65)))),
        (
            append().entry(with(Attributes::new().with("n".repeat(128), "v".repeat(4096)))),
            append().entry(with(Attributes::new().with("n", "v".repeat(4097)))),
        ),
        (
            (0..16).fold(append(), |append, _| append.entry(entry(mib))),
            (0..16).fold(append(), |append, _| append.entry(entry(mib))).entry(entry(1024)),
        ),
    ] {
        let before = versions(&store, &stream).await.len();
        let error = store.append(refused).await.expect_err("it is beyond the limit");
        assert_eq!(error.kind(), StoreErrorKind::TooLarge);
        assert!(error.to_string().contains("the limit is"), "{error}");
        assert_eq!(versions(&store, &stream).await.len(), before);
        let count = taken.entries.len();
        store.append(taken).await.expect("it is at the limit");
        assert_eq!(versions(&store, &stream).await.len(), before + count);
    }
    Done::Kept
}
