//! Why a sync failed.

use std::fmt;

use tokio::task::JoinError;

use crate::baton::IdError;
use crate::baton::v2::ResourceId;
use crate::exit_code::ExitCode;
use crate::northflank::Problem;
use crate::suggest::Suggestions;
use crate::{c1z, northflank, work_dir};

use super::ValidationError;

/// Why a sync failed. The target file is as it was; what had been read by then is kept
/// beside it, and the next sync into the same target goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The token may not read everything, or nothing could be read at all.
    #[error(transparent)]
    Validation(#[from] ValidationError),
    /// Northflank could not be read to the end.
    #[error(transparent)]
    Northflank(#[from] northflank::Error),
    /// What a team has could not be read to the end.
    #[error("the team {team} can't be read: {error}")]
    Team {
        /// Its name and id.
        team: String,
        /// What went wrong.
        error: Box<northflank::Error>,
    },
    /// Northflank says of a role or group that there is none, and lists it all the same.
    #[error("the {kind} is still listed and can't be left out, but {error}")]
    StillListed {
        /// What it is.
        kind: &'static str,
        /// What was answered.
        error: Box<northflank::Error>,
    },
    /// Resources were selected that Northflank doesn't have.
    #[error("{0}")]
    Unknown(UnknownResources),
    /// The sync file could not be read or written.
    #[error(transparent)]
    File(#[from] c1z::Error),
    /// There is no place to work in beside the sync file.
    #[error(transparent)]
    Work(#[from] work_dir::Error),
    /// An object can't be named in baton's ids without being taken for another.
    #[error("the {kind} with the id {id:?} can't be synced: {source}")]
    Id {
        /// What it is.
        kind: &'static str,
        /// Its id, shortened.
        id: String,
        /// What is wrong with the id.
        source: IdError,
    },
    /// There is more of it than can be counted here.
    #[error(transparent)]
    TooLarge(#[from] TooManyRows),
    /// A bug: what was read can't be written down for a later run.
    #[error("what was read can't be kept: {0}")]
    Note(#[from] serde_json::Error),
    /// A bug: what an interrupted sync had read can't be read again.
    #[error("what an interrupted sync had read can't be used: {0}")]
    Record(String),
    /// A bug: what was read can't be told any more.
    #[error("what was read is lost: {0}")]
    Facts(#[from] prost::DecodeError),
    /// The caller asked to stop.
    #[error("stopped before the sync was complete")]
    Cancelled,
    /// A bug: a part of the sync ended without a word.
    #[error("a part of the sync ended unexpectedly")]
    Lost(#[from] JoinError),
}

impl Error {
    /// The code to exit with, or to tell ConductorOne.
    pub fn code(&self) -> ExitCode {
        match self {
            Self::Validation(
                ValidationError::Token(_)
                | ValidationError::Expired { .. }
                | ValidationError::Team { .. },
            ) => ExitCode::UNAUTHENTICATED,
            Self::Validation(
                ValidationError::Permissions { .. } | ValidationError::Restricted { .. },
            ) => ExitCode::PERMISSION_DENIED,
            Self::Validation(ValidationError::Failed(errors)) => {
                errors.first().map_or(ExitCode::UNKNOWN, northflank::Error::code)
            }
            Self::StillListed { error, .. } | Self::Team { error, .. } => error.code(),
            Self::Northflank(error) => error.code(),
            Self::Unknown(_) => ExitCode::INVALID_ARGUMENT,
            Self::File(error) => error.code(),
            Self::Work(error) => error.code(),
            Self::Id { .. }
            | Self::TooLarge(_)
            | Self::Note(_)
            | Self::Record(_)
            | Self::Facts(_)
            | Self::Cancelled
            | Self::Lost(_) => ExitCode::UNKNOWN,
        }
    }

    /// Whether the rate limit would have taken longer than was allowed.
    pub(super) fn is_out_of_time(&self) -> bool {
        matches!(self, Self::Northflank(error) if matches!(error.problem, Problem::RateLimited(_)))
    }

    /// Whether what was read is of use to the next sync. After a resumed run that was refused, or
    /// whose answers were wrong, the next one begins anew, so that nobody meets the same error
    /// twice because of what is kept.
    pub(super) fn keeps_lists(&self, is_resumed: bool) -> bool {
        match self {
            // Passing faults, and a token that was refused before anything was taken from there.
            Self::File(_)
            | Self::Work(_)
            | Self::Cancelled
            | Self::Lost(_)
            | Self::Validation(_) => true,
            Self::Northflank(error) => !is_resumed || !error.is_final(),
            Self::Team { error, .. } => !is_resumed || !error.is_final(),
            Self::StillListed { .. } | Self::Id { .. } => !is_resumed,
            Self::Unknown(_)
            | Self::TooLarge(_)
            | Self::Note(_)
            | Self::Record(_)
            | Self::Facts(_) => false,
        }
    }
}

/// More of something than numbers of 32 bits can count or point into.
#[derive(Debug, thiserror::Error)]
#[error("the organization's ids take more than 4 GiB, which is more than can be synced")]
pub struct TooManyRows;

/// A resource that was selected and can't be synced.
#[derive(Debug)]
pub enum UnknownResource {
    /// Nothing of its type is synced.
    Type(ResourceId),
    /// Northflank doesn't have it. What was probably meant?
    Id(ResourceId, Suggestions),
}

/// All of them.
#[derive(Debug)]
pub struct UnknownResources(pub Vec<UnknownResource>);

impl fmt::Display for UnknownResource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(ResourceId { resource_type, resource }) => {
                write!(
                    formatter,
                    "{resource:?} is of the type {resource_type:?}, which isn't synced"
                )
            }
            Self::Id(ResourceId { resource_type, resource }, near) => {
                write!(formatter, "Northflank lists no {resource_type} {resource:?}; {near}")
            }
        }
    }
}

impl fmt::Display for UnknownResources {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<_> = self.0.iter().map(UnknownResource::to_string).collect();
        formatter.write_str(&all.join("; "))
    }
}
