//! Good and bad URLs, the limits, what is unsafe, and what is never shown.

use std::time::Duration;

use super::*;

fn parse(url: &str) -> Address {
    Address::parse(url).unwrap_or_else(|error| panic!("{url}: {error:?}"))
}

fn refusal(url: &str) -> String {
    let error = Address::parse(url).err().unwrap_or_else(|| panic!("{url} is taken"));
    assert_eq!(error.kind(), TransportErrorKind::Setting, "{url}");
    let text = format!("{error:?}");
    assert!(text.starts_with("the broker's URL: "), "{text}");
    text
}

/// Host, port, user, password and virtual host.
fn parts(url: &str) -> (String, u16, String, String, String) {
    let address = parse(url);
    let own = str::to_owned;
    let (user, password) = (own(address.user()), own(address.password().reveal()));
    (own(address.host()), address.port(), user, password, own(address.virtual_host()))
}

#[test]
fn a_url_says_where_and_who() {
    for (url, host, port, user, password, virtual_host) in [
        ("amqp://localhost", "localhost", 5672, "guest", "guest", "/"),
        ("amqp://LOCALHOST:1", "LOCALHOST", 1, "guest", "guest", "/"),
        ("amqp://127.9.9.9:65535/%2f", "127.9.9.9", 65535, "guest", "guest", "/"),
        ("amqp://[::1]/%2F", "::1", 5672, "guest", "guest", "/"),
        ("amqp://[::1]:5673", "::1", 5673, "guest", "guest", "/"),
        ("amqp://localhost/", "localhost", 5672, "guest", "guest", ""),
        ("amqp://localhost/shop?heartbeat=5", "localhost", 5672, "guest", "guest", "shop"),
        ("amqps://a:b@broker.example/", "broker.example", 5671, "a", "b", ""),
        ("amqps://a:b@broker.example?", "broker.example", 5671, "a", "b", "/"),
        ("amqps://%61%40:%3a%2F%3f%25@h/%E6%89%8B%2f", "h", 5671, "a@", ":/?%", "手/"),
        ("amqps://a:pässword@[2001:db8::1]:5671/v", "2001:db8::1", 5671, "a", "pässword", "v"),
    ] {
        let expected = (host.into(), port, user.into(), password.into(), virtual_host.into());
        assert_eq!(parts(url), expected, "{url}");
        assert_eq!(parse(url).is_tls(), url.starts_with("amqps"), "{url}");
    }
}

#[test]
fn what_is_not_said_has_its_default() {
    let expected = Parameters {
        exchange: "amq.topic".to_owned(),
        queue_type: QueueType::Quorum,
        heartbeat: Duration::from_secs(10),
        ca: None,
        plaintext: Plaintext::Loopback,
        compat: Compat::Tegami,
    };
    assert_eq!(*parse("amqp://localhost").parameters(), expected);
}

#[test]
fn every_parameter_is_read() {
    let url = "amqps://a:b@h/v?exchange=shop%26co&queue_type=classic&heartbeat=60&ca=/etc/my%20ca.pem&plaintext=allow\
               &compat=tomodachi";
    let expected = Parameters {
        exchange: "shop&co".to_owned(),
        queue_type: QueueType::Classic,
        heartbeat: Duration::from_secs(60),
        ca: Some("/etc/my ca.pem".into()),
        plaintext: Plaintext::Anywhere,
        compat: Compat::Tomodachi,
    };
    assert_eq!(*parse(url).parameters(), expected);
    assert_eq!(parse("amqp://localhost?queue_type=quorum").parameters().queue_type, QueueType::Quorum);
}

#[test]
fn k1_limits_hold() {
    let (longest, longer) = ("n".repeat(255), "n".repeat(256));
    assert_eq!(parse("amqp://localhost?heartbeat=1").parameters().heartbeat, Duration::from_secs(1));
    assert_eq!(parse(&format!("amqp://localhost/{longest}")).virtual_host(), longest);
    assert_eq!(parse(&format!("amqp://localhost?exchange={longest}")).parameters().exchange, longest);
    assert!(refusal(&format!("amqp://localhost/{longer}")).contains("virtual host has 256 bytes; 255"));
    assert!(refusal(&format!("amqp://localhost?exchange={longer}")).contains("`exchange`"));
}

#[test]
fn k1_a_wrong_part_is_named_with_the_way_out() {
    for (url, why) in [
        ("", "begins with `amqp://` or `amqps://`"),
        ("localhost:5672", "begins with"),
        ("AMQP+tls://localhost", "begins with"),
        ("amqp://", "the host is missing"),
        ("amqp:///shop", "the host is missing"),
        ("amqp://::1:5672", "has brackets"),
        ("amqp://bröker", "the host"),
        ("amqp://[::1", "the host"),
        ("amqp://[localhost]", "no IPv6 address"),
        ("amqp://[::1]5672", "the port is no number from 1 to 65535"),
        ("amqp://localhost:", "the port"),
        ("amqp://localhost:0", "the port"),
        ("amqp://localhost:65536", "the port"),
        ("amqp://localhost:+1", "the port"),
        ("amqp://a@localhost", "the password is missing"),
        ("amqp://a:@localhost", "the password is missing"),
        ("amqp://:b@localhost", "the user is missing"),
        ("amqp://localhost/a/b", "`%2f`"),
        ("amqp://localhost/%", "the virtual host is no percent-encoded text"),
        ("amqp://localhost/%2", "the virtual host is no"),
        ("amqp://localhost/%+f", "the virtual host is no"),
        ("amqp://localhost/%ff", "the virtual host is no"),
        ("amqp://localhost/%00", "the virtual host is no"),
        ("amqp://%:b@localhost", "the user is no"),
        ("amqp://localhost/a b", "percent-encoded"),
        ("amqp://localhost/a\n", "percent-encoded"),
        ("amqp://localhost#a", "percent-encoded"),
    ] {
        let text = refusal(url);
        assert!(text.contains(why), "{url}: {text}");
    }
}

#[test]
fn k1_a_wrong_parameter_is_named_with_its_value_and_the_way_out() {
    for (query, why) in [
        ("heartbeat=0", "`heartbeat` is `0`: give whole seconds, 1 to 60"),
        ("heartbeat=61", "`heartbeat` is `61`"),
        ("heartbeat=", "`heartbeat` is ``"),
        ("heartbeat=%2b5", "`heartbeat` is `+5`"),
        ("heartbeat=1.5", "`heartbeat` is `1.5`"),
        ("heartbeat=99999999999999999999", "`heartbeat` is"),
        ("queue_type=stream", "`queue_type` is `stream`: choose `quorum` or `classic`"),
        ("exchange=", "`exchange` is ``"),
        ("ca", "`ca` is ``"),
        ("ca=%00", "the ca is no percent-encoded text"),
        ("plaintext", "`plaintext` is ``: there is `allow`"),
        ("plaintext=true", "`plaintext` is `true`"),
        ("compat=pika", "`compat` is `pika`: there is `tomodachi`"),
        ("Heartbeat=5", "`Heartbeat` is no parameter; there are, each at most once, exchange, queue_type, heartbeat"),
        ("verify=none", "`verify` is no parameter"),
        ("heartbeat=5&", "`` is no parameter"),
        ("heartbeat=5&compat=tomodachi&heartbeat=5", "`heartbeat` stands there twice; there are"),
    ] {
        let text = refusal(&format!("amqp://localhost?{query}"));
        assert!(text.contains(why), "{query}: {text}");
    }
}

#[test]
fn k1_plaintext_leaves_the_machine_only_when_allowed() {
    for host in
        ["broker.example", "10.0.0.1", "126.255.255.255", "128.0.0.1", "[::2]", "[::]", "0.0.0.0", "localhost.example"]
    {
        let text = refusal(&format!("amqp://a:b@{host}"));
        assert!(text.contains("unencrypted") && text.contains("`amqps://`"), "{text}");
        parse(&format!("amqp://a:b@{host}?plaintext=allow"));
        parse(&format!("amqps://a:b@{host}"));
    }
    for host in ["localhost", "127.0.0.1", "127.255.255.255", "[::1]", "[0:0::1]"] {
        parse(&format!("amqp://a:b@{host}"));
    }
}

#[test]
fn k1_guest_is_for_this_machine_only() {
    for url in ["amqps://h", "amqps://guest:better@h", "amqps://%67uest:b@h", "amqp://h?plaintext=allow"] {
        let text = refusal(url);
        assert!(text.contains("`guest`") && text.contains("`h`"), "{text}");
    }
    parse("amqps://guest:b@127.0.0.1");
}

#[test]
fn an_address_shows_itself_without_its_password() {
    for (url, shown) in [
        ("amqp://localhost", "amqp://guest@localhost:5672/%2f"),
        ("amqps://a:canary@[::1]/shop?ca=/x", "amqps://a@[::1]:5671/shop"),
        ("amqps://a%40b:%63anary%40%2f%3a%25@h:1/", "amqps://a%40b@h:1/"),
    ] {
        let address = parse(url);
        assert_eq!((address.to_string(), format!("{address:?}")), (shown.to_owned(), shown.to_owned()));
    }
}

/// Wherever the signs of a URL cut a password, no piece of it is told. `sesame` and `canary` are its pieces.
#[test]
fn k1_no_error_tells_a_password() {
    for password in [
        "sesame@canary",
        "sesame/canary",
        "sesame?canary",
        "sesame#canary",
        "sesame:canary",
        "sesame%canary",
        "sesame canary",
        "sesame%00canary",
        "sesame%ffcanary",
        "sesame://canary",
        "/sesame@canary/",
        "?sesame=canary",
        "sesame&canary=1?",
        "sesame[canary]",
        "sesame\ncanary",
        "@sesame:canary@",
        "sesamecanary",
        "1?canary",
        "1?canary=sesame",
    ] {
        for url in [
            format!("amqp://me:{password}@broker.example"),
            format!("amqp://me:{password}@"),
            format!("amqp://me:{password}@:0/a/b?x=y"),
            format!("amqp://me:{password}@localhost:port"),
            format!("amqp://me:{password}@localhost?what=1"),
            format!("ampq://me:{password}@localhost"),
            format!("me:{password}@localhost"),
            // The host was forgotten, and the password ends the URL.
            format!("amqps://me:{}", password.replace(['@', '?'], "")),
        ] {
            let Err(error) = Address::parse(&url) else { panic!("{url:?} is taken") };
            let text = format!("{error} {error:?}");
            assert!(!text.contains("sesame") && !text.contains("canary"), "{url:?}: {text}");
        }
    }
}
