//! A client that writes bytes as it is told and reads answers as they are.

use std::{io, net::SocketAddr};

use tegami::service::Running;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::LONG;

/// No answers before the connection ended.
pub const NOTHING: [u16; 0] = [];

pub struct Client {
    stream: TcpStream,
    read: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut pairs = self.head.lines().filter_map(|line| line.split_once(": "));
        pairs.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A request without a body.
pub fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
}

/// A request with one.
pub fn post(path: &str, headers: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len())
}

/// One answer on a connection of its own.
pub async fn ask(service: &Running, request: impl AsRef<[u8]>) -> Answer {
    let mut client = Client::connect(service).await;
    client.send(request).await;
    client.answer().await
}

impl Client {
    pub async fn connect(service: &Running) -> Self {
        Self::at(service.http_address().expect("it has routes")).await
    }

    pub async fn at(address: SocketAddr) -> Self {
        Self::try_at(address).await.expect("it listens")
    }

    /// An error, if nobody listens.
    pub async fn try_at(address: SocketAddr) -> io::Result<Self> {
        let stream = timeout(LONG, TcpStream::connect(address)).await.expect("in time")?;
        Ok(Self { stream, read: Vec::new() })
    }

    /// Writes, and says whether that went well; how a connection was closed is for the reading to tell.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        timeout(LONG, self.stream.write_all(bytes.as_ref())).await.expect("in time").is_ok()
    }

    /// Sends this again and again, and reads whatever is answered, until the server closes.
    pub async fn flood(self, bytes: &[u8]) {
        let (mut answers, mut requests) = self.stream.into_split();
        let write = async { while requests.write_all(bytes).await.is_ok() {} };
        let read = async {
            let mut space = [0; 16 * 1024];
            while answers.read(&mut space).await.is_ok_and(|length| length > 0) {}
        };
        timeout(LONG, async { tokio::join!(write, read) }).await.expect("it is let go");
    }

    pub async fn ask(&mut self, request: impl AsRef<[u8]>) -> Answer {
        self.send(request).await;
        self.answer().await
    }

    /// The next answer.
    pub async fn answer(&mut self) -> Answer {
        self.try_answer().await.expect("an answer, not the end of the connection")
    }

    /// The next answer; none at the end of the connection.
    pub async fn try_answer(&mut self) -> Option<Answer> {
        let end = loop {
            if let Some(end) = self.read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            if !self.more().await {
                return None;
            }
        };
        let head = String::from_utf8(self.read.drain(..end).collect()).expect("text");
        let status = head.split(' ').nth(1).and_then(|text| text.parse().ok()).expect("a status");
        let mut answer = Answer { status, head, body: Vec::new() };
        if status == 100 {
            return Some(answer);
        }
        let length = answer.header("content-length").map(|text| text.parse().expect("a number"));
        while self.read.len() < length.unwrap_or(usize::MAX) && self.more().await {}
        answer.body = self.read.drain(..length.unwrap_or(usize::MAX).min(self.read.len())).collect();
        Some(answer)
    }

    /// Waits until the server closes; answers that come before are told.
    pub async fn closed(&mut self) -> Vec<u16> {
        let mut statuses = Vec::new();
        while let Some(answer) = self.try_answer().await {
            statuses.push(answer.status);
        }
        statuses
    }

    /// So many answers, or fewer, if the connection ends.
    pub async fn answers_or_end(&mut self, most: usize) -> Vec<Answer> {
        let mut answers = Vec::new();
        while answers.len() < most
            && let Some(answer) = self.try_answer().await
        {
            answers.push(answer);
        }
        answers
    }

    /// So many bytes, whatever they are; none at the end of the connection.
    pub async fn bytes(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.read.len() < count {
            if !self.more().await {
                return None;
            }
        }
        Some(self.read.drain(..count).collect())
    }

    /// The status of an answer, of which the rest is left.
    pub async fn head(&mut self, request: impl AsRef<[u8]>) -> u16 {
        self.send(request).await;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.extend(self.bytes(1).await.expect("an answer, not the end of the connection"));
        }
        let text = String::from_utf8(head).expect("text");
        text.split(' ').nth(1).and_then(|text| text.parse().ok()).expect("a status")
    }

    /// Is the connection still open? What has come is thrown away.
    pub async fn is_held(&mut self) -> bool {
        let mut space = [0; 16 * 1024];
        loop {
            // What is there is asked for first.
            tokio::task::yield_now().await;
            match self.stream.try_read(&mut space) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
        }
    }

    /// The first bytes of an answer.
    pub async fn some(&mut self) {
        assert!(self.more().await, "an answer, not the end of the connection");
    }

    async fn more(&mut self) -> bool {
        let mut bytes = [0; 16 * 1024];
        let read: io::Result<usize> = timeout(LONG, self.stream.read(&mut bytes)).await.expect("in time");
        let length = read.unwrap_or(0);
        self.read.extend(&bytes[..length]);
        length > 0
    }
}
