//! A service as a process that logs everything, and what it told until its end.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tegami::{Context, Error, HandlerError, Retry, Service, service::Handle};
use tokio::{sync::mpsc, task::spawn_blocking, time::timeout};
use tracing_subscriber::filter::LevelFilter;

use super::CANARY;
use crate::contracts::shop::{orders::v1::OrderPaid, warehouse::v1::StockMoved};

/// Tells the binary which service to be.
const ROLE: &str = "SERVICE_ROLE";
/// How long a start may take until it tells what is wrong.
const TELLS_WITHIN: Duration = Duration::from_secs(60);

/// What a service told on both its outputs, and how it ended; no code if it had not by itself.
pub struct Told {
    pub code: Option<i32>,
    pub text: String,
}

/// Not a test by itself: the service that the tests start.
#[test]
fn service() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let log = tracing_subscriber::fmt().with_ansi(false).with_max_level(LevelFilter::TRACE);
    log.with_writer(std::io::stderr).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let code = match runtime.expect("a runtime").block_on(billing(&role).run()) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("{error}\n{error:?}\ntransient: {}", error.is_transient());
            1
        }
    };
    // What `main` returning the result would end with.
    std::process::exit(code);
}

fn billing(role: &str) -> Service {
    let service = Service::new("billing");
    match role {
        "plain" => service.on::<OrderPaid>(async |_: OrderPaid, _: Context| Ok(())).started(stop),
        "ordered" => service.on::<StockMoved>(async |_: StockMoved, _: Context| Ok(())).started(stop),
        "halting" => {
            service.on_with::<StockMoved>(async |_: StockMoved, _: Context| Ok(()), |s| s.halt_on_dead()).started(stop)
        }
        "patient" => {
            let half_an_hour = Retry::after([Duration::from_secs(1800)]);
            let service =
                service.on_with::<StockMoved>(async |_: StockMoved, _: Context| Ok(()), |s| s.retry(half_an_hour));
            service.started(stop)
        }
        "secrets" => service
            .on_with::<OrderPaid>(fail, |s| s.retry(Retry::after([Duration::from_millis(50)])))
            .started(publish_secrets),
        other => panic!("no such role: {other}"),
    }
}

/// A service that got so far has nothing more to show.
async fn stop(service: Handle) -> Result<(), Error> {
    service.stop();
    Ok(())
}

async fn publish_secrets(service: Handle) -> Result<(), Error> {
    let secret = OrderPaid::builder().order_id(CANARY).currency(CANARY).amount_minor(7).build();
    for _ in 0..20 {
        service.publisher().publish(&secret).await?;
    }
    Ok(())
}

/// Fails twice, and ends the service with the last dead letter.
async fn fail(_: OrderPaid, ctx: Context) -> Result<(), HandlerError> {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    static LAST: AtomicUsize = AtomicUsize::new(0);
    if ctx.attempt() == 2 && LAST.fetch_add(1, SeqCst) == 19 {
        ctx.stop();
    }
    Err(HandlerError::retry("no bank takes it".to_owned()))
}

/// Starts the service on this transport and waits for its end, but not for ever.
pub async fn run(role: &str, url: &str, settings: &[(&str, &str)]) -> Told {
    until(start(role, url, settings), |_| false).await
}

/// Starts the service, and waits until it has told this.
pub async fn run_until(role: &str, url: &str, word: &str) -> Told {
    until(start(role, url, &[]), |text| text.contains(word)).await
}

/// Starts the service and waits for its end, with a look at all that it has told so far whenever it tells more.
pub async fn run_and(role: &str, url: &str, mut look: impl FnMut(&str)) -> Told {
    let looks = |text: &str| {
        look(text);
        false
    };
    until(start(role, url, &[]), looks).await
}

fn start(role: &str, url: &str, settings: &[(&str, &str)]) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["startup::service::service", "--exact", "--nocapture"]).env(ROLE, role);
    command.env("TEGAMI_TRANSPORT", url).envs(settings.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("this binary runs")
}

async fn until(mut child: Child, mut enough: impl FnMut(&str) -> bool) -> Told {
    let lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let (teller, mut told) = mpsc::channel(100);
    let telling = spawn_blocking(move || lines.map_while(Result::ok).all(|line| teller.blocking_send(line).is_ok()));
    let mut text = String::new();
    let ended = timeout(TELLS_WITHIN, async {
        while let Some(line) = told.recv().await {
            text += &line;
            text += "\n";
            if enough(&text) {
                return false;
            }
        }
        true
    });
    let ended = ended.await.unwrap_or(false);
    if !ended {
        child.kill().expect("the child is ours");
    }
    let code = child.wait().expect("the child is ours").code();
    drop(told);
    telling.await.expect("nothing there panics");
    Told { code: code.filter(|_| ended), text }
}
