//! A file that is written whole or not at all, and that only its owner may read.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, value_parser};
use tempfile::NamedTempFile;

use super::exit::Failure;
use super::signal::Leftovers;

/// A file that is being written beside its place.
pub(super) struct PendingFile {
    path: PathBuf,
    file: NamedTempFile,
}

impl PendingFile {
    /// What names it on the command line.
    pub(super) fn argument() -> Arg {
        Arg::new("output")
            .long("output")
            .short('o')
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help("File to write, readable by its owner only; - is standard output [default: -]")
    }

    /// The file that was named so, if it isn't standard output.
    pub(super) fn named(arguments: &ArgMatches) -> Option<PathBuf> {
        arguments.get_one::<PathBuf>("output").filter(|path| path.as_os_str() != "-").cloned()
    }

    /// Fails where `path`, which `flag` names, is a sync file or another file that is read, or no
    /// file at all.
    pub(super) fn check(
        flag: &str,
        path: &Path,
        syncs: &[&Path],
        others: &[&Path],
    ) -> Result<(), Failure> {
        for (files, what) in [(syncs, "the sync file itself"), (others, "a file that is read")] {
            let is_same = |file: &&Path| {
                let [one, other] = [path, file].map(|it| fs::canonicalize(it).ok());
                one.is_some() && one == other
            };
            if files.iter().any(is_same) {
                let path = path.display();
                return Err(Failure::Usage(format!("{flag} {path} is {what}; name another file")));
            }
        }
        // A pipe or device would be replaced by a file.
        if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
            let source = io::Error::other("it is no regular file");
            return Err(Failure::Target { path: path.to_owned(), source });
        }
        Ok(())
    }

    /// Begins a file for `path`. A signal leaves nothing of it.
    pub(super) fn create(path: &Path, leftovers: &Leftovers) -> Result<Self, Failure> {
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        // Only its owner may read it from the first byte on.
        let file =
            NamedTempFile::new_in(directory).map_err(|error| target(path.to_owned(), &error))?;
        leftovers.add(file.path());
        Ok(Self { path: path.to_owned(), file })
    }

    /// Where its content goes.
    pub(super) fn writer(&mut self) -> &mut impl Write {
        &mut self.file
    }

    /// Why it can't be written.
    pub(super) fn failed(&self, error: &io::Error) -> Failure {
        target(self.path.clone(), error)
    }

    /// Puts it in its place, if nothing stands there.
    pub(super) fn persist_new(self) -> Result<(), Failure> {
        let path = self.path;
        self.file.as_file().sync_all().map_err(|error| target(path.clone(), &error))?;
        self.file.persist_noclobber(&path).map_err(|error| target(path.clone(), &error.error))?;
        Ok(())
    }

    /// Puts it in its place.
    pub(super) fn persist(self) -> Result<(), Failure> {
        let path = self.path;
        self.file.as_file().sync_all().map_err(|error| target(path.clone(), &error))?;
        self.file.persist(&path).map_err(|error| target(path.clone(), &error.error))?;
        Ok(())
    }
}

/// Only the kind: the rest names a file that nobody asked for.
fn target(path: PathBuf, error: &io::Error) -> Failure {
    Failure::Target { path, source: error.kind().into() }
}
