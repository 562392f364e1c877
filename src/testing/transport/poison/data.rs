//! What a message holds is data: no text in it has a power, and what stands beside it arrives.

use std::collections::BTreeSet;

use super::{
    super::{Done, LetterPosted, Trial, letter},
    open,
};
use crate::{
    event::{Attributes, EVENT_ATTRIBUTE, RESERVED},
    transport::{PublishErrorKind, ReasonKind},
};

/// Words that mean something somewhere: in our source, in tomodachi's, in brokers'.
const WORDS: [&str; 31] = [
    RESERVED,
    EVENT_ATTRIBUTE,
    "tegami-head",
    "tegami-attempt",
    "tegami",
    "letters.v1.LetterPosted",
    "tegami.v1",
    "letters-v1",
    "tomodachi-json-base--1.0.0",
    "tomodachi-protobuf-base--1.0.0",
    "json_base-wip",
    "raw",
    "proto",
    "base64",
    "base64_gzip_json",
    "gzip_proto",
    "base64_gzip_proto",
    "application/json",
    "1.0",
    "undecodable",
    "handler-error",
    "permanent",
    "memory:",
    "-dead",
    ".fifo",
    "ack",
    "release",
    "stop",
    "__TOMODACHI_DRAIN__cdab4416-1727-4603-87c9-0ff8dddf1f22__",
    "e6fb6007-cf15-4cfd-af2e-1d1683374e70",
    "amq.gen",
];

/// P9, X3: words that mean something elsewhere are delivered as what a letter says; as a whole body they are dead.
pub async fn x_11_no_magic(trial: &Trial) -> Done {
    let office = open(trial, trial.service("billing").await).await;
    for (number, word) in WORDS.into_iter().enumerate() {
        // The account at the end compares what was posted with what the handler got.
        office.post(trial, &LetterPosted { text: word.into(), ..letter(word, number) }).await;
        for body in [word.to_owned(), format!("\"{word}\"")] {
            office.put(trial, |message| message.sealed.body = body.into()).await;
        }
    }
    trial.tally().until_done(WORDS.len()).await;
    let letters = office.dead(2 * WORDS.len()).await;
    assert!(letters.iter().all(|letter| letter.reason() == ReasonKind::Undecodable), "{letters:?}");
    let bodies: BTreeSet<_> = letters.iter().map(|letter| letter.payload().to_vec()).collect();
    assert_eq!(bodies.len(), 2 * WORDS.len(), "each body is dead as it was");
    assert_eq!(trial.tally().attempts(), WORDS.len(), "each letter is handled once");
    office.close().await;
    Done::Kept
}

/// P9: the most attributes with the longest values that the transport takes arrive; more are refused as too large.
pub async fn x_12_header_bomb(trial: &Trial) -> Done {
    let (transport, plan) = trial.queue("letters").await;
    let most = transport.capabilities().attribute_limit.min(100);
    let mut taken = 0;
    for length in (6..=16).map(|power| 1 << power) {
        let mut message = trial.message(&plan, "body");
        message.sealed.attributes = (0..most)
            .fold(Attributes::new(), |all, number| all.with(format!("attribute-{number}"), "v".repeat(length)));
        match trial.publish(&*transport, message).await {
            Ok(()) => taken += 1,
            Err(error) => assert_eq!(error.kind(), PublishErrorKind::TooLarge, "{most} of {length} bytes: {error}"),
        }
    }
    assert!(taken > 0, "not even short values are taken");
    trial.reader(&*transport, &plan).await.complete(taken).await;
    Done::NotHere("a producer of AMQP tables that are nested many times")
}

/// X6: a handler that kills its process is stopped by the broker's own limit.
pub async fn x_13_process_killer(_: &Trial) -> Done {
    Done::NotHere("a handler that may kill its process")
}
