//! A producer that says what it likes, in AMQP 0-9-1 by hand: no client library writes headers that no library reads.

mod properties;
mod wire;

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpStream},
    time::Duration,
};

pub use properties::Properties;
pub use wire::Nest;
use wire::{BODY, HEADER, METHOD, frame, headers, long_text, short_text};

/// How long the broker takes for an answer.
const ANSWER: Duration = Duration::from_secs(60);
/// The one channel.
const CHANNEL: u16 = 1;
/// The largest frame that RabbitMQ takes without being asked.
const FRAME: u32 = 131_072;

/// A connection to a broker on this machine that publishes.
#[derive(Debug)]
pub struct Producer(TcpStream);

impl Producer {
    /// Connects as guest.
    ///
    /// # Errors
    /// The broker is not there, or does not speak as it should.
    pub fn connect(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(ANSWER))?;
        stream.set_nodelay(true)?;
        let mut producer = Self(stream);
        producer.0.write_all(b"AMQP\0\0\x09\x01")?;
        producer.until(10, 10)?;
        let account = [&[0; 4][..], &short_text("PLAIN"), &long_text(b"\0guest\0guest"), &short_text("en_US")].concat();
        producer.say(0, [10, 11], &account)?;
        producer.until(10, 30)?;
        producer.say(0, [10, 31], &[&CHANNEL.to_be_bytes()[..], &FRAME.to_be_bytes(), &[0, 0]].concat())?;
        producer.say(0, [10, 40], &[&short_text("/")[..], &[0, 0]].concat())?;
        producer.until(10, 41)?;
        producer.say(CHANNEL, [20, 10], &[0])?;
        producer.until(20, 11)?;
        producer.say(CHANNEL, [85, 10], &[0])?;
        producer.until(85, 11)?;
        Ok(producer)
    }

    /// Puts a message straight into a queue, with one header that is nested so, and waits until it is stored.
    ///
    /// # Errors
    /// The broker does not take it.
    pub fn put(&mut self, queue: &str, message: (&str, &[u8]), nest: Nest) -> io::Result<()> {
        let (id, body) = message;
        self.publish(queue, &headers(id, body.len(), nest), body)
    }

    /// Puts a message with these properties straight into a queue, and waits until it is stored.
    ///
    /// # Errors
    /// The broker does not take it; nothing more can be put after that.
    pub fn put_as(&mut self, queue: &str, properties: &Properties, body: &[u8]) -> io::Result<()> {
        self.publish(queue, &properties.write(body.len()), body)
    }

    fn publish(&mut self, queue: &str, header: &[u8], body: &[u8]) -> io::Result<()> {
        let to = [&[0, 0][..], &short_text(""), &short_text(queue), &[0]].concat();
        self.say(CHANNEL, [60, 40], &to)?;
        self.0.write_all(&frame(HEADER, CHANNEL, header))?;
        self.0.write_all(&frame(BODY, CHANNEL, body))?;
        self.until(60, 80)
    }

    fn say(&mut self, channel: u16, method: [u16; 2], arguments: &[u8]) -> io::Result<()> {
        let [class, method] = method.map(u16::to_be_bytes);
        self.0.write_all(&frame(METHOD, channel, &[&class[..], &method, arguments].concat()))
    }

    /// Takes a message out of a queue: its properties as they are written; none if the queue is empty.
    ///
    /// # Errors
    /// The broker does not let it.
    pub fn take(&mut self, queue: &str) -> io::Result<Option<Vec<u8>>> {
        self.say(CHANNEL, [60, 70], &[&[0, 0][..], &short_text(queue), &[1]].concat())?;
        loop {
            match self.read()? {
                (HEADER, properties) => return Ok(Some(properties)),
                (METHOD, said) if is(&said, 60, 72) => return Ok(None),
                _ => {}
            }
        }
    }

    /// Deletes a queue with all that is in it.
    ///
    /// # Errors
    /// The broker does not let it.
    pub fn delete(&mut self, queue: &str) -> io::Result<()> {
        self.say(CHANNEL, [50, 40], &[&[0, 0][..], &short_text(queue), &[0]].concat())?;
        self.until(50, 41)
    }

    /// Reads until the broker says this.
    fn until(&mut self, class: u16, method: u16) -> io::Result<()> {
        loop {
            let (kind, said) = self.read()?;
            if kind == METHOD && is(&said, class, method) {
                return Ok(());
            }
        }
    }

    /// Reads a frame; a connection or channel that the broker closes, and a message that it refuses, is an error.
    fn read(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut head = [0; 7];
        self.0.read_exact(&mut head)?;
        let length = u32::from_be_bytes([head[3], head[4], head[5], head[6]]) as usize;
        let mut rest = vec![0; length + 1];
        self.0.read_exact(&mut rest)?;
        if head[0] == METHOD && (is(&rest, 10, 50) || is(&rest, 20, 40) || is(&rest, 60, 120)) {
            return Err(io::Error::other(String::from_utf8_lossy(&rest[4..]).into_owned()));
        }
        Ok((head[0], rest))
    }
}

/// Is it this method?
fn is(said: &[u8], class: u16, method: u16) -> bool {
    said.starts_with(&[class.to_be_bytes(), method.to_be_bytes()].concat())
}
