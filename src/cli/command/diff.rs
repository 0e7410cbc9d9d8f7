//! `diff`: what changed between two syncs. Also after a sync.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Arg, ArgAction, ArgMatches, value_parser};

use crate::c1z::{Comparison, FinishedSync, OpenSync, ScratchDirectory, SyncSide};
use crate::cli::exit::{self, Failure, check_sync_name};
use crate::cli::output;
use crate::cli::pending_file::PendingFile;
use crate::cli::signal::Signals;
use crate::cli::terminal::colour_is_wanted;
use crate::cli::unpacking::scratch_directory;
use crate::config::{DiffAfterSync, DiffFormat};
use crate::report::diff::{self, Diff};
use crate::report::model;

/// What is to be compared, and how that is shown.
pub(crate) struct DiffArgs {
    /// The file with the earlier sync.
    old: PathBuf,
    /// The file with the later sync; without it, `old` has both.
    new: Option<PathBuf>,
    /// The earlier of two syncs of one file, by id or day.
    from: Option<String>,
    /// The later one.
    to: Option<String>,
    /// The file to write, in place of standard output.
    output: Option<PathBuf>,
    /// How to show the changes.
    format: DiffFormat,
    /// Whether the exit code is to tell of changes.
    exit_code: bool,
    /// Whether the two have to cover the same.
    require_baseline: bool,
}

/// The subcommand.
pub(super) fn command() -> clap::Command {
    clap::Command::new("diff")
        .about("Compare two syncs: who and what came, went or changed")
        .arg(
            Arg::new("old")
                .value_name("OLD.c1z")
                .default_value("sync.c1z")
                .value_parser(value_parser!(PathBuf))
                .help("File with the earlier sync, its newest"),
        )
        .arg(Arg::new("new").value_name("NEW.c1z").value_parser(value_parser!(PathBuf)).help(
            "File with the later sync; without it, the first file's two newest syncs are \
                 compared",
        ))
        .arg(Arg::new("from").long("from").value_name("ID|DATE").help(
            "The earlier of two syncs of the first file: an id, or a day as 2026-12-01, of \
                 which the last sync counts [default: the one before the later]",
        ))
        .arg(
            Arg::new("to")
                .long("to")
                .value_name("ID|DATE")
                .help("The later one [default: the newest]"),
        )
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .default_value("table")
                .value_parser(
                    PossibleValuesParser::new(DiffFormat::NAMES)
                        .try_map(|name| name.parse::<DiffFormat>()),
                )
                .help("How to show what changed"),
        )
        .arg(PendingFile::argument())
        .arg(
            Arg::new("exit-code")
                .long("exit-code")
                .action(ArgAction::SetTrue)
                .help("Exit with 20 if something changed, with 0 if nothing did"),
        )
        .arg(
            Arg::new("require-baseline")
                .long("require-baseline")
                .action(ArgAction::SetTrue)
                .help("Exit with 3 if the two syncs don't cover the same"),
        )
}

impl DiffArgs {
    /// What was typed.
    pub(super) fn from_matches(arguments: &ArgMatches) -> Self {
        Self {
            old: arguments.get_one::<PathBuf>("old").cloned().unwrap_or_default(),
            new: arguments.get_one::<PathBuf>("new").cloned(),
            output: PendingFile::named(arguments),
            from: arguments.get_one::<String>("from").cloned(),
            to: arguments.get_one::<String>("to").cloned(),
            format: arguments.get_one("format").copied().unwrap_or(DiffFormat::Table),
            exit_code: arguments.get_flag("exit-code"),
            require_baseline: arguments.get_flag("require-baseline"),
        }
    }

    /// `diff OLD NEW`, or `diff FILE` for the two newest syncs of one file.
    pub(super) fn print(&self) -> Result<(), Failure> {
        if self.new.is_some() && (self.from.is_some() || self.to.is_some()) {
            let mistake = "--from and --to are for two syncs of one file; see --help";
            return Err(Failure::Usage(mistake.to_owned()));
        }
        if let Some(output) = &self.output {
            let files: Vec<_> = [&*self.old].into_iter().chain(self.new.as_deref()).collect();
            PendingFile::check("--output", output, &files, &[])?;
        }
        for (flag, named) in [("--from", &self.from), ("--to", &self.to)] {
            check_sync_name(flag, named.as_deref())?;
        }
        let (scratch, leftovers) = scratch_directory()?;
        let comparison = match &self.new {
            Some(new) => {
                Comparison::of_files(&self.old, new, &scratch).map_err(model::Error::File)?
            }
            None => {
                let (from, to) = (self.from.as_deref(), self.to.as_deref());
                Comparison::between(&self.old, from, to, &scratch)
            }
            .map_err(model::Error::File)?
            .ok_or_else(|| match &self.to {
                Some(to) => Failure::NoEarlier { file: self.old.clone(), to: to.clone() },
                None => Failure::OneSync(self.old.clone()),
            })?,
        };
        match other_extent(&comparison) {
            Some(words) if self.require_baseline => return Err(Failure::OtherExtent(words)),
            Some(words) => exit::warn(&words),
            None => {}
        }
        let output = self.output.as_ref();
        let output = output.map(|path| PendingFile::create(path, &leftovers)).transpose()?;
        show(&Diff::new(&comparison)?, self.format, self.exit_code, output)
    }
}

/// What is to be said of two syncs that don't cover the same.
fn other_extent(comparison: &Comparison) -> Option<String> {
    let [old, new] = [SyncSide::Old, SyncSide::New].map(|side| comparison.sync(side));
    let covers = |sync: &FinishedSync| {
        let part = sync.reduced_to.as_deref().unwrap_or("everything");
        let besides = match sync.types.as_slice() {
            [] => String::new(),
            types => format!(" and {}", types.join(", ")),
        };
        format!("the sync {} of {} covers {part}{besides}", sync.sync_id, sync.file.display())
    };
    if old.is_of_another_organization(new) {
        let of = |sync: &FinishedSync| {
            let of = sync.organization.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{} is of the organization {of}", sync.file.display())
        };
        return Some(format!("{}, {}: what one has looks added or removed", of(old), of(new)));
    }
    (!old.covers_the_same(new)).then(|| {
        format!(
            "{}, {}: what one of them leaves out looks added or removed",
            covers(old),
            covers(new)
        )
    })
}

/// What a sync that has just been written changed. On a thread of its own: who reads it may take
/// any time, and a signal ends the run nevertheless.
pub(super) async fn after_sync(
    file: &Path,
    sync_id: String,
    how: DiffAfterSync,
    signals: &mut Signals,
) -> Result<(), Failure> {
    let scratch = Arc::new(ScratchDirectory::new().map_err(model::Error::File)?);
    let showing = {
        let (file, scratch) = (file.to_owned(), Arc::clone(&scratch));
        tokio::task::spawn_blocking(move || changes_of(&file, &sync_id, how, &scratch))
    };
    tokio::select! {
        outcome = showing => outcome.map_err(|error| Failure::Runtime(error.into()))?,
        signal = signals.next() => {
            scratch.remove();
            Err(Failure::Unshown { signal, file: file.to_owned() })
        }
    }
}

fn changes_of(
    file: &Path,
    sync_id: &str,
    how: DiffAfterSync,
    scratch: &ScratchDirectory,
) -> Result<(), Failure> {
    // By its id: an earlier one may claim to be newer.
    let sync = OpenSync::open(file, Some(sync_id), scratch).map_err(model::Error::File)?;
    let comparison = Comparison::with_the_one_before(&sync).map_err(model::Error::File)?;
    if let Some(comparison) = comparison {
        return show(&Diff::new(&comparison)?, how.format, how.exit_code, None);
    }
    let with = match sync.sync().types.as_slice() {
        [] => String::new(),
        types => format!(" with {}", types.join(", ")),
    };
    tracing::warn!(
        file = %file.display(),
        "the file holds no earlier sync{with}: there is nothing to compare with yet"
    );
    show(&Diff::without_baseline(sync.sync()), how.format, how.exit_code, None)?;
    if how.require_baseline { Err(Failure::NoBaseline(file.to_owned())) } else { Ok(()) }
}

fn show(
    diff: &Diff,
    format: DiffFormat,
    exit_code: bool,
    output: Option<PendingFile>,
) -> Result<(), Failure> {
    let text = match format {
        DiffFormat::Table => diff::table(
            diff,
            output.is_none() && std::io::stdout().is_terminal() && colour_is_wanted(),
        )
        .into_bytes(),
        DiffFormat::Json => {
            let mut json = Vec::new();
            model::json(diff, &mut json).map_err(Failure::Output)?;
            json
        }
        DiffFormat::Csv => {
            let mut csv = Vec::new();
            diff::csv(diff, &mut csv).map_err(Failure::Output)?;
            csv
        }
        DiffFormat::Markdown => diff::markdown(diff).into_bytes(),
    };
    match output {
        Some(mut file) => {
            let written = file.writer().write_all(&text);
            written.map_err(|error| file.failed(&error))?;
            file.persist()?;
        }
        None => output::print(&text)?,
    }
    if exit_code && !diff.is_empty() { Err(Failure::Changed) } else { Ok(()) }
}
