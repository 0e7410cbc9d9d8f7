//! Showing what changed between two syncs.

use std::io::IsTerminal;
use std::path::Path;
use std::str::FromStr;

use crate::c1z::Comparison;
use crate::diff::{self, Diff};

use super::describe;
use super::exit::Failure;
use super::flags::Compared;
use super::terminal::colour_is_wanted;

/// How changes are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DiffFormat {
    /// For a terminal.
    Table,
    /// For programs.
    Json,
    /// For pages, such as the summary of a CI job.
    Markdown,
}

/// What is to be shown after a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AfterSync {
    /// How.
    pub(super) format: DiffFormat,
    /// Whether the exit code is to tell of changes.
    pub(super) exit_code: bool,
}

impl DiffFormat {
    /// The names of all formats.
    pub(super) const NAMES: [&str; 3] = ["table", "json", "markdown"];
}

impl FromStr for DiffFormat {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "table" => Ok(Self::Table),
            "json" => Ok(Self::Json),
            "markdown" => Ok(Self::Markdown),
            _ => Err("it can be table, json or markdown"),
        }
    }
}

/// `diff OLD NEW`, or `diff FILE` for the two newest syncs of one file.
pub(super) fn compare(compared: &Compared) -> Result<(), Failure> {
    let comparison = match &compared.new {
        Some(new) => Comparison::of_files(&compared.old, new).map_err(diff::Error::File)?,
        None => Comparison::within(&compared.old)
            .map_err(diff::Error::File)?
            .ok_or_else(|| Failure::OneSync(compared.old.clone()))?,
    };
    show(&comparison, compared.format, compared.exit_code)
}

/// What the newest sync of `file` changed.
pub(super) fn after_sync(file: &Path, how: AfterSync) -> Result<(), Failure> {
    if let Some(comparison) = Comparison::within(file).map_err(diff::Error::File)? {
        return show(&comparison, how.format, how.exit_code);
    }
    tracing::warn!(
        file = %file.display(),
        "the file holds no earlier sync: there is nothing to compare with yet"
    );
    Ok(())
}

fn show(comparison: &Comparison, format: DiffFormat, exit_code: bool) -> Result<(), Failure> {
    let diff = Diff::new(comparison)?;
    let text = match format {
        DiffFormat::Table => {
            diff::table(&diff, std::io::stdout().is_terminal() && colour_is_wanted())
        }
        DiffFormat::Json => describe::json(&diff)?,
        DiffFormat::Markdown => diff::markdown(&diff),
    };
    describe::print(text.as_bytes())?;
    if exit_code && !diff.is_empty() { Err(Failure::Changed) } else { Ok(()) }
}
