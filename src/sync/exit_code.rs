//! What went wrong, as one of gRPC's codes: baton connectors exit with their numbers, and
//! ConductorOne is told them.

use reqwest::StatusCode;
use tonic::Code;

use crate::northflank::{self, Problem, TransportProblem};
use crate::{c1z, work_dir};

use super::{Error, ValidationError};

impl Error {
    /// The code that says why a sync failed.
    pub fn code(&self) -> Code {
        match self {
            Self::Validation(
                ValidationError::Token(_)
                | ValidationError::Expired { .. }
                | ValidationError::Team { .. },
            ) => Code::Unauthenticated,
            Self::Validation(ValidationError::Permissions { .. }) => Code::PermissionDenied,
            Self::Validation(ValidationError::Failed(errors)) => {
                errors.first().map_or(Code::Unknown, northflank_code)
            }
            Self::StillListed { error, .. } => northflank_code(error),
            Self::Northflank(error) => northflank_code(error),
            Self::Unknown(_) => Code::InvalidArgument,
            Self::File(error) => file_code(error),
            Self::Work(error) => work_code(error),
            Self::Id { .. }
            | Self::TooLarge(_)
            | Self::Note(_)
            | Self::Record(_)
            | Self::Facts(_)
            | Self::Cancelled
            | Self::Lost(_) => Code::Unknown,
        }
    }
}

fn northflank_code(error: &northflank::Error) -> Code {
    match &error.problem {
        Problem::Transport { kind: TransportProblem::Timeout, .. } | Problem::Stalled { .. } => {
            Code::DeadlineExceeded
        }
        Problem::Transport { .. } => Code::Unavailable,
        Problem::Refused(answer) if answer.is_denied() => Code::PermissionDenied,
        Problem::Refused(answer) => match answer.status {
            StatusCode::UNAUTHORIZED => Code::Unauthenticated,
            StatusCode::REQUEST_TIMEOUT => Code::DeadlineExceeded,
            StatusCode::TOO_MANY_REQUESTS => Code::ResourceExhausted,
            status if status.is_server_error() => Code::Unavailable,
            _ => Code::Unknown,
        },
        Problem::RateLimited(_) => Code::ResourceExhausted,
        Problem::Page(_) | Problem::TooLarge { .. } | Problem::Endless(_) => Code::Unknown,
    }
}

/// The code for a sync file that can't be read or written.
pub fn file_code(error: &c1z::Error) -> Code {
    match error {
        c1z::Error::NotAFile { .. }
        | c1z::Error::NoDirectory(_)
        | c1z::Error::NoPlace { .. }
        | c1z::Error::Foreign { .. }
        | c1z::Error::Mounted(_)
        | c1z::Error::TooLarge { .. }
        | c1z::Error::OtherConnector { .. }
        | c1z::Error::Unfollowable { .. }
        | c1z::Error::Scratch { .. }
        | c1z::Error::Damaged { .. }
        | c1z::Error::Missing(_)
        | c1z::Error::Unreadable { .. }
        | c1z::Error::NoSync(_)
        | c1z::Error::OtherSyncs { .. } => Code::InvalidArgument,
        c1z::Error::Work(error) => work_code(error),
        c1z::Error::Changed(_) => Code::Unavailable,
        c1z::Error::ScratchFull(_) | c1z::Error::Disk { .. } | c1z::Error::Database { .. } => {
            Code::Unknown
        }
    }
}

fn work_code(error: &work_dir::Error) -> Code {
    match error {
        work_dir::Error::Unwritable { .. }
        | work_dir::Error::NotOurs { .. }
        | work_dir::Error::NoLock { .. }
        | work_dir::Error::TooLongName { .. }
        | work_dir::Error::ReadOnly { .. } => Code::InvalidArgument,
        work_dir::Error::Busy(_) => Code::Unavailable,
        work_dir::Error::DiskFull(_)
        | work_dir::Error::Failing { .. }
        | work_dir::Error::Io { .. } => Code::Unknown,
    }
}
