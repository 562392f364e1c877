//! SNS and SQS as the suite meets them: an emulator, taken on first use, behind a proxy that knows what it carries.

use std::sync::Arc;

use async_trait::async_trait;
use tegami::{
    testing::transport::{Fault, Injected, Subject},
    transport::{Transport, TransportError, aws::Aws},
};
use tegami_test_servers::{AwsFault, Emulator, Kind, Rule, Trouble};
use tokio::sync::OnceCell;

/// How the names of dead-letter queues end.
const DEAD: [&str; 2] = ["-dead", "-dead.fifo"];
/// Short receives, since an emulator goes on receiving for a caller who is gone; and short visibility for what it then
/// received.
const TIMES: &str = "wait=1&visibility=5";

/// An emulator of this kind, which the case has for itself.
pub struct Broker {
    kind: Kind,
    place: OnceCell<Place>,
}

/// An emulator, and the proxy before it.
pub struct Place {
    pub emulator: Emulator,
    pub fault: AwsFault,
}

impl Broker {
    pub fn of(kind: Kind) -> Self {
        Self { kind, place: OnceCell::new() }
    }

    pub async fn place(&self) -> &Place {
        let build = async || {
            let emulator = Emulator::take(self.kind).await;
            let fault = AwsFault::before(emulator.address(), 7).await.expect("there is a free port");
            Place { emulator, fault }
        };
        self.place.get_or_init(build).await
    }

    async fn url(&self) -> String {
        format!("aws:eu-west-1?endpoint={}&{TIMES}", self.place().await.fault.endpoint())
    }
}

#[async_trait]
impl Subject for Broker {
    async fn connect(&self) -> Result<Arc<dyn Transport>, TransportError> {
        self.connect_to(&self.url().await).await
    }

    /// Emulators are slow: thousands of calls are more than a case has time for.
    fn many(&self) -> usize {
        if self.kind == Kind::LocalStack { 100 } else { 300 }
    }

    async fn inject(&self, fault: Fault) -> Injected {
        let Place { emulator, fault: proxy } = self.place().await;
        match fault {
            // An emulator forgets everything when it is killed, and AWS does not: it is only out of reach.
            Fault::Killed => proxy.close(),
            Fault::Frozen => emulator.freeze().await,
            Fault::Cut => proxy.door().reset(),
            Fault::Blocked => proxy.put(Rule::on("Publish*", Trouble::Hang)),
            Fault::Refusing => {
                proxy.put(Rule::on("*", Trouble::EXPIRED).share(0.5));
                proxy.put(Rule::on("*", Trouble::Throttled));
            }
            Fault::DeadLettersDown => {
                DEAD.into_iter().for_each(|dead| proxy.put(Rule::on("SendMessage*", Trouble::DENIED).to(dead)));
            }
            _ => return Injected::Cannot,
        }
        Injected::Done
    }

    async fn lift(&self, fault: Fault) {
        let Place { emulator, fault: proxy } = self.place().await;
        match fault {
            Fault::Frozen => emulator.thaw().await,
            _ => {
                proxy.lift();
                proxy.door().opened().await;
            }
        }
    }

    async fn address(&self) -> Option<String> {
        Some(self.url().await)
    }

    async fn connect_to(&self, address: &str) -> Result<Arc<dyn Transport>, TransportError> {
        Ok(Arc::new(Aws::new(address)))
    }
}
