//! What goes wrong with RabbitMQ itself.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use tokio::time::sleep;

use super::{Happened, Kind, Nemesis, plan::Fault, shows};
use crate::place::{Broker, listens, rabbit_answers};

/// Is its memory full, as it thinks?
const ALARMS: &str = "rabbit_alarm:get_alarms().";

impl Nemesis<'_> {
    pub(super) async fn on_rabbit(&self, fault: &Fault) -> Happened {
        let Broker::Amqp { rabbit, roads, .. } = &self.place.broker else { return Err("there is none".to_owned()) };
        let port = rabbit.port();
        match fault.kind {
            Kind::BrokerKilled | Kind::BrokerRestarted => {
                match fault.kind {
                    Kind::BrokerKilled => rabbit.kill9().await,
                    _ => rabbit.stop().await,
                }
                shows("its port is closed", async || !listens(port).await).await?;
                sleep(fault.lasts).await;
                rabbit.start().await;
            }
            Kind::BrokerFrozen => {
                rabbit.freeze().await;
                let frozen = shows("it answers nothing", async || !rabbit_answers(port).await).await;
                sleep(fault.lasts).await;
                rabbit.thaw().await;
                frozen?;
            }
            Kind::ConnectionsClosed => {
                let opened = || roads.iter().map(|road| road.counts().connections).sum::<u64>();
                let before = opened();
                rabbit.close_connections().await;
                shows("connections are made again", async || opened() > before).await?;
            }
            Kind::ChannelClosed => {
                // It panics where there is none, and somebody may be about to make one.
                let closed = async || AssertUnwindSafe(rabbit.close_a_channel()).catch_unwind().await.is_ok();
                shows("a channel that consumes is closed", closed).await?;
            }
            Kind::MemoryAlarm => {
                rabbit.block().await;
                let is_full = async || rabbit.ctl(&["eval", ALARMS]).await.contains("memory");
                let full = shows("its alarm is on", is_full).await;
                sleep(fault.lasts).await;
                rabbit.unblock().await;
                full?;
            }
            kind => return Err(format!("{kind:?} is not done to a broker")),
        }
        Ok(())
    }
}
