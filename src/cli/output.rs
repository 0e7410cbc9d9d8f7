//! What a command prints on standard output.

use std::io::Write;

use serde::Serialize;

use super::exit::Failure;

/// Writes to standard output.
pub(super) fn print(text: &[u8]) -> Result<(), Failure> {
    let mut output = std::io::stdout().lock();
    printed(output.write_all(text).and_then(|()| output.flush()))
}

/// How writing to standard output ended.
pub(super) fn printed(outcome: std::io::Result<()>) -> Result<(), Failure> {
    match outcome {
        // A reader that went away has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome.map_err(Failure::Output),
    }
}

/// A value as indented JSON.
pub(super) fn json(value: &impl Serialize) -> Result<String, Failure> {
    let mut text =
        serde_json::to_string_pretty(value).map_err(|error| Failure::Output(error.into()))?;
    text.push('\n');
    Ok(text)
}
