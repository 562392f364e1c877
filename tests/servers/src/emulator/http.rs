//! One HTTP request by hand, on a connection of its own.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// Longer than the longest receive.
const ANSWER: Duration = Duration::from_secs(60);

/// Posts this body with these header lines, each of which ends its line; the status, and the body of the answer.
///
/// # Errors
/// Nobody is there, or what comes back is no HTTP.
pub(super) fn post(to: SocketAddr, headers: &str, body: &str) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(to)?;
    stream.set_read_timeout(Some(ANSWER))?;
    let length = body.len();
    let head =
        format!("POST / HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n");
    stream.write_all((head + body).as_bytes())?;
    let mut answer = BufReader::new(stream);
    let status = line(&mut answer)?.split(' ').nth(1).and_then(|status| status.parse().ok());
    let mut length = None;
    loop {
        let line = line(&mut answer)?.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        length = line.strip_prefix("content-length:").and_then(|length| length.trim().parse().ok()).or(length);
    }
    let (length, mut body): (u64, _) = (length.ok_or(io::ErrorKind::InvalidData)?, String::new());
    let came = answer.take(length).read_to_string(&mut body)?;
    if came as u64 != length {
        return Err(io::Error::other(format!("{came} bytes of {length}")));
    }
    Ok((status.ok_or(io::ErrorKind::InvalidData)?, body))
}

fn line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    match from.read_line(&mut line)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line.trim_end().to_owned()),
    }
}
