//! What settings say of the server: the section `[http]`.

use std::{path::PathBuf, time::Duration};

use axum::http::HeaderValue;
use ipnet::IpNet;

use super::{
    HttpOptions,
    listener::is_address,
    options::{ADDRESS, Share},
    unobserved::Unobserved,
};
use crate::config::{Given, Key, Section, Setting};

type Limit<F> = fn(&mut HttpOptions) -> &mut F;

/// The keys, each as the option of its name in code.
pub(crate) fn keys() -> Section<HttpOptions> {
    let mut keys = vec![
        Key::with(
            "address",
            "IP address, or host name, and port of the routes; port 0 is any free one",
            ("text", ADDRESS),
            address,
        )
        .variable("TEGAMI_HTTP"),
        Key::with("reuse_port", "shares the port with other processes", ("`true` or `false`", "false"), reuse_port),
        Key::with("server_header", "what the `Server` header says; empty: none is sent", ("text", "tegami"), header),
        Key::with("trusted_proxies", "networks of proxies, as `10.0.0.0/8`", ("list of text", ""), trusted),
        Key::with("proxy_header", "the header in which they say it", ("text", "x-forwarded-for"), proxy_header),
        Key::with(
            "unobserved",
            "paths that traces and figures leave out, with all below them",
            ("list of text", ""),
            unobserved,
        ),
        Key::of("allowed_origins", "whose pages may open WebSockets", |o: &mut HttpOptions| &mut o.origins),
    ];
    keys.extend(papers());
    keys.extend(times());
    keys.extend(sizes());
    keys.extend(counts());
    Section::new("http", keys)
}

/// What TLS needs: both, or neither.
fn papers() -> [Key<HttpOptions>; 2] {
    let certificates = |options: &mut HttpOptions, given: &Given| Ok(options.tls.with_certificates(path(given)?)?);
    let key = |options: &mut HttpOptions, given: &Given| Ok(options.tls.with_key(path(given)?)?);
    let kind = ("text", "");
    [
        Key::with("tls.certificates", "PEM file of the certificate, and those up to its authority", kind, certificates),
        Key::with("tls.key", "PEM file of the certificate's private key", kind, key),
    ]
}

fn path(given: &Given) -> Result<PathBuf, String> {
    let path = given.value.text().filter(|text| !text.is_empty());
    Ok(path.ok_or("give the path of a PEM file")?.into())
}

fn times() -> Vec<Key<HttpOptions>> {
    vec![
        time("limits.first_byte", "from a connection to its first byte", |o| &mut o.limits.first_byte),
        time("limits.head", "from a request's first byte to the end of its head", |o| &mut o.limits.head),
        time("limits.idle", "from an answer to the next request's first byte", |o| &mut o.limits.idle),
        time("limits.write", "without room for another byte to the client", |o| &mut o.limits.write),
        time("limits.handshake", "the TLS handshake", |o| &mut o.limits.handshake),
        time("limits.body_time", "how long a body is waited for in all", |o| &mut o.limits.body_time),
        Key::of("limits.body_grace", "how long a body may come more slowly than its rate", |o| {
            &mut o.limits.body_grace
        }),
        time("limits.handler", "from a request's head to its answer", |o| &mut o.limits.handler),
        time("limits.keep_alive_time", "age at which a connection is closed", |o| &mut o.limits.keep_alive_time),
        time("limits.ping", "how often HTTP/2 and WebSockets are asked whether they are there", |o| &mut o.limits.ping),
        time("limits.socket_idle", "from a WebSocket's last message, either way, to its end", |o| {
            &mut o.limits.socket_idle
        }),
    ]
}

fn sizes() -> Vec<Key<HttpOptions>> {
    vec![
        count("limits.uri", "bytes of a request's target", |o| &mut o.limits.uri),
        count("limits.header_bytes", "bytes of all headers of a request", |o| &mut o.limits.header_bytes),
        Key::of("limits.body", "bytes of a request's body", |o| &mut o.limits.body),
        Key::of("limits.decoded_body", "bytes of a body that a layer has decompressed, where it is read whole", |o| {
            &mut o.limits.decoded_body
        }),
        rate("limits.body_rate", "bytes a second that a body has to come with", |o| &mut o.limits.body_rate),
        count("limits.socket_message", "bytes of a WebSocket's message", |o| &mut o.limits.socket_message),
        count("limits.socket_frame", "bytes of a WebSocket's frame", |o| &mut o.limits.socket_frame),
        count("limits.socket_buffer", "bytes that wait for a WebSocket's client, or for its handler", |o| {
            &mut o.limits.socket_buffer
        }),
    ]
}

fn counts() -> Vec<Key<HttpOptions>> {
    vec![
        count("limits.headers", "headers of a request", |o| &mut o.limits.headers),
        count("limits.requests", "requests that are handled at once", |o| &mut o.limits.requests),
        count("limits.connections", "connections at once", |o| &mut o.limits.connections),
        count("limits.connections_per_address", "connections of one address at once", |o| {
            &mut o.limits.connections_per_address
        }),
        Key::within(
            "limits.keep_alive_requests",
            "requests of one connection",
            |o| &mut o.limits.keep_alive_requests,
            (|count| *count > 0, SOME),
        ),
        rate("limits.streams", "HTTP/2 requests at once on a connection", |o| &mut o.limits.streams),
        Key::of("limits.pending_resets", "HTTP/2 resets of streams not yet looked at", |o| {
            &mut o.limits.pending_resets
        }),
        Key::of("limits.error_resets", "HTTP/2 streams reset for mistakes", |o| &mut o.limits.error_resets),
        rate("limits.socket_rate", "messages that a WebSocket takes in a second", |o| &mut o.limits.socket_rate),
    ]
}

/// A limit of nothing would let nobody in.
const SOME: &str = "give a whole number from 1";

fn time(name: &'static str, meaning: &'static str, field: Limit<Duration>) -> Key<HttpOptions> {
    let expected = "give seconds, 0.001 to 31622400, with three decimals at most";
    Key::within(name, meaning, field, (|time| !time.is_zero(), expected))
}

fn count(name: &'static str, meaning: &'static str, field: Limit<usize>) -> Key<HttpOptions> {
    Key::within(name, meaning, field, (|count| *count > 0, SOME))
}

fn rate(name: &'static str, meaning: &'static str, field: Limit<u32>) -> Key<HttpOptions> {
    Key::within(name, meaning, field, (|count| *count > 0, "give a whole number, 1 to 4294967295"))
}

fn address(options: &mut HttpOptions, given: &Given) -> Result<(), String> {
    options.address = Some(address_in(given)?);
    Ok(())
}

/// The address that a listener is given.
pub(super) fn address_in(given: &Given) -> Result<String, String> {
    let address = given.value.text().filter(|text| is_address(text));
    Ok(address.ok_or("give an IP address or a host name, with a port, as `127.0.0.1:8080`")?.to_owned())
}

fn reuse_port(options: &mut HttpOptions, given: &Given) -> Result<(), String> {
    let shares = bool::read(&given.value).ok_or(bool::EXPECTED)?;
    options.share = if shares { Share::Port } else { Share::Alone };
    Ok(())
}

fn header(options: &mut HttpOptions, given: &Given) -> Result<(), String> {
    let text = given.value.text().ok_or("give text")?;
    let value = HeaderValue::from_str(text).map_err(|_| "give what can stand in a header")?;
    options.server = Some(value).filter(|value| !value.is_empty());
    Ok(())
}

fn trusted(options: &mut HttpOptions, given: &Given) -> Result<(), String> {
    let expected = "give networks, as `10.0.0.0/8` or `::1/128`";
    let networks = Vec::<String>::read(&given.value).ok_or(expected)?;
    options.trusted =
        networks.iter().map(|text| text.parse::<IpNet>()).collect::<Result<_, _>>().map_err(|_| expected)?;
    Ok(())
}

fn proxy_header(options: &mut HttpOptions, given: &Given) -> Result<(), String> {
    let name = given.value.text().and_then(|text| text.parse().ok());
    options.proxy_header = name.ok_or("give the name of a header")?;
    Ok(())
}

fn unobserved(options: &mut HttpOptions, given: &Given) -> Result<(), String> {
    let expected = "give paths, as `/health`";
    let mut unobserved = Unobserved::default();
    let paths = Vec::<String>::read(&given.value).ok_or(expected)?;
    paths.iter().try_for_each(|path| unobserved.add(path)).map_err(|_| expected)?;
    options.unobserved = unobserved;
    Ok(())
}
