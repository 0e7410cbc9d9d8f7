//! SHA-256, and bytes as text.

use std::fmt::Write as _;
use std::io::{self, Read};

use ring::digest::{Context, Digest, SHA256};

/// The SHA-256 digest of bytes, one part after the other.
pub(crate) fn sha256<const N: usize>(parts: [&[u8]; N]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    bytes(&context.finish())
}

/// The SHA-256 digest of all that can be read, and its size in bytes.
pub(crate) fn sha256_of(mut reader: impl Read) -> io::Result<([u8; 32], u64)> {
    let mut context = Context::new(&SHA256);
    let mut size = 0;
    let mut buffer = [0; 16 * 1024];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok((bytes(&context.finish()), size)),
            Ok(count) => {
                context.update(&buffer[..count]);
                size += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn bytes(digest: &Digest) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest.as_ref());
    bytes
}

/// Bytes as lowercase hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::{hex, sha256, sha256_of};

    #[test]
    fn parts_have_the_digest_of_the_whole_however_they_are_cut() {
        // FIPS 180-2, appendix B.1.
        let of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex(&sha256([b"abc"])), of_abc);
        assert_eq!(hex(&sha256([b"a", b"", b"bc"])), of_abc);
        let (digest, size) = sha256_of(&b"abc"[..]).unwrap();
        assert_eq!((hex(&digest).as_str(), size), (of_abc, 3));
        let long = vec![7; 40_000];
        assert_eq!(sha256_of(long.as_slice()).unwrap(), (sha256([&long]), 40_000));
    }
}
