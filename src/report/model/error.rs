//! Why a sync file can't be told of.

use std::path::PathBuf;

use crate::c1z;
use crate::exit_code::ExitCode;

/// Why a sync file can't be told of.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file can't be read.
    #[error(transparent)]
    File(#[from] c1z::Error),
    /// A row holds something else than it should.
    #[error("{} holds a row that is no baton message: {source}", .file.display())]
    Message { file: PathBuf, source: prost::DecodeError },
}

impl Error {
    /// The code to exit with.
    pub fn code(&self) -> ExitCode {
        match self {
            Self::File(error) => error.code(),
            Self::Message { .. } => ExitCode::INVALID_ARGUMENT,
        }
    }
}
