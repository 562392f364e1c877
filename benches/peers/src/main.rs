//! What others cost that cannot be in one lock file with tegami, in a process of its own, as a line of JSON:
//! `peers WHO append APPENDS AT_ONCE EVENTS`, `peers WHO read STREAMS`, `peers WHO find STREAMS`.
//!
//! WHO is `cqrs-es`, with PostgreSQL at `$POSTGRES_URL`, or `sqlx`, with SQLite: sqlx by hand, with the statements of tegami's
//! store, on the file `$SQLITE_FILE`, in which `store fill` has left tegami's tables and what is to be read.

mod cqrs;
mod event;
#[path = "../../src/broker/meter.rs"]
#[expect(dead_code, reason = "messages are counted with the rest of it")]
mod meter;
mod sqlite;

use std::env;

/// Whatever goes wrong.
pub type BoxError = Box<dyn std::error::Error>;

/// Events of one stream that is read, as many as tegami reads.
const STREAM: usize = 100;
/// How often all of it is read.
const PASSES: usize = 5;

/// What is measured.
#[derive(Debug, Clone, Copy)]
pub enum Way {
    /// So many appends, so many of them at once, of so many events each.
    Append { count: usize, at_once: usize, events: usize },
    /// So many streams.
    Read { streams: usize },
    /// The events of so many streams, by their type.
    Find { streams: usize },
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), BoxError> {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (who, way) = match words[..] {
        [who, "append", count, at_once, events] => {
            (who, Way::Append { count: count.parse()?, at_once: at_once.parse()?, events: events.parse()? })
        }
        [who, "read", streams] => (who, Way::Read { streams: streams.parse()? }),
        [who, "find", streams] => (who, Way::Find { streams: streams.parse()? }),
        _ => return Err(format!("no such words: {words:?}").into()),
    };
    let cost = match who {
        "cqrs-es" => cqrs::measured(way).await?,
        "sqlx" => sqlite::measured(way).await?,
        _ => return Err(format!("nobody is called {who}").into()),
    };
    println!("{}", serde_json::to_string(&cost)?);
    Ok(())
}
