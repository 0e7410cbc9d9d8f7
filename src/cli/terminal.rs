//! What a person at a terminal sees: progress while a sync runs, a table at its end.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};
use std::path::Path;
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use time::OffsetDateTime;

use crate::baton::printable;
use crate::c1z::SavedFile;
use crate::northflank::{Client, RateLimitWait, RateWindow, Whoami};
use crate::report::access::TableStyle;
use crate::sync::{Progress, SyncPhase};

use super::output_queue::{OutputMessage, OutputQueue};
use crate::config::LogFormat;

/// Standard error: a terminal that people look at, or whatever else it is.
#[derive(Clone)]
pub(super) struct Terminal {
    writer: OutputQueue,
    /// Whether somebody looks.
    is_shown: bool,
}

impl Terminal {
    /// Standard error. People look at it if it is a terminal and logs are for people.
    pub(super) fn new(format: LogFormat) -> io::Result<Self> {
        let is_shown = format == LogFormat::Console && io::stderr().is_terminal();
        let writer = OutputQueue::start("standard error", write(is_shown.then(progress_line)))?;
        Ok(Self { writer, is_shown })
    }

    /// Whether somebody looks.
    pub(super) fn is_shown(&self) -> bool {
        self.is_shown
    }

    /// Whether colour is wanted: on a terminal, unless `NO_COLOR` is set.
    pub(super) fn has_colour(&self) -> bool {
        self.is_shown && colour_is_wanted()
    }

    /// What writes log lines around the progress display.
    pub(super) fn writer(&self) -> OutputQueue {
        self.writer.clone()
    }

    /// Draws how far the sync is, and for what it waits.
    pub(super) fn draw(&self, progress: &Progress, client: &Client) {
        let wait = *client.waiting().borrow();
        self.writer.send(OutputMessage::Progress(match wait {
            Some(wait) => waiting(progress, wait, OffsetDateTime::now_utc()),
            None => status(progress, client.window()),
        }));
    }

    /// Removes the progress line.
    pub(super) fn clear(&self) {
        self.writer.send(OutputMessage::NoProgress);
    }

    /// Prints a text for whoever looks, and waits until it stands there: what then goes to
    /// standard output may be shown in the same window.
    pub(super) fn print(&self, text: &str) {
        self.writer.send(OutputMessage::Lines(text.into()));
        self.writer.flush();
    }
}

/// One line that is drawn over and over.
fn progress_line() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner:.green} {wide_msg}");
    let line = ProgressBar::new_spinner();
    line.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    line
}

/// Writes to standard error, around `line` if it is there.
fn write(line: Option<ProgressBar>) -> impl FnMut(OutputMessage) -> io::Result<()> {
    move |message| {
        match (message, &line) {
            (OutputMessage::Lines(lines), None) => return io::stderr().write_all(&lines),
            (OutputMessage::Lines(lines), Some(line)) => {
                return line.suspend(|| io::stderr().write_all(&lines));
            }
            (OutputMessage::Progress(text), Some(line)) => {
                line.set_message(text);
                line.tick();
            }
            (OutputMessage::NoProgress, Some(line)) => line.finish_and_clear(),
            (OutputMessage::Progress(_) | OutputMessage::NoProgress, None)
            | (OutputMessage::Reopen, _) => {}
        }
        Ok(())
    }
}

/// Whether terminals may get colour: unless `NO_COLOR` is set (<https://no-color.org>).
#[expect(clippy::disallowed_methods, reason = "asked where it matters")]
pub(super) fn colour_is_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// What a table on standard output may look like.
pub(super) fn terminal_style() -> TableStyle {
    let is_terminal = io::stdout().is_terminal();
    let width = terminal_size::terminal_size().filter(|_| is_terminal);
    TableStyle {
        colour: is_terminal && colour_is_wanted(),
        width: width.map(|(width, _)| width.0.into()),
    }
}

/// One line: how long Northflank accepts no requests, and how far the sync is.
fn waiting(progress: &Progress, wait: RateLimitWait, now: OffsetDateTime) -> String {
    let RateLimitWait { until, reserve } = wait;
    let left = Duration::try_from(until - now).unwrap_or_default();
    let kept = reserve.map_or(String::new(), |left| format!(" (keeping {left} in reserve)"));
    format!(
        "Waiting for the rate limit{kept}: {}, until {:02}:{:02} UTC · {}/{} lists read",
        humantime::format_duration(Duration::from_secs(left.as_secs())),
        until.hour(),
        until.minute(),
        HumanCount(progress.lists_done.get()),
        HumanCount(progress.lists.get()),
    )
}

/// One line: what is being done and how many requests Northflank still accepts.
fn status(progress: &Progress, window: Option<RateWindow>) -> String {
    let members = HumanCount(progress.members.get());
    let mut line = match progress.phase() {
        SyncPhase::Validating => "Checking the token's permissions".to_owned(),
        SyncPhase::Reading => {
            format!(
                "Reading {}/{} lists · {members} members · {} memberships",
                HumanCount(progress.lists_done.get()),
                HumanCount(progress.lists.get()),
                HumanCount(progress.memberships.get()),
            )
        }
        SyncPhase::Writing => format!("Writing: {} grants", HumanCount(progress.grants.get())),
        SyncPhase::Saving | SyncPhase::Replacing => "Saving the file".to_owned(),
    };
    if let (SyncPhase::Validating | SyncPhase::Reading, Some(window)) = (progress.phase(), window) {
        let _ = write!(line, " · {} requests left", HumanCount(window.remaining.into()));
    }
    line
}

/// The table at the end: rows per resource type, then the file, and as whom it was read.
/// `warnings` are about the token.
pub(super) fn summary(
    saved: &SavedFile,
    path: &Path,
    elapsed: Duration,
    whoami: Option<&Whoami>,
    warnings: &[String],
) -> String {
    let stats = &saved.stats;
    let mut text =
        format!("\n{:<10}{:>12}{:>14}{:>12}\n", "Type", "Resources", "Entitlements", "Grants");
    let mut row = |name: &str, resources: u64, entitlements: u64, grants: u64| {
        let count = |count: u64| match count {
            0 => "-".to_owned(),
            count => HumanCount(count).to_string(),
        };
        let _ = writeln!(
            text,
            "{name:<10}{:>12}{:>14}{:>12}",
            count(resources),
            count(entitlements),
            count(grants)
        );
    };
    for (resource_type, resources) in &stats.resources_by_resource_type {
        let of = |counts: &std::collections::BTreeMap<String, u64>| {
            counts.get(resource_type).copied().unwrap_or_default()
        };
        row(
            resource_type,
            *resources,
            of(&stats.entitlements_by_resource_type),
            of(&stats.grants_by_resource_type),
        );
    }
    row("total", stats.resources, stats.entitlements, stats.grants);
    let _ = writeln!(
        text,
        "\n{} ({}) in {:.1} s",
        path.display(),
        HumanBytes(saved.size),
        elapsed.as_secs_f64()
    );
    if let Some(whoami) = whoami {
        let _ = writeln!(text, "Read with {}", printable(&whoami.full_name()));
    }
    for warning in warnings {
        let _ = writeln!(text, "Warning: {}", printable(warning));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{
        OffsetDateTime, Path, Progress, RateLimitWait, SavedFile, Whoami, summary, waiting,
    };
    use crate::c1z::RowCounts;
    use crate::northflank::TokenOwner;
    use std::time::Duration;

    #[test]
    fn a_wait_says_how_long_until_when_and_how_far_the_sync_is() {
        let until = OffsetDateTime::UNIX_EPOCH + Duration::from_secs(12_345);
        let now = until - Duration::from_millis(2_460_900);
        let text = |reserve| waiting(&Progress::default(), RateLimitWait { until, reserve }, now);
        assert_eq!(text(None), "Waiting for the rate limit: 41m, until 03:25 UTC · 0/0 lists read");
        assert_eq!(
            text(Some(100)),
            "Waiting for the rate limit (keeping 100 in reserve): 41m, until 03:25 UTC · 0/0 lists \
             read"
        );
    }

    #[test]
    fn the_summary_counts_each_type_and_names_the_file() {
        let counts = |pairs: &[(&str, u64)]| {
            pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
        };
        let saved = SavedFile {
            sync_id: "x".into(),
            removed: 0,
            size: 12_345,
            stats: RowCounts {
                resource_types: 3,
                resources: 1_035,
                entitlements: 11,
                grants: 71,
                assets: 0,
                resources_by_resource_type: counts(&[("group", 5), ("role", 6), ("user", 1_024)]),
                entitlements_by_resource_type: counts(&[("group", 5), ("role", 6)]),
                grants_by_resource_type: counts(&[("group", 31), ("role", 40)]),
            },
        };
        let whoami = Whoami {
            owner: Some(TokenOwner::Organization),
            slug: Some("acme".into()),
            token: Some("review\u{202e}".into()),
            role: Some("Auditor".into()),
            ..Whoami::default()
        };
        let took = Duration::from_millis(1_234);
        let path = Path::new("/tmp/sync.c1z");
        let text = summary(&saved, path, took, Some(&whoami), &["it expires".to_owned()]);
        assert_eq!(
            text,
            "
Type         Resources  Entitlements      Grants
group                5             5          31
role                 6             6          40
user             1,024             -           -
total            1,035            11          71

/tmp/sync.c1z (12.06 KiB) in 1.2 s
Read with the API token review\u{fffd} (role Auditor) of the organization acme
Warning: it expires
"
        );
        let text = summary(&saved, path, took, None, &[]);
        assert!(text.ends_with("in 1.2 s\n"), "{text}");
    }
}
