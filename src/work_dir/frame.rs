//! Frames: what tells a record that was written whole from everything else.

use std::io::{self, Read, Seek, SeekFrom};

use crc32fast::Hasher;
use zstd::bulk::{Compressor, Decompressor};

/// The largest content, in bytes. A length that says more is none of ours, and nothing is
/// allocated for it.
pub(super) const LARGEST: usize = 80 << 20;

/// Bytes before a frame's content: two lengths and the checksum.
const HEAD: usize = 12;

/// zstd's fastest level but for those that hardly pack: pages of JSON shrink to a fifth.
const LEVEL: i32 = 1;

/// A buffer larger than this is for one large record, and not kept for the next.
const KEPT_BUFFER: usize = 1 << 20;

/// Packs contents into frames.
pub(super) struct FrameWriter {
    /// The last frame's checksum.
    checksum: u32,
    compressor: Compressor<'static>,
    /// Frames that wait to be written.
    frames: Vec<u8>,
}

impl FrameWriter {
    /// Goes on after the frame with the checksum `after`.
    pub(super) fn new(after: u32) -> io::Result<Self> {
        let compressor = Compressor::new(LEVEL)?;
        Ok(Self { checksum: after, compressor, frames: Vec::new() })
    }

    /// Adds a frame to those that wait.
    pub(super) fn add(&mut self, content: &[u8]) -> io::Result<()> {
        if content.len() > LARGEST {
            let size = content.len() >> 20;
            return Err(io::Error::other(format!("a record of {size} MiB is too large")));
        }
        let start = self.frames.len();
        self.frames.resize(start + HEAD + zstd::zstd_safe::compress_bound(content.len()), 0);
        let packed =
            self.compressor.compress_to_buffer(content, &mut self.frames[start + HEAD..])?;
        self.frames.truncate(start + HEAD + packed);
        let lengths = [length(packed), length(content.len())].concat();
        self.checksum = checksum(self.checksum, &lengths, &self.frames[start + HEAD..]);
        self.frames[start..start + 8].copy_from_slice(&lengths);
        self.frames[start + 8..start + HEAD].copy_from_slice(&self.checksum.to_le_bytes());
        Ok(())
    }

    /// Hands out the frames that wait, to be written at once.
    pub(super) fn write_pending(
        &mut self,
        write: impl FnOnce(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let outcome = write(&self.frames);
        if self.frames.capacity() > KEPT_BUFFER {
            self.frames = Vec::new();
        }
        self.frames.clear();
        outcome
    }
}

/// Reads frames until one isn't as it was written.
pub(super) struct FrameReader<R> {
    source: R,
    /// Bytes that haven't been read.
    left: u64,
    /// The end of the frames that are taken.
    taken: FramePosition,
    /// The end of the frame that was handed out last.
    handed_out: FramePosition,
    decompressor: Decompressor<'static>,
    packed: Vec<u8>,
    content: Vec<u8>,
}

/// Where a frame ends and the next one begins.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct FramePosition {
    /// How far into the file.
    pub(super) position: u64,
    /// The checksum of the frame that ends there.
    pub(super) checksum: u32,
}

/// What is found where a frame would begin.
pub(super) enum NextFrame<'reader> {
    /// A frame with this content.
    Frame(&'reader [u8]),
    End,
    /// No frame, because of this.
    Broken(&'static str),
}

impl<R: Read> FrameReader<R> {
    /// Reads `source`, which has `left` bytes, after the frame that ends at `after`.
    pub(super) fn new(source: R, left: u64, after: FramePosition) -> io::Result<Self> {
        Ok(Self {
            source,
            left,
            taken: after,
            handed_out: after,
            decompressor: Decompressor::new()?,
            packed: Vec::new(),
            content: Vec::new(),
        })
    }

    /// The next frame; whoever asks for it takes the one before. After a broken one nothing
    /// more can be read.
    pub(super) fn next(&mut self) -> io::Result<NextFrame<'_>> {
        self.taken = self.handed_out;
        if self.left == 0 {
            return Ok(NextFrame::End);
        }
        if self.left < HEAD as u64 {
            return Ok(NextFrame::Broken("its end is cut off"));
        }
        let mut head = [[0; 4]; 3];
        self.source.read_exact(head.as_flattened_mut())?;
        let [packed, content, expected] = head.map(u32::from_le_bytes);
        let whole = HEAD as u64 + u64::from(packed);
        if whole > self.left || content as usize > LARGEST {
            return Ok(NextFrame::Broken("its end is cut off"));
        }
        self.packed.resize(packed as usize, 0);
        self.source.read_exact(&mut self.packed)?;
        if checksum(self.taken.checksum, head[..2].as_flattened(), &self.packed) != expected {
            return Ok(NextFrame::Broken("a checksum is wrong"));
        }
        self.content.clear();
        self.content.reserve(content as usize);
        let unpacked = self.decompressor.decompress_to_buffer(&self.packed, &mut self.content);
        if !unpacked.is_ok_and(|length| length == content as usize) {
            return Ok(NextFrame::Broken("a record can't be unpacked"));
        }
        self.handed_out =
            FramePosition { position: self.taken.position + whole, checksum: expected };
        self.left -= whole;
        Ok(NextFrame::Frame(&self.content))
    }

    /// Where the frame stands that comes next.
    pub(super) fn next_place(&self) -> FramePosition {
        self.handed_out
    }

    /// The end of the frames that are taken.
    pub(super) fn end(&self) -> FramePosition {
        self.taken
    }
}

impl<R: Read + Seek> FrameReader<R> {
    /// The frame at `place`, wherever the reader stands.
    pub(super) fn seek(&mut self, place: FramePosition) -> io::Result<NextFrame<'_>> {
        let end = self.source.seek(SeekFrom::End(0))?;
        self.source.seek(SeekFrom::Start(place.position))?;
        self.left = end.saturating_sub(place.position);
        self.handed_out = place;
        self.next()
    }
}

/// A length that is known to be small enough.
fn length(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes()
}

/// CRC-32 finds every change of up to 32 bits in a row, so that a flipped bit or byte is found
/// for certain and not only most likely; the processor computes it faster than a disk writes.
fn checksum(after: u32, lengths: &[u8], packed: &[u8]) -> u32 {
    let mut hasher = Hasher::new_with_initial(after);
    hasher.update(lengths);
    hasher.update(packed);
    hasher.finalize()
}
