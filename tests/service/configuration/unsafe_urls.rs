//! K-02: what would be unsafe stops the start with its name.

use tegami::{Config, ErrorKind, Service};

#[tokio::test]
async fn k02_each_unsafe_transport_stops_the_start_with_its_name() {
    for (url, why) in [
        ("amqp://user:s3cr3t@broker.example", "unencrypted to `broker.example`"),
        ("amqp://user:s3cr3t@10.0.0.7", "unencrypted to `10.0.0.7`"),
        ("amqp://user:s3cr3t@[2001:db8::1]", "unencrypted"),
        ("amqps://guest:guest@broker.example", "`guest`"),
        ("amqps://broker.example", "`guest`"),
        ("amqp://broker.example?plaintext=allow", "`guest`"),
        ("amqps://user:s3cr3t@broker.example?verify=none", "`verify` is no parameter"),
        ("amqps://user:s3cr3t@broker.example?heartbeat=0", "`heartbeat`"),
        ("amqp://user:s3cr3t@127.0.0.1.example", "unencrypted"),
        ("aws:eu-west-1?endpoint=http://sqs.example", "unencrypted"),
        ("aws:eu-west-1?endpoint=http://127.0.0.1.example", "unencrypted"),
        ("aws:eu-west-1?sns_endpoint=http://10.0.0.7:4566", "unencrypted"),
        ("aws:eu-west-1?endpoint=https://user:s3cr3t@sqs.example", "`endpoint`"),
        ("aws:eu-west-1?endpoint=http://localhost@evil.example", "`endpoint`"),
        ("aws:eu-west-1?accept_invalid_certs=true", "accept_invalid_certs"),
    ] {
        let config = Config::parse(&format!("transport = '{url}'")).expect("it is read when it is needed");
        let service = Service::new("billing").config(config).started(async |_| Ok::<(), String>(()));
        let error = service.start().await.err().unwrap_or_else(|| panic!("{url} is taken"));
        let told = format!("{error:?}");
        assert_eq!(error.kind(), ErrorKind::Setting, "{told}");
        assert!(told.starts_with("`transport` (tegami.toml:1) cannot be had") && told.contains(why), "{url}: {told}");
        assert!(!told.contains("s3cr3t"), "{told}");
    }
}
