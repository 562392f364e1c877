//! What goes wrong with the processes. That it happened, the crew sees.

use tokio::time::sleep;

use super::{Happened, Kind, Nemesis, plan::Fault};
use crate::crew::{CREW, PUBLISHER};

impl Nemesis<'_> {
    pub(super) async fn on_processes(&self, fault: &Fault) -> Happened {
        match fault.kind {
            Kind::ConsumerFrozen | Kind::PublisherFrozen => {
                self.crew.freeze(fault.target, true).await?;
                sleep(fault.lasts).await;
                self.crew.freeze(fault.target, false).await
            }
            Kind::ConsumerStopped | Kind::PublisherStopped => {
                let stop = self.crew.stop(fault.target).await?;
                self.note(|deeds| deeds.stops.push(stop));
                sleep(fault.lasts / 2).await;
                self.crew.again(fault.target).await;
                Ok(())
            }
            _ => {
                let all: Vec<_> = match fault.kind {
                    Kind::ConsumersKilled => (PUBLISHER + 1..CREW.len()).collect(),
                    _ => vec![fault.target],
                };
                for place in &all {
                    self.crew.kill(*place).await?;
                    self.note(|deeds| deeds.kills += 1);
                }
                sleep(fault.lasts / 2).await;
                for place in all {
                    self.crew.again(place).await;
                }
                Ok(())
            }
        }
    }
}
