//! A service in a process of its own, so that what it holds is not what its clients hold.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use tegami::http::axum::{Router, routing::get as on_get};
use tokio::runtime::Handle;

use super::{http2, websocket};
use crate::client::{Client, get};

/// Tells this binary to be the service.
const ROLE: &str = "HTTP_SERVER";
/// So many clients at once, and one more.
const PLACES: usize = 4_000;

/// Not a test by itself: the service that tests start. It ends with whoever started it.
#[test]
fn server() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build().expect("a runtime");
    let _service = runtime.block_on(async {
        let tasks = async || Handle::current().metrics().num_alive_tasks().to_string();
        let router = Router::new().route("/tasks", on_get(tasks)).route("/echo", websocket::route());
        let service = crate::serve(router.merge(http2::router()), |http| {
            http.limits(|limits| {
                (limits.connections, limits.connections_per_address, limits.requests) = (PLACES, PLACES, PLACES);
                // Nobody is let go before the test wants it.
                (limits.first_byte, limits.head, limits.write, limits.idle, limits.body_grace) =
                    (HOUR, HOUR, HOUR, HOUR, HOUR);
                (limits.body_time, limits.handler, limits.ping) = (HOUR, HOUR, HOUR);
            })
        });
        let service = service.await.expect("it starts");
        println!("\nlistening on {}", service.http_address().expect("it has routes"));
        service
    });
    let _ = std::io::stdin().read(&mut [0]);
}

const HOUR: Duration = Duration::from_secs(3_600);

/// That process.
pub struct Server {
    process: Child,
    pub address: SocketAddr,
    /// Where it says more, which nobody reads.
    _told: ChildStdout,
}

/// What it holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Holds {
    pub descriptors: usize,
    pub tasks: usize,
    /// Bytes of memory that are its own now.
    pub resident: usize,
    /// The most that they ever were.
    pub peak: usize,
}

impl Server {
    pub fn start() -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this binary"));
        command.args([
            concat!(module_path!(), "::server").split_once("::").expect("a crate").1,
            "--exact",
            "--nocapture",
        ]);
        command.env(ROLE, "1").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("this binary runs");
        let mut told = process.stdout.take().expect("it is piped");
        let mut lines = BufReader::new(&mut told).lines().map_while(Result::ok);
        let address = lines.find_map(|line| line.strip_prefix("listening on ")?.parse().ok()).expect("it listens");
        Self { process, address, _told: told }
    }

    pub async fn holds(&self) -> Holds {
        let mut client = Client::at(self.address).await;
        let tasks = client.ask(get("/tasks")).await.text().parse().expect("a number");
        drop(client);
        let status = fs::read_to_string(self.file("status")).expect("Linux tells");
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("Linux tells it");
            line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") * 1024
        };
        let descriptors = fs::read_dir(self.file("fd")).expect("Linux tells").count();
        Holds { descriptors, tasks, resident: bytes("VmRSS:"), peak: bytes("VmHWM:") }
    }

    /// How long its threads have run, all together.
    pub fn ran(&self) -> Duration {
        let threads = fs::read_dir(self.file("task")).expect("Linux tells").map_while(Result::ok);
        let nanoseconds = threads.filter_map(|thread| {
            let told = fs::read_to_string(thread.path().join("schedstat")).ok()?;
            told.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanoseconds.sum())
    }

    fn file(&self, name: &str) -> PathBuf {
        format!("/proc/{}/{name}", self.process.id()).into()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
