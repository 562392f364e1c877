//! Dead letters that leave, one after the other: back into their queue, or for good.

use super::{Memory, routes::QueueId};
use crate::transport::{Fate, Reach, Sorter, TransportError, TransportErrorKind};

/// How many are looked at in one go.
const AT_ONCE: usize = 100;

/// Does with each dead letter of now what the sorter says.
pub(super) async fn sort(memory: &Memory, name: &str, sorter: &mut dyn Sorter) -> Result<(), TransportError> {
    let queue = memory.queue(name)?;
    let latest = memory.broker.lock().state.dead[queue].latest();
    let mut seen = 0;
    loop {
        let room = sorter.room().await.min(AT_ONCE);
        memory.open()?;
        let mut letters = memory.broker.lock().state.dead[queue].behind(seen, room);
        letters.retain(|(number, _)| *number <= latest);
        let Some((last, _)) = letters.last() else { return Ok(()) };
        seen = *last;
        for (number, letter) in letters {
            let fate = sorter.fate(&letter);
            if leaves(memory, (queue, name), number, fate)? {
                sorter.left(fate);
            }
        }
    }
}

/// Does it leave? It may have left already, or there is no room where it would go.
fn leaves(memory: &Memory, (queue, name): (QueueId, &str), number: u64, fate: Fate) -> Result<bool, TransportError> {
    let now = memory.broker.now();
    let mut held = memory.broker.lock();
    match fate {
        Fate::Stay => Ok(false),
        Fate::Drop => Ok(held.state.dead[queue].take(number).is_some()),
        Fate::Back if held.state.declared[queue].reach == Reach::PerInstance => {
            let text =
                format!("queue `{name}` is one for each instance: there is none to put its dead letters back into");
            Err(TransportError::new(TransportErrorKind::Missing, text))
        }
        Fate::Back => {
            let Some(wake) = held.state.put_back(queue, number, now) else { return Ok(false) };
            let bell = held.bell(queue);
            drop(held);
            bell.ring(wake);
            Ok(true)
        }
    }
}
