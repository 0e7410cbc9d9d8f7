//! The container: five bytes, then one zstd frame with a whole `SQLite` database.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use crate::private_fs;

use super::error::Error;

/// How a version 1 file begins.
pub(super) const MAGIC: &[u8; 5] = b"C1ZF\0";

/// How the Go SDK's newer files begin.
pub(super) const MAGIC_3: &[u8; 5] = b"C1Z3\0";

/// The Go SDK's level, its fastest.
const LEVEL: i32 = 1;

/// Smaller databases are compressed on the thread that asks for it: others would cost more
/// memory than they save time.
const SMALL: u64 = 64 << 20;

/// What a thread compresses at a time, in bytes: twice the window. The memory that threads
/// take is some six times this, the file hardly larger than with the usual four windows.
const JOB_SIZE: u32 = 1 << 20;

/// Readers cap a decoder's memory at 128 MiB; so do we.
const LARGEST_WINDOW_LOG: u32 = 27;

/// Readers refuse larger databases by default, 3 GiB.
pub(super) const LARGEST_DATABASE: u64 = 3 << 30;

/// Unpacks the database of the sync file `path` to `database`.
pub(super) fn unpack(path: &Path, database: &Path) -> Result<(), Error> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    unpack_opened(&file, path, database, |error| Error::io("write", database)(error))
}

/// Unpacks the database of a sync file that is open already, from its beginning. What goes wrong
/// where the database goes is for `no_room` to tell.
pub(super) fn unpack_opened(
    file: &File,
    path: &Path,
    database: &Path,
    no_room: impl Fn(io::Error) -> Error,
) -> Result<(), Error> {
    let damaged =
        |problem: &str| Error::Damaged { path: path.to_owned(), problem: problem.to_owned() };
    let mut file = file;
    let mut magic = [0; MAGIC.len()];
    file.read_exact(&mut magic).map_err(Error::io("read", path))?;
    let mut decoder = zstd::Decoder::new(file).map_err(Error::io("read", path))?;
    decoder.window_log_max(LARGEST_WINDOW_LOG).map_err(Error::io("read", path))?;
    let mut unpacked = private_fs::private_file(database).map_err(&no_room)?;
    let mut buffer = vec![0; 1 << 20];
    let mut size = 0;
    loop {
        let count = decoder.read(&mut buffer).map_err(|error| match error.raw_os_error() {
            // The system's word, and not of what is in the file.
            Some(_) => Error::io("read", path)(error),
            None => damaged(&format!("its compression is broken: {error}")),
        })?;
        if count == 0 {
            return Ok(());
        }
        size += count as u64;
        if size > LARGEST_DATABASE {
            return Err(damaged("it unpacks to more than 3 GiB"));
        }
        unpacked.write_all(&buffer[..count]).map_err(&no_room)?;
    }
}

/// Packs `database` into `file`, and that onto the disk. Returns the file's size in bytes.
pub(super) fn pack(database: &Path, mut file: File) -> io::Result<u64> {
    let source = File::open(database)?;
    let length = source.metadata()?.len();
    file.write_all(MAGIC)?;
    let mut encoder = zstd::Encoder::new(file, LEVEL)?;
    // The frame's header carries the database's size; its end a checksum.
    encoder.set_pledged_src_size(Some(length))?;
    encoder.include_contentsize(true)?;
    encoder.include_checksum(true)?;
    encoder.multithread(threads(length))?;
    encoder.set_parameter(zstd::zstd_safe::CParameter::JobSize(JOB_SIZE))?;
    io::copy(&mut BufReader::with_capacity(64 * 1024, source), &mut encoder)?;
    let file = encoder.finish()?;
    private_fs::unless_unsupported(file.sync_all())?;
    Ok(file.metadata()?.len())
}

/// Threads that compress a database of `length` bytes. More than two only wait for the disk.
fn threads(length: u64) -> u32 {
    match std::thread::available_parallelism() {
        Ok(cores) if cores.get() > 1 && length >= SMALL => 2,
        _ => 0,
    }
}
