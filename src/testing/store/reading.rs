//! What is read.

use super::{
    Done, Trial,
    trial::{all, letter, letters, matching, stream},
};
use crate::{
    store::{Append, Criterion, Expected, Position, Query, Recorded, Store, StoreErrorKind, Version},
    testing::transport::{LetterFiled, LetterPosted, newer},
};

/// E3: a reader that keeps its position as text, and goes on there, reads each event once, however few it reads at once.
pub async fn e_04_resumed(trial: &Trial) -> Done {
    let store = trial.store().await;
    for n in 0..30 {
        store.append(letters(&stream(&format!("box/{}", n % 4)), [n], Expected::Any)).await.expect("it is appended");
    }
    let whole = all(&store, Position::START).await;
    assert_eq!(whole.len(), 30, "all is read");
    assert!(whole.windows(2).all(|pair| pair[0].position < pair[1].position), "positions grow");
    for limit in [1, 7, 29, 30, 31] {
        let (mut seen, mut checkpoint) = (Vec::new(), Position::START.to_string());
        while seen.len() < whole.len() {
            let after = checkpoint.parse().expect("a position");
            let page = trial.store().await.inner().read_all(&Query::all(), after, limit).await.expect("it is read");
            assert!((1..=limit).contains(&page.events.len()), "{} events, at most {limit}", page.events.len());
            seen.extend(page.events);
            checkpoint = page.next.to_string();
        }
        assert!(seen == whole, "read {limit} at a time");
    }
    let end = store.inner().read_all(&Query::all(), whole[29].position, 1).await.expect("it is read");
    assert_eq!((end.events.len(), end.next), (0, whole[29].position), "at the end");
    Done::Kept
}

/// Events are found by type, by tag, by all tags of a criterion, by any of several criteria, each once and in order.
pub async fn e_07_found_by_type_and_tag(trial: &Trial) -> Done {
    let store = trial.store().await;
    for n in 0..40_u64 {
        let r#box = ["a", "b", "c"][(n % 3) as usize];
        let append = Append::to(stream(&format!("box/{}", r#box)));
        let filed = LetterFiled::builder().r#box(r#box).number(n / 10).text("filed").build();
        let append = if n % 4 == 0 { append.event(&filed) } else { append.event(&letter(r#box, n / 10)) };
        store.append(append.expect("it is valid")).await.expect("it is appended");
    }
    let whole = all(&store, Position::START).await;
    let (posted, filed) = (Criterion::of::<LetterPosted>, Criterion::of::<LetterFiled>);
    let queries = [
        (Query::all(), 40),
        (filed().into(), 10),
        (posted().or::<LetterFiled>().into(), 40),
        (Criterion::any().tagged("box", "a").into(), 14),
        (filed().tagged("box", "a").into(), 4),
        (posted().tagged("number", 2).tagged("box", "b").into(), 2),
        (Query::any_of([filed(), posted().tagged("box", "a")]), 20),
        (Query::any_of([filed().tagged("number", 0), filed().tagged("box", "a"), filed()]), 10),
        (Query::any_of([filed(), Criterion::any()]), 40),
        (Criterion::any().tagged("box", "nobody's").into(), 0),
        (Criterion::any().tagged("number", "' OR 1=1 --").into(), 0),
        (Criterion::any().named("letters.v1.LetterFiled").named("none").into(), 10),
    ];
    for (query, count) in queries {
        let expected: Vec<Recorded> = whole.iter().filter(|recorded| query.matches(&recorded.entry)).cloned().collect();
        assert_eq!(expected.len(), count, "{query:?} in process");
        for after in [Position::START, whole[19].position] {
            let later: Vec<_> = expected.iter().filter(|recorded| recorded.position > after).cloned().collect();
            assert!(matching(&store, &query, after).await == later, "{query:?} after {after}");
            for most in [3, 1000] {
                let counted = store.inner().count(&query, after, most).await.expect("they are counted");
                assert_eq!(counted, most.min(later.len() as u64), "{query:?} after {after}, counted up to {most}");
            }
        }
        let page = store.inner().read_all(&query, Position::START, 3).await.expect("it is read");
        assert!(page.events == expected[..count.min(3)], "{query:?}, three at a time");
    }
    Done::Kept
}

/// What was recorded under an older contract is read, and found, as an event of the newer one; what nobody knows is an
/// error that says where it is.
pub async fn e_12_upcasts(trial: &Trial) -> Done {
    let plain = trial.store().await;
    let knowing = plain.clone().upcast::<LetterPosted, newer::LetterPosted>();
    let stream = stream("box/a");
    plain.append(letters(&stream, 0..2, Expected::None)).await.expect("the stream is new");
    let new = newer::LetterPosted::builder().r#box("box/a").number(2).text("new").stamps(2).build();
    plain.append(Append::to(stream.clone()).event(&new).expect("it is valid")).await.expect("it is appended");
    let read = knowing.read::<newer::LetterPosted>(&stream, Version::START).await.expect("all are known");
    let stamps: Vec<_> = read.iter().map(|stored| (stored.event.number, stored.event.stamps)).collect();
    assert_eq!(stamps, [(0, 1), (1, 1), (2, 2)]);
    assert!(read.iter().all(|stored| stored.head.event.as_deref() == Some("letters.v2.LetterPosted")), "{read:?}");
    for (query, count) in [
        (Criterion::of::<newer::LetterPosted>(), 3),
        (Criterion::of::<newer::LetterPosted>().tagged("stamps", 1), 2),
        (Criterion::of::<newer::LetterPosted>().tagged("stamps", 2).tagged("box", "box/a"), 1),
        (Criterion::of::<newer::LetterPosted>().tagged("number", 1), 1),
    ] {
        let found = knowing.find::<newer::LetterPosted>(query.clone(), Position::START, 100).await.expect("known");
        assert_eq!(found.events.len(), count, "{query:?}");
    }
    unread(&plain, &stream).await;
    Done::Kept
}

async fn unread(store: &Store, stream: &crate::store::StreamId) {
    let error = store.read::<newer::LetterPosted>(stream, Version::START).await.expect_err("nobody knows the way");
    assert_eq!(error.kind(), StoreErrorKind::Unreadable);
    let words = format!("event `letters.v1.LetterPosted`, version 1 of stream `{stream}`");
    assert!(error.to_string().contains(&words), "{error}");
}
