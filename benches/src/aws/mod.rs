//! The same messages through SNS and SQS, by tegami and by others. `src/bin/aws.rs` runs one side in a process of its
//! own, `aws/rounds.py` has them take turns.

pub mod calls;
pub mod latency;
pub mod quiet;
pub mod raw;

use std::{net::SocketAddr, time::Duration};

use tegami::transport::{Provision, Transport, aws::Aws};

use crate::broker::{QUEUE, topology};

/// The most messages of one request.
pub const TOGETHER: usize = 10;
/// Publishes, and deletes, that are on their way at once; as many as tegami lets.
pub const REQUESTS: usize = 8;
/// Receives that are on their way at once; as many as tegami lets.
pub const RECEIVES: usize = 10;
/// How long SQS waits for a message before it says that there is none.
pub const WAIT: Duration = Duration::from_secs(20);

/// The queue that tomodachi reads.
const TOMODACHIS_QUEUE: &str = "bench-tomodachi";
/// The topic that tomodachi publishes to.
const TOMODACHIS_TOPIC: &str = "bench-notes";

/// tegami's transport to this emulator.
pub fn transport(emulator: SocketAddr) -> Aws {
    Aws::new(format!("aws:eu-west-1?endpoint=http://{emulator}"))
}

/// Makes tegami's queue and tomodachi's anew: the emulator goes on receiving for those that have left, and what it
/// hands to them would not be there for the next.
///
/// # Panics
/// The emulator is not there.
pub async fn declare(emulator: SocketAddr) {
    let (sns, sqs) = raw::clients(emulator).await;
    for name in [QUEUE, TOMODACHIS_QUEUE] {
        if let Ok(found) = sqs.get_queue_url().queue_name(name).send().await {
            sqs.delete_queue().set_queue_url(found.queue_url).send().await.expect("it is gone");
        }
    }
    let aws = transport(emulator);
    aws.provision(&topology(), Provision::Create).await.expect("the queue is made");
    aws.close().await;
    sqs.create_queue().queue_name(TOMODACHIS_QUEUE).send().await.expect("the queue is made");
    let topic = sns.create_topic().name(TOMODACHIS_TOPIC).send().await.expect("the topic is made").topic_arn;
    let queue = topic.as_ref().map(|arn| arn.replace(":sns:", ":sqs:").replace(TOMODACHIS_TOPIC, TOMODACHIS_QUEUE));
    let subscribed = sns.subscribe().set_topic_arn(topic).set_endpoint(queue).protocol("sqs").send().await;
    subscribed.expect("the queue is subscribed");
}
