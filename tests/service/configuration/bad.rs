//! Wrong settings, each with the exact words of its error (K1).

use tegami::{Config, ErrorKind};

const SECONDS: &str = "give seconds, 0.001 to 31622400, with three decimals at most";
const GUIDE: &str = "docs/configuration.md lists all there are";
const NETWORKS: &str = "give networks, as `10.0.0.0/8` or `::1/128`";
const ADDRESS: &str = "give an IP address or a host name, with a port, as `127.0.0.1:8080`";
const PROVISION: &str = "choose `create`, `verify` or `assume`";
const PREFIX: &str = "give at most 32 of A-Z a-z 0-9 - _";

#[test]
fn k1_each_wrong_file_is_refused_with_key_line_and_what_was_expected() {
    let long = "p".repeat(33);
    for (text, told) in [
        ("drian = 1", "`drian` (tegami.toml:1) is no key of tegami; did you mean `drain`?".to_owned()),
        ("\n\nPrefix = ''", "`Prefix` (tegami.toml:3) is no key of tegami; did you mean `prefix`?".into()),
        ("colour = 1", format!("`colour` (tegami.toml:1) is no key of tegami; {GUIDE}")),
        ("http = 1", format!("`http` (tegami.toml:1) is no key of tegami; {GUIDE}")),
        ("[htpp]\nport = 1", format!("`htpp.port` (tegami.toml:2) is no key of tegami; {GUIDE}")),
        ("[colours]", format!("`colours` (tegami.toml:1) is no key of tegami; {GUIDE}")),
        ("[[http]]\naddress = ''", format!("`http` (tegami.toml:1) is no key of tegami; {GUIDE}")),
        ("[http]\nadress = ''", "`http.adress` (tegami.toml:2) is no key of tegami; did you mean `http.address`?".into()),
        (
            "[http.limits]\nbodi = 1",
            "`http.limits.bodi` (tegami.toml:2) is no key of tegami; did you mean `http.limits.body`?".into(),
        ),
        (
            "http.limit.body = 1",
            "`http.limit.body` (tegami.toml:1) is no key of tegami; did you mean `http.limits.body`?".into(),
        ),
        ("'http.address' = 1", "`\\\"http.address\\\"` (tegami.toml:1) is no key of tegami; did you mean `http.address`?".into()),
        ("\"a\\nb\" = 1", format!("`a\\nb` (tegami.toml:1) is no key of tegami; {GUIDE}")),
        ("drain = -1", "`drain` (tegami.toml:1) is `-1`: give seconds, 0 to 3600".into()),
        ("drain = 3601", "`drain` (tegami.toml:1) is `3601`: give seconds, 0 to 3600".into()),
        ("drain = 3600.001", "`drain` (tegami.toml:1) is `3600.001`: give seconds, 0 to 3600".into()),
        ("drain = 1e3", "`drain` (tegami.toml:1) is `1e3`: give seconds, 0 to 3600".into()),
        ("drain = inf", "`drain` (tegami.toml:1) is `inf`: give seconds, 0 to 3600".into()),
        ("drain = nan", "`drain` (tegami.toml:1) is `nan`: give seconds, 0 to 3600".into()),
        ("drain = 0.0001", "`drain` (tegami.toml:1) is `0.0001`: give seconds, 0 to 3600".into()),
        ("drain = '30'", "`drain` (tegami.toml:1) is `\"30\"`: give seconds, 0 to 3600".into()),
        ("drain = true", "`drain` (tegami.toml:1) is `true`: give seconds, 0 to 3600".into()),
        ("drain = [30]", "`drain` (tegami.toml:1) is a list: give seconds, 0 to 3600".into()),
        ("drain = {}", "`drain` (tegami.toml:1) is a table: give seconds, 0 to 3600".into()),
        ("drain = {s = 1}", "`drain.s` (tegami.toml:1) is no key of tegami; did you mean `drain`?".into()),
        ("drain = 2030-01-01", "`drain` (tegami.toml:1) is a date: give seconds, 0 to 3600".into()),
        ("prefix = 'a b'", format!("`prefix` (tegami.toml:1) is `\"a b\"`: {PREFIX}")),
        ("prefix = 7", format!("`prefix` (tegami.toml:1) is `7`: {PREFIX}")),
        (&format!("prefix = '{long}'"), format!("`prefix` (tegami.toml:1) is `\"{long}\"`: {PREFIX}")),
        ("prefix = 'a\u{7f}'", "tegami.toml:1 is no TOML: invalid literal string, expected non-single-quote visible characters".into()),
        ("prefix = \"\\u001b[31m\"", format!("`prefix` (tegami.toml:1) is `\"\\u{{1b}}[31m\"`: {PREFIX}")),
        ("provision = 'yes'", format!("`provision` (tegami.toml:1) is `\"yes\"`: {PROVISION}")),
        ("provision = 'Create'", format!("`provision` (tegami.toml:1) is `\"Create\"`: {PROVISION}")),
        ("provision = false", format!("`provision` (tegami.toml:1) is `false`: {PROVISION}")),
        ("banner = true", "`banner` (tegami.toml:1) is `true`: choose `auto` or `off`".into()),
        ("banner = 'on'", "`banner` (tegami.toml:1) is `\"on\"`: choose `auto` or `off`".into()),
        ("transport = 7", "`transport` (tegami.toml:1) cannot be had: give a URL as text".into()),
        ("transport = ['memory:']", "`transport` (tegami.toml:1) cannot be had: give a URL as text".into()),
        ("[http]\naddress = 8080", format!("`http.address` (tegami.toml:2) is `8080`: {ADDRESS}")),
        ("[http]\naddress = ':8080'", format!("`http.address` (tegami.toml:2) is `\":8080\"`: {ADDRESS}")),
        ("[http]\naddress = 'localhost'", format!("`http.address` (tegami.toml:2) is `\"localhost\"`: {ADDRESS}")),
        ("[admin]\naddress = '9000'", format!("`admin.address` (tegami.toml:2) is `\"9000\"`: {ADDRESS}")),
        ("[http]\naddress = '::1:80'", format!("`http.address` (tegami.toml:2) is `\"::1:80\"`: {ADDRESS}")),
        ("[http]\naddress = '1.2.3.4:65536'", format!("`http.address` (tegami.toml:2) is `\"1.2.3.4:65536\"`: {ADDRESS}")),
        ("[http]\nreuse_port = 1", "`http.reuse_port` (tegami.toml:2) is `1`: choose `true` or `false`".into()),
        ("[http]\nreuse_port = 'yes'", "`http.reuse_port` (tegami.toml:2) is `\"yes\"`: choose `true` or `false`".into()),
        (
            "[http]\nserver_header = \"a\\r\\nb\"",
            "`http.server_header` (tegami.toml:2) is `\"a\\r\\nb\"`: give what can stand in a header".into(),
        ),
        ("[http]\ntrusted_proxies = '10.0.0.0/8'", format!("`http.trusted_proxies` (tegami.toml:2) is `\"10.0.0.0/8\"`: {NETWORKS}")),
        ("[http]\ntrusted_proxies = ['10.0.0.0/33']", format!("`http.trusted_proxies` (tegami.toml:2) is a list: {NETWORKS}")),
        ("[http]\ntrusted_proxies = [1]", format!("`http.trusted_proxies` (tegami.toml:2) is a list: {NETWORKS}")),
        (
            "[http]\nunobserved = ['health']",
            "`http.unobserved` (tegami.toml:2) is a list: give paths, as `/health`".into(),
        ),
        (
            "[http]\nallowed_origins = 'x'",
            "`http.allowed_origins` (tegami.toml:2) is `\"x\"`: give a list of text; in a variable, commas stand between".into(),
        ),
        ("[http.limits]\nhead = 0", format!("`http.limits.head` (tegami.toml:2) is `0`: {SECONDS}")),
        ("[http.limits]\nhead = 31622401", format!("`http.limits.head` (tegami.toml:2) is `31622401`: {SECONDS}")),
        ("[http.limits]\nhead = 99999999999999999999", format!("`http.limits.head` (tegami.toml:2) is `99999999999999999999`: {SECONDS}")),
        ("[http.limits]\nrequests = 0", "`http.limits.requests` (tegami.toml:2) is `0`: give a whole number from 1".into()),
        ("[http.limits]\nrequests = 1.5", "`http.limits.requests` (tegami.toml:2) is `1.5`: give a whole number from 1".into()),
        ("[http.limits]\nbody = '2 MiB'", "`http.limits.body` (tegami.toml:2) is `\"2 MiB\"`: give a whole number".into()),
        ("[http.limits]\nbody = -1", "`http.limits.body` (tegami.toml:2) is `-1`: give a whole number".into()),
        (
            "[http.limits]\nstreams = 4294967296",
            "`http.limits.streams` (tegami.toml:2) is `4294967296`: give a whole number, 1 to 4294967295".into(),
        ),
        ("[schedule]\nzone = 1", "`schedule.zone` (tegami.toml:2) is `1`: give a time zone's name as text".into()),
        (
            "[schedule]\nzone = 'Europe/Berln'",
            "`schedule.zone` (tegami.toml:2) is `\"Europe/Berln\"`: there is no time zone `Europe/Berln`; expected a name such \
             as `Europe/Berlin`"
                .into(),
        ),
        (
            "[schedule]\nzone = 'Berlin'",
            "`schedule.zone` (tegami.toml:2) is `\"Berlin\"`: there is no time zone `Berlin`; expected a name such as \
             `Europe/Berlin` (did you mean `Europe/Berlin`?)"
                .into(),
        ),
        ("drain 30", "tegami.toml:1 is no TOML: key with no value, expected `=`".into()),
        ("drain = 1\ndrain = 2", "tegami.toml:2 is no TOML: duplicate key".into()),
        ("prefix = 's3cr3t", "tegami.toml:1 is no TOML: invalid literal string, expected `'`".into()),
        ("[http\naddress = ''", "tegami.toml:1 is no TOML: unclosed table, expected `]`".into()),
        (
            "drain = -1\n[http.limits]\nbody = -1\nbodi = 1",
            "`http.limits.bodi` (tegami.toml:4) is no key of tegami; did you mean `http.limits.body`?\n\
             `drain` (tegami.toml:1) is `-1`: give seconds, 0 to 3600\n\
             `http.limits.body` (tegami.toml:3) is `-1`: give a whole number"
                .into(),
        ),
    ] {
        let error = Config::parse(text).expect_err(text);
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Setting, told), "{text}");
    }
}

#[test]
fn k1_a_wrong_value_is_told_also_where_another_counts_before_it() {
    let given = Config::parse_with("drain = 'soon'\nprefix = 'a-'", [("TEGAMI_DRAIN", "30"), ("TEGAMI_PREFIX", "b-")]);
    let error = given.expect_err("it would be found out on the day that the variable goes");
    assert_eq!(error.to_string(), "`drain` (tegami.toml:1) is `\"soon\"`: give seconds, 0 to 3600");
}

#[test]
fn k1_each_wrong_variable_is_refused_with_its_name_and_what_was_expected() {
    let long = "9".repeat(100);
    for (name, value, told) in [
        ("TEGAMI_TRANSPROT", "", "TEGAMI_TRANSPROT is no setting of tegami; did you mean `TEGAMI_TRANSPORT`?".to_owned()),
        ("TEGAMI_", "", format!("TEGAMI_ is no setting of tegami; {GUIDE}")),
        ("TEGAMI_DRAIN_", "1", "TEGAMI_DRAIN_ is no setting of tegami; did you mean `TEGAMI_DRAIN`?".into()),
        ("TEGAMI_CONFIGS", "", "TEGAMI_CONFIGS is no setting of tegami; did you mean `TEGAMI_CONFIG`?".into()),
        ("TEGAMI_HTTP_ADDRESS", "", format!("TEGAMI_HTTP_ADDRESS is no setting of tegami; {GUIDE}")),
        ("TEGAMI_APP", "", format!("TEGAMI_APP is no setting of tegami; {GUIDE}")),
        ("TEGAMI_A\u{1b}", "", format!("TEGAMI_A\\u{{1b}} is no setting of tegami; {GUIDE}")),
        ("TEGAMI_DRAIN", "soon", "`drain` (TEGAMI_DRAIN) is `soon`: give seconds, 0 to 3600".into()),
        ("TEGAMI_DRAIN", "", "`drain` (TEGAMI_DRAIN) is ``: give seconds, 0 to 3600".into()),
        ("TEGAMI_DRAIN", "+30", "`drain` (TEGAMI_DRAIN) is `+30`: give seconds, 0 to 3600".into()),
        ("TEGAMI_DRAIN", " 30", "`drain` (TEGAMI_DRAIN) is ` 30`: give seconds, 0 to 3600".into()),
        ("TEGAMI_DRAIN", ".5", "`drain` (TEGAMI_DRAIN) is `.5`: give seconds, 0 to 3600".into()),
        ("TEGAMI_DRAIN", "5.", "`drain` (TEGAMI_DRAIN) is `5.`: give seconds, 0 to 3600".into()),
        ("TEGAMI_DRAIN", "30s", "`drain` (TEGAMI_DRAIN) is `30s`: give seconds, 0 to 3600".into()),
        ("TEGAMI_DRAIN", &long, format!("`drain` (TEGAMI_DRAIN) is `{}…`: give seconds, 0 to 3600", &long[..64])),
        ("TEGAMI_PREFIX", "a/b", format!("`prefix` (TEGAMI_PREFIX) is `a/b`: {PREFIX}")),
        ("TEGAMI_PREFIX", "a\nb", format!("`prefix` (TEGAMI_PREFIX) is `a\\nb`: {PREFIX}")),
        ("TEGAMI_PROVISION", "", format!("`provision` (TEGAMI_PROVISION) is ``: {PROVISION}")),
        ("TEGAMI_HTTP", "8080", format!("`http.address` (TEGAMI_HTTP) is `8080`: {ADDRESS}")),
        ("TEGAMI_HTTP_REUSE_PORT", "1", "`http.reuse_port` (TEGAMI_HTTP_REUSE_PORT) is `1`: choose `true` or `false`".into()),
        ("TEGAMI_HTTP_TRUSTED_PROXIES", "10.0.0.0/8;::1", format!("`http.trusted_proxies` (TEGAMI_HTTP_TRUSTED_PROXIES) is `10.0.0.0/8;::1`: {NETWORKS}")),
        ("TEGAMI_HTTP_TRUSTED_PROXIES", "", format!("`http.trusted_proxies` (TEGAMI_HTTP_TRUSTED_PROXIES) is ``: {NETWORKS}")),
        ("TEGAMI_HTTP_LIMITS_IDLE", "0.0", format!("`http.limits.idle` (TEGAMI_HTTP_LIMITS_IDLE) is `0.0`: {SECONDS}")),
        ("TEGAMI_HTTP_LIMITS_URI", "-1", "`http.limits.uri` (TEGAMI_HTTP_LIMITS_URI) is `-1`: give a whole number from 1".into()),
        ("TEGAMI_HTTP_LIMITS_URL", "1", "TEGAMI_HTTP_LIMITS_URL is no setting of tegami; did you mean `TEGAMI_HTTP_LIMITS_URI`?".into()),
        (
            "TEGAMI_SCHEDULE_ZONE",
            "+15:00",
            "`schedule.zone` (TEGAMI_SCHEDULE_ZONE) is `+15:00`: there is no time zone `+15:00`; expected a name such as \
             `Europe/Berlin`"
                .into(),
        ),
    ] {
        let error = Config::parse_with("", [(name, value)]).expect_err(name);
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Setting, told), "{name}={value}");
    }
}

#[test]
fn k1_what_is_set_in_code_is_held_to_the_same() {
    let error = Config::new().set("drain", "soon").expect_err("no seconds");
    assert_eq!(error.to_string(), "`drain` (in code) is `soon`: give seconds, 0 to 3600");
    let error = Config::new().set("http.limits.heads", "1").expect_err("no key");
    assert!(error.to_string().ends_with("did you mean `http.limits.head`?"), "{error}");
}

#[test]
fn k1_settings_hold_at_their_limits() {
    for right in [
        "drain = 0",
        "drain = 3600",
        "drain = 0x10",
        "drain = 1_000",
        "drain = 0.001",
        "http.limits.head = 0.001",
        "http.limits.head = 31622400",
        "http.limits.body = 18446744073709551615",
        "http.limits.body_grace = 0",
        "http.limits.streams = 4294967295",
        "http.server_header = ''",
        "http.trusted_proxies = []",
        "schedule.zone = '-14:00'",
        "[http]\n[http.limits]\n[app]\nanything = { goes = [1, 'x'] }",
    ] {
        Config::parse(right).unwrap_or_else(|error| panic!("{right}: {error}"));
    }
    let prefix = format!("prefix = '{}'", "p".repeat(32));
    Config::parse(&prefix).expect("as long as it may be");
}

#[tokio::test]
async fn k1_a_transport_that_is_none_is_refused_without_what_may_be_a_secret() {
    let there_are = "there are `memory:`, `memory:<name>`, `amqp://…`, `amqps://…` and `aws:<region>`";
    for (url, told) in [
        ("pigeon:", "`pigeon:` is no transport"),
        ("ampq://user:s3cr3t@host", "`ampq:` is no transport"),
        ("s3cr3t", "it begins with no transport"),
        ("s3cr3t:5672", "it begins with no transport"),
        ("", "it begins with no transport"),
    ] {
        let config = Config::parse_with("", [("TEGAMI_TRANSPORT", url)]).expect("it is read when it is needed");
        let service = tegami::Service::new("billing").config(config).started(async |_| Ok::<(), String>(()));
        let error = service.start().await.err().expect("no such transport");
        assert_eq!(
            format!("{error:?}"),
            format!("`transport` (TEGAMI_TRANSPORT) cannot be had\n  because: {told}; {there_are}")
        );
    }
}
