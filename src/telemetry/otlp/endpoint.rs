//! Where the collector is, and whether the way there is safe.

use std::net::IpAddr;

/// Variables of which one says where the collector is.
const ENDPOINTS: [&str; 4] = [
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
];
/// Says that what is sent may go unencrypted.
const INSECURE: &str = "OTEL_EXPORTER_OTLP_INSECURE";

/// The endpoints that variables name, each with its variable.
pub(super) fn told(variable: impl Fn(&str) -> Option<String>) -> Vec<(&'static str, String)> {
    let told = |name| Some((name, variable(name).filter(|address| !address.is_empty())?));
    ENDPOINTS.into_iter().filter_map(told).collect()
}

/// Refuses an address, which stands there, to which nothing should be sent.
///
/// # Errors
/// It is none, it has credentials in it, or what is sent could be read on the way.
pub(super) fn check(place: &str, address: &str, variable: impl Fn(&str) -> Option<String>) -> Result<(), String> {
    let parts = address.split_once("://").filter(|(scheme, _)| ["http", "https"].contains(scheme));
    let Some((scheme, rest)) = parts else {
        return Err(format!("`{place}` is no address: give one as `https://collector:4318`"));
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(format!("`{place}` has credentials in it: give them in `OTEL_EXPORTER_OTLP_HEADERS`"));
    }
    let allowed = || variable(INSECURE).is_some_and(|said| said.eq_ignore_ascii_case("true"));
    if scheme == "https" || is_here(authority) || allowed() {
        return Ok(());
    }
    let way_out = format!("use `https://`, or allow it with `{INSECURE}=true`");
    Err(format!("`{place}` is `{scheme}://{authority}`, which would be told all unencrypted: {way_out}"))
}

/// A loopback address, with or without a port.
fn is_here(authority: &str) -> bool {
    let host = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, _)) => host,
        None => authority.split(':').next().unwrap_or_default(),
    };
    let ip: Option<IpAddr> = host.parse().ok();
    ip.map_or_else(|| host.eq_ignore_ascii_case("localhost"), |ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn k02_what_is_sent_leaves_the_machine_unencrypted_only_when_that_is_allowed() {
        let insecure = |name: &str| (name == INSECURE).then(|| "true".to_owned());
        for address in
            ["http://collector:4318", "http://10.0.0.1/v1/logs", "http://127.0.0.1.example", "http://[::2]:1"]
        {
            let refused = check("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", address, none).expect_err(address);
            assert!(refused.starts_with("`OTEL_EXPORTER_OTLP_LOGS_ENDPOINT` is `http://"), "{refused}");
            assert!(refused.ends_with("or allow it with `OTEL_EXPORTER_OTLP_INSECURE=true`"), "{refused}");
            assert_eq!(check("x", address, insecure), Ok(()));
        }
        for address in ["https://collector", "http://127.0.0.1:4318", "http://[::1]:4318/", "http://LOCALHOST"] {
            assert_eq!(check("x", address, none), Ok(()), "{address}");
        }
    }

    #[test]
    fn k03_credentials_in_an_address_are_refused_and_not_told() {
        for address in
            ["https://user:s3cr3t@collector", "http://s3cr3t@127.0.0.1:4318/x", "s3cr3t:4318", "ftp://s3cr3t"]
        {
            let refused = check("OTEL_EXPORTER_OTLP_ENDPOINT", address, none).expect_err(address);
            assert!(refused.starts_with("`OTEL_EXPORTER_OTLP_ENDPOINT` ") && !refused.contains("s3cr3t"), "{refused}");
        }
    }

    #[test]
    fn an_empty_variable_names_nothing() {
        let variable = |name: &str| match name {
            "OTEL_EXPORTER_OTLP_ENDPOINT" => Some(String::new()),
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT" => Some("https://logs".to_owned()),
            _ => None,
        };
        assert_eq!(told(variable), [("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "https://logs".to_owned())]);
    }
}
