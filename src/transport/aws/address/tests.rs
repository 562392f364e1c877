use super::*;

fn refused(url: &str) -> String {
    let error = Address::parse(url).err().unwrap_or_else(|| panic!("{url} is taken"));
    assert_eq!(error.kind(), TransportErrorKind::Setting);
    error.to_string()
}

#[test]
fn k1_what_is_wrong_in_a_url_is_named() {
    for (url, named) in [
        ("sqs:eu-west-1", "`aws:`"),
        ("aws:west", "`west`"),
        ("aws:eu-west", "`eu-west`"),
        ("aws:EU-west-1", "`EU-west-1`"),
        ("aws:eu-west-1?endpint=http://127.0.0.1:1", "`endpint`"),
        ("aws:eu-west-1?visibility=4", "5 to 43200"),
        ("aws:eu-west-1?visibility=43201", "5 to 43200"),
        ("aws:eu-west-1?visibility=+30", "`visibility`"),
        ("aws:eu-west-1?wait=21", "0 to 20"),
        ("aws:eu-west-1?linger=101", "0 to 100"),
        ("aws:eu-west-1?linger=1&linger=2", "twice"),
        ("aws:eu-west-1?delivery=cooked", "`cooked`"),
        ("aws:eu-west-1?delivery=raw&compat=tomodachi", "tomodachi"),
        ("aws:eu-west-1?role=admin", "`admin`"),
        ("aws:eu-west-1?external_id=7", "`role`"),
        ("aws:eu-west-1?kms_reuse=300", "`kms`"),
        ("aws:eu-west-1?kms=a&kms_reuse=59", "60 to 86400"),
        ("aws:eu-west-1?tags=team", "name:value"),
        ("aws:eu-west-1?endpoint=", "`endpoint`"),
        ("aws:eu-west-1?endpoint=ftp://there", "`endpoint`"),
        ("aws:eu-west-1?endpoint=http://10.0.0.1:4566", "plaintext=allow"),
        ("aws:eu-west-1?sqs_endpoint=http://127.0.0.1.example:4566", "plaintext=allow"),
        ("aws:eu-west-1?sns_endpoint=https://me:secret@there", "`sns_endpoint`"),
    ] {
        let text = refused(url);
        assert!(text.contains(named), "{url}: {text}");
        assert!(!text.contains("secret"), "{text}");
    }
}

#[test]
fn k1_limits_hold() {
    for url in [
        "aws:eu-west-1?visibility=5&linger=0&wait=0",
        "aws:us-gov-west-1?visibility=43200&linger=100",
        "aws:cn-north-1?kms=alias/mail&kms_reuse=86400",
        "aws:?endpoint=http://[::1]:4566",
        "aws:eu-west-1?endpoint=http://10.0.0.1:4566&plaintext=allow",
        "aws:eu-west-1?role=arn:aws-us-gov:iam::123456789012:role/mail&external_id=7",
    ] {
        assert!(Address::parse(url).is_ok(), "{url}");
    }
}

#[test]
fn only_an_emulator_on_this_machine_is_one() {
    let is_emulator = |query: &str| Address::parse(&format!("aws:eu-west-1?{query}")).unwrap().is_emulator();
    assert!(is_emulator("endpoint=http://localhost:4566"));
    assert!(is_emulator("sns_endpoint=http://127.0.0.1:1&sqs_endpoint=http://127.0.0.1:2"));
    for real in [
        "",
        "sqs_endpoint=http://127.0.0.1:1",
        "endpoint=https://127.0.0.1:1",
        "endpoint=http://127.0.0.1:1&profile=mine",
        "endpoint=http://127.0.0.1:1&sqs_endpoint=https://sqs.eu-west-1.amazonaws.com",
    ] {
        assert!(!is_emulator(real), "{real}");
    }
}

#[test]
fn tomodachi_is_written_to_in_notifications() {
    let address = Address::parse("aws:eu-west-1?compat=tomodachi&tags=team:mail,env:").unwrap();
    assert_eq!(address.parameters().delivery, Delivery::Notification);
    assert_eq!(address.parameters().tags, [("team".into(), "mail".into()), ("env".into(), String::new())]);
}
