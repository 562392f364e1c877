//! The end of a service whose collector takes connections and answers nothing (S1, S5).

use std::{
    net::{TcpListener, TcpStream},
    process::Child,
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use super::{begin, command, end, send, sent};

/// A wait for what must happen; longer is a failure.
const LONG: Duration = Duration::from_secs(60);

/// Where the collector is, and who connected to it: they wait for as long as this is kept.
fn collector() -> (String, Receiver<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = format!("http://{}", listener.local_addr().expect("it has one"));
    let (tell, came) = channel();
    thread::spawn(move || listener.incoming().map_while(Result::ok).try_for_each(|client| tell.send(client)));
    (address, came)
}

/// Starts the service, which sends nothing before its end, and waits until its handler runs.
fn start(role: &str) -> (Child, Receiver<TcpStream>) {
    let (address, came) = collector();
    let mut command = command(role);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", address);
    for often in ["OTEL_BLRP_SCHEDULE_DELAY", "OTEL_BSP_SCHEDULE_DELAY", "OTEL_METRIC_EXPORT_INTERVAL"] {
        command.env(often, "600000");
    }
    (begin(command), came)
}

#[test]
fn s1_an_idle_service_ends_in_a_few_seconds() {
    let (child, came) = start("quick");
    send(&child, "-TERM");
    let (code, took) = end(child);
    assert_eq!(code, Some(0));
    assert!(came.try_recv().is_ok(), "nothing was sent");
    // The three seconds that are promised, and two for a machine that is busy.
    assert!(took <= Duration::from_secs(5), "{took:?}");
}

#[test]
fn s1_a_forced_stop_has_no_more_than_its_ten_seconds() {
    let (child, came) = start("overdue");
    send(&child, "-TERM");
    let (code, took) = end(child);
    assert_eq!(code, Some(70));
    assert!(came.try_recv().is_ok(), "nothing was sent");
    // A handler that cannot be ended and a slow hook take eight of them; a busy machine may add a little.
    assert!(took <= Duration::from_millis(10_700), "{took:?}");
}

#[test]
fn s5_a_second_signal_is_heard_while_the_last_is_sent() {
    let (child, came) = start("quick");
    send(&child, "-TERM");
    let _client = came.recv_timeout(LONG).expect("what is left is sent");
    send(&child, "-INT");
    let (code, took) = end(child);
    assert_eq!(code, Some(70));
    assert!(took <= Duration::from_secs(2), "{took:?}");
}

#[test]
fn one_that_takes_no_traces_is_sent_the_rest() {
    let (address, _came) = collector();
    let rest = sent(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &address)]);
    assert_eq!(rest.into_keys().collect::<Vec<_>>(), ["/v1/logs", "/v1/metrics"]);
}
