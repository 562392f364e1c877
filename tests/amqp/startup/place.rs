//! Somebody else answers, or nobody, or the wrong way.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpSocket, TcpStream},
};

use super::{
    PASSWORD, assert_refused, assert_tells,
    broker::{Office, RELEASES},
    service::{run, run_and, run_until},
};

/// A server that answers whoever comes with these words, and hangs up.
async fn says(answer: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            let _ = tcp.read(&mut [0; 64]).await;
            let _ = tcp.write_all(answer.as_bytes()).await;
        }
    });
    port
}

/// Hands everything on to that port of this machine.
fn forward(listener: TcpListener, port: u16) {
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut there = TcpStream::connect(("127.0.0.1", port)).await.expect("the broker is there");
                let _ = copy_bidirectional(&mut tcp, &mut there).await;
            });
        }
    });
}

fn url(scheme: &str, host: &str, port: u16) -> String {
    format!("{scheme}://clerk:{PASSWORD}@{host}:{port}/startup")
}

#[tokio::test]
async fn k1_a_web_server_is_told_from_a_broker() {
    let port = says("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
    let told = run("plain", &url("amqp", "localhost", port), &[]).await;
    assert_refused(&told, &[&port.to_string(), "not AMQP", "transient: false"]);
}

#[tokio::test]
async fn n1_a_port_that_is_silent_is_asked_again_and_named() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = silent.local_addr().expect("bound").port();
    let told = run_until("plain", &url("amqp", "localhost", port), "will try again").await;
    assert_tells(&told, &["WARN", "does not answer within 5s", &port.to_string(), "will try again"]);
    assert_eq!(told.code, None);
}

#[tokio::test]
async fn n1_a_service_that_is_there_before_its_broker_waits_for_it() {
    for release in RELEASES {
        let office = Office::open(release).await;
        // Taken, so that nobody else takes it, and refused until somebody listens.
        let taken = TcpSocket::new_v4().expect("a socket");
        taken.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        let later = taken.local_addr().expect("bound");
        let url = office.url().replace(&office.0.port().to_string(), &later.port().to_string());
        let mut taken = Some(taken);
        let told = run_and("plain", &url, |text| {
            if text.contains("will try again")
                && let Some(taken) = taken.take()
            {
                forward(taken.listen(16).expect("it is ours"), office.0.port());
            }
        });
        let told = told.await;
        assert_tells(&told, &["does not answer", "Connection refused", "will try again", "service started"]);
        assert_eq!(told.code, Some(0), "{}", told.text);
        office.close().await;
    }
}

#[tokio::test]
async fn f25_the_wrong_port_for_tls_is_told() {
    for release in RELEASES {
        let office = Office::open(release).await;
        let rabbit = &office.0;
        let told = run("plain", &url("amqps", "localhost", rabbit.port()), &[]).await;
        assert_refused(&told, &[&rabbit.port().to_string(), "not in TLS", "amqp://"]);
        let told = run("plain", &url("amqp", "localhost", rabbit.tls_port()), &[]).await;
        assert_refused(&told, &[&rabbit.tls_port().to_string(), "not AMQP", "amqps://"]);
        office.close().await;
    }
}

#[tokio::test]
async fn f25_a_broker_is_known_by_its_authority_and_its_name() {
    for release in RELEASES {
        let office = Office::open(release).await;
        let told = run("plain", &office.tls_url(), &[]).await;
        assert_eq!(told.code, Some(0), "{}", told.text);
        let stranger = url("amqps", "localhost", office.0.tls_port());
        assert_refused(&run("plain", &stranger, &[]).await, &["unknown authority", "`ca=`", "transient: false"]);
        let elsewhere = TcpListener::bind("127.0.0.2:0").await.expect("a free port");
        let other = format!("127.0.0.2:{}", elsewhere.local_addr().expect("bound").port());
        forward(elsewhere, office.0.tls_port());
        let url = office.tls_url().replace(&format!("localhost:{}", office.0.tls_port()), &other);
        assert_refused(&run("plain", &url, &[]).await, &["certificate for another name", "127.0.0.2"]);
        office.close().await;
    }
}
