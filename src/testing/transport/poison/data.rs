//! What a message holds is data: no text in it has a power, and what stands beside it arrives.

use std::collections::BTreeSet;

use super::{
    super::{Done, LetterPosted, Trial, letter},
    open,
};
use crate::{
    event::{EVENT_ATTRIBUTE, RESERVED},
    transport::ReasonKind,
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
