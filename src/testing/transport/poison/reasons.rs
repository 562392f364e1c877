//! What a dead letter says of how it came to be one.

use std::time::Duration;

use super::{
    super::{
        Done, LetterPosted, Trial, letter,
        office::{LETTER, Office, enveloped},
    },
    packed::{in_base64, repeated, zlibbed},
};
use crate::{
    Event, HandlerError, Retry,
    transport::{DeadLetter, ReasonKind},
};

/// Stands in every payload, and must stand in no reason.
const SECRET: &str = "secret-4711";
/// The most bytes of an error's text.
const ERROR_LIMIT: usize = 1024;
/// How long what can be tried again waits for its second attempt.
const DELAY: Duration = Duration::from_millis(20);

/// X2: a dead letter of each reason tells who gave up, where, on what, how often and when, in an error without control
/// characters or payload.
pub async fn x_06_reasons(trial: &Trial) -> Done {
    let plan = Retry::after([DELAY]);
    let handler = trial.handler(&plan, |letter: LetterPosted, _| fail(letter));
    let service = trial.service("billing").await;
    let choose = |on: crate::Subscription<_>| on.retry(plan.clone()).timeout(Duration::from_millis(200));
    let office = Office::open(trial, service.on_with::<LetterPosted>(handler, choose)).await;
    for body in unreadable() {
        office.put(trial, |message| message.sealed.body = body.into()).await;
    }
    for way in ["error", "panic", "timeout", "reject"] {
        office.post(trial, &LetterPosted { text: SECRET.into(), ..letter(way, 0) }).await;
    }
    let letters = office.dead(ALL.len()).await;
    let mut found: Vec<_> = letters.iter().map(|letter| letter.reason().as_str()).collect();
    let mut wanted = ALL.map(ReasonKind::as_str);
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(found, wanted, "each reason once");
    letters.iter().for_each(|letter| is_complete(letter, &office.queue.name));
    office.close().await;
    Done::Kept
}

const ALL: [ReasonKind; 9] = [
    ReasonKind::Undecodable,
    ReasonKind::UnknownType,
    ReasonKind::VersionMismatch,
    ReasonKind::Invalid,
    ReasonKind::TooLarge,
    ReasonKind::HandlerError,
    ReasonKind::HandlerPanic,
    ReasonKind::HandlerTimeout,
    ReasonKind::Permanent,
];

/// One message for each reason that is found before a handler runs.
fn unreadable() -> [String; 5] {
    let letter = enveloped("m", &LETTER.replace("written by hand", SECRET));
    let other = r#"{"tegami": {"event": "letters.v1.\u001b[31mLost\n"}, "service""#;
    [
        letter.replace("\"0\"", &format!("\"{SECRET}\"")),
        letter.replace("{\"service\"", other),
        letter.replace("json-base--1", "json-base\\n--2"),
        letter.replace("\"box\": \"a\", ", ""),
        zlibbed("m", &in_base64(repeated(b' ', 9))).replace("foreign", SECRET),
    ]
}

/// Fails in the way its box says, with more words than fit and some that would forge a line of a log.
async fn fail(letter: LetterPosted) -> Result<(), HandlerError> {
    let error = format!("no ink\r\n\u{1b}[31mERROR\u{0}\u{85}{}", "é".repeat(10_000));
    match letter.r#box.as_str() {
        "panic" => panic!("{error}"),
        "timeout" => std::future::pending().await,
        "reject" => Err(HandlerError::reject(error)),
        _ => Err(HandlerError::retry(error)),
    }
}

fn is_complete(letter: &DeadLetter, queue: &str) {
    let details = letter.details();
    assert_eq!((details.service.as_str(), details.queue.as_str()), ("billing", queue), "{details:?}");
    let (by_handler, attempts) = expected(letter.reason());
    let lasted = details.last.duration_since(details.first).expect("the first attempt was not after the last");
    assert!(lasted >= DELAY * (attempts - 1), "{attempts} attempts within {lasted:?}: {details:?}");
    assert_eq!(details.attempts, attempts, "{details:?}");
    let event = Some(LetterPosted::CONTRACT.name).filter(|_| by_handler);
    assert!(event.is_none() || details.event.as_deref() == event, "{details:?}");
    assert!((1..=ERROR_LIMIT).contains(&details.error.len()), "{} bytes of text", details.error.len());
    assert!(!details.error.chars().any(char::is_control), "{details:?}");
    assert!(!details.error.contains(SECRET), "{details:?}");
}

/// Is the event known by then, and how often is it tried?
fn expected(reason: ReasonKind) -> (bool, u32) {
    match reason {
        ReasonKind::HandlerError | ReasonKind::HandlerPanic | ReasonKind::HandlerTimeout => (true, 2),
        ReasonKind::Permanent | ReasonKind::Invalid | ReasonKind::Undecodable => (true, 1),
        _ => (false, 1),
    }
}
