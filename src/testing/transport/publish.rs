//! P: what a publish answers is true.

use futures_util::future;

use super::{Done, Trial};

/// P9: bodies and attributes arrive unchanged, the empty one and the largest among them.
pub async fn p_02_roundtrip(trial: &Trial) -> Done {
    let transport = trial.connect().await;
    let plan = trial.plan("letters", "letters");
    trial.declare(&*transport, std::slice::from_ref(&plan)).await;
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    let bodies = [Vec::new(), vec![0], every_byte, "aé漢🀄\u{10ffff}".as_bytes().to_vec()];
    for body in &bodies {
        let mut message = trial.message(&plan, body.clone());
        for number in 0..10_i64 {
            message.sealed.attributes.set(format!("attribute-{number}"), number);
        }
        trial.publish(&*transport, message).await.expect("it is within every limit");
    }
    trial.reader(&*transport, &plan).await.complete(bodies.len()).await;
    Done::Kept
}

/// P1, P3: what is published at once arrives, each once.
pub async fn p_03_concurrent(trial: &Trial) -> Done {
    let transport = trial.connect().await;
    let plan = trial.plan("letters", "letters");
    trial.declare(&*transport, std::slice::from_ref(&plan)).await;
    let publishes = (0..50).map(|_| async {
        for number in 0..trial.many() / 50 {
            let message = trial.message(&plan, number.to_string());
            trial.publish(&*transport, message).await.expect("there is room");
        }
    });
    let mut reader = trial.reader(&*transport, &plan).await;
    future::join(future::join_all(publishes), reader.complete(trial.many())).await;
    assert_eq!(trial.tally().duplicates(), 0, "nothing is delivered twice without a fault");
    Done::Kept
}
