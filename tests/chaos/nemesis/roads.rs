//! What goes wrong on the way of one process to RabbitMQ.

use std::time::Duration;

use tegami_test_servers::{Fault as Trouble, Proxy, Way};
use tokio::{net::TcpStream, time::sleep};

use super::{Happened, Kind, Nemesis, plan::Fault, shows};
use crate::place::Broker;

/// How long nothing must arrive to call a way stalled.
const STILL: Duration = Duration::from_millis(300);
/// A late way: so much later, more or less.
const LATE: Trouble = Trouble::Delay { by: Duration::from_millis(200), jitter: Duration::from_millis(100) };
/// A narrow one: so many bytes a second.
const NARROW: Trouble = Trouble::Rate(32 * 1024);
/// How many bytes pass at most before a cut.
const CUT: u64 = 4_000;

impl Nemesis<'_> {
    fn road(&self, of: usize) -> Result<&Proxy, String> {
        match &self.place.broker {
            Broker::Amqp { roads, .. } => Ok(&roads[of]),
            Broker::Aws { .. } => Err("calls have no road of their own".to_owned()),
        }
    }

    /// Waits until something passes both ways.
    pub(super) async fn moves(&self, of: usize) -> Happened {
        let road = self.road(of)?;
        let before = road.counts();
        let passes = || (road.counts().up > before.up) && (road.counts().down > before.down);
        shows("something passes before", async || passes()).await
    }

    pub(super) async fn on_road(&self, fault: &Fault) -> Happened {
        let road = self.road(fault.target)?;
        let happened = hit(road, fault).await;
        road.lift();
        road.opened().await;
        happened
    }
}

async fn hit(road: &Proxy, fault: &Fault) -> Happened {
    let before = road.counts();
    let reset = async || road.counts().resets > before.resets;
    match fault.kind {
        Kind::RoadReset => {
            road.reset();
            shows("a connection is reset", reset).await
        }
        Kind::RoadBlackhole => {
            road.put_both(Trouble::Swallow);
            let swallowed = shows("bytes vanish", async || road.counts().swallowed > before.swallowed).await;
            sleep(fault.lasts).await;
            // What vanished would come again on a real way; here the connection cannot go on.
            road.reset();
            swallowed
        }
        Kind::RoadHalfClosed => {
            road.put(Way::Down, Trouble::HalfClose);
            sleep(fault.lasts).await;
            road.lift();
            shows("a connection is made again", async || road.counts().connections > before.connections).await
        }
        Kind::RoadCut => {
            road.put(Way::Up, Trouble::CutAfter(fault.dice % CUT));
            shows("a connection is cut", reset).await
        }
        Kind::RoadDelayed | Kind::RoadNarrow => {
            road.put_both(if fault.kind == Kind::RoadDelayed { LATE } else { NARROW });
            sleep(fault.lasts).await;
            shows("something passes late", async || road.counts().down > before.down).await
        }
        Kind::RoadStalled => {
            road.put_both(Trouble::Stall);
            shows("nothing passes", async || is_still(road).await).await?;
            sleep(fault.lasts).await;
            Ok(())
        }
        Kind::RoadRefusing => {
            road.refuse();
            road.reset();
            let refused = shows("nobody is let in", async || TcpStream::connect(road.address()).await.is_err()).await;
            sleep(fault.lasts).await;
            refused
        }
        Kind::RoadSilent => {
            road.silence();
            road.reset();
            let silent = shows("somebody gets no word", async || road.counts().silenced > before.silenced).await;
            sleep(fault.lasts).await;
            silent
        }
        Kind::ConfirmsLost => {
            road.put(Way::Down, Trouble::Stall);
            let sent = shows("publishes pass", async || road.counts().up > before.up + CUT).await;
            road.reset();
            sent
        }
        kind => Err(format!("{kind:?} is not done to a road")),
    }
}

/// Does nothing arrive for a while?
async fn is_still(road: &Proxy) -> bool {
    let arrived = || (road.counts().up, road.counts().down);
    let before = arrived();
    sleep(STILL).await;
    arrived() == before
}
