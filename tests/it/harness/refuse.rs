//! Places that can't do everything: the Rust side of `refuse.c`.

use rustix::io::Errno;

use super::preload::{Library, preload};
use super::{Connector, TestDir};

static LIBRARY: Library = Library::new("refuse");

/// What a file system is like.
#[derive(Default)]
pub struct FileSystem {
    rules: Vec<String>,
    hides: Option<&'static str>,
}

impl FileSystem {
    /// One on which each of these calls, as `refuse.c` names them, fails with an error.
    pub fn refusing(calls: &[&str], error: Errno) -> Self {
        Self::default().and_refusing(calls, error)
    }

    /// One that keeps what is removed while it is open, under a name that begins so.
    pub fn hiding(start: &'static str) -> Self {
        Self { hides: Some(start), ..Self::default() }
    }

    #[must_use]
    pub fn and_refusing(mut self, calls: &[&str], error: Errno) -> Self {
        self.rules.extend(calls.iter().map(|call| format!("{call}={}", error.raw_os_error())));
        self
    }

    /// The connector, in a room on it.
    pub fn under(&self, connector: Connector, room: &TestDir) -> Connector {
        let connector = preload(connector, &LIBRARY)
            .variable("REFUSE_BELOW", room.path().canonicalize().unwrap())
            .variable("REFUSE", self.rules.join(" "));
        match self.hides {
            Some(start) => connector.variable("REFUSE_HIDES", start),
            None => connector,
        }
    }
}
