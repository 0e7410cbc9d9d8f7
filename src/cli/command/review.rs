//! `review`: judges a sync by rules.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, value_parser};
use time::OffsetDateTime;

use crate::c1z::ScratchDirectory;
use crate::cli::exit::{self, Failure, check_sync_name};
use crate::cli::output;
use crate::cli::pending_file::PendingFile;
use crate::cli::rules_file::{parse_rules, read_rules};
use crate::cli::signal::Leftovers;
use crate::cli::terminal::terminal_style;
use crate::cli::unpacking::scratch_directory;
use crate::private_fs;
use crate::report::access::{AccessReport, Filter, TableStyle};
use crate::report::model;
use crate::report::review::{
    self, Baseline, MOST_CODE_SCANNING_RESULTS, Review, Severity, initial_rules,
};

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
    init: bool,
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
    /// For pages, such as the summary of a CI job.
    Markdown,
    /// For tools that gather what others find.
    Sarif,
    /// For GitHub's code scanning.
    CodeScanning,
    /// For CI systems that show tests.
    Junit,
    /// For the log of a GitHub workflow.
    Github,
}

impl ReviewFormat {
    const ALL: [Self; 7] = [
        Self::Table,
        Self::Json,
        Self::Markdown,
        Self::Sarif,
        Self::CodeScanning,
        Self::Junit,
        Self::Github,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Markdown => "markdown",
            Self::Sarif => "sarif",
            Self::CodeScanning => "code-scanning",
            Self::Junit => "junit",
            Self::Github => "github",
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
                     standard output (-): table, json, markdown, sarif, code-scanning (SARIF for GitHub), junit, github \
                     (annotations) [default: table=-]",
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
            Arg::new("init")
                .long("init")
                .action(ArgAction::SetTrue)
                .conflicts_with_all(["output", "baseline", "fail-on"])
                .help("Write --rules and --write-baseline, from what the file holds today"),
        )
        .arg(
            Arg::new("sync")
                .long("sync")
                .value_name("ID|DATE")
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
            init: arguments.get_flag("init"),
        }
    }

    /// Judges, and tells it everywhere or nowhere; or writes rules to begin with.
    pub(super) fn run(&self) -> Result<(), Failure> {
        check_sync_name("--sync", self.sync_id.as_deref())?;
        if self.init {
            return self.write_initial();
        }
        self.check_outputs()?;
        let now = OffsetDateTime::now_utc();
        let rules = read_rules(&self.rules, now)?;
        let baseline = self.baseline.as_deref().map(read_baseline).transpose()?;
        let (scratch, leftovers) = scratch_directory()?;
        let access = self.open(&scratch)?;
        let mut review = Review::new(&rules, &self.rules, &access, now, self.fail_on)?;
        if let Some(baseline) = &baseline {
            review.compare(baseline);
        }
        self.write(&review, &leftovers)?;
        for warning in &review.warnings {
            exit::warn(warning);
        }
        let is_for_code_scanning =
            self.outputs.iter().any(|it| it.format == ReviewFormat::CodeScanning);
        let more = review.open().count().saturating_sub(MOST_CODE_SCANNING_RESULTS);
        if is_for_code_scanning && more > 0 {
            exit::warn(&format!(
                "GitHub's code scanning shows {MOST_CODE_SCANNING_RESULTS} results: {more} are \
                 left out of code-scanning"
            ));
        }
        if self.write_baseline.is_none() && review.has_failed() {
            let is_table =
                |it: &ReviewOutput| it.path.is_none() && it.format == ReviewFormat::Table;
            let is_shown = io::stdout().is_terminal() && self.outputs.iter().any(is_table);
            return Err(Failure::Violated { summary: review.summary(), is_shown });
        }
        Ok(())
    }

    /// Writes rules and a baseline of what the file holds today; neither over another file.
    fn write_initial(&self) -> Result<(), Failure> {
        let Some(baseline) = &self.write_baseline else {
            let text = "--init writes --rules and --write-baseline: name both; see --help";
            return Err(Failure::Usage(text.to_owned()));
        };
        if resolved_path(&self.rules) == resolved_path(baseline) {
            let text = "--rules and --write-baseline are the same file; name another one";
            return Err(Failure::Usage(text.to_owned()));
        }
        let (scratch, leftovers) = scratch_directory()?;
        let access = self.open(&scratch)?;
        let now = OffsetDateTime::now_utc();
        let text = initial_rules(&access)?;
        let rules = parse_rules(&text, &self.rules, now)?;
        let review = Review::new(&rules, &self.rules, &access, now, self.fail_on)?;
        let mut files = [
            PendingFile::create(&self.rules, &leftovers)?,
            PendingFile::create(baseline, &leftovers)?,
        ];
        let [for_rules, for_baseline] = &mut files;
        let written = for_rules.writer().write_all(text.as_bytes());
        written.map_err(|error| for_rules.failed(&error))?;
        let written = model::json(&review.baseline(), for_baseline.writer());
        written.map_err(|error| for_baseline.failed(&error))?;
        for path in [&self.rules, baseline] {
            if fs::symlink_metadata(path).is_ok() {
                return Err(exists(path));
            }
        }
        files.into_iter().try_for_each(PendingFile::persist_new)
    }

    fn open(&self, scratch: &ScratchDirectory) -> Result<AccessReport, Failure> {
        let asked = Filter::default();
        Ok(AccessReport::open(&self.file, self.sync_id.as_deref(), &asked, scratch)?)
    }

    /// Where everything goes, if nothing of it is read or written twice.
    fn check_outputs(&self) -> Result<(), Failure> {
        let others: Vec<_> = [&*self.rules].into_iter().chain(self.baseline.as_deref()).collect();
        for path in self.outputs.iter().filter_map(|output| output.path.as_deref()) {
            PendingFile::check("--output", path, &[&self.file], &others)?;
        }
        if let Some(path) = &self.write_baseline {
            PendingFile::check("--write-baseline", path, &[&self.file], &others)?;
        }
        let mut taken: Vec<_> =
            self.write_baseline.iter().map(|path| Some(resolved_path(path))).collect();
        for output in &self.outputs {
            let to = output.path.as_deref().map(resolved_path);
            if taken.contains(&to) {
                return Err(Failure::Usage(format!(
                    "{output} goes where something else does; name another file"
                )));
            }
            taken.push(to);
        }
        Ok(())
    }

    /// Writes everything aside, and then puts each in its place.
    fn write(&self, review: &Review<'_>, leftovers: &Leftovers) -> Result<(), Failure> {
        let rules = path_in_repository(&self.rules);
        let mut files = Vec::new();
        let mut printed: Option<File> = None;
        for output in &self.outputs {
            if let Some(path) = &output.path {
                let mut file = PendingFile::create(path, leftovers)?;
                let style = TableStyle { colour: false, width: None };
                let written = output.format.write(review, &rules, style, file.writer());
                written.map_err(|error| file.failed(&error))?;
                files.push(file);
            } else {
                let mut file = tempfile::tempfile().map_err(Failure::Output)?;
                let written = output.format.write(review, &rules, terminal_style(), &mut file);
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
    /// `rules` is where the rules stand, for outputs that lead there.
    fn write(
        self,
        review: &Review<'_>,
        rules: &str,
        style: TableStyle,
        output: impl Write,
    ) -> io::Result<()> {
        let output = BufWriter::new(output);
        match self {
            Self::Markdown => review::markdown(review, output),
            Self::Sarif => review::sarif(review, rules, output),
            Self::CodeScanning => review::code_scanning(review, rules, output),
            Self::Junit => review::junit(review, output),
            Self::Github => review::github(review, rules, output),
            Self::Table => review::table(review, style, output),
            Self::Json => review::json(review, output),
        }
    }
}

/// Where a file is, whatever way leads there: two outputs would overwrite each other.
fn resolved_path(path: &Path) -> PathBuf {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = fs::canonicalize(directory.unwrap_or(Path::new(".")));
    match (directory, path.file_name()) {
        (Ok(directory), Some(name)) => directory.join(name),
        _ => path.to_owned(),
    }
}

fn exists(path: &Path) -> Failure {
    let path = path.display();
    Failure::Usage(format!("{path} is there already, and --init overwrites nothing"))
}

/// A path as it is called in the repository that holds it; relative to where one stands, or else
/// its name, where none does. With slashes.
fn path_in_repository(path: &Path) -> String {
    let absolute = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut above = absolute.ancestors().skip(1);
    let root = above.find(|directory| directory.join(".git").exists());
    let root = root.map(Path::to_owned).or_else(|| fs::canonicalize(".").ok());
    let name = || absolute.file_name().map_or(&*absolute, Path::new);
    let inner = root.as_ref().and_then(|root| absolute.strip_prefix(root).ok());
    let parts = inner.unwrap_or_else(name).components();
    let parts: Vec<_> = parts.map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

fn read_baseline(path: &Path) -> Result<Baseline, Failure> {
    let text = private_fs::read_regular(path, LARGEST_BASELINE_MIB)
        .map_err(|source| Failure::Source { path: path.to_owned(), source })?;
    Ok(Baseline::parse(&text, path)?)
}
