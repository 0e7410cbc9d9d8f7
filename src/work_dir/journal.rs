//! What has been read so far, as it came, safe on disk: an append-only file of records that a
//! later run finds again and reads one by one.
//!
//! The file is 12 bytes, magic and layout, and then frames. The first holds the
//! [`RunIdentity`] of the run that began the journal, each other one a record:
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

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom, SystemRandom};

use crate::private_fs;
use crate::work_dir::Error;

use super::frame::{FramePosition, FrameReader, FrameWriter, NextFrame};
use super::run_identity::{DiscardReason, JournalHeader, RunIdentity};

const MAGIC: &[u8; 8] = b"journal\n";

/// Raised whenever the file or the meaning of its records changes.
const LAYOUT: u32 = 3;

/// Bytes before the first frame.
const START: usize = 12;

/// A journal that is being written.
pub struct Journal {
    path: PathBuf,
    file: File,
    writer: FrameWriter,
    sync_id: String,
}

/// What was found of an earlier run.
pub enum FoundJournal {
    /// Nothing that was worth keeping.
    Nothing,
    /// Records, all of which have been told.
    Records {
        /// The journal, to go on with.
        journal: Journal,
        /// What is wrong with all that stood behind them, which has been cut off.
        cut: Option<String>,
    },
    /// Something that can't be gone on from.
    Discarded(DiscardReason),
}

impl Journal {
    /// Looks for a journal at `path` that a run of `identity` may go on from.
    ///
    /// Tells `index` of each record and where it stands, in the order in which they were
    /// appended, until one isn't whole or `index` says what is wrong with it. That one and all
    /// behind it are cut off. Errors are the system's, after which the journal is as it was.
    pub fn find(
        path: &Path,
        identity: &RunIdentity<'_>,
        index: impl FnMut(&[u8], FramePosition) -> Result<(), String>,
    ) -> Result<FoundJournal, Error> {
        find(path, identity, index).map_err(Error::io("read", path))
    }

    /// Begins a journal at `path`, in place of whatever stands there.
    pub fn create(path: &Path, identity: &RunIdentity<'_>) -> Result<Self, Error> {
        create(path, identity).map_err(Error::io("write", path))
    }

    /// The id of the sync, as the run that began the journal named it.
    pub fn sync_id(&self) -> &str {
        &self.sync_id
    }

    /// Appends records, all at once. After an error the journal is to be dropped: its end isn't
    /// known.
    pub fn append<'record>(
        &mut self,
        records: impl IntoIterator<Item = &'record [u8]>,
    ) -> Result<(), Error> {
        let Self { path, file, writer, .. } = self;
        let append = || {
            records.into_iter().try_for_each(|record| writer.add(record))?;
            writer.write_pending(|frames| file.write_all(frames))
        };
        append().map_err(Error::io("write", path))
    }

    /// Makes all that was appended safe from the loss of power.
    pub fn make_safe(&self) -> Result<(), Error> {
        private_fs::unless_unsupported(self.file.sync_data())
            .map_err(Error::io("write", &self.path))
    }

    /// Reads records again, beside what is being appended.
    pub fn reader(&self) -> Result<RecordReader, Error> {
        let open = || {
            let file = File::open(&self.path)?;
            let left = file.metadata()?.len();
            FrameReader::new(file, left, FramePosition::default())
        };
        let frames = open().map_err(Error::io("read", &self.path))?;
        Ok(RecordReader { path: self.path.clone(), frames })
    }
}

/// Reads single records of a journal.
pub struct RecordReader {
    path: PathBuf,
    frames: FrameReader<File>,
}

impl RecordReader {
    /// The record that stands at `place`.
    pub fn read(&mut self, place: FramePosition) -> Result<&[u8], Error> {
        let record = match self.frames.seek(place) {
            Ok(NextFrame::Frame(record)) => Ok(record),
            Ok(NextFrame::End) => Err(io::Error::other("a record is gone")),
            Ok(NextFrame::Broken(problem)) => Err(io::Error::other(problem)),
            Err(error) => Err(error),
        };
        record.map_err(Error::io("read", &self.path))
    }
}

fn create(path: &Path, identity: &RunIdentity<'_>) -> io::Result<Journal> {
    let mut salt = [0; 16];
    let random = SystemRandom::new().fill(&mut salt);
    random.map_err(|_| io::Error::other("the system gives no random numbers"))?;
    // It tells who has access to what.
    let mut file = private_fs::private_file(path)?;
    let start = start(LAYOUT);
    file.write_all(&start)?;
    let mut writer = FrameWriter::new(crc32fast::hash(&start))?;
    writer.add(&serde_json::to_vec(&JournalHeader::new(identity, salt))?)?;
    // Safe with the first records, before which it is worth nothing.
    writer.write_pending(|frames| file.write_all(frames))?;
    if let Some(Err(error)) = path.parent().map(private_fs::sync_directory) {
        tracing::warn!(
            journal = %path.display(),
            %error,
            "only the system knows when what is read is safe on disk: after the loss of power it \
             may have to be read again"
        );
    }
    Ok(Journal { path: path.to_owned(), file, writer, sync_id: identity.sync_id.to_owned() })
}

fn find(
    path: &Path,
    identity: &RunIdentity<'_>,
    mut index: impl FnMut(&[u8], FramePosition) -> Result<(), String>,
) -> io::Result<FoundJournal> {
    let damaged =
        |problem: &str| Ok(FoundJournal::Discarded(DiscardReason::Damaged(problem.to_owned())));
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(FoundJournal::Nothing),
        Err(error) => return Err(error),
    };
    private_fs::make_private(&file)?;
    let length = file.metadata()?.len();
    if length == 0 {
        // A run that was stopped before it had written anything.
        return Ok(FoundJournal::Nothing);
    }
    let Some(left) = length.checked_sub(START as u64) else {
        return damaged("it has no beginning");
    };
    let mut source = BufReader::with_capacity(64 * 1024, &file);
    let mut found = [0; START];
    source.read_exact(&mut found)?;
    if !found.starts_with(MAGIC) {
        return damaged("it doesn't begin as journals do");
    }
    if found != start(LAYOUT) {
        return Ok(FoundJournal::Discarded(DiscardReason::OtherVersion));
    }
    let after = FramePosition { position: START as u64, checksum: crc32fast::hash(&found) };
    let mut frames = FrameReader::new(source, left, after)?;
    let header: JournalHeader = match frames.next()? {
        NextFrame::Frame(content) => match serde_json::from_slice(content) {
            Ok(header) => header,
            Err(error) => return damaged(&error.to_string()),
        },
        NextFrame::End => return damaged("it doesn't say what it is"),
        NextFrame::Broken(problem) => return damaged(problem),
    };
    if let Err(reason) = header.is_like(identity) {
        return Ok(FoundJournal::Discarded(reason));
    }
    if (identity.is_finished)(&header.sync_id) {
        // Killed after saving: nothing is left to do with it.
        return Ok(FoundJournal::Nothing);
    }
    let mut has_records = false;
    let cut = loop {
        let place = frames.next_place();
        match frames.next()? {
            NextFrame::End => break None,
            NextFrame::Broken(problem) => break Some(problem.to_owned()),
            NextFrame::Frame(record) => {
                if let Err(problem) = index(record, place) {
                    break Some(problem);
                }
                has_records = true;
            }
        }
    };
    let FramePosition { position, checksum } = frames.end();
    if !has_records {
        return cut.map_or(Ok(FoundJournal::Nothing), |problem| damaged(&problem));
    }
    file.set_len(position)?;
    file.seek(SeekFrom::Start(position))?;
    let writer = FrameWriter::new(checksum)?;
    let journal = Journal { path: path.to_owned(), file, writer, sync_id: header.sync_id };
    Ok(FoundJournal::Records { journal, cut })
}

/// The first bytes of a file of this layout.
fn start(layout: u32) -> [u8; START] {
    let mut start = [0; START];
    start[..MAGIC.len()].copy_from_slice(MAGIC);
    start[MAGIC.len()..].copy_from_slice(&layout.to_le_bytes());
    start
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::super::{DiscardReason, FramePosition, IdentityDigests, Journal, RunIdentity};
    use super::{LAYOUT, MAGIC, START};

    /// A run of token 1, of the organization 1 if that is known.
    #[derive(Clone, Copy)]
    struct Run {
        version: &'static str,
        settings: &'static str,
        organization: Option<u8>,
        token: u8,
        finished: &'static str,
    }

    const RUN: Run =
        Run { version: "1", settings: "s", organization: None, token: 1, finished: "" };

    /// What was found, but for the journal.
    #[derive(Debug, PartialEq)]
    enum FoundJournal {
        Nothing,
        Records { count: usize, cut: Option<String> },
        Discarded(DiscardReason),
    }

    struct Room(tempfile::TempDir);

    impl Room {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        /// A room with the journal of [`RUN`], of these records.
        fn with(records: &[&[u8]]) -> Self {
            let room = Self::new();
            room.open(RUN).0.append(records.iter().copied()).unwrap();
            room
        }

        fn path(&self) -> PathBuf {
            self.0.path().join("journal")
        }

        /// What is found and told, and a journal to go on with.
        fn open(&self, run: Run) -> (Journal, FoundJournal, Vec<Vec<u8>>) {
            self.open_until(run, |_| Ok(()))
        }

        fn open_until(
            &self,
            run: Run,
            check: impl Fn(&[u8]) -> Result<(), String>,
        ) -> (Journal, FoundJournal, Vec<Vec<u8>>) {
            let digest = |kind: u8, of: u8, salt: &[u8]| {
                let mut digest = [kind; 32];
                digest[..salt.len()].copy_from_slice(salt);
                digest[31] = of;
                digest
            };
            let identity = RunIdentity {
                version: run.version,
                settings: run.settings,
                digests: &|salt| IdentityDigests {
                    organization: run.organization.map(|of| digest(0, of, salt)),
                    token: digest(1, run.token, salt),
                },
                sync_id: "the new one",
                is_finished: &|sync_id| sync_id == run.finished,
            };
            let mut told: Vec<(Vec<u8>, FramePosition)> = Vec::new();
            let found = Journal::find(&self.path(), &identity, |record, place| {
                check(record)?;
                told.push((record.to_vec(), place));
                Ok(())
            });
            let (journal, found) = match found.unwrap() {
                super::FoundJournal::Records { journal, cut } => {
                    (Some(journal), FoundJournal::Records { count: told.len(), cut })
                }
                super::FoundJournal::Nothing => (None, FoundJournal::Nothing),
                super::FoundJournal::Discarded(reason) => (None, FoundJournal::Discarded(reason)),
            };
            let journal =
                journal.unwrap_or_else(|| Journal::create(&self.path(), &identity).unwrap());
            if matches!(found, FoundJournal::Records { .. }) {
                // Each is found again where it stands, in any order.
                let mut reader = journal.reader().unwrap();
                for (record, place) in told.iter().rev() {
                    assert_eq!(reader.read(*place).unwrap(), record);
                }
            }
            (journal, found, told.into_iter().map(|(record, _)| record).collect())
        }

        fn reason(&self, run: Run) -> DiscardReason {
            match self.open(run) {
                (_, FoundJournal::Discarded(reason), told) if told.is_empty() => reason,
                (_, found, _) => panic!("{found:?}"),
            }
        }
    }

    fn whole(count: usize) -> FoundJournal {
        FoundJournal::Records { count, cut: None }
    }

    #[test]
    fn a_run_of_the_same_kind_goes_on_where_the_one_before_ended() {
        let room = Room::new();
        let (mut journal, found, _) = room.open(RUN);
        assert_eq!(found, FoundJournal::Nothing);
        let large = vec![b'x'; 3 << 20];
        journal.append([b"one".as_slice(), b""]).unwrap();
        journal.append([large.as_slice()]).unwrap();
        drop(journal);
        let (mut journal, found, replayed) = room.open(RUN);
        assert_eq!((found, replayed), (whole(3), vec![b"one".to_vec(), Vec::new(), large.clone()]));
        assert_eq!(journal.sync_id(), "the new one");
        journal.append([b"two".as_slice()]).unwrap();
        drop(journal);
        let (_, found, replayed) = room.open(RUN);
        assert_eq!((found, &*replayed[3]), (whole(4), b"two".as_slice()));
        assert!(fs::metadata(room.path()).unwrap().len() < 10_000, "it is packed");
    }

    #[test]
    fn a_run_of_another_kind_begins_anew() {
        for (run, reason) in [
            (Run { version: "2", ..RUN }, DiscardReason::OtherVersion),
            (Run { settings: "other", ..RUN }, DiscardReason::OtherSettings),
            (Run { token: 2, ..RUN }, DiscardReason::OtherToken),
        ] {
            let room = Room::with(&[b"one"]);
            assert_eq!(room.reason(run), reason);
            assert_eq!(room.open(run).1, FoundJournal::Nothing, "what was discarded is gone");
        }
    }

    #[test]
    fn the_organization_counts_where_both_runs_know_it_and_else_the_token() {
        let known = |of, token| Run { organization: Some(of), token, ..RUN };
        for (first, second, is_same) in [
            (known(1, 1), known(1, 2), Ok(())),
            (known(1, 1), known(2, 1), Err(DiscardReason::OtherOrganization)),
            (known(1, 1), RUN, Ok(())),
            (RUN, known(1, 1), Ok(())),
            (RUN, known(1, 2), Err(DiscardReason::OtherToken)),
        ] {
            let room = Room::new();
            room.open(first).0.append([b"one".as_slice()]).unwrap();
            match is_same {
                Ok(()) => assert_eq!(room.open(second).1, whole(1)),
                Err(reason) => assert_eq!(room.reason(second), reason),
            }
        }
    }

    #[test]
    fn a_journal_whose_sync_is_finished_is_spent() {
        let room = Room::with(&[b"one"]);
        let (_, found, replayed) = room.open(Run { finished: "the new one", ..RUN });
        assert_eq!((found, replayed), (FoundJournal::Nothing, Vec::new()));
    }

    #[test]
    fn a_journal_without_records_is_nothing_to_speak_of() {
        let room = Room::with(&[]);
        assert_eq!(room.open(RUN).1, FoundJournal::Nothing);
        fs::write(room.path(), b"").unwrap();
        assert_eq!(room.open(RUN).1, FoundJournal::Nothing);
    }

    #[test]
    fn what_is_no_journal_of_ours_is_discarded() {
        let damaged = |content: &[u8]| {
            let room = Room::new();
            fs::write(room.path(), content).unwrap();
            assert!(matches!(room.reason(RUN), DiscardReason::Damaged(_)), "{content:?}");
        };
        damaged(b"x");
        damaged(b"SQLite format 3\0 and more of it");
        damaged(&[0; 100]);
        damaged(&super::start(LAYOUT));
        let room = Room::new();
        fs::write(room.path(), [MAGIC.as_slice(), &(LAYOUT + 1).to_le_bytes(), b"more"].concat())
            .unwrap();
        assert_eq!(room.reason(RUN), DiscardReason::OtherVersion);
    }

    #[test]
    fn a_record_that_makes_no_sense_ends_the_journal_before_it() {
        let room = Room::with(&[b"one", b"bad", b"three"]);
        let check = |record: &[u8]| {
            if record == b"bad" { Err("it is bad".to_owned()) } else { Ok(()) }
        };
        let (mut journal, found, replayed) = room.open_until(RUN, check);
        assert_eq!(found, FoundJournal::Records { count: 1, cut: Some("it is bad".to_owned()) });
        assert_eq!(replayed, [b"one"]);
        journal.append([b"two".as_slice()]).unwrap();
        drop(journal);
        let (_, found, replayed) = room.open(RUN);
        assert_eq!((found, replayed), (whole(2), vec![b"one".to_vec(), b"two".to_vec()]));
    }

    #[test]
    fn a_record_too_large_to_be_read_back_is_refused() {
        let (mut journal, ..) = Room::new().open(RUN);
        let error = journal.append([vec![0; (80 << 20) + 1].as_slice()]).unwrap_err();
        assert!(error.to_string().contains("80 MiB is too large"), "{error}");
    }

    /// Opens what `content` leaves of a journal of `records`: those replayed are the first of
    /// them and nothing else, and what is appended then stands behind them.
    fn survives(content: &[u8], records: &[&[u8]]) -> usize {
        let room = Room::new();
        fs::write(room.path(), content).unwrap();
        let (mut journal, found, replayed) = room.open(RUN);
        assert_eq!(replayed, records[..replayed.len()]);
        match found {
            FoundJournal::Records { count, .. } => assert_eq!(count, replayed.len()),
            FoundJournal::Nothing | FoundJournal::Discarded(_) => assert!(replayed.is_empty()),
        }
        journal.append([b"more".as_slice()]).unwrap();
        drop(journal);
        let (_, found, again) = room.open(RUN);
        assert_eq!(found, whole(replayed.len() + 1));
        assert_eq!(again.split_last().unwrap(), (&b"more".to_vec(), &*replayed));
        replayed.len()
    }

    #[test]
    fn cut_anywhere_a_journal_keeps_the_records_before() {
        let records: [&[u8]; 4] = [b"one", b"", &[b'x'; 300], b"four"];
        let content = fs::read(Room::with(&records).path()).unwrap();
        let kept: Vec<_> =
            (0..=content.len()).map(|length| survives(&content[..length], &records)).collect();
        assert!(kept.is_sorted());
        assert_eq!((kept[START], kept.last()), (0, Some(&4)));
    }

    #[test]
    fn changed_anywhere_a_journal_keeps_the_records_before() {
        let records: [&[u8]; 3] = [b"one", &[b'x'; 300], b"three"];
        let content = fs::read(Room::with(&records).path()).unwrap();
        for place in 0..content.len() {
            for change in [1, 0x10, 0x80, 0xff] {
                let mut changed = content.clone();
                changed[place] ^= change;
                assert!(survives(&changed, &records) < records.len(), "{place}");
            }
        }
    }

    #[test]
    fn a_record_counts_only_where_it_was_written() {
        let records: [&[u8]; 3] = [b"one", b"two", b"three"];
        let whole = fs::read(Room::with(&records).path()).unwrap();
        let frame_after = |start: usize| {
            let length: [u8; 4] = whole[start..start + 4].try_into().unwrap();
            start + 12 + usize::try_from(u32::from_le_bytes(length)).unwrap()
        };
        let header = frame_after(START);
        let first = frame_after(header);
        let without_second = [&whole[..first], &whole[frame_after(first)..]].concat();
        let first_twice = [&whole[..first], &whole[header..]].concat();
        for content in [without_second, first_twice] {
            assert_eq!(survives(&content, &records), 1);
        }
    }
}
