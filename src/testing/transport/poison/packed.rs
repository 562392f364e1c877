//! Bodies written by hand: base64, zlib and protobuf as they should be, and as they should not.

use std::io::Write;

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compress, Compression, FlushCompress, write::ZlibEncoder};

use super::super::office::enveloped;

/// Bytes in one mebibyte.
pub(super) const MEBIBYTE: usize = 1024 * 1024;

/// Bytes as base64.
pub(super) fn in_base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

/// Bytes as a zlib stream.
pub(super) fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut stream = ZlibEncoder::new(Vec::new(), Compression::fast());
    let written = stream.write_all(bytes).and_then(|()| stream.finish());
    written.expect("writing to memory does not fail")
}

/// A JSON envelope whose data is said to be a zlib stream in base64.
pub(super) fn zlibbed(id: &str, data: &str) -> String {
    enveloped(id, &format!("\"{data}\"")).replace("\"raw\"", "\"base64_gzip_json\"")
}

/// A zlib stream that unpacks to so many mebibytes of one byte; made without packing more than one of them.
pub(super) fn repeated(byte: u8, mebibytes: usize) -> Vec<u8> {
    let mut stream = vec![0x78, 0xda];
    stream.extend(mebibyte_of(byte).repeat(mebibytes));
    // An empty last block, and the checksum of RFC 1950.
    stream.extend([0x03, 0x00]);
    stream.extend(adler_32(u64::from(byte), (mebibytes * MEBIBYTE) as u64).to_be_bytes());
    stream
}

/// How many bytes of a stream each mebibyte of this byte takes.
pub(super) fn bytes_per_mebibyte(byte: u8) -> usize {
    mebibyte_of(byte).len()
}

/// Deflated so that it can stand after itself.
fn mebibyte_of(byte: u8) -> Vec<u8> {
    let mut block = Vec::with_capacity(64 * 1024);
    let mut compress = Compress::new(Compression::fast(), false);
    let packed = compress.compress_vec(&vec![byte; MEBIBYTE], &mut block, FlushCompress::Full);
    packed.expect("deflating does not fail");
    assert_eq!(compress.total_in(), MEBIBYTE as u64, "there is room for the whole");
    block
}

/// The checksum of a byte that comes so many times.
fn adler_32(byte: u64, times: u64) -> u32 {
    const BASE: u128 = 65_521;
    let (byte, times) = (u128::from(byte), u128::from(times));
    let low = (1 + times * byte) % BASE;
    let high = (times + byte * (times * (times + 1) / 2)) % BASE;
    ((high << 16) | low) as u32
}

/// A field of a protobuf message that holds bytes, a text or another message.
pub(super) fn field(number: u32, bytes: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    prost::encoding::bytes::encode(number, &bytes.to_vec(), &mut message);
    message
}

/// tomodachi's protobuf envelope of this id around this data, before it is put into base64.
pub(super) fn protobuf(id: &str, data_encoding: &str, data: &[u8]) -> Vec<u8> {
    let version = b"tomodachi-protobuf-base--1.0.0";
    let metadata = [field(1, id.as_bytes()), field(2, version), field(5, data_encoding.as_bytes())].concat();
    [field(2, &metadata), field(3, data)].concat()
}

/// A letter as protobuf.
pub(super) fn letter() -> Vec<u8> {
    [field(1, b"a"), field(3, b"written by hand")].concat()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::ZlibDecoder;

    use super::*;

    #[test]
    fn what_is_repeated_is_a_whole_zlib_stream() {
        for (byte, mebibytes) in [(0, 1), (b'[', 3), (255, 2)] {
            let mut unpacked = Vec::new();
            ZlibDecoder::new(&*repeated(byte, mebibytes)).read_to_end(&mut unpacked).unwrap();
            assert!(unpacked.len() == mebibytes * MEBIBYTE && unpacked.iter().all(|found| *found == byte));
        }
    }
}
