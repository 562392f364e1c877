//! What is forged: each is refused, as what it is.

use super::{super::*, *};
use SignatureErrorKind::*;

const INPUTS: usize = 114;

/// A message by its name, and why it is refused.
type Case = (&'static str, String, SignatureErrorKind);

/// The error must be of its kind, and quote nothing of the message.
fn refuses((case, body, kind): &Case) {
    let error = checks().verify(body.as_bytes(), &file("good.pem"), now()).expect_err(case);
    assert_eq!(error.kind(), *kind, "{case}: {error:?}");
    assert!(!error.is_transient() && !format!("{error:?}").contains("evil"), "{case}: {error:?}");
}

#[test]
fn whatever_is_forged_is_refused() {
    let (messages, certificates) = ([addresses(), signatures(), claims()].concat(), certificates());
    assert_eq!(messages.len() + certificates.len(), INPUTS, "the corpus only grows");
    messages.iter().for_each(refuses);
    for (case, checks, pem, kind) in certificates {
        let error = checks.verify(genuine().to_string().as_bytes(), &pem, now()).expect_err(case);
        assert_eq!(error.kind(), kind, "{case}: {error:?}");
    }
}

#[test]
fn no_issuer_is_read_from_what_is_no_certificate() {
    for pem in ["", "evil", &file("notification.json")] {
        assert_eq!(checks().issued_by(pem).unwrap_err().kind(), Certificate);
    }
}

/// Addresses that look like those at which SNS serves its own.
fn addresses() -> Vec<Case> {
    let good = "https://sns.eu-west-1.amazonaws.com";
    let file = "/SimpleNotificationService-0123456789abcdef.pem";
    let long = format!("https://sns.{}.amazonaws.com{file}", "a".repeat(65));
    let forged = [
        format!("http://sns.eu-west-1.amazonaws.com{file}"),
        format!("HTTPS://sns.eu-west-1.amazonaws.com{file}"),
        format!("//sns.eu-west-1.amazonaws.com{file}"),
        format!(" {good}{file}"),
        format!("{good}{file}\n"),
        format!("https://evil.example{file}"),
        format!("{good}.evil.example{file}"),
        format!("{good}@evil.example{file}"),
        format!("{good}\\@evil.example{file}"),
        format!("https://evil@sns.eu-west-1.amazonaws.com{file}"),
        format!("https://evil.sns.eu-west-1.amazonaws.com{file}"),
        format!("https://evil-sns.eu-west-1.amazonaws.com{file}"),
        format!("{good}:443{file}"),
        format!("{good}./{file}"),
        format!("https://sns.eu-west-1.amazonaws.org{file}"),
        format!("https://sns.eu-west-1.amazonaws.com.evil{file}"),
        format!("https://sns.eu-west-1.evil.amazonaws.com{file}"),
        format!("https://sns..amazonaws.com{file}"),
        format!("https://sns.amazonaws.com{file}"),
        format!("https://sqs.eu-west-1.amazonaws.com{file}"),
        format!("https://s3.eu-west-1.amazonaws.com/evil{file}"),
        format!("https://sns.EU-WEST-1.amazonaws.com{file}"),
        format!("https://sns.eu%2Dwest-1.amazonaws.com{file}"),
        format!("https://sns.us-east-1.amazonaws.com{file}"),
        format!("{good}/evil{file}"),
        format!("{good}/..{file}"),
        format!("{good}{file}?evil"),
        format!("{good}{file}#.pem"),
        format!("{good}/SimpleNotificationService-.pem"),
        format!("{good}/SimpleNotificationService-ABCDEF.pem"),
        format!("{good}/SimpleNotificationService-0/1.pem"),
        format!("{good}/SimpleNotificationService-0.crt"),
        format!("{good}/?Action=evil"),
        long,
        String::new(),
    ];
    let forged = forged.map(|url| ("an address", changed(genuine(), &[("SigningCertURL", url.into())]), Address));
    let other_region = "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription";
    let confirm = |url: &str| signed(confirmation(), &[("SubscribeURL", url.into())]).to_string();
    let elsewhere = [
        ("another region to confirm at", confirm(other_region), Address),
        ("another host to confirm at", confirm("https://evil.example/"), Address),
        ("a host that begins so", confirm("https://sns.eu-west-1.amazonaws.com.evil/"), Address),
        ("without TLS", confirm("http://sns.eu-west-1.amazonaws.com/"), Address),
    ];
    forged.into_iter().chain(elsewhere).collect()
}

/// What was changed after it was signed, or was never signed.
fn signatures() -> Vec<Case> {
    let after = |name: &str, value: Json| changed(genuine(), &[(name, value)]);
    let mut flipped = STANDARD.decode(genuine()["Signature"].as_str().unwrap()).unwrap();
    flipped[17] ^= 1;
    let short = STANDARD.encode(&flipped[..128]);
    let other = signed(notification(), &[("Message", "other".into())])["Signature"].clone();
    let mut first: Json = serde_json::from_str(&file("notification.json")).unwrap();
    first["SignatureVersion"] = "2".into();
    vec![
        ("another message", after("Message", "evil".into()), Forged),
        ("one character more", after("Message", "a\né ".into()), Forged),
        ("no message", after("Message", "".into()), Forged),
        ("another id", after("MessageId", "id-2".into()), Forged),
        ("another subject", after("Subject", "evil".into()), Forged),
        ("an empty subject", after("Subject", "".into()), Forged),
        ("no subject", after("Subject", Json::Null), Forged),
        ("a later time", after("Timestamp", "2026-01-02T03:05:05.678Z".into()), Forged),
        ("the same time told otherwise", after("Timestamp", "2026-01-02T03:04:05.6780Z".into()), Forged),
        ("another topic of the list", after("TopicArn", OTHER.into()), Forged),
        ("a flipped bit", after("Signature", STANDARD.encode(&flipped).into()), Forged),
        ("half a signature", after("Signature", short.into()), Forged),
        ("no signature in it", after("Signature", "".into()), Forged),
        ("zeros", after("Signature", STANDARD.encode([0; 256]).into()), Forged),
        ("the signature of another", after("Signature", other), Forged),
        ("SHA-256 said to be SHA-1", after("SignatureVersion", "1".into()), Forged),
        ("SHA-1 said to be SHA-256", first.to_string(), Forged),
        ("no base64", after("Signature", "evil!".into()), Malformed),
        ("no version", after("SignatureVersion", Json::Null), Malformed),
        ("version 0", after("SignatureVersion", "0".into()), Malformed),
        ("version 3", after("SignatureVersion", "3".into()), Malformed),
        ("a number as version", after("SignatureVersion", 2.into()), Malformed),
        ("no signature", after("Signature", Json::Null), Malformed),
        ("no address", after("SigningCertURL", Json::Null), Malformed),
    ]
}

/// Times, topics and types that are signed, and not to be believed.
fn claims() -> Vec<Case> {
    let with = |name: &str, value: &str| signed(notification(), &[(name, value.into())]).to_string();
    let long = |what: &str| with("Timestamp", &format!("2026-01-02T03:04:05.{}Z", what.repeat(100)));
    let twice = genuine().to_string().replacen('{', r#"{"Message": "evil", "#, 1);
    vec![
        ("a time long ago", with("Timestamp", "2012-05-02T00:54:06.655Z"), Stale),
        ("a time to come", with("Timestamp", "2026-01-02T05:04:05.678Z"), Stale),
        ("no time at all", with("Timestamp", "now"), Malformed),
        ("an empty time", with("Timestamp", ""), Malformed),
        ("a date", with("Timestamp", "2026-01-02"), Malformed),
        ("a month too many", with("Timestamp", "2026-13-02T03:04:05.678Z"), Malformed),
        ("a year of five digits", with("Timestamp", "12026-01-02T03:04:05.678Z"), Malformed),
        ("a long time", long("0"), Malformed),
        ("characters of two bytes", with("Timestamp", "éééééééééééééZ"), Malformed),
        ("a topic that is not on the list", with("TopicArn", "arn:aws:sns:eu-west-1:123456789012:evil"), Topic),
        ("a topic of another account", with("TopicArn", "arn:aws:sns:eu-west-1:999999999999:orders"), Topic),
        ("a topic that begins so", with("TopicArn", "arn:aws:sns:eu-west-1:123456789012:orders-2"), Topic),
        ("the beginning of a topic", with("TopicArn", "arn:aws:sns:eu-west-1:123456789012:order"), Topic),
        ("a topic in capitals", with("TopicArn", &TOPIC.to_uppercase()), Topic),
        ("no topic", with("TopicArn", ""), Topic),
        ("a topic of another region", with("TopicArn", AFRICA), Address),
        ("an unknown type", with("Type", "Message"), Malformed),
        ("a type in small letters", with("Type", "notification"), Malformed),
        (
            "a notification as confirmation",
            changed(genuine(), &[("Type", "SubscriptionConfirmation".into())]),
            Malformed,
        ),
        (
            "one confirmation as the other",
            changed(signed(confirmation(), &[]), &[("Type", "UnsubscribeConfirmation".into())]),
            Forged,
        ),
        (
            "a confirmation as notification",
            changed(signed(confirmation(), &[]), &[("Type", "Notification".into())]),
            Forged,
        ),
        ("another token", changed(signed(confirmation(), &[]), &[("Token", "evil".into())]), Forged),
        ("no token", changed(signed(confirmation(), &[]), &[("Token", Json::Null)]), Malformed),
        ("no message", changed(genuine(), &[("Message", Json::Null)]), Malformed),
        ("a number as message", changed(genuine(), &[("Message", 5.into())]), Malformed),
        ("two messages", twice, Malformed),
        ("a body after the body", format!("{0}{0}", genuine()), Malformed),
        ("no JSON", "evil".into(), Malformed),
        ("a list", "[]".into(), Malformed),
        ("nothing", String::new(), Malformed),
        (
            "a deep body",
            changed(genuine(), &[]).replacen('{', &format!("{{\"x\": {}1{}, ", "[".repeat(500), "]".repeat(500)), 1),
            Malformed,
        ),
        ("a body of three megabytes", changed(genuine(), &[("x", "x".repeat(3 << 20).into())]), Malformed),
    ]
}

/// Certificates that are not, or no longer, of SNS.
fn certificates() -> Vec<(&'static str, Checks, String, SignatureErrorKind)> {
    let key = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode("evil"));
    let garbage = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode("evil"));
    let cut = file("good.pem").lines().take(9).collect::<Vec<_>>().join("\n");
    let after = format!("{}{garbage}", file("forged.pem"));
    let strict = || checks().issued_by(&file("issuer.pem")).unwrap();
    vec![
        ("it has run out", checks(), file("expired.pem"), Certificate),
        ("it is not yet valid", checks(), file("early.pem"), Certificate),
        ("it is of other names, and of all", checks(), file("elsewhere.pem"), Certificate),
        ("it is of no name", checks(), file("nameless.pem"), Certificate),
        ("it is for mail", checks(), file("mail.pem"), Certificate),
        ("it is an authority", checks(), file("issuer.pem"), Certificate),
        ("it is of another region", checks(), file("regional.pem"), Certificate),
        ("it is of another key", checks(), file("other.pem"), Forged),
        ("it is of another kind of key", checks(), file("curve.pem"), Forged),
        ("it is a private key", checks(), key, Certificate),
        ("it is garbage", checks(), garbage, Certificate),
        ("it is cut off", checks(), cut, Certificate),
        ("it is a page", checks(), "<html>evil</html>".to_owned(), Certificate),
        ("it is empty", checks(), String::new(), Certificate),
        ("a stranger issued it", strict(), file("forged.pem"), Certificate),
        ("a stranger issued it, and comes along", strict(), file("forged.pem") + &file("stranger.pem"), Certificate),
        ("a stranger issued it, and garbage comes along", strict(), after, Certificate),
        ("it has run out, of a known issuer", strict(), file("expired.pem"), Certificate),
        ("it is of another key, of a known issuer", strict(), file("other.pem"), Forged),
    ]
}

/// The lines that are signed could be cut otherwise, if any but the first could hold a line break.
#[test]
fn no_other_message_can_be_read_from_the_same_text() {
    let text = "evil\nMessageId\nid-0\nSubject\nrest";
    let whole = signed(notification(), &[("Subject", Json::Null), ("Message", text.into())]);
    let mut spliced = whole.clone();
    (spliced["Message"], spliced["MessageId"]) = ("evil".into(), "id-0".into());
    spliced["Subject"] = "rest\nMessageId\nid-1".into();
    assert_eq!(canonical(&spliced), canonical(&whole), "the same text");
    refuses(&("a subject of three lines", spliced.to_string(), Malformed));
    assert_eq!(checks().verify(whole.to_string().as_bytes(), &file("good.pem"), now()).unwrap().message(), text);
}
