//! Interrupting the connector at a chosen change of the file system: the Rust side of
//! `interrupt.c`.

use super::preload::{Library, preload};
use super::{Connector, TestDir};

static LIBRARY: Library = Library::new("interrupt");

/// What happens at the chosen call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The process is killed before it.
    Kill,
    /// The process is killed in the middle of it, if it is a write; else before it.
    Tear,
    /// It fails as on a full disk, and so does whatever needs space afterwards.
    NoSpace,
    /// It fails as on a broken disk; it alone.
    Error,
    /// It fails as on a disk that may only be read, and so does whatever changes something
    /// afterwards.
    ReadOnly,
    /// The process gets SIGINT and time to act on it; then it happens.
    Interrupt,
}

/// Counts the calls of one run that change something in its room.
pub struct Interrupter {
    journal: tempfile::TempPath,
}

impl Interrupter {
    pub fn new() -> Self {
        Self { journal: tempfile::NamedTempFile::new().unwrap().into_temp_path() }
    }

    /// The connector, watched.
    pub fn watch(&self, connector: Connector, room: &TestDir) -> Connector {
        preload(connector, &LIBRARY)
            .variable("INTERRUPT_BELOW", room.path().canonicalize().unwrap())
            .variable("INTERRUPT_JOURNAL", &self.journal)
    }

    /// The connector, to be interrupted at its call number `at`, from 1.
    pub fn interrupt(
        &self,
        connector: Connector,
        room: &TestDir,
        at: usize,
        how: How,
    ) -> Connector {
        let how = match how {
            How::Kill => "kill",
            How::Tear => "tear",
            How::NoSpace => "nospace",
            How::Error => "error",
            How::ReadOnly => "readonly",
            How::Interrupt => "sigint",
        };
        self.watch(connector, room)
            .variable("INTERRUPT_AT", at.to_string())
            .variable("INTERRUPT_HOW", how)
    }

    /// The calls so far, each as `name path`, with paths relative to the room.
    pub fn calls(&self) -> Vec<String> {
        let journal = std::fs::read_to_string(&self.journal).unwrap();
        journal.lines().map(str::to_owned).collect()
    }
}
