//! How a run fails: one line on standard error and an exit code.
//!
//! Exit codes are gRPC's code numbers, as in other baton connectors, with 3 for every mistake
//! in flags, variables or file, and 130 and 143 for signals.

use std::path::PathBuf;
use std::process::ExitCode;

use opentelemetry_otlp::ExporterBuildError;
use reqwest::StatusCode;

use crate::baton::printable;
use crate::c1z;
use crate::causes::with_causes;
use crate::diff;
use crate::northflank::{self, Problem, SettingsError, TransportProblem};
use crate::service;
use crate::sync::{self, ValidationError};

use super::signal::Signal;
use super::values::Problems;

const UNKNOWN: u8 = 2;
const INVALID_ARGUMENT: u8 = 3;
const DEADLINE_EXCEEDED: u8 = 4;
const PERMISSION_DENIED: u8 = 7;
const RESOURCE_EXHAUSTED: u8 = 8;
const UNAVAILABLE: u8 = 14;
const UNAUTHENTICATED: u8 = 16;

/// Success, and something changed. No code of gRPC, nor of a signal.
const CHANGED: u8 = 20;

/// Why a run ended without success.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// Flags that can't be understood.
    #[error("{0}")]
    Usage(String),
    /// Settings that make no sense.
    #[error("{0}")]
    Config(Problems),
    /// No client for these settings.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The sync failed.
    #[error(transparent)]
    Sync(#[from] sync::Error),
    /// A signal ended the run.
    #[error("stopped by {} before the sync was complete", .0.name())]
    Signal(Signal),
    /// Two syncs can't be compared.
    #[error(transparent)]
    Diff(#[from] diff::Error),
    /// A file's syncs are to be compared, and there is one.
    #[error("{} holds one finished sync; name a second file to compare it with", .0.display())]
    OneSync(PathBuf),
    /// Something changed, and the run was to say so by its exit code.
    #[error("something changed")]
    Changed,
    /// A log file can't be written.
    #[error("can't write the log file {}", .path.display())]
    Log {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// What was asked for can't be printed.
    #[error("can't write to standard output")]
    Output(#[source] std::io::Error),
    /// Traces and logs can't be sent.
    #[error("the OpenTelemetry exporter can't be set up; check --otel-collector-endpoint")]
    Telemetry(#[from] ExporterBuildError),
    /// Credentials of ConductorOne that can't be used.
    #[error("{0}")]
    Credentials(String),
    /// Service mode could not begin.
    #[error(transparent)]
    Service(#[from] service::Error),
    /// A running service isn't well, or there is none.
    #[error(transparent)]
    Probe(#[from] service::ProbeError),
    /// Threads or signal handlers could not be set up.
    #[error("can't start")]
    Runtime(#[source] std::io::Error),
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::Config(problems)
    }
}

impl Failure {
    /// What clap says of wrong flags, as one line.
    pub(super) fn usage(error: &clap::Error) -> Self {
        let text = error.to_string();
        let said = text.split("\n\nUsage:").next().unwrap_or(&text);
        let one_line = |part: &str| part.split_whitespace().collect::<Vec<_>>().join(" ");
        let parts = said.split("\n\n").map(one_line);
        let parts: Vec<_> =
            parts.filter(|part| !part.starts_with("For more information")).collect();
        let line = parts.join("; ");
        let line = line.strip_prefix("error: ").unwrap_or(&line);
        Self::Usage(format!("{line}; see --help"))
    }

    fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_)
            | Self::Config(_)
            | Self::Settings(SettingsError::Token)
            | Self::OneSync(_)
            | Self::Log { .. }
            | Self::Diff(diff::Error::Message { .. })
            | Self::Credentials(_)
            | Self::Telemetry(_)
            | Self::Service(service::Error::Address(_) | service::Error::Scratch { .. }) => {
                INVALID_ARGUMENT
            }
            Self::Service(service::Error::Refused { code, .. }) => {
                u8::try_from(*code).unwrap_or(UNKNOWN)
            }
            Self::Probe(service::ProbeError::Timeout(_)) => DEADLINE_EXCEEDED,
            Self::Service(service::Error::Health { .. }) | Self::Probe(_) => UNAVAILABLE,
            Self::Service(service::Error::Tls(_) | service::Error::Http(_))
            | Self::Settings(SettingsError::Http(_))
            | Self::Output(_)
            | Self::Runtime(_) => UNKNOWN,
            Self::Diff(diff::Error::File(error)) => file_code(error),
            Self::Changed => CHANGED,
            Self::Signal(signal) => signal.exit_code(),
            Self::Sync(error) => sync_code(error),
        }
    }
}

/// The gRPC code number that says why a sync failed.
pub(crate) fn sync_code(error: &sync::Error) -> u8 {
    match error {
        sync::Error::Validation(ValidationError::Token(_)) => UNAUTHENTICATED,
        sync::Error::Validation(ValidationError::Permissions(_)) => PERMISSION_DENIED,
        sync::Error::Validation(ValidationError::Failed(errors)) => {
            errors.first().map_or(UNKNOWN, northflank_code)
        }
        sync::Error::Northflank(error) => northflank_code(error),
        sync::Error::File(error) => file_code(error),
        sync::Error::Id { .. }
        | sync::Error::Staged(_)
        | sync::Error::Cancelled
        | sync::Error::Lost(_) => UNKNOWN,
    }
}

fn northflank_code(error: &northflank::Error) -> u8 {
    match &error.problem {
        Problem::Transport { kind: TransportProblem::Timeout, .. } => DEADLINE_EXCEEDED,
        Problem::Transport { .. } => UNAVAILABLE,
        Problem::Refused(answer) if answer.is_denied() => PERMISSION_DENIED,
        Problem::Refused(answer) => match answer.status {
            StatusCode::UNAUTHORIZED => UNAUTHENTICATED,
            StatusCode::REQUEST_TIMEOUT => DEADLINE_EXCEEDED,
            StatusCode::TOO_MANY_REQUESTS => RESOURCE_EXHAUSTED,
            status if status.is_server_error() => UNAVAILABLE,
            _ => UNKNOWN,
        },
        Problem::RateLimited { .. } => RESOURCE_EXHAUSTED,
        Problem::Page(_) | Problem::TooLarge { .. } | Problem::Endless(_) => UNKNOWN,
    }
}

fn file_code(error: &c1z::Error) -> u8 {
    match error {
        c1z::Error::NotAFile { .. }
        | c1z::Error::NoDirectory(_)
        | c1z::Error::Foreign { .. }
        | c1z::Error::OtherConnector { .. }
        | c1z::Error::Damaged { .. }
        | c1z::Error::Missing(_)
        | c1z::Error::Unreadable { .. }
        | c1z::Error::NoSync(_)
        | c1z::Error::Unwritable { .. } => INVALID_ARGUMENT,
        c1z::Error::Busy(_) => UNAVAILABLE,
        c1z::Error::DiskFull(_)
        | c1z::Error::Disk { .. }
        | c1z::Error::Io { .. }
        | c1z::Error::Database { .. } => UNKNOWN,
    }
}

/// Prints the failure and its causes as one line; returns the exit code.
pub(super) fn report(failure: &Failure) -> ExitCode {
    // What changed has been printed.
    if matches!(failure, Failure::Changed) {
        return ExitCode::from(CHANGED);
    }
    eprintln!("baton-northflank: {}", printable(&with_causes(failure)));
    ExitCode::from(failure.exit_code())
}
