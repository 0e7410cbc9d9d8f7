//! How a run fails: one line on standard error and an exit code.

use std::borrow::Cow;
use std::io::Write as _;
use std::path::PathBuf;
use std::process;

use crate::baton::{printable, shorten};
use crate::error_chain::with_causes;
use crate::exit_code::ExitCode;
use crate::northflank::ClientSettingsError;
use crate::report::access;
use crate::report::model;
use crate::report::review;
use crate::service;
use crate::sync;

use super::output_queue::{OutputMessage, lines_to};
use super::signal::Signal;
use super::telemetry;
use crate::config::{Problems, Secrets};

/// The longest that is said of a mistake on the command line, in bytes.
const LONGEST: usize = 600;

/// The longest word of a line that is printed, in bytes: room for a path that anybody reads.
const LONGEST_WORD: usize = 400;

/// The longest line that is printed, in bytes: room for all mistakes at once.
const LONGEST_LINE: usize = 4_000;

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
    Settings(#[from] ClientSettingsError),
    /// The sync failed.
    #[error(transparent)]
    Sync(#[from] sync::Error),
    /// A signal ended the run.
    #[error("stopped by {} before the sync was complete", .0.name())]
    Signal(Signal),
    /// A signal ended the service otherwise than as it should end.
    #[error("the service was stopped by {}", .0.name())]
    ServiceStopped(Signal),
    /// A signal ended the run when all was done but to show what changed.
    #[error(
        "stopped by {} before all changes were shown; the sync is complete, and \
         `baton-northflank diff {}` shows them",
        .signal.name(), .file.display()
    )]
    Unshown {
        signal: Signal,
        /// The file that holds both syncs.
        file: PathBuf,
    },
    /// Two syncs can't be compared.
    #[error(transparent)]
    Diff(#[from] model::Error),
    /// Nobody can be told who has access.
    #[error(transparent)]
    Access(#[from] access::Error),
    /// What was asked for can't be written where it was to be.
    #[error("can't write {}; name a file where you may write", .path.display())]
    Target { path: PathBuf, source: std::io::Error },
    /// Something else stands where the demo writes.
    #[error(
        "{} isn't known to be the demo's own and stays as it is; name another place with \
         --directory",
        .0.display()
    )]
    Foreign(PathBuf),
    /// A file's syncs are to be compared, and none before the newest covers the same.
    #[error(
        "{} holds no earlier sync that covers the same as its newest; name a second file, or by \
         --from one of those that `syncs` lists", .0.display()
    )]
    OneSync(PathBuf),
    /// A sync is to be compared with the one before it, and there is none.
    #[error("{} holds no earlier sync than {to:?} that covers the same", .file.display())]
    NoEarlier {
        file: PathBuf,
        /// What names the sync.
        to: String,
    },
    /// Changes were to be told against an earlier sync, which isn't there.
    #[error(
        "{} holds no earlier sync to compare with, as --require-baseline asks; the new one is \
         complete and stays there, for the next run to compare with", .0.display()
    )]
    NoBaseline(PathBuf),
    /// Changes were to be told against a sync that covers the same.
    #[error("{0}; --require-baseline asks for two that cover the same")]
    OtherExtent(String),
    /// Something changed, and the run was to say so by its exit code.
    #[error("something changed")]
    Changed,
    /// Rules can't be judged by.
    #[error(transparent)]
    Review(#[from] review::Error),
    /// A file that somebody named can't be read.
    #[error("can't read {}", .path.display())]
    Source {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Rules are broken.
    #[error("{summary}")]
    Violated {
        /// How it ended, in a sentence.
        summary: String,
        /// Whether whoever sits at the terminal has that before them.
        is_shown: bool,
    },
    /// A log file can't be written.
    #[error("can't write the log file {}", .path.display())]
    Log { path: PathBuf, source: std::io::Error },
    /// What was asked for can't be printed.
    #[error("can't write to standard output")]
    Output(#[source] std::io::Error),
    /// Traces and logs can't be sent.
    #[error("the OpenTelemetry exporter can't be set up; check --otel-collector-endpoint")]
    Telemetry(#[from] telemetry::Error),
    /// Service mode could not begin.
    #[error(transparent)]
    Service(#[from] service::Error),
    /// A running service isn't well, or there is none.
    #[error(transparent)]
    Probe(#[from] service::ProbeError),
    /// The system allows too few threads.
    #[error(
        "can't start as many threads as it takes; allow this user or container more of them (by \
         ulimit -u, or --pids-limit of docker)"
    )]
    Threads(#[source] std::io::Error),
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
    fn usage(error: &clap::Error, secrets: &Secrets) -> Self {
        let text = error.to_string();
        let said = text.split("\n\nUsage:").next().unwrap_or(&text);
        let one_line = |part: &str| part.split_whitespace().collect::<Vec<_>>().join(" ");
        let parts = said.split("\n\n").map(one_line);
        let parts: Vec<_> =
            parts.filter(|part| !part.starts_with("For more information")).collect();
        let line = parts.join("; ");
        let line = line.strip_prefix("error: ").unwrap_or(&line);
        // A token may have been pasted in place of anything.
        Self::Usage(format!("{}; see --help", shorten(&secrets.hide_in_typed(line), LONGEST)))
    }

    /// What became of something written to standard output.
    pub(super) fn unless_printed(outcome: std::io::Result<()>) -> Result<(), Self> {
        match outcome {
            // A reader that went away has seen enough.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            outcome => outcome.map_err(Self::Output),
        }
    }

    /// The code to exit with.
    fn code(&self) -> ExitCode {
        match self {
            Self::Usage(_)
            | Self::Config(_)
            | Self::OneSync(_)
            | Self::NoEarlier { .. }
            | Self::NoBaseline(_)
            | Self::OtherExtent(_)
            | Self::Log { .. }
            | Self::Source { .. }
            | Self::Target { .. }
            | Self::Foreign(_)
            | Self::Telemetry(_) => ExitCode::INVALID_ARGUMENT,
            Self::Output(_) | Self::Threads(_) | Self::Runtime(_) => ExitCode::UNKNOWN,
            Self::Changed => ExitCode::CHANGED,
            Self::Violated { .. } => ExitCode::VIOLATED,
            Self::Review(error) => error.code(),
            Self::Signal(signal) | Self::ServiceStopped(signal) | Self::Unshown { signal, .. } => {
                signal.code()
            }
            Self::Settings(error) => error.code(),
            Self::Sync(error) => error.code(),
            Self::Diff(error) => error.code(),
            Self::Access(error) => error.code(),
            Self::Service(error) => error.code(),
            Self::Probe(error) => error.code(),
        }
    }
}

/// What names a sync on the command line: an id or a day, and not nothing.
pub(super) fn check_sync_name(flag: &str, name: Option<&str>) -> Result<(), Failure> {
    if name.is_some_and(|name| name.trim().is_empty()) {
        let what = "is empty; it takes the id of a sync or a day as 2026-12-01, and \
                    `baton-northflank syncs` lists them";
        return Err(Failure::Usage(format!("{flag} {what}")));
    }
    Ok(())
}

/// Prints a failure; returns the exit code.
pub(super) fn report_outcome(outcome: Result<(), Failure>, secrets: &Secrets) -> process::ExitCode {
    match outcome {
        Ok(()) => process::ExitCode::SUCCESS,
        Err(failure) => report(&failure, secrets),
    }
}

/// Prints what clap says where there is nothing to run; returns the exit code.
pub(super) fn usage(said: &clap::Error, secrets: &Secrets) -> process::ExitCode {
    if said.use_stderr() {
        return report(&Failure::usage(said, secrets), secrets);
    }
    // Help and version are no errors, and go to standard output.
    report_outcome(Failure::unless_printed(said.print()), secrets)
}

/// A line that is no longer than anybody reads: a value of any length may stand there, and the
/// reason is often behind it.
fn readable(line: &str) -> String {
    let words: Vec<_> = line.split(' ').map(|word| without_middle(word, LONGEST_WORD)).collect();
    without_middle(&words.join(" "), LONGEST_LINE).into_owned()
}

/// A text without its middle where it is longer than so many bytes.
fn without_middle(text: &str, longest: usize) -> Cow<'_, str> {
    if text.len() <= longest {
        return Cow::Borrowed(text);
    }
    let start = text.floor_char_boundary(longest / 2);
    let end = text.ceil_char_boundary(text.len() - longest / 2);
    Cow::Owned(format!("{}…{}", &text[..start], &text[end..]))
}

/// Prints the failure and its causes as one line; returns the exit code, whatever happens to
/// the line.
fn report(failure: &Failure, secrets: &Secrets) -> process::ExitCode {
    // What changed has been printed, and a table of broken rules ends so.
    if !matches!(failure, Failure::Changed | Failure::Violated { is_shown: true, .. }) {
        print_line(&secrets.hide(&with_causes(failure)));
    }
    failure.code().into()
}

/// Where the line of the log comes from that says why a run failed.
pub(super) const FAILURE: &str = concat!(env!("CARGO_CRATE_NAME"), "::failure");

/// Has the log say why a run failed: what collects logs has no use for the last line.
pub(super) fn log(failure: &Failure, secrets: &Secrets) {
    if !matches!(failure, Failure::Changed) {
        let error = readable(&secrets.hide(&with_causes(failure)));
        tracing::error!(target: FAILURE, exit_code = failure.code().number(), error, "ended by an error");
    }
}

/// Tells of something that is no failure, where no log does.
pub(super) fn warn(warning: &str) {
    print_line(&format!("warning: {warning}"));
}

/// Prints one line on standard error.
fn print_line(text: &str) {
    let line = format!("baton-northflank: {}\n", readable(&printable(text)));
    match lines_to("standard error", std::io::stderr()) {
        Ok(writer) => {
            writer.send(OutputMessage::Lines(line.into()));
            writer.flush();
        }
        // Without another thread whoever doesn't read is waited for, but nobody goes without
        // a word. What can't be written can't be told either.
        Err(_) => drop(std::io::stderr().write_all(line.as_bytes())),
    }
}
