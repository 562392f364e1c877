//! A service as a process: signals and exit codes (S1, S5). Each test runs this binary again as the service.

#![cfg(unix)]

mod contracts {
    tegami::include_contracts!();
}

use std::{
    fmt,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use contracts::shop::orders::v1::OrderPaid;
use tegami::{Context, Error, HandlerError, Service, service::Handle};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

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
    let ended = runtime.block_on(billing(&role).run());
    let code = match ended {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("{error:?}");
            1
        }
    };
    // What `main` returning the result would end with.
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
        "quick" => service.on::<OrderPaid>(quick),
        "waiting" => service.drain(Duration::from_secs(30)).on::<OrderPaid>(wait),
        "hanging" => service.drain(Duration::ZERO).on::<OrderPaid>(wait),
        "blocking" => service.drain(Duration::ZERO).on::<OrderPaid>(block),
        "exiting" | "logging" => service.on::<OrderPaid>(exit),
        "starting" => service.on::<OrderPaid>(quick).before_start(wait_for_ever),
        "stuck" => service.on::<OrderPaid>(quick).before_start(wait_for_ever).stopping(wait_for_ever),
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

async fn exit(_: OrderPaid, ctx: Context) -> Result<(), HandlerError> {
    println!("running");
    ctx.exit(7);
    Ok(())
}

/// Starts the service and waits until its handler runs.
fn start(role: &str) -> Child {
    let mut child = command(role).spawn().expect("this binary runs");
    let mut lines = BufReader::new(child.stdout.as_mut().expect("piped")).lines();
    let running = lines.any(|line| line.is_ok_and(|line| line.ends_with("running")));
    assert!(running, "the service ended before its handler ran");
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
        assert!(took <= Duration::from_secs(1), "{signal} took {took:?}");
    }
}

#[test]
fn s5_a_second_signal_ends_the_undoing_of_a_start() {
    let child = start("stuck");
    send(&child, "-TERM");
    send_until_it_ends(child);
}

fn send_until_it_ends(mut child: Child) {
    let began = Instant::now();
    while child.try_wait().expect("the child is ours").is_none() {
        assert!(began.elapsed() < Duration::from_secs(5), "still there after {:?} of signals", began.elapsed());
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
        assert!(took <= Duration::from_secs(10), "{role} took {took:?}");
    }
}

#[test]
fn a_handler_can_ask_for_an_exit_code() {
    assert_eq!(end(start("exiting")).0, Some(7));
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
