//! Why rules can't be judged by.

use std::path::PathBuf;

use crate::exit_code::ExitCode;
use crate::report::access;

use super::position::RuleMistakes;

/// Why rules can't be judged by.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The rules are wrong, or the file has nothing of what they are about.
    #[error("{}:{mistakes}", .file.display())]
    Rules {
        /// The file of rules.
        file: PathBuf,
        /// All that is wrong.
        mistakes: RuleMistakes,
    },
    /// The rules need what the sync doesn't tell.
    #[error("{} can't be judged: {reason}", .file.display())]
    Sync {
        /// The sync file.
        file: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A baseline can't be understood.
    #[error("{} is no baseline: {reason}", .file.display())]
    Baseline {
        file: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The sync file can't be read.
    #[error(transparent)]
    Access(#[from] access::Error),
}

impl Error {
    /// The code to exit with.
    pub fn code(&self) -> ExitCode {
        match self {
            Self::Rules { .. } | Self::Sync { .. } | Self::Baseline { .. } => {
                ExitCode::INVALID_ARGUMENT
            }
            Self::Access(error) => error.code(),
        }
    }
}
