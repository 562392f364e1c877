//! What SNS would have signed, and what others would have one believe. The certificates and the messages of version 1 are
//! made by `tests/certificates/sns/make`; those of version 2 are signed here.

mod forged;

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
