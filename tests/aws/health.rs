//! What a service tells of SNS and SQS while they do not answer (N1).

use std::time::Duration;

use tegami::{
    Context, HandlerError, Service,
    health::{Kind, State},
    service::Running,
    transport::aws::Aws,
};
use tegami_test_servers::{Emulator, Kind as Emulated};
use tokio::time::{sleep, timeout};

use crate::contracts::shop::orders::v1::OrderPaid;

/// How long anything may take to be told: queues that are gone are made anew only now and then.
const TOLD: Duration = Duration::from_secs(90);

async fn ignore(_: OrderPaid, _: Context) -> Result<(), HandlerError> {
    Ok(())
}

async fn until(running: &Running, state: State) {
    let looking = async {
        while running.health().await.state != state {
            sleep(Duration::from_millis(50)).await;
        }
    };
    if timeout(TOLD, looking).await.is_err() {
        panic!("{state:?} was not told within {TOLD:?}: {:?}", running.health().await);
    }
}

#[tokio::test]
async fn n1_services_that_do_not_answer_are_down_and_up_again_when_they_do() {
    let emulator = Emulator::take(Emulated::MiniStack).await;
    let transport = Aws::new(format!("aws:eu-west-1?endpoint={}", emulator.endpoint()));
    let service = Service::new("billing").prefix(format!("health-{}-", std::process::id())).transport(transport);
    let running = service.on::<OrderPaid>(ignore).start().await.expect("they answer");
    until(&running, State::Up).await;
    emulator.kill9().await;
    until(&running, State::Down).await;
    let health = running.health().await;
    let transport = health.components.iter().find(|component| component.kind == Kind::Transport).expect("it has one");
    assert!(transport.status.reason().is_some(), "{health:?}");
    emulator.start().await;
    until(&running, State::Up).await;
    running.stop().await.expect("no hook can fail");
}
