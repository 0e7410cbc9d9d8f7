//! `syncs`: which syncs a file holds.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, value_parser};
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::baton::printable;
use crate::c1z::{ListedSync, list_syncs};
use crate::cli::exit::Failure;
use crate::cli::output;
use crate::cli::unpacking::scratch_directory;
use crate::report::model;

/// Whose syncs are to be listed, and how.
pub(crate) struct SyncsArgs {
    file: PathBuf,
    is_json: bool,
}

/// The list, for programs.
#[derive(Serialize)]
struct SyncsDocument<'list> {
    file: String,
    syncs: &'list [ListedSync],
}

/// The subcommand.
pub(super) fn command() -> clap::Command {
    clap::Command::new("syncs")
        .about("List the syncs that a file holds, the newest first")
        .arg(
            Arg::new("file")
                .value_name("FILE.c1z")
                .default_value("sync.c1z")
                .value_parser(value_parser!(PathBuf))
                .help("Sync file of any connector"),
        )
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .default_value("table")
                .value_parser(PossibleValuesParser::new(["table", "json"]))
                .help("How to list them"),
        )
}

impl SyncsArgs {
    /// What was typed.
    pub(super) fn from_matches(arguments: &ArgMatches) -> Self {
        let format = arguments.get_one::<String>("format").map(String::as_str);
        Self {
            file: arguments.get_one::<PathBuf>("file").cloned().unwrap_or_default(),
            is_json: format == Some("json"),
        }
    }

    /// Prints the list.
    pub(super) fn print(&self) -> Result<(), Failure> {
        let (scratch, _leftovers) = scratch_directory()?;
        let syncs = list_syncs(&self.file, &scratch).map_err(model::Error::File)?;
        let text = if self.is_json {
            output::json(&SyncsDocument { file: self.file.display().to_string(), syncs: &syncs })?
        } else {
            table(&syncs)
        };
        output::print(text.as_bytes())
    }
}

/// What a sync covers, where that isn't what every sync of everything does.
fn covered(sync: &ListedSync) -> String {
    let with = (!sync.types.is_empty()).then(|| format!("with {}", sync.types.join(", ")));
    sync.reduced_to.clone().into_iter().chain(with).collect::<Vec<_>>().join("; ")
}

/// The list as lines of text.
fn table(syncs: &[ListedSync]) -> String {
    let head = [
        "Sync",
        "Type",
        "Begun",
        "Ended",
        "Resources",
        "Entitlements",
        "Grants",
        "Organization",
        "",
    ];
    let seconds = |time: &str| time.split('.').next().unwrap_or_default().to_owned();
    let rows = syncs.iter().map(|sync| {
        let zone = if sync.is_utc { " UTC" } else { "" };
        let ended = sync.ended_at.as_deref().map(|time| format!("{}{zone}", seconds(time)));
        [
            sync.sync_id.clone(),
            sync.sync_type.clone(),
            format!("{}{zone}", seconds(&sync.started_at)),
            ended.unwrap_or_else(|| "not yet".to_owned()),
            sync.resources.to_string(),
            sync.entitlements.to_string(),
            sync.grants.to_string(),
            sync.organization.as_ref().map(|of| of.name().to_owned()).unwrap_or_default(),
            covered(sync),
        ]
        .map(|cell| printable(&cell))
    });
    let rows: Vec<[String; 9]> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
    let mut widths = [0; 9];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }
    // Numbers end where the others do.
    let is_number = |column: usize| (4..7).contains(&column);
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
            let padding = " ".repeat(width - cell.width());
            if is_number(column) { format!("{padding}{cell}") } else { format!("{cell}{padding}") }
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
