//! What has been read so far, as it came, safe on disk: an append-only file of records that a
//! later run finds again and reads one by one.
//!
//! The file is 12 bytes, magic and layout, and then frames. The first holds the
//! [`Identity`] of the run that began the journal, each other one a record:
//!
//! | bytes | |
//! | --- | --- |
//! | 4 | length of the packed content |
//! | 4 | length of the content |
//! | 4 | checksum: CRC-32 of the frame but for these bytes, going on from the checksum before |
//! | … | the content, packed by zstd |
//!
//! All numbers are little-endian. A frame that isn't whole or whose checksum is wrong ends the
//! journal: what stands before it was on disk before it was written, and is used; the rest is
//! cut off. Because checksums go on from each other, a frame counts only where it was written.
//!
//! Knows neither what the records say nor what becomes of them.

mod file;
mod frame;
mod identity;

pub use file::{Found, Journal, RecordReader};
pub use frame::Place;
pub use identity::{Digests, Identity, Reason};
