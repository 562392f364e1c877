//! What SNS would have signed, and what others would have one believe. The certificates and the messages of version 1 are
//! made by `tests/certificates/sns/make`; those of version 2 are signed here.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
        orchestrator::{HttpRequest, HttpResponse},
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use base64::{Engine, engine::general_purpose::STANDARD};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Value as Json, json};

use super::*;
use SignatureErrorKind::*;

const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:orders";
const OTHER: &str = "arn:aws:sns:eu-west-1:123456789012:others";
const AFRICA: &str = "arn:aws:sns:af-south-1:123456789012:orders";
const CHINA: &str = "arn:aws-cn:sns:cn-north-1:123456789012:orders";
const URL: &str = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem";

fn file(name: &str) -> String {
    fs::read_to_string(format!("{}/tests/certificates/sns/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Three minutes after what is signed.
fn now() -> SystemTime {
    let time: prost_types::Timestamp = "2026-01-02T03:07:00Z".parse().unwrap();
    time.try_into().unwrap()
}

fn checks() -> Checks {
    Checks::of([TOPIC, OTHER, AFRICA, CHINA])
}

fn notification() -> Json {
    json!({
        "Type": "Notification", "MessageId": "id-1", "TopicArn": TOPIC, "Subject": "hello", "Message": "a\né",
        "Timestamp": "2026-01-02T03:04:05.678Z", "SigningCertURL": URL, "UnsubscribeURL": "https://example.org",
        "MessageAttributes": { "n": { "Type": "Number", "Value": "5" } },
    })
}

fn confirmation() -> Json {
    json!({
        "Type": "SubscriptionConfirmation", "MessageId": "id-2", "TopicArn": TOPIC, "Message": "You have chosen", "Token": "t",
        "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t",
        "Timestamp": "2026-01-02T03:04:05.678Z", "SigningCertURL": URL,
    })
}

/// The text that SNS signs, as its developer guide has it.
fn canonical(body: &Json) -> String {
    let names = match body["Type"].as_str() {
        Some("Notification") => ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"].as_slice(),
        _ => &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
    };
    names.iter().filter_map(|name| Some(format!("{name}\n{}\n", body.get(*name)?.as_str()?))).collect()
}

fn signature(text: &str) -> String {
    let key = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificates/sns/server.der")).unwrap();
    let key = RsaKeyPair::from_pkcs8(&key).unwrap();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
    STANDARD.encode(signature)
}

/// The body with these members, signed.
fn signed(mut body: Json, members: &[(&str, Json)]) -> Json {
    for (name, value) in members {
        body[*name] = value.clone();
    }
    body["SignatureVersion"] = "2".into();
    body["Signature"] = signature(&canonical(&body)).into();
    body
}

/// The body, with these members changed after it was signed; `null` takes one out.
fn changed(mut body: Json, members: &[(&str, Json)]) -> String {
    for (name, value) in members {
        body[*name] = value.clone();
        if value.is_null() {
            body.as_object_mut().unwrap().remove(*name);
        }
    }
    body.to_string()
}

fn genuine() -> Json {
    signed(notification(), &[])
}

#[test]
fn what_sns_signs_is_believed() {
    let strict = checks().issued_by(&file("issuer.pem")).unwrap();
    for checks in [checks(), strict] {
        let verify = |body: &str| checks.verify(body.as_bytes(), &file("good.pem"), now()).unwrap();
        for body in [genuine().to_string(), file("notification.json")] {
            let signed = verify(&body);
            assert_eq!((signed.kind(), signed.id(), signed.topic()), (SignedKind::Notification, "id-1", TOPIC));
            assert_eq!((signed.message(), signed.subject(), signed.subscribe_url()), ("a\né", Some("hello"), None));
            assert_eq!(now().duration_since(signed.time()).unwrap().as_millis(), 174_322);
        }
        let plain = signed(notification(), &[("Subject", Json::Null)]);
        assert_eq!(verify(&plain.to_string()).subject(), None);
        let unsubscribed = signed(confirmation(), &[("Type", "UnsubscribeConfirmation".into())]);
        let confirmations = [signed(confirmation(), &[]).to_string(), unsubscribed.to_string()];
        for body in
            confirmations.into_iter().chain(["SubscriptionConfirmation.json", "UnsubscribeConfirmation.json"].map(file))
        {
            let signed = verify(&body);
            assert!(signed.kind() != SignedKind::Notification && signed.subject().is_none());
            let url = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t";
            assert_eq!(signed.subscribe_url(), Some(url));
        }
    }
}

#[test]
fn each_region_has_its_own_names() {
    let url = "https://sns.af-south-1.amazonaws.com/SimpleNotificationService-0.pem";
    let africa = signed(notification(), &[("TopicArn", AFRICA.into()), ("SigningCertURL", url.into())]);
    let url = "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-0.pem";
    let china = signed(notification(), &[("TopicArn", CHINA.into()), ("SigningCertURL", url.into())]);
    let verify = |body: &Json, pem: &str| checks().verify(body.to_string().as_bytes(), &file(pem), now());
    assert!(verify(&africa, "regional.pem").is_ok() && verify(&africa, "good.pem").is_ok());
    assert!(verify(&china, "china.pem").is_ok());
    for (body, pem) in
        [(&africa, "china.pem"), (&china, "good.pem"), (&china, "regional.pem"), (&genuine(), "regional.pem")]
    {
        assert_eq!(verify(body, pem).unwrap_err().kind(), Certificate, "{pem}");
    }
    let address =
        address::Address::read("https://sns.us-gov-east-1.amazonaws.com/SimpleNotificationService-0.pem").unwrap();
    assert!(address.names().contains(&"sns-us-gov-west-1.amazonaws.com".to_owned()));
}

#[test]
fn an_hour_is_the_limit_either_way() {
    let verify = |now| checks().verify(genuine().to_string().as_bytes(), &file("good.pem"), now);
    let time = verify(now()).unwrap().time();
    let (hour, moment) = (Duration::from_secs(3_600), Duration::from_millis(1));
    for now in [time - hour, time, time + hour] {
        assert!(verify(now).is_ok());
    }
    for now in [time - hour - moment, time + hour + moment, SystemTime::UNIX_EPOCH] {
        assert_eq!(verify(now).unwrap_err().kind(), Stale);
    }
}

/// Tries each case; the error must be of its kind, and quote nothing of the message.
fn refuses(cases: &[(&str, String, SignatureErrorKind)]) {
    for (case, body, kind) in cases {
        let error = checks().verify(body.as_bytes(), &file("good.pem"), now()).expect_err(case);
        assert_eq!(error.kind(), *kind, "{case}: {error:?}");
        assert!(!error.is_transient() && !format!("{error:?}").contains("evil"), "{case}: {error:?}");
    }
}

#[test]
fn forged_addresses_are_refused() {
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
    assert_eq!(forged.len(), 35);
    let forged = forged.map(|url| ("an address", changed(genuine(), &[("SigningCertURL", url.into())]), Address));
    refuses(&forged);
    let elsewhere = "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription";
    let confirm = |url: &str| signed(confirmation(), &[("SubscribeURL", url.into())]).to_string();
    refuses(&[
        ("another region to confirm at", confirm(elsewhere), Address),
        ("another host to confirm at", confirm("https://evil.example/"), Address),
        ("a host that begins so", confirm("https://sns.eu-west-1.amazonaws.com.evil/"), Address),
        ("without TLS", confirm("http://sns.eu-west-1.amazonaws.com/"), Address),
    ]);
}

#[test]
fn forged_signatures_are_refused() {
    let after = |name: &str, value: Json| changed(genuine(), &[(name, value)]);
    let mut flipped = STANDARD.decode(genuine()["Signature"].as_str().unwrap()).unwrap();
    flipped[17] ^= 1;
    let short = STANDARD.encode(&flipped[..128]);
    let other = signed(notification(), &[("Message", "other".into())])["Signature"].clone();
    let mut first: Json = serde_json::from_str(&file("notification.json")).unwrap();
    first["SignatureVersion"] = "2".into();
    refuses(&[
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
    ]);
}

#[test]
fn forged_times_topics_and_types_are_refused() {
    let with = |name: &str, value: &str| signed(notification(), &[(name, value.into())]).to_string();
    let long = |what: &str| with("Timestamp", &format!("2026-01-02T03:04:05.{}Z", what.repeat(100)));
    let twice = genuine().to_string().replacen('{', r#"{"Message": "evil", "#, 1);
    refuses(&[
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
    ]);
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
    refuses(&[("a subject of three lines", spliced.to_string(), Malformed)]);
    assert_eq!(checks().verify(whole.to_string().as_bytes(), &file("good.pem"), now()).unwrap().message(), text);
}

#[test]
fn forged_certificates_are_refused() {
    let key = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode("evil"));
    let garbage = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode("evil"));
    let cut = file("good.pem").lines().take(9).collect::<Vec<_>>().join("\n");
    let after = format!("{}{garbage}", file("forged.pem"));
    let strict = || checks().issued_by(&file("issuer.pem")).unwrap();
    let cases = [
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
    ];
    for (case, checks, pem, kind) in cases {
        let error = checks.verify(genuine().to_string().as_bytes(), &pem, now()).expect_err(case);
        assert_eq!(error.kind(), kind, "{case}: {error:?}");
    }
    for pem in ["", "evil", &file("notification.json")] {
        assert_eq!(checks().issued_by(pem).unwrap_err().kind(), Certificate);
    }
}

/// Answers each request so, and counts them.
#[derive(Debug, Clone)]
struct Server {
    status: u16,
    body: String,
    wait: Duration,
    asked: Arc<AtomicUsize>,
}

impl HttpConnector for Server {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        assert_eq!((request.method(), request.uri()), ("GET", URL));
        self.asked.fetch_add(1, Ordering::Relaxed);
        let Self { status, body, wait, .. } = self.clone();
        HttpConnectorFuture::new(async move {
            tokio::time::sleep(wait).await;
            let mut response = HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body));
            response.headers_mut().insert("location", "https://evil.example/");
            Ok(response)
        })
    }
}

fn server(status: u16, body: impl Into<String>) -> Server {
    Server { status, body: body.into(), wait: Duration::from_secs(1), asked: Arc::default() }
}

fn verifier(server: &Server) -> Verifier {
    Verifier::with(checks(), Clock::starting_at(now()), Fetch::over(SharedHttpConnector::new(server.clone())))
}

async fn kind(server: &Server) -> SignatureErrorKind {
    verifier(server).verify(genuine().to_string().as_bytes()).await.unwrap_err().kind()
}

#[tokio::test(start_paused = true)]
async fn a_certificate_is_fetched_once_and_not_for_what_is_refused_without() {
    let server = server(200, file("good.pem"));
    let verifier = verifier(&server);
    for body in [
        "evil".into(),
        changed(genuine(), &[("TopicArn", "evil".into())]),
        changed(genuine(), &[("SigningCertURL", "evil".into())]),
    ] {
        verifier.verify(body.as_bytes()).await.unwrap_err();
    }
    assert_eq!(server.asked.load(Ordering::Relaxed), 0);
    for _ in 0..3 {
        assert_eq!(verifier.verify(genuine().to_string().as_bytes()).await.unwrap().id(), "id-1");
    }
    let forged = changed(genuine(), &[("Message", "evil".into())]);
    assert_eq!(verifier.verify(forged.as_bytes()).await.unwrap_err().kind(), Forged);
    assert_eq!(server.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_served_as_a_certificate_is_not_kept() {
    for (status, body, expected) in [
        (302, file("good.pem"), Unreachable),
        (404, file("good.pem"), Unreachable),
        (500, String::new(), Unreachable),
        (200, file("expired.pem"), Certificate),
        (200, "x".repeat(64 * 1024 + 1), Certificate),
    ] {
        let server = server(status, body);
        let verifier = verifier(&server);
        for asked in 1..3 {
            let error = verifier.verify(genuine().to_string().as_bytes()).await.unwrap_err();
            assert_eq!((error.kind(), server.asked.load(Ordering::Relaxed)), (expected, asked), "{error:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_does_not_come_is_given_up_on_after_ten_seconds() {
    let began = tokio::time::Instant::now();
    let server = Server { wait: Duration::from_secs(3_600), ..server(200, file("good.pem")) };
    assert_eq!(kind(&server).await, Unreachable);
    assert_eq!(began.elapsed().as_secs(), 10);
}
