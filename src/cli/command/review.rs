//! `review`: judges a sync by rules.

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, value_parser};
use time::OffsetDateTime;

use crate::c1z::ScratchDirectory;
use crate::cli::exit::{self, Failure};
use crate::cli::output;
use crate::cli::pending_file::PendingFile;
use crate::cli::signal::Leftovers;
use crate::cli::terminal::terminal_style;
use crate::private_fs;
use crate::report::access::{AccessReport, Filter, TableStyle};
use crate::report::model;
use crate::report::review::{self, Baseline, Review, RuleSet, Severity};

/// The largest file of rules, in MiB.
const LARGEST_RULES_MIB: u64 = 1;

/// The largest baseline, in MiB: room for a few hundred thousand findings.
const LARGEST_BASELINE_MIB: u64 = 64;

/// What is to be judged, by which rules, and where that is told.
pub(crate) struct ReviewArgs {
    file: PathBuf,
    sync_id: Option<String>,
    rules: PathBuf,
    outputs: Vec<ReviewOutput>,
    baseline: Option<PathBuf>,
    write_baseline: Option<PathBuf>,
    fail_on: Severity,
}

/// An output, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ReviewOutput {
    format: ReviewFormat,
    /// The file; standard output if there is none.
    path: Option<PathBuf>,
}

/// How a review is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReviewFormat {
    /// For a terminal.
    Table,
    /// For programs.
    Json,
}

impl ReviewFormat {
    const ALL: [Self; 2] = [Self::Table, Self::Json];

    fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
        }
    }
}

/// The subcommand.
pub(super) fn command() -> clap::Command {
    let path = |name: &'static str, value: &'static str, help: &'static str| {
        let arg = Arg::new(name).long(name).value_name(value);
        arg.value_parser(value_parser!(PathBuf)).help(help)
    };
    clap::Command::new("review")
        .about("Judge access by rules: what isn't allowed, nor accepted or known")
        .arg(
            Arg::new("file")
                .value_name("FILE.c1z")
                .default_value("sync.c1z")
                .value_parser(value_parser!(PathBuf))
                .help("Sync file of any connector; its newest finished full sync is judged"),
        )
        .arg(path("rules", "RULES.yaml", "Rules to judge by").required(true))
        .arg(
            Arg::new("output")
                .long("output")
                .short('o')
                .value_name("FORMAT=FILE")
                .action(ArgAction::Append)
                .value_parser(ReviewOutput::parse)
                .help(
                    "Also or only tell it so, in a file that only its owner may read, or on \
                     standard output (-): table, json [default: table=-]",
                ),
        )
        .arg(
            path("baseline", "FILE", "Known findings, which don't fail")
                .conflicts_with("write-baseline"),
        )
        .arg(path(
            "write-baseline",
            "FILE",
            "Write what is found into a baseline, and end with 0 whatever it is",
        ))
        .arg(
            Arg::new("fail-on")
                .long("fail-on")
                .value_name("SEVERITY")
                .default_value("error")
                .value_parser(PossibleValuesParser::new(Severity::NAMES))
                .help("From which severity on findings end it with 21"),
        )
        .arg(
            Arg::new("sync")
                .long("sync")
                .value_name("ID")
                .help("Another finished full sync of the file than the newest"),
        )
        .after_help(
            "Exit codes: 0 no finding of that severity, 21 some, 3 a mistake in rules, file or \
             call. How rules are written: \
             https://github.com/ConductorOne/baton-northflank/blob/main/docs/review.md",
        )
}

impl ReviewOutput {
    fn parse(text: &str) -> Result<Self, String> {
        let names = ReviewFormat::ALL.map(ReviewFormat::name);
        let (name, path) =
            text.split_once('=').filter(|(_, path)| !path.is_empty()).ok_or_else(|| {
                format!("it is FORMAT=FILE, such as {}=FILE or {}=-", names[0], names[0])
            })?;
        let format = ReviewFormat::ALL.into_iter().find(|format| format.name() == name);
        let format =
            format.ok_or_else(|| format!("there is no format {name:?}: {}", names.join(", ")))?;
        let path = (path != "-").then(|| PathBuf::from(path));
        Ok(Self { format, path })
    }
}

impl fmt::Display for ReviewOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.as_deref().unwrap_or(Path::new("-"));
        write!(formatter, "--output {}={}", self.format.name(), path.display())
    }
}

impl ReviewArgs {
    /// What was typed.
    pub(super) fn from_matches(arguments: &ArgMatches) -> Self {
        let text = |name: &str| arguments.get_one::<String>(name).cloned();
        let path = |name: &str| arguments.get_one::<PathBuf>(name).cloned();
        let outputs = arguments.get_many::<ReviewOutput>("output").into_iter().flatten();
        let outputs: Vec<_> = outputs.cloned().collect();
        let fail_on = text("fail-on").as_deref().and_then(Severity::of_word);
        Self {
            file: path("file").unwrap_or_default(),
            sync_id: text("sync"),
            rules: path("rules").unwrap_or_default(),
            outputs: if outputs.is_empty() {
                vec![ReviewOutput { format: ReviewFormat::Table, path: None }]
            } else {
                outputs
            },
            baseline: path("baseline"),
            write_baseline: path("write-baseline"),
            fail_on: fail_on.unwrap_or_default(),
        }
    }

    /// Judges, and tells it everywhere or nowhere.
    pub(super) fn tell(&self) -> Result<(), Failure> {
        self.check_outputs()?;
        let now = OffsetDateTime::now_utc();
        let rules = self.read_rules(now)?;
        let baseline = self.baseline.as_deref().map(read_baseline).transpose()?;
        let scratch = ScratchDirectory::new().map_err(model::Error::File)?;
        let leftovers = Leftovers::watch().map_err(Failure::Runtime)?;
        leftovers.add(scratch.path());
        let asked = Filter::default();
        let access = AccessReport::open(&self.file, self.sync_id.as_deref(), &asked, &scratch)?;
        let mut review = Review::new(&rules, &self.rules, &access, now, self.fail_on)?;
        if let Some(baseline) = &baseline {
            review.compare(baseline);
        }
        self.write(&review, &leftovers)?;
        for warning in &review.warnings {
            exit::warn(warning);
        }
        if self.write_baseline.is_none() && review.has_failed() {
            return Err(Failure::Violated(review.summary()));
        }
        Ok(())
    }

    /// Where everything goes, if nothing of it is read or written twice.
    fn check_outputs(&self) -> Result<(), Failure> {
        let mut read = vec![&*self.file, &*self.rules];
        read.extend(self.baseline.as_deref());
        let paths = self.outputs.iter().filter_map(|output| output.path.as_deref());
        for path in paths.chain(self.write_baseline.as_deref()) {
            PendingFile::check(path, &read)?;
        }
        for (place, output) in self.outputs.iter().enumerate() {
            let is_taken = |other: &ReviewOutput| other.path == output.path;
            let is_of_baseline = output.path.is_some() && output.path == self.write_baseline;
            if is_of_baseline || self.outputs[..place].iter().any(is_taken) {
                return Err(Failure::Usage(format!(
                    "{output} goes where something else does; name another file"
                )));
            }
        }
        Ok(())
    }

    fn read_rules(&self, now: OffsetDateTime) -> Result<RuleSet, Failure> {
        let text = read(&self.rules, LARGEST_RULES_MIB)?;
        let text = String::from_utf8(text).map_err(|_| Failure::Source {
            path: self.rules.clone(),
            source: io::Error::other("it is not valid UTF-8"),
        })?;
        RuleSet::parse(&text, now.date()).map_err(|mistakes| {
            Failure::Review(review::Error::Rules { file: self.rules.clone(), mistakes })
        })
    }

    /// Writes everything aside, and then puts each in its place.
    fn write(&self, review: &Review<'_>, leftovers: &Leftovers) -> Result<(), Failure> {
        let mut files = Vec::new();
        let mut printed: Option<File> = None;
        for output in &self.outputs {
            if let Some(path) = &output.path {
                let mut file = PendingFile::create(path, leftovers)?;
                let style = TableStyle { colour: false, width: None };
                let written = output.format.write(review, style, file.writer());
                written.map_err(|error| file.failed(&error))?;
                files.push(file);
            } else {
                let mut file = tempfile::tempfile().map_err(Failure::Output)?;
                let written = output.format.write(review, terminal_style(), &mut file);
                written.map_err(Failure::Output)?;
                printed = Some(file);
            }
        }
        if let Some(path) = &self.write_baseline {
            let mut file = PendingFile::create(path, leftovers)?;
            let written = model::json(&review.baseline(), file.writer());
            written.map_err(|error| file.failed(&error))?;
            files.push(file);
        }
        files.into_iter().try_for_each(PendingFile::persist)?;
        printed.map_or(Ok(()), output::copy)
    }
}

impl ReviewFormat {
    fn write(self, review: &Review<'_>, style: TableStyle, output: impl Write) -> io::Result<()> {
        let output = BufWriter::new(output);
        match self {
            Self::Table => review::table(review, style, output),
            Self::Json => review::json(review, output),
        }
    }
}

fn read(path: &Path, largest_mib: u64) -> Result<Vec<u8>, Failure> {
    private_fs::read_regular(path, largest_mib)
        .map_err(|source| Failure::Source { path: path.to_owned(), source })
}

fn read_baseline(path: &Path) -> Result<Baseline, Failure> {
    Ok(Baseline::parse(&read(path, LARGEST_BASELINE_MIB)?, path)?)
}
