//! What a person at a terminal sees: progress while a sync runs, a table at its end.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::path::Path;
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use time::OffsetDateTime;

use crate::c1z::Saved;
use crate::northflank::{Client, Window};
use crate::sync::{Phase, Progress};

use super::settings::LogFormat;

/// The terminal on standard error, if people look at it.
#[derive(Clone)]
pub(super) struct Terminal {
    /// One line that is drawn over and over; `None` where nobody watches.
    line: Option<ProgressBar>,
}

impl Terminal {
    /// The terminal, if standard error is one and logs are for people.
    pub(super) fn new(format: LogFormat) -> Self {
        let watched = format == LogFormat::Console && std::io::stderr().is_terminal();
        Self {
            line: watched.then(|| {
                let style = ProgressStyle::with_template("{spinner:.green} {wide_msg}");
                let line = ProgressBar::new_spinner();
                line.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
                line
            }),
        }
    }

    /// Whether somebody looks.
    pub(super) fn is_shown(&self) -> bool {
        self.line.is_some()
    }

    /// Whether colour is wanted: on a terminal, unless `NO_COLOR` is set.
    pub(super) fn has_colour(&self) -> bool {
        self.is_shown() && colour_is_wanted()
    }

    /// Draws how far the sync is, and for what it waits.
    pub(super) fn draw(&self, progress: &Progress, client: &Client) {
        if let Some(line) = &self.line {
            let until = *client.waiting().borrow();
            line.set_message(match until {
                Some(until) => waiting(progress, until, OffsetDateTime::now_utc()),
                None => status(progress, client.window()),
            });
            line.tick();
        }
    }

    /// Removes the progress line.
    pub(super) fn clear(&self) {
        if let Some(line) = &self.line {
            line.finish_and_clear();
        }
    }

    /// Runs `write` while the progress line is out of the way.
    pub(super) fn around<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.line {
            Some(line) => line.suspend(write),
            None => write(),
        }
    }

    /// Prints a text for whoever looks.
    pub(super) fn print(&self, text: &str) {
        // A terminal that went away takes nothing from what has been done.
        let _ = self.around(|| std::io::stderr().write_all(text.as_bytes()));
    }
}

/// Whether terminals may get colour: unless `NO_COLOR` is set (<https://no-color.org>).
pub(super) fn colour_is_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// One line: how long Northflank accepts no requests, and how far the sync is.
fn waiting(progress: &Progress, until: OffsetDateTime, now: OffsetDateTime) -> String {
    let left = Duration::try_from(until - now).unwrap_or_default();
    format!(
        "Waiting for the rate limit: {}, until {:02}:{:02} UTC · {}/{} lists read",
        humantime::format_duration(Duration::from_secs(left.as_secs())),
        until.hour(),
        until.minute(),
        HumanCount(progress.lists_done.get()),
        HumanCount(progress.lists.get()),
    )
}

/// One line: what is being done and how many requests Northflank still accepts.
fn status(progress: &Progress, window: Option<Window>) -> String {
    let members = HumanCount(progress.members.get());
    let mut line = match progress.phase() {
        Phase::Validating => "Checking the token's permissions".to_owned(),
        Phase::Reading => {
            format!(
                "Reading {}/{} lists · {members} members · {} memberships",
                HumanCount(progress.lists_done.get()),
                HumanCount(progress.lists.get()),
                HumanCount(progress.memberships.get()),
            )
        }
        Phase::Writing => format!("Writing: {} grants", HumanCount(progress.grants.get())),
        Phase::Saving => "Saving the file".to_owned(),
    };
    if let (Phase::Validating | Phase::Reading, Some(window)) = (progress.phase(), window) {
        let _ = write!(line, " · {} requests left", HumanCount(window.remaining.into()));
    }
    line
}

/// The table at the end: rows per resource type, then the file.
pub(super) fn summary(saved: &Saved, path: &Path, elapsed: Duration) -> String {
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
    text
}

#[cfg(test)]
mod tests {
    use super::{OffsetDateTime, Path, Progress, Saved, summary, waiting};
    use crate::c1z::Stats;
    use std::time::Duration;

    #[test]
    fn a_wait_says_how_long_until_when_and_how_far_the_sync_is() {
        let until = OffsetDateTime::UNIX_EPOCH + Duration::from_secs(12_345);
        let now = until - Duration::from_millis(2_460_900);
        assert_eq!(
            waiting(&Progress::default(), until, now),
            "Waiting for the rate limit: 41m, until 03:25 UTC · 0/0 lists read"
        );
    }

    #[test]
    fn the_summary_counts_each_type_and_names_the_file() {
        let counts = |pairs: &[(&str, u64)]| {
            pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
        };
        let saved = Saved {
            sync_id: "x".into(),
            size: 12_345,
            stats: Stats {
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
        let text = summary(&saved, Path::new("/tmp/sync.c1z"), Duration::from_millis(1_234));
        assert_eq!(
            text,
            "
Type         Resources  Entitlements      Grants
group                5             5          31
role                 6             6          40
user             1,024             -           -
total            1,035            11          71

/tmp/sync.c1z (12.06 KiB) in 1.2 s
"
        );
    }
}
