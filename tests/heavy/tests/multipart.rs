//! Multipart bodies, a feature of axum that its users switch on themselves: our limit holds for them, too.

use axum::extract::Multipart;
use tegami::{
    Error, Service,
    http::axum::{Router, routing::post},
    service::Running,
    transport::Memory,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const LIMIT: usize = 4096;

/// How many bytes the parts have; it does not care whether one broke.
async fn lengths(mut form: Multipart) -> String {
    let mut length = 0;
    while let Ok(Some(mut field)) = form.next_field().await {
        while let Ok(Some(part)) = field.chunk().await {
            length += part.len();
        }
    }
    length.to_string()
}

async fn serve() -> Result<Running, Error> {
    let router = Router::new().route("/", post(lengths));
    let service = Service::new("billing").transport(Memory::new()).routes(router);
    service.http(|http| http.address("127.0.0.1:0").limits(|limits| limits.body = LIMIT as u64)).start().await
}

/// A form of this many bytes, one file in it, and how large that is.
fn form(length: usize) -> (String, usize) {
    let (before, after) =
        ("--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n", "\r\n--b--\r\n");
    let file = length - before.len() - after.len();
    (format!("{before}{}{after}", "a".repeat(file)), file)
}

async fn send(service: &Running, framing: &str, body: &str) -> String {
    let mut client = TcpStream::connect(service.http_address().expect("it has routes")).await.expect("it listens");
    let head = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=b";
    client.write_all(format!("{head}\r\n{framing}\r\n\r\n{body}").as_bytes()).await.expect("it is sent");
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.expect("text");
    answer
}

#[tokio::test]
async fn w4_a_form_of_parts_is_read_up_to_the_limit_of_bodies() -> Result<(), Error> {
    let service = serve().await?;
    for (length, status) in [(LIMIT - 1, "200"), (LIMIT, "200"), (LIMIT + 1, "413")] {
        let (body, file) = form(length);
        let chunked = format!("{length:x}\r\n{body}\r\n0\r\n\r\n");
        for (framing, body) in
            [(format!("Content-Length: {length}"), &body), ("Transfer-Encoding: chunked".into(), &chunked)]
        {
            let answer = send(&service, &framing, body).await;
            assert_eq!(&answer[9..12], status, "{length} {framing}");
            assert!(status == "413" || answer.ends_with(&format!("\r\n\r\n{file}")), "{answer}");
        }
    }
    Ok(())
}

/// A form of nothing but parts, as small as parts can be, so many of them as the limit lets in.
fn parts() -> (String, usize) {
    let part = "--b\r\nContent-Disposition:form-data;name=a\r\n\r\n\r\n";
    let count = (LIMIT - "--b--".len()) / part.len();
    (part.repeat(count) + "--b--", count)
}

async fn count(mut form: Multipart) -> String {
    let mut count = 0;
    while let Ok(Some(_)) = form.next_field().await {
        count += 1;
    }
    count.to_string()
}

#[tokio::test]
async fn w4_parts_are_as_many_as_the_limit_of_bodies_has_room_for_and_come_one_by_one() -> Result<(), Error> {
    let router = Router::new().route("/", post(count));
    let service = Service::new("billing").transport(Memory::new()).routes(router);
    let service =
        service.http(|http| http.address("127.0.0.1:0").limits(|limits| limits.body = LIMIT as u64)).start().await?;
    let (body, parts) = parts();
    assert!(parts > 64 && body.len() <= LIMIT, "{parts} in {}", body.len());
    let answer = send(&service, &format!("Content-Length: {}", body.len()), &body).await;
    assert!(answer.ends_with(&format!("\r\n\r\n{parts}")), "{answer}");
    Ok(())
}
