//! The properties of a message, as whoever writes bytes can write them.

use super::wire::{long_text, short_text};

/// The places of the properties, in the order of AMQP 0-9-1.
const HEADERS: usize = 2;
const OCTETS: [usize; 2] = [3, 4];
const TIMESTAMP: usize = 9;
const COUNT: usize = 14;

/// The properties of a message; nothing is checked.
#[derive(Debug, Clone, Default)]
pub struct Properties([Option<Vec<u8>>; COUNT]);

impl Properties {
    /// Sets a property that is text: the content type is 0, the content encoding 1, the correlation id 5, the address
    /// for replies 6, the expiration 7, the message id 8, the type 10, the user 11, the application 12.
    pub fn text(mut self, place: usize, text: impl AsRef<[u8]>) -> Self {
        self.0[place] = Some(short_text(text));
        self
    }

    /// Sets the delivery mode and the priority.
    pub fn octets(mut self, mode: u8, priority: u8) -> Self {
        for (place, value) in OCTETS.into_iter().zip([mode, priority]) {
            self.0[place] = Some(vec![value]);
        }
        self
    }

    /// Sets the timestamp.
    pub fn timestamp(mut self, seconds: u64) -> Self {
        self.0[TIMESTAMP] = Some(seconds.to_be_bytes().to_vec());
        self
    }

    /// Adds a header; the value has its type before it.
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        // The length before it is written last.
        self.0[HEADERS].get_or_insert_default().extend([&short_text(name), value.as_ref()].concat());
        self
    }

    /// The content header of a message with a body of so many bytes.
    pub(super) fn write(&self, body: usize) -> Vec<u8> {
        let flags: u16 = (0..COUNT).filter(|place| self.0[*place].is_some()).map(|place| 1 << (15 - place)).sum();
        let mut written = [&60_u16.to_be_bytes()[..], &[0, 0], &(body as u64).to_be_bytes()].concat();
        written.extend(flags.to_be_bytes());
        for (place, value) in self.0.iter().enumerate() {
            let Some(value) = value else { continue };
            written.extend(if place == HEADERS { long_text(value) } else { value.clone() });
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_stand_in_the_order_of_their_flags() {
        let properties = Properties::default().text(8, "id").header("a", b"t\x01").octets(2, 0);
        assert_eq!(properties.write(5)[12..], *b"\x38\x80\0\0\0\x04\x01at\x01\x02\0\x02id");
    }
}
