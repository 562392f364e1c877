//! What our tests lean on, asked of both emulators by hand: where they do as AWS says that it does, and where not.
//! (Of one AWS says nothing: when a receive ends.)
//!
//! The answers are noted here, so that a newer emulator that does otherwise is noticed. `EMULATOR_TABLE` names a file
//! that the table is written to.

mod fifo;
mod filter;
mod place;
mod sns;
mod sqs;

use std::{env, fmt::Write, fs};

use place::{Found, Place};
use tegami_test_servers::{Emulator, Kind};

/// What AWS does, how it is asked, and whether LocalStack and MiniStack do so.
type Lean = (&'static str, fn(&Place) -> Found, [bool; 2]);

const LEANS: [Lean; 30] = [
    ("sns: raw delivery keeps body and attributes", sns::raw_delivery, [true, true]),
    ("sns: bytes of a batch arrive", sns::bytes_of_a_batch, [true, true]),
    ("sns: else a notification has both", sns::notification, [true, true]),
    ("sns: a notification has bytes, as base64", sns::bytes, [true, false]),
    ("sns: making a topic again finds it", sns::made_again, [true, true]),
    ("sns: making it with other attributes is refused", sns::made_otherwise, [true, false]),
    ("sns: what is no name is refused", sns::no_name, [true, false]),
    ("sns: a batch over 256 KiB is refused", sns::large_batch, [true, false]),
    ("filter: exact, one of several", filter::exact, [true, true]),
    ("filter: prefix", filter::prefix, [true, true]),
    ("filter: anything but", filter::anything_but, [true, true]),
    ("filter: numeric range", filter::range, [true, true]),
    ("filter: numeric is not for text", filter::text_is_no_number, [false, false]),
    ("filter: absent", filter::absent, [true, true]),
    ("filter: one of an array", filter::array, [true, true]),
    ("filter: what is no policy is refused", filter::no_policy, [true, false]),
    ("fifo: a group waits for what is in flight", fifo::group_waits, [true, true]),
    ("fifo: what is given back comes first", fifo::order_of_redelivery, [true, true]),
    ("fifo: a repeat is dropped, also after the delete", fifo::repeat, [true, true]),
    ("fifo: from a topic with group and order", fifo::from_topic, [true, true]),
    ("fifo: a topic drops a repeat", fifo::repeat_to_topic, [true, true]),
    ("sqs: a receive wakes at once", sqs::wakes, [true, true]),
    ("sqs: hidden, and back with a count", sqs::visibility, [true, true]),
    ("sqs: nobody hides what is not in flight", sqs::not_in_flight, [false, false]),
    ("sqs: moved after so many receives, as it was", sqs::redrive, [true, true]),
    ("sqs: an array of text is an attribute", sqs::array, [true, true]),
    ("sqs: an empty attribute is refused", sqs::empty_attribute, [true, false]),
    ("sqs: an eleventh attribute is refused", sqs::eleventh, [false, false]),
    ("sqs: control characters are refused", sqs::control, [true, true]),
    ("sqs: making a queue otherwise is refused", sqs::made_otherwise, [true, true]),
];

#[tokio::test]
async fn each_emulator_does_as_noted() {
    let emulators = (Emulator::take(Kind::LocalStack).await, Emulator::take(Kind::MiniStack).await);
    let callers = [emulators.0.caller(), emulators.1.caller()];
    let (table, strays) = tokio::task::spawn_blocking(move || ask(callers)).await.unwrap();
    if let Some(file) = env::var_os("EMULATOR_TABLE") {
        fs::write(file, &table).unwrap();
    }
    print!("{table}");
    assert!(strays.is_empty(), "not as noted:\n{strays}");
}

/// The table, and what is not as it is noted.
fn ask(callers: [tegami_test_servers::Caller; 2]) -> (String, String) {
    let (mut table, mut strays) = (String::new(), String::new());
    writeln!(table, "{:<50} {:<11} MiniStack", "wanted", "LocalStack").unwrap();
    for (what, lean, noted) in LEANS {
        let found = callers.map(|caller| lean(&Place::new(caller)));
        let does = found.each_ref().map(|found| matches!(found, Ok(true)));
        let [one, other] = does.map(|does| if does { "yes" } else { "no" });
        writeln!(table, "{what:<50} {one:<11} {other}").unwrap();
        if does != noted {
            writeln!(strays, "{what}: {found:?}").unwrap();
        }
    }
    (table, strays)
}
