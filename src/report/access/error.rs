//! Why nobody can be told who has access.

use std::io;
use std::path::PathBuf;

use crate::c1z;
use crate::exit_code::ExitCode;
use crate::report::model;
use crate::suggest::Suggestions;

use super::filter_kind::FilterKind;

/// Why nobody can be told who has access.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file can't be read.
    #[error(transparent)]
    File(#[from] model::Error),
    /// Somebody or something is asked for that the file doesn't have.
    #[error("{} has no {what} {text:?}; {near}", .file.display())]
    Unknown {
        file: PathBuf,
        /// What it was to be.
        what: String,
        /// What was asked for.
        text: String,
        /// What is nearest.
        near: Suggestions,
    },
    /// Several have the address or name that is to stand for one.
    #[error("{} {} in {} are called {text:?}: name one of {}", .ids.len(), .kind.several(), .file.display(), .ids.join(", "))]
    Ambiguous {
        file: PathBuf,
        /// What they are.
        kind: FilterKind,
        /// What all of them are called.
        text: String,
        /// Whose it is.
        ids: Vec<String>,
    },
    /// What was asked for can't be written.
    #[error("can't write it: {0}")]
    Output(#[from] io::Error),
}

impl Error {
    /// The code to exit with.
    pub fn code(&self) -> ExitCode {
        match self {
            Self::File(error) => error.code(),
            Self::Unknown { .. } | Self::Ambiguous { .. } => ExitCode::INVALID_ARGUMENT,
            Self::Output(_) => ExitCode::UNKNOWN,
        }
    }

    /// Whether it is about an id or name that somebody gave, and not about the file.
    pub(in crate::report) fn is_about_what_was_asked_for(&self) -> bool {
        matches!(self, Self::Unknown { .. } | Self::Ambiguous { .. })
    }
}

impl From<c1z::Error> for Error {
    fn from(error: c1z::Error) -> Self {
        Self::File(error.into())
    }
}
