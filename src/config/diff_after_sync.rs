//! How to show what changed.

use std::str::FromStr;

/// How changes are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DiffFormat {
    /// For a terminal.
    Table,
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
    /// For pages, such as the summary of a CI job.
    Markdown,
}

/// What is to be shown after a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DiffAfterSync {
    /// How.
    pub(crate) format: DiffFormat,
    /// Whether the exit code is to tell of changes.
    pub(crate) exit_code: bool,
    /// Whether there has to be an earlier sync.
    pub(crate) require_baseline: bool,
}

impl DiffFormat {
    /// The names of all formats.
    pub(crate) const NAMES: [&str; 4] = ["table", "json", "csv", "markdown"];
}

impl FromStr for DiffFormat {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "table" => Ok(Self::Table),
            "json" => Ok(Self::Json),
            "csv" => Ok(Self::Csv),
            "markdown" => Ok(Self::Markdown),
            _ => Err("it can be table, json, csv or markdown"),
        }
    }
}
