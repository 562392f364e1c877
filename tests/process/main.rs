//! A service as a process: signals and exit codes (S1, S5). Each test runs this binary again as the service.

#![cfg(unix)]

mod contracts {
    tegami::include_contracts!();
}
#[cfg(all(feature = "http", feature = "logs", feature = "schedule"))]
mod shown;
#[cfg(feature = "otel")]
mod silent;
#[cfg(all(feature = "http", feature = "logs"))]
mod stop;
mod tasks;

use std::{
    collections::BTreeMap,
    fmt,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use contracts::shop::orders::v1::OrderPaid;
use tegami::{Config, Context, Error, HandlerError, Service, service::Handle};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

/// A stop takes so much more than its drain time at most (S1).
const AFTER_DRAIN: Duration = Duration::from_secs(10);
/// A second signal ends the process in so long (S5).
const AT_ONCE: Duration = Duration::from_secs(1);
/// What a busy machine adds to either.
const MARGIN: Duration = Duration::from_secs(5);

/// Tells the binary which service to be.
const ROLE: &str = "SERVICE_ROLE";

/// Not a test by itself: the service that the tests below start.
#[test]
fn service() {
    let Ok(role) = std::env::var(ROLE) else { return };
    if role == "logging" {
        tracing_subscriber::fmt().with_writer(std::io::stderr).event_format(Own).init();
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let ended = runtime.block_on(async {
        // A broker in memory is there as long as somebody holds it.
        let _broker = match role.as_str() {
            "poisoned" => Some(tasks::poison().await),
            "personal" => Some(tasks::register().await),
            _ => None,
        };
        billing(&role).run().await
    });
    let code = match ended {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("{error:?}");
            1
        }
    };
    if role == "told" {
        tracing::warn!("it is over");
    }
    if ["left", "lingering"].contains(&role.as_str()) {
        println!("ran");
    }
    // What `main` returning the result would end with.
    drop(runtime);
    std::process::exit(code);
}

/// A format that is not ours.
struct Own;

impl<S, N> FormatEvent<S, N> for Own
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, ctx: &FmtContext<'_, S, N>, mut to: Writer<'_>, event: &tracing::Event<'_>) -> fmt::Result {
        write!(to, "its own: ")?;
        ctx.field_format().format_fields(to.by_ref(), event)?;
        writeln!(to)
    }
}

fn billing(role: &str) -> Service {
    let service = Service::new("billing").started(publish);
    match role {
        "quick" | "told" => service.on::<OrderPaid>(quick),
        "waiting" => service.drain(Duration::from_secs(30)).on::<OrderPaid>(wait),
        "hanging" => service.drain(Duration::ZERO).on::<OrderPaid>(wait),
        "blocking" => service.drain(Duration::ZERO).on::<OrderPaid>(block),
        "overdue" => service.drain(Duration::ZERO).on::<OrderPaid>(block).stopped(close_slowly),
        "lingering" => service.on::<OrderPaid>(linger),
        "left" => service.on::<OrderPaid>(leave),
        "exiting" | "logging" => service.on::<OrderPaid>(exit),
        "starting" => service.drain(Duration::ZERO).on::<OrderPaid>(quick).before_start(wait_for_ever),
        "stuck" => service.on::<OrderPaid>(quick).before_start(wait_for_ever).stopping(wait_for_ever),
        "configured" => service.on::<OrderPaid>(exit).config(Config::new()),
        "tasked" => service.on::<OrderPaid>(exit).config(Config::new().set("task", "describe").expect("it is one")),
        "personal" => tasks::personal(Service::new("billing")),
        "poisoned" => tasks::poisoned(Service::new("billing")),
        #[cfg(all(feature = "http", feature = "logs"))]
        "busy" => stop::busy(Duration::from_secs(2), stop::REQUESTS + stop::SOCKETS + stop::STUCK),
        #[cfg(all(feature = "http", feature = "logs"))]
        "patient" => stop::busy(Duration::from_secs(60), stop::REQUESTS + stop::SOCKETS),
        #[cfg(all(feature = "http", feature = "logs", feature = "schedule"))]
        "shown" => shown::service(service.on::<OrderPaid>(exit)),
        "failing" => service.on::<OrderPaid>(quick).stopping(async |_| Err::<(), _>("no disk")),
        other => panic!("no such role: {other}"),
    }
}

async fn publish(service: Handle) -> Result<(), Error> {
    service.publisher().publish(&OrderPaid::builder().order_id("o-1").build()).await?;
    Ok(())
}

async fn wait_for_ever(_: Handle) -> Result<(), Error> {
    println!("running");
    std::future::pending().await
}

/// Takes nearly all the time that such a hook has.
async fn close_slowly(_: Handle) -> Result<(), Error> {
    tokio::time::sleep(Duration::from_millis(1_900)).await;
    Ok(())
}

async fn quick(_: OrderPaid, _: Context) -> Result<(), HandlerError> {
    println!("running");
    Ok(())
}

async fn wait(_: OrderPaid, _: Context) -> Result<(), HandlerError> {
    println!("running");
    std::future::pending().await
}

async fn block(_: OrderPaid, _: Context) -> Result<(), HandlerError> {
    println!("running");
    std::thread::sleep(Duration::from_secs(120));
    Ok(())
}

async fn linger(_: OrderPaid, _: Context) -> Result<(), HandlerError> {
    println!("running");
    tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_secs(120)));
    Ok(())
}

async fn leave(order: OrderPaid, ctx: Context) -> Result<(), HandlerError> {
    ctx.stop();
    linger(order, ctx).await
}

async fn exit(_: OrderPaid, ctx: Context) -> Result<(), HandlerError> {
    println!("running");
    ctx.exit(7);
    Ok(())
}

/// Starts the service and waits until its handler runs.
fn start(role: &str) -> Child {
    begin(command(role))
}

fn begin(command: Command) -> Child {
    begin_until(command, "running")
}

/// Starts the service and waits for this word of it.
fn begin_until(mut command: Command, word: &str) -> Child {
    let mut child = command.spawn().expect("this binary runs");
    let mut lines = BufReader::new(child.stdout.as_mut().expect("piped")).lines();
    let said = lines.any(|line| line.is_ok_and(|line| line.ends_with(word)));
    assert!(said, "the service ended before it said `{word}`");
    child
}

fn command(role: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["service", "--exact", "--nocapture"]).env(ROLE, role).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn send(child: &Child, signal: &str) {
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill runs");
    assert!(status.success(), "kill {signal}");
}

/// Waits for the end: the exit code, and how long it took.
fn end(mut child: Child) -> (Option<i32>, Duration) {
    let began = Instant::now();
    let status = child.wait().expect("the child is ours");
    (status.code(), began.elapsed())
}

#[test]
fn s5_a_drained_stop_ends_with_code_zero() {
    for signal in ["-TERM", "-INT"] {
        let child = start("quick");
        send(&child, signal);
        assert_eq!(end(child).0, Some(0), "{signal}");
    }
}

#[test]
fn s5_a_second_signal_ends_the_process_within_a_second() {
    let child = start("waiting");
    send(&child, "-TERM");
    // The first signal must have been taken before the second: Unix merges equal pending signals.
    send_until_it_ends(child);
}

#[test]
fn s5_a_signal_ends_a_start_that_does_not_come_to_its_end() {
    for signal in ["-TERM", "-INT"] {
        let child = start("starting");
        send(&child, signal);
        let (code, took) = end(child);
        assert_eq!(code, Some(0), "{signal}");
        assert!(took <= AFTER_DRAIN + MARGIN, "{signal} took {took:?}");
    }
}

#[test]
fn s5_a_second_signal_ends_the_undoing_of_a_start() {
    let child = start("stuck");
    send(&child, "-TERM");
    send_until_it_ends(child);
}

#[test]
fn s5_a_second_signal_ends_a_process_that_waits_for_a_thread_of_its_runtime() {
    let mut child = start("lingering");
    send(&child, "-TERM");
    let mut lines = BufReader::new(child.stdout.as_mut().expect("piped")).lines();
    assert!(lines.any(|line| line.is_ok_and(|line| line.ends_with("ran"))), "the service ends");
    send(&child, "-INT");
    let (code, took) = end(child);
    assert_eq!(code, Some(70));
    assert!(took <= Duration::from_secs(3), "{took:?}");
}

/// Nobody has sent a signal before: the service stopped itself.
#[test]
fn s5_a_first_signal_ends_a_process_that_waits_for_a_thread_of_its_runtime_once_its_service_is_over() {
    let child = begin_until(command("left"), "ran");
    send(&child, "-TERM");
    let (code, took) = end(child);
    assert_eq!(code, Some(70));
    assert!(took <= Duration::from_secs(3), "{took:?}");
}

fn send_until_it_ends(mut child: Child) {
    let began = Instant::now();
    while child.try_wait().expect("the child is ours").is_none() {
        assert!(began.elapsed() <= AT_ONCE + MARGIN, "still there after {:?} of signals", began.elapsed());
        send(&child, "-INT");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(end(child).0, Some(70));
}

#[test]
fn s5_a_forced_stop_ends_with_code_seventy_in_drain_time_and_ten_seconds() {
    for role in ["hanging", "blocking"] {
        let child = start(role);
        send(&child, "-TERM");
        let (code, took) = end(child);
        assert_eq!(code, Some(70), "{role}");
        assert!(took <= AFTER_DRAIN + MARGIN, "{role} took {took:?}");
    }
}

#[test]
fn a_handler_can_ask_for_an_exit_code() {
    assert_eq!(end(start("exiting")).0, Some(7));
}

/// What a collector is sent by a service that ends by itself: paths, and what came there.
#[cfg(feature = "otel")]
fn sent(variables: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
    use std::{net::TcpListener, thread};

    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = format!("http://{}", listener.local_addr().expect("it has one"));
    let (tell, came) = std::sync::mpsc::channel();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let tell = tell.clone();
            thread::spawn(move || received(client, |request| tell.send(request).expect("somebody asks")));
        }
    });
    let mut command = command("exiting");
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", address).envs(variables.iter().copied());
    let ended = command.output().expect("this binary runs");
    assert_eq!(ended.status.code(), Some(7), "{}", String::from_utf8_lossy(&ended.stderr));
    came.try_iter().collect()
}

/// Tells the path and the body of one request, and then answers it: whoever asked may end with the answer.
#[cfg(feature = "otel")]
fn received(client: std::net::TcpStream, tell: impl FnOnce((String, Vec<u8>))) -> Option<()> {
    use std::io::{Read, Write};

    let mut reader = BufReader::new(client.try_clone().ok()?);
    let head: Vec<String> = reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let path = head.first()?.split(' ').nth(1)?.to_owned();
    let length = head.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok())?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    tell((path, body));
    (&client).write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").ok()
}

#[cfg(feature = "otel")]
#[test]
fn what_is_left_to_send_is_sent_before_the_process_ends() {
    assert_eq!(sent(&[]).into_keys().collect::<Vec<_>>(), ["/v1/logs", "/v1/metrics", "/v1/traces"]);
    assert!(sent(&[("OTEL_SDK_DISABLED", "true")]).is_empty());
}

#[cfg(feature = "otel")]
#[test]
fn who_sends_is_said_by_the_environment_and_else_by_the_service() {
    // As OTLP has an attribute: its name, and its value within another message.
    let says = |body: &[u8], name: &str, value: &str| {
        let within = u8::try_from(value.len()).expect("it is short");
        let attribute = [name.as_bytes(), &[0x12, within + 2, 0x0a, within], value.as_bytes()].concat();
        body.windows(attribute.len()).any(|part| part == attribute)
    };
    let both = "service.name=attribute,service.instance.id=i-1";
    for (variables, name, instance) in [
        (&[][..], "billing", None),
        (&[("OTEL_RESOURCE_ATTRIBUTES", both)], "attribute", Some("i-1")),
        (&[("OTEL_RESOURCE_ATTRIBUTES", both), ("OTEL_SERVICE_NAME", "variable")], "variable", Some("i-1")),
        (&[("OTEL_SERVICE_NAME", "variable")], "variable", None),
    ] {
        for (path, body) in sent(variables) {
            assert!(says(&body, "service.name", name), "{path} {variables:?}");
            let drawn = body.windows(23).any(|part| part == b"service.instance.id\x12\x26\x0a\x24");
            let is_told = instance.map_or(drawn, |instance| says(&body, "service.instance.id", instance));
            assert!(is_told, "{path} {variables:?}");
        }
    }
}

#[cfg(feature = "otel")]
#[test]
fn k02_a_collector_that_would_be_told_all_unencrypted_is_refused_by_its_variable() {
    let named = ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://collector.example:4318");
    let ended = command("exiting").envs([named]).output().expect("this binary runs");
    let told = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert!(told.contains(named.0) && told.contains("OTEL_EXPORTER_OTLP_INSECURE=true"), "{told}");
}

#[test]
fn a_hook_that_fails_at_the_stop_ends_with_code_one() {
    let child = start("failing");
    send(&child, "-TERM");
    assert_eq!(end(child).0, Some(1));
}

#[test]
fn k1_a_wrong_setting_ends_with_code_one_and_its_name() {
    for (name, value) in [
        ("TEGAMI_DRAIN", "soon"),
        ("TEGAMI_TRANSPORT", "pigeon:"),
        ("TEGAMI_TYPO", "1"),
        ("TEGAMI_CONFIG", "none.toml"),
    ] {
        let output = command("quick").env(name, value).output().expect("this binary runs");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains(name), "{told}");
    }
}

/// An empty folder of its own, for a process to work in.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("tegami-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("there is room for a folder");
    folder
}

#[test]
fn k1_a_file_is_read_where_it_is_named_and_beside_the_process() {
    let folder = folder("files");
    let named = folder.join("named.toml");
    std::fs::write(folder.join("tegami.toml"), "\ndrain = 'beside'").expect("a file");
    std::fs::write(&named, "drain = 'named'").expect("a file");
    let output = command("quick").current_dir(&folder).output().expect("this binary runs");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("`drain` (tegami.toml:2) is `\"beside\"`"), "{told}");
    let output = command("quick").current_dir(&folder).env("TEGAMI_CONFIG", &named).output().expect("this binary runs");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("named.toml:1) is `\"named\"`") && !told.contains("beside"), "{told}");
    std::fs::remove_dir_all(folder).expect("it was ours");
}

#[test]
fn k1_a_file_that_is_no_text_or_too_large_or_none_is_refused() {
    let folder = folder("broken");
    let (bytes, large) = (folder.join("bytes.toml"), folder.join("large.toml"));
    std::fs::write(&bytes, [0xff, 0xfe, 0x00]).expect("a file");
    std::fs::write(&large, " ".repeat(1024 * 1024 + 1)).expect("a file");
    for path in [&bytes, &large, &folder, &PathBuf::from("/dev/zero")] {
        let output = command("quick").env("TEGAMI_CONFIG", path).output().expect("this binary runs");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(
            told.contains(&format!("the settings in `{}` (TEGAMI_CONFIG) cannot be read", path.display())),
            "{told}"
        );
    }
    std::fs::remove_dir_all(folder).expect("it was ours");
}

#[test]
fn k1_a_file_may_have_a_mebibyte_to_the_byte() {
    let folder = folder("mebibyte");
    let path = folder.join("full.toml");
    let full = format!("drain = 5\n#{}", "x".repeat(1024 * 1024 - 11));
    for (more, code) in [("", Some(7)), ("x", Some(1)), ("\n", Some(1))] {
        std::fs::write(&path, format!("{full}{more}")).expect("a file");
        let output = command("exiting").env("TEGAMI_CONFIG", &path).output().expect("this binary runs");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), told.contains("more than 1048576 bytes")), (code, code == Some(1)), "{told}");
    }
    assert_eq!(full.len(), 1024 * 1024);
    std::fs::remove_dir_all(folder).expect("it was ours");
}

#[cfg(feature = "logs")]
#[test]
fn a_service_that_is_run_writes_its_log_as_its_settings_have_it() {
    let log = |format: &str| {
        let mut command = command("exiting");
        command.env("TEGAMI_LOG_FORMAT", format).env("TEGAMI_LOG", "info,tegami=trace");
        String::from_utf8(command.output().expect("this binary runs").stderr).expect("text")
    };
    let json = log("json");
    assert!(json.lines().all(|line| line.starts_with("{\"timestamp\": \"") && line.ends_with('}')), "{json}");
    assert!(
        json.contains("\"message\": \"service started\"") && json.contains("\"message\": \"service stopped\""),
        "{json}"
    );
    let console = log("console");
    assert!(console.contains("[info     ] service started ") && !console.contains('\u{1b}'), "{console}");
    assert_eq!(log("off"), "");
}

#[cfg(feature = "logs")]
#[test]
fn a_program_that_has_a_subscriber_keeps_it() {
    let output = command("logging").output().expect("this binary runs");
    let told = String::from_utf8(output.stderr).expect("text");
    assert!(told.contains("its own: service started") && !told.contains("[info"), "{told}");
}
