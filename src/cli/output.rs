//! What a command prints on standard output, or writes in its place.

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::NamedTempFile;

use super::exit::Failure;

/// Writes to standard output.
pub(super) fn print(text: &[u8]) -> Result<(), Failure> {
    let mut output = std::io::stdout().lock();
    Failure::unless_printed(output.write_all(text).and_then(|()| output.flush()))
}

/// Writes a file to standard output, from its beginning.
pub(super) fn copy(mut file: File) -> Result<(), Failure> {
    let mut output = std::io::stdout().lock();
    let copied = file.rewind().and_then(|()| std::io::copy(&mut file, &mut output));
    Failure::unless_printed(copied.and_then(|_| output.flush()))
}

/// A value as indented JSON.
pub(super) fn json(value: &impl Serialize) -> Result<String, Failure> {
    let mut text =
        serde_json::to_string_pretty(value).map_err(|error| Failure::Output(error.into()))?;
    text.push('\n');
    Ok(text)
}

/// Fails where `--output` names one of the files that are read.
pub(super) fn check_is_another<'path>(
    path: &Path,
    mut read: impl Iterator<Item = &'path PathBuf>,
) -> Result<(), Failure> {
    let place = fs::canonicalize(path).ok();
    if place.is_some() && read.any(|file| fs::canonicalize(file).ok() == place) {
        return Err(Failure::Usage(format!(
            "--output {} is the sync file itself; name another file",
            path.display()
        )));
    }
    Ok(())
}

/// Writes a file that only its owner may read, whole or not at all.
pub(super) fn write(path: &Path, text: &[u8]) -> Result<(), Failure> {
    // Only the kind: the rest names a file that nobody asked for.
    let failed =
        |error: io::Error| Failure::Target { path: path.to_owned(), source: error.kind().into() };
    // A pipe or device would be replaced by a file.
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        let source = io::Error::other("it is no regular file");
        return Err(Failure::Target { path: path.to_owned(), source });
    }
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let mut file = NamedTempFile::new_in(directory.unwrap_or(Path::new("."))).map_err(failed)?;
    file.write_all(text).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}
