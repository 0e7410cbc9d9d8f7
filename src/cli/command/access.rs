//! `access`: who has access to what, and why.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, value_parser};
use time::OffsetDateTime;

use crate::c1z::{Comparison, ScratchDirectory, SyncSide};
use crate::cli::exit::{self, Failure, check_sync_name};
use crate::cli::output;
use crate::cli::pending_file::PendingFile;
use crate::cli::rules_file::read_rules;
use crate::cli::terminal::terminal_style;
use crate::cli::unpacking::scratch_directory;
use crate::connector::not_read;
use crate::report::access::{
    self, AccessReport, CsvRows, Filter, TableStyle, csv, csv_people, csv_resources, json,
    markdown, table,
};
use crate::report::diff::{self, Diff};
use crate::report::model::{self, ChangeList, SyncLabel};
use crate::report::page::{HtmlOptions, PageRules, page};
use crate::report::review::{Review, Severity};

/// What begins a text in UTF-8 for programs that look for it.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// What is to be told, and how.
pub(crate) struct AccessArgs {
    file: PathBuf,
    sync_id: Option<String>,
    asked: Filter,
    format: Format,
    output: Option<PathBuf>,
    title: Option<String>,
    /// Rules whose breaches a page tells of.
    rules: Option<PathBuf>,
    /// What one row of CSV is.
    rows: Option<CsvRows>,
    /// Whether CSV says by a mark at its beginning that it is in UTF-8.
    csv_bom: bool,
}

/// How access is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// For a terminal.
    Table,
    /// For programs.
    Json,
    /// For spreadsheets and databases.
    Csv,
    /// For pages, such as the summary of a CI job.
    Markdown,
    /// For a browser.
    Html,
}

/// The subcommand.
pub(super) fn command() -> clap::Command {
    let ids = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).action(ArgAction::Append).help(help)
    };
    clap::Command::new("access")
        .about("Tell who has access to what, and why: by person, role or group")
        .arg(
            Arg::new("file")
                .value_name("FILE.c1z")
                .default_value("sync.c1z")
                .value_parser(value_parser!(PathBuf))
                .help("Sync file of any connector; its newest finished full sync is told of"),
        )
        .arg(ids(
            "user",
            "ID",
            "What this user holds: an id, an e-mail address, or a name that nobody else has",
        ))
        .arg(ids("role", "ID", "Who holds this role: an id, or a name that no other has"))
        .arg(ids(
            "group",
            "ID",
            "Who is in this group, by id or name, what it holds, and what is held through it",
        ))
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .default_value("table")
                .value_parser(PossibleValuesParser::new(Format::NAMES))
                .help("How to tell it; html is a page for a review"),
        )
        .arg(PendingFile::argument())
        .arg(
            Arg::new("title")
                .long("title")
                .value_name("TEXT")
                .help("Title of the page [default: the organization, or the file's name]"),
        )
        .arg(
            Arg::new("rules")
                .long("rules")
                .value_name("RULES.yaml")
                .value_parser(value_parser!(PathBuf))
                .help("Rules of review: what breaks them stands on the page above all else"),
        )
        .arg(
            Arg::new("rows")
                .long("rows")
                .value_name("ROWS")
                .value_parser(PossibleValuesParser::new(["grants", "people", "resources"]))
                .help(
                    "What one row of CSV is: a grant, a person or a role or group, also those who \
                     hold nothing and what nobody holds [default: grants]",
                ),
        )
        .arg(
            Arg::new("csv-bom").long("csv-bom").action(ArgAction::SetTrue).help(
                "Begin CSV with a byte order mark: Excel takes UTF-8 without one for Latin-1",
            ),
        )
        .arg(Arg::new("sync").long("sync").value_name("ID|DATE").help(
            "Another finished full sync of the file than the newest: its id, or a day as \
                     2026-12-01, of which the last one counts",
        ))
        .after_help(
            "Each of --user, --role and --group may be given several times: any of its ids will \
             do. Of different ones all must hold: --user ada --role owner tells whether Ada holds \
             it, and why.",
        )
}

impl Format {
    const NAMES: [&str; 5] = ["table", "json", "csv", "markdown", "html"];

    fn named(name: &str) -> Self {
        match name {
            "json" => Self::Json,
            "csv" => Self::Csv,
            "markdown" => Self::Markdown,
            "html" => Self::Html,
            _ => Self::Table,
        }
    }
}

impl AccessArgs {
    /// What was typed.
    pub(super) fn from_matches(arguments: &ArgMatches) -> Self {
        let text = |name: &str| arguments.get_one::<String>(name).cloned();
        let texts = |name: &str| {
            arguments.get_many::<String>(name).into_iter().flatten().cloned().collect()
        };
        let path = |name: &str| arguments.get_one::<PathBuf>(name).cloned();
        Self {
            file: path("file").unwrap_or_default(),
            sync_id: text("sync"),
            asked: Filter { users: texts("user"), roles: texts("role"), groups: texts("group") },
            format: Format::named(&text("format").unwrap_or_default()),
            output: PendingFile::named(arguments),
            title: text("title"),
            rules: path("rules"),
            rows: text("rows").map(|rows| match rows.as_str() {
                "people" => CsvRows::People,
                "resources" => CsvRows::Resources,
                _ => CsvRows::Grants,
            }),
            csv_bom: arguments.get_flag("csv-bom"),
        }
    }

    /// Writes it to the file that is named, or else prints it: as a whole or not at all.
    pub(super) fn run(&self) -> Result<(), Failure> {
        check_sync_name("--sync", self.sync_id.as_deref())?;
        if self.title.is_some() && self.format != Format::Html {
            return Err(Failure::Usage("--title is for --format html; see --help".to_owned()));
        }
        if self.rules.is_some() && self.format != Format::Html {
            let text = "--rules is for --format html; review tells it otherwise, see its --help";
            return Err(Failure::Usage(text.to_owned()));
        }
        let Filter { users, roles, groups } = &self.asked;
        let is_of_part = [users, roles, groups].iter().any(|ids| !ids.is_empty());
        if self.rules.is_some() && is_of_part {
            let text = "--rules is for a page of everything, without --user, --role and --group";
            return Err(Failure::Usage(text.to_owned()));
        }
        if self.rows.is_some() && self.format != Format::Csv {
            return Err(Failure::Usage("--rows is for --format csv; see --help".to_owned()));
        }
        if self.csv_bom && self.format != Format::Csv {
            return Err(Failure::Usage("--csv-bom is for --format csv; see --help".to_owned()));
        }
        let Some(path) = &self.output else { return self.print() };
        let rules: Vec<_> = self.rules.as_deref().into_iter().collect();
        PendingFile::check("--output", path, &[&self.file], &rules)?;
        let (scratch, leftovers) = scratch_directory()?;
        let access = self.open(&scratch)?;
        let mut file = PendingFile::create(path, &leftovers)?;
        self.write(&access, TableStyle { colour: false, width: None }, file.writer()).map_err(
            |failure| match failure {
                Failure::Access(access::Error::Output(source)) => file.failed(&source),
                other => other,
            },
        )?;
        file.persist()
    }

    fn print(&self) -> Result<(), Failure> {
        let is_terminal = io::stdout().is_terminal();
        let unfit = match self.format {
            Format::Html => Some("a page is for a browser"),
            Format::Csv => Some("CSV has names as they are, also those that steer a terminal"),
            Format::Table | Format::Json | Format::Markdown => None,
        };
        if let (true, Some(why)) = (is_terminal, unfit) {
            return Err(Failure::Usage(format!("{why}: name a file with --output")));
        }
        let (scratch, _leftovers) = scratch_directory()?;
        let access = self.open(&scratch)?;
        let look = terminal_style();
        // What fails half-way has printed nothing.
        let mut file = tempfile::tempfile().map_err(access::Error::Output)?;
        self.write(&access, look, &mut file)?;
        output::copy(file)
    }

    fn open(&self, scratch: &ScratchDirectory) -> Result<AccessReport, Failure> {
        Ok(AccessReport::open(&self.file, self.sync_id.as_deref(), &self.asked, scratch)?)
    }

    fn write(
        &self,
        access: &AccessReport,
        look: TableStyle,
        output: impl Write,
    ) -> Result<(), Failure> {
        let mut output = BufWriter::new(output);
        match self.format {
            Format::Table => table(access, look, output)?,
            Format::Json => json(access, output)?,
            Format::Csv => {
                if self.csv_bom {
                    output.write_all(BYTE_ORDER_MARK).map_err(access::Error::Output)?;
                }
                match self.rows {
                    None | Some(CsvRows::Grants) => csv(access, output)?,
                    Some(CsvRows::People) => csv_people(access, output)?,
                    Some(CsvRows::Resources) => csv_resources(access, output)?,
                }
            }
            Format::Markdown => markdown(access, output)?,
            Format::Html => {
                let cover = HtmlOptions {
                    title: self.title.clone(),
                    changes: changes(access)?,
                    not_read: Some(not_read(&access.sync().sync().types)),
                    rules: self.rules.as_deref().map(|path| breaches(access, path)).transpose()?,
                };
                page(access, &cover, output)?;
            }
        }
        Ok(())
    }
}

/// What breaks the rules in a file.
fn breaches(access: &AccessReport, path: &Path) -> Result<PageRules, Failure> {
    let now = OffsetDateTime::now_utc();
    let rules = read_rules(path, now)?;
    let review = Review::new(&rules, path, access, now, Severity::default())?;
    for warning in &review.warnings {
        exit::warn(warning);
    }
    Ok(PageRules::new(&review))
}

/// What changed since the file's sync before, for a page of all access.
fn changes(access: &AccessReport) -> Result<Option<ChangeList>, Failure> {
    if !access.is_everything() {
        return Ok(None);
    }
    let comparison = Comparison::with_the_one_before(access.sync()).map_err(model::Error::File)?;
    let Some(comparison) = comparison else { return Ok(None) };
    let since = SyncLabel::new(comparison.sync(SyncSide::Old));
    Ok(Some(ChangeList { since, sections: diff::isolated_sections(&Diff::new(&comparison)?) }))
}
