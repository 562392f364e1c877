//! What goes wrong with calls of SNS and SQS.

use std::time::Duration;

use tegami_test_servers::{Applied, AwsFault, Emulator, Rule, Trouble};
use tokio::time::sleep;

use super::{Happened, Kind, Nemesis, plan::Fault, shows};
use crate::place::Broker;

/// How late a late call is.
const LATE: Duration = Duration::from_millis(700);

/// What is done to which calls.
fn rules(kind: Kind) -> Vec<Rule> {
    let on = Rule::on;
    match kind {
        Kind::PublishAnswersLost => vec![on("Publish*", Trouble::LostAnswer).share(0.5)],
        Kind::DeleteAnswersLost => vec![on("DeleteMessage*", Trouble::LostAnswer).share(0.5)],
        Kind::ReceiveAnswersLost => vec![on("ReceiveMessage", Trouble::LostAnswer).share(0.3)],
        Kind::DeletesPretended => vec![on("DeleteMessage*", Trouble::Pretended).share(0.3)],
        Kind::Throttled => vec![on("*", Trouble::Throttled).share(0.8)],
        Kind::Expired => vec![on("*", Trouble::EXPIRED)],
        Kind::Internal => vec![on("*", Trouble::INTERNAL).share(0.5)],
        Kind::Unavailable => vec![on("*", Trouble::UNAVAILABLE)],
        Kind::Hanging => vec![on("*", Trouble::Hang).share(0.5)],
        Kind::BatchesPartlyFailed => {
            let halves = |operation, applied| on(operation, Trouble::PartlyFailed(applied)).share(0.5);
            vec![halves("PublishBatch", Applied::Yes), halves("DeleteMessageBatch", Applied::No)]
        }
        Kind::CallsReset => vec![on("*", Trouble::Reset).share(0.5)],
        Kind::CallsLate => vec![on("*", Trouble::Late(LATE))],
        Kind::AnswersCut => vec![on("*", Trouble::Cut).share(0.3)],
        _ => Vec::new(),
    }
}

impl Nemesis<'_> {
    fn services(&self) -> Result<(&Emulator, &AwsFault), String> {
        match &self.place.broker {
            Broker::Aws { emulator, fault } => Ok((emulator, fault)),
            Broker::Amqp { .. } => Err("there are no calls".to_owned()),
        }
    }

    /// Waits until there are calls that go well.
    pub(super) async fn calls(&self) -> Happened {
        let (_, proxy) = self.services()?;
        let well = || proxy.calls("*") - proxy.struck("*");
        let before = well();
        shows("calls go well before", async || well() > before + 1).await
    }

    pub(super) async fn on_calls(&self, fault: &Fault) -> Happened {
        let (emulator, proxy) = self.services()?;
        let (struck, calls) = (proxy.struck("*"), proxy.calls("*"));
        match fault.kind {
            Kind::ServicesFrozen => {
                emulator.freeze().await;
                sleep(fault.lasts).await;
                // Calls are made, and wait.
                let frozen = shows("calls wait", async || proxy.calls("*") > calls).await;
                emulator.thaw().await;
                return frozen;
            }
            Kind::Unreachable => {
                let before = proxy.door().counts().resets;
                proxy.close();
                let reset = shows("connections end", async || proxy.door().counts().resets > before).await;
                sleep(fault.lasts).await;
                proxy.lift();
                proxy.door().opened().await;
                return reset;
            }
            kind => rules(kind).into_iter().for_each(|rule| proxy.put(rule)),
        }
        sleep(fault.lasts).await;
        let happened = shows("a call is struck", async || proxy.struck("*") > struck).await;
        proxy.lift();
        happened
    }
}
