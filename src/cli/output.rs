//! What a command prints on standard output.

use std::fs::File;
use std::io::{Seek, Write};

use serde::Serialize;

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
