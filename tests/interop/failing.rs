//! A message of tomodachi's that cannot be handled: retried, kept, put back.

use std::time::Duration;

use tegami::{
    envelope::{Envelope, JsonBase, MessageId, ProtobufBase, Sealed},
    testing::ReasonKind,
    transport::{DeadLetter, Transport},
};
use tokio::time::{sleep, timeout};

use crate::{
    WAIT,
    desk::{Desk, Plan, letter},
    generated::letters::v1::LetterPosted,
    peer::Kind,
};

/// How often the dead-letter queue is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// A desk that fails as often as it may, and then no more.
pub fn failing(kind: Kind) -> Plan {
    Plan { fails: |run, _| run <= 2, ..Plan::new(kind) }
}

/// That desk gets letter 7 by this transport from this queue, and gives up on it. It is as it came, then and when it is
/// put back.
pub async fn kept_and_put_back(kind: Kind, mut desk: Desk, transport: impl Transport, queue: String) {
    let [first, second] = [desk.run().await, desk.run().await];
    assert_eq!((first.ctx.attempt(), second.ctx.attempt()), (1, 2));
    assert_eq!(first.ctx.message_id(), second.ctx.message_id());
    let dead = dead_letter(&transport, &queue).await;
    assert_eq!((dead.reason(), dead.attempts(), dead.error()), (ReasonKind::HandlerError, 2, "the desk is full"));
    assert_eq!(dead.attributes(), first.ctx.attributes());
    let body = Sealed { body: dead.payload().clone(), ..Sealed::default() };
    let kept = match kind {
        Kind::Json => JsonBase::default().decode::<LetterPosted>(&body),
        Kind::Protobuf => ProtobufBase::default().decode(&body),
    };
    let kept = kept.expect("it is as it came");
    assert_eq!((kept.content, kept.head.id.as_ref()), (letter(7, "hello"), Some(first.ctx.message_id())));
    assert_eq!(transport.redrive(&queue).await.expect("it goes back"), 1);
    let third = desk.run().await;
    assert_eq!((third.letter, third.ctx.attempt()), (letter(7, "hello"), 1));
    assert_eq!(third.ctx.message_id(), first.ctx.message_id());
    assert_eq!(third.ctx.attributes(), first.ctx.attributes());
    transport.close().await;
    desk.running.stop().await.expect("it stops");
}

/// What that desk gave up on before it stopped is put back by this transport into this queue. Its id.
pub async fn put_back(mut desk: Desk, transport: impl Transport, queue: String) -> MessageId {
    let id = desk.running.publisher().publish(&letter(7, "hello")).await.expect("it is published");
    assert_eq!([desk.run().await.ctx.attempt(), desk.run().await.ctx.attempt()], [1, 2]);
    // Its id is the envelope's, which whoever gets it compares: MiniStack leaves the transport's own out of notifications.
    assert_eq!(dead_letter(&transport, &queue).await.attempts(), 2);
    desk.running.stop().await.expect("it stops");
    assert_eq!(transport.redrive(&queue).await.expect("it goes back"), 1);
    transport.close().await;
    id
}

/// The dead letter of this queue, once it is there.
async fn dead_letter(transport: &impl Transport, queue: &str) -> DeadLetter {
    let looking = async {
        loop {
            if let Some(dead) = transport.dead_letters(queue, 10).await.expect("it can be read").pop() {
                return dead;
            }
            sleep(LOOK).await;
        }
    };
    timeout(WAIT, looking).await.expect("a dead letter is kept")
}
