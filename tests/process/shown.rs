//! The banner, and colours: what a terminal is shown, and what reads the output otherwise is not.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use tegami::{
    HandlerError, Service,
    http::axum::{Router, routing::get},
};

use super::{ROLE, command};

/// A service that has everything a banner shows.
pub fn service(service: Service) -> Service {
    let router = Router::new().route("/", get(async || "hello"));
    let service = service.every(Duration::from_secs(3600), tidy).routes(router);
    service.http(|http| http.address("127.0.0.1:0")).admin("127.0.0.1:0")
}

async fn tidy(_: tegami::schedule::Tick) -> Result<(), HandlerError> {
    Ok(())
}

/// What it writes at a terminal with these variables: to standard output and error, as one.
fn at_a_terminal(variables: &[(&str, &str)]) -> Vec<String> {
    let program = std::env::current_exe().expect("this binary");
    let mut script = Command::new("script");
    let arguments = ["service", "--exact", "--nocapture"];
    match cfg!(target_os = "linux") {
        true => script.args(["-qec", &format!("'{}' {}", program.display(), arguments.join(" ")), "/dev/null"]),
        false => script.args(["-q", "/dev/null"]).arg(program).args(arguments),
    };
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TEGAMI_BANNER"] {
        script.env_remove(name);
    }
    script.env(ROLE, "shown").env("TERM", "xterm").envs(variables.iter().copied()).stdin(Stdio::null());
    let ended = script.output().expect("`script` gives programs a terminal; it is part of util-linux and of macOS");
    let shown = String::from_utf8(ended.stdout).expect("text");
    shown.lines().map(|line| line.trim_end().to_owned()).collect()
}

/// The lines from one to the next empty one.
fn table<'a>(lines: &'a [String], head: &str) -> &'a [String] {
    let from = lines.iter().position(|line| line.trim_start().starts_with(head));
    let from = from.unwrap_or_else(|| panic!("no `{head}` in {lines:#?}"));
    let length = lines[from..].iter().position(String::is_empty).unwrap_or(lines.len() - from);
    &lines[from..from + length]
}

const HEADS: [&str; 3] = ["handler ", "schedule ", "listener "];

#[test]
fn a_terminal_is_shown_handlers_schedules_and_addresses() {
    let shown = at_a_terminal(&[]);
    let [handlers, schedules, listeners] = HEADS.map(|head| table(&shown, head));
    assert_eq!(handlers.len(), 2, "{shown:#?}");
    for cell in ["shop.orders.v1.OrderPaid", "memory", " billing-shop-orders-v1-OrderPaid ", "OrderPaid-dead"] {
        assert!(handlers[1].contains(cell), "no `{cell}` in {handlers:#?}");
    }
    assert!(schedules[1].contains("tidy") && schedules.len() == 2, "{schedules:#?}");
    let [_, routes, admin] = listeners else { panic!("{listeners:#?}") };
    assert!(routes.trim_start().starts_with("routes    http://127.0.0.1:"), "{routes}");
    assert!(admin.trim_start().starts_with("admin     http://127.0.0.1:"), "{admin}");
    assert!(![handlers, schedules, listeners].concat().concat().contains('\u{1b}'), "no colours in the banner");
}

#[test]
fn colours_are_a_terminals_and_not_with_no_color() {
    let is_coloured = |variables: &[(&str, &str)]| {
        let lines = at_a_terminal(variables).join("\n");
        assert!(lines.contains("service started"), "{lines}");
        lines.contains('\u{1b}')
    };
    assert!(is_coloured(&[]));
    assert!(!is_coloured(&[("NO_COLOR", "1")]));
}

#[test]
fn no_banner_is_shown_to_what_is_no_terminal_or_where_it_is_switched_off() {
    let piped = command("shown").output().expect("this binary runs");
    let piped = String::from_utf8(piped.stdout).expect("text");
    let off = at_a_terminal(&[("TEGAMI_BANNER", "off")]).join("\n");
    for written in [piped, off] {
        assert!(written.contains("running"), "{written}");
        let is_shown = |line: &str| HEADS.iter().any(|head| line.trim_start().starts_with(head));
        assert!(!written.lines().any(is_shown), "{written}");
    }
}

#[cfg(feature = "http-tls")]
#[test]
fn the_banner_says_where_tls_is_spoken() {
    let paper = |name: &str| format!("{}/tests/certificates/{name}", env!("CARGO_MANIFEST_DIR"));
    let (certificate, key) = (paper("good.pem"), paper("server.key"));
    let shown = at_a_terminal(&[("TEGAMI_HTTP_TLS_CERTIFICATES", &certificate), ("TEGAMI_HTTP_TLS_KEY", &key)]);
    assert!(table(&shown, "listener ")[1].contains(" https://127.0.0.1:"), "{shown:#?}");
}
