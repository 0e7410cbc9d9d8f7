//! Content encodings, asked for or not.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use crate::answer::Answer;
use crate::options::Options;

/// Bodies beyond this are compressed for clients that accept it.
const COMPRESSED_FROM: usize = 1024;

/// A content encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// `gzip`
    Gzip,
    /// `deflate`
    Deflate,
    /// `br`
    Brotli,
}

impl Encoding {
    /// The name in headers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
        }
    }

    /// Encodes a body.
    pub fn encode(self, body: &[u8]) -> Vec<u8> {
        // Writing to memory can't fail; if it did, an empty body would be noticed.
        match self {
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(body).and_then(|()| encoder.finish()).unwrap_or_default()
            }
            Self::Deflate => {
                let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(body).and_then(|()| encoder.finish()).unwrap_or_default()
            }
            Self::Brotli => brotli(body),
        }
    }
}

impl Answer {
    /// Compresses a large body for a client that accepts it.
    pub(crate) fn compress(&mut self, options: &Options, accepts_gzip: bool) {
        let is_encoded = self.headers.iter().any(|(name, _)| name == "content-encoding");
        if options.gzip && accepts_gzip && !is_encoded && self.body.len() > COMPRESSED_FROM {
            self.encode(Encoding::Gzip);
        }
    }

    /// Encodes the body and says so, whether the client accepts it or not.
    pub fn encode(&mut self, encoding: Encoding) {
        self.body = encoding.encode(&self.body);
        self.headers.push(("content-encoding".into(), encoding.name().into()));
    }
}

/// Brotli (RFC 7932) without any compression: blocks of at most 64 KiB as they are.
fn brotli(body: &[u8]) -> Vec<u8> {
    // The window's size is one bit, 0 for 16 bits; a block's header follows it at once, and
    // begins at a new byte after the first block.
    let mut encoded = Vec::new();
    for (number, block) in body.chunks(1 << 16).enumerate() {
        // From the lowest bit: not the last, four digits of length, length - 1, as it is.
        let length = u32::try_from(block.len() - 1).unwrap_or_default();
        let header = length << 3 | 1 << 19;
        let header = if number == 0 { header << 1 } else { header };
        encoded.extend_from_slice(&header.to_le_bytes()[..3]);
        encoded.extend_from_slice(block);
    }
    // The last block, empty.
    encoded.push(if body.is_empty() { 0b110 } else { 0b11 });
    encoded
}

#[cfg(test)]
mod tests {
    use super::Encoding;

    #[test]
    fn bodies_are_encoded_as_the_names_say() {
        assert_eq!(Encoding::Gzip.encode(b"x")[..2], [0x1f, 0x8b]);
        assert_eq!(Encoding::Deflate.encode(b"x")[0] & 0x0f, 8);
        // Node's decoder reads this.
        assert_eq!(Encoding::Brotli.encode(b"hi"), [0x10, 0x00, 0x10, b'h', b'i', 0x03]);
    }
}
