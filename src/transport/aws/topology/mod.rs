//! Topics, queues and what lies between them: made, or looked at.

use aws_sdk_sqs::types::QueueAttributeName as Q;

use super::{
    address::Parameters,
    directory::Directory,
    setup::{CALL, Clients},
};
use crate::transport::{Provision, Topology, TransportError};

pub(super) async fn provision(
    clients: &Clients,
    directory: &Directory,
    _: &Parameters,
    topology: &Topology,
    mode: Provision,
) -> Result<(), TransportError> {
    if mode != Provision::Create {
        return Ok(());
    }
    for queue in &topology.queues {
        for name in [&queue.dead_letters, &queue.name] {
            let mut c = clients.sqs.create_queue().queue_name(name);
            if name.ends_with(".fifo") {
                c = c
                    .attributes(Q::FifoQueue, "true")
                    .attributes(Q::DeduplicationScope, "messageGroup")
                    .attributes(Q::FifoThroughputLimit, "perMessageGroupId");
            }
            let url = clients.call(CALL, c.send()).await.map_err(|f| f.told("create queue"))?.queue_url.unwrap();
            directory.keep_queue(name, &url);
        }
        let url = directory.queue(&queue.name, clients).await.unwrap();
        let arn = clients
            .call(CALL, clients.sqs.get_queue_attributes().queue_url(&url).attribute_names(Q::QueueArn).send())
            .await
            .map_err(|f| f.told("look"))?;
        let arn = arn.attributes.unwrap()[&Q::QueueArn].clone();
        let dead = arn.replace(&queue.name, &queue.dead_letters);
        let count = (2 * (queue.retry_delays.len() + 1) + 10).min(1000);
        let redrive = format!("{{\"deadLetterTargetArn\":\"{dead}\",\"maxReceiveCount\":{count}}}");
        clients
            .call(CALL, clients.sqs.set_queue_attributes().queue_url(&url).attributes(Q::RedrivePolicy, redrive).send())
            .await
            .map_err(|f| f.told("redrive"))?;
        for binding in &queue.bindings {
            let topic = directory.topic(&binding.topic, clients).await.map_err(|f| f.told("topic"))?;
            let s = clients
                .sns
                .subscribe()
                .topic_arn(topic)
                .protocol("sqs")
                .endpoint(&arn)
                .attributes("RawMessageDelivery", "true");
            clients.call(CALL, s.send()).await.map_err(|f| f.told("subscribe"))?;
        }
    }
    Ok(())
}
