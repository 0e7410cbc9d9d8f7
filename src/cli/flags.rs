//! The command line: flags, made from [`fields`](super::fields), and subcommands.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use clap_complete::Shell;

use super::difference::DiffFormat;
use super::fields::{FIELDS, Field, HEALTH_CHECK_BIND_ADDRESS, HEALTH_CHECK_PORT, Kind};

/// Headings and names stand out; values don't.
const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold());

const AFTER_HELP: &str = "\
A setting is taken from its flag, else from its variable, else from the file .baton.yaml (or \
the one that BATON_CONFIG_PATH names), where it is called like the flag without dashes. Further \
variables: BATON_KEEP_SYNC_COUNT, the number of syncs that a file keeps (default 2), and \
BATON_SKIP_CLEANUP, to keep all.

Exit codes: 0 done, 2 failed, 3 a mistake in flags, variables or file, 4 timed out, \
7 missing permissions, 8 the rate limit took longer than --max-wait, 14 Northflank or the file \
is unavailable, 16 the token is refused, 20 something changed (with --exit-code), 130 and 143 \
stopped by SIGINT and SIGTERM.";

/// The settings that were given as flags. Some are secrets: there is no `Debug`.
#[derive(Default)]
pub(super) struct Flags(HashMap<&'static str, Vec<String>>);

impl Flags {
    /// What was given for a field.
    pub(super) fn get(&self, field: &Field) -> Option<&[String]> {
        self.0.get(field.name).map(Vec::as_slice)
    }

    fn from_matches(matches: &ArgMatches, fields: &[&Field]) -> Self {
        let given = fields.iter().filter_map(|field| {
            let words = matches.get_many::<String>(field.name)?;
            Some((field.name, words.cloned().collect()))
        });
        Self(given.collect())
    }
}

/// What is to be done.
pub(super) enum Action {
    /// Sync, once or as a service.
    Run(Flags),
    /// Compare two syncs.
    Diff(Compared),
    /// Ask a running service how it is.
    HealthCheck(Probe),
    /// Print what the connector can do.
    Capabilities,
    /// Print the schema of the configuration.
    Config,
    /// Print a script that completes the command line.
    Completion(Shell),
    /// Print the manual page.
    ManualPage,
}

/// What is to be compared, and how that is shown.
pub(super) struct Compared {
    /// The file with the earlier sync.
    pub(super) old: PathBuf,
    /// The file with the later sync; without it, `old` has both.
    pub(super) new: Option<PathBuf>,
    /// How to show the changes.
    pub(super) format: DiffFormat,
    /// Whether the exit code is to tell of changes.
    pub(super) exit_code: bool,
}

/// What a running service is to be asked, and where.
pub(super) struct Probe {
    /// `health`, `ready` or `live`.
    pub(super) endpoint: String,
    /// Time for the answer.
    pub(super) timeout: Duration,
    /// Where it listens.
    pub(super) flags: Flags,
}

impl Probe {
    /// The fields that say where the service listens.
    const FIELDS: [&Field; 2] = [HEALTH_CHECK_PORT, HEALTH_CHECK_BIND_ADDRESS];

    fn from_matches(arguments: &ArgMatches) -> Self {
        Self {
            endpoint: arguments.get_one::<String>("endpoint").cloned().unwrap_or_default(),
            timeout: Duration::from_secs(arguments.get_one("timeout").copied().unwrap_or_default()),
            flags: Flags::from_matches(arguments, &Self::FIELDS),
        }
    }

    fn command() -> Command {
        Command::new("health-check")
            .about("Ask a service on this machine how it is; exit with 0 if it is well")
            .arg(
                Arg::new("endpoint")
                    .long("endpoint")
                    .value_name("ENDPOINT")
                    .default_value("health")
                    .value_parser(["health", "ready", "live"])
                    .help("What to ask for"),
            )
            .arg(
                Arg::new("timeout")
                    .long("timeout")
                    .value_name("SECONDS")
                    .default_value("5")
                    .value_parser(value_parser!(u64).range(1..=300))
                    .help("Time for the answer"),
            )
            .args(Self::FIELDS.map(argument))
    }
}

/// Reads the command line.
pub(super) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Action, Box<clap::Error>> {
    let matches = command().try_get_matches_from(arguments).map_err(Box::new)?;
    Ok(match matches.subcommand() {
        Some(("diff", arguments)) => Action::Diff(Compared::from_matches(arguments)),
        Some(("health-check", arguments)) => Action::HealthCheck(Probe::from_matches(arguments)),
        Some(("capabilities", _)) => Action::Capabilities,
        Some(("config", _)) => Action::Config,
        Some(("completion", arguments)) => {
            Action::Completion(arguments.get_one("shell").copied().unwrap_or(Shell::Bash))
        }
        Some(("man", _)) => Action::ManualPage,
        _ => Action::Run(Flags::from_matches(&matches, FIELDS)),
    })
}

impl Compared {
    fn from_matches(arguments: &ArgMatches) -> Self {
        Self {
            old: arguments.get_one::<PathBuf>("old").cloned().unwrap_or_default(),
            new: arguments.get_one::<PathBuf>("new").cloned(),
            format: arguments.get_one("format").copied().unwrap_or(DiffFormat::Table),
            exit_code: arguments.get_flag("exit-code"),
        }
    }
}

/// The whole command line, for parsing, help, completions and the manual page.
pub(super) fn command() -> Command {
    Command::new("baton-northflank")
        .version(env!("CARGO_PKG_VERSION"))
        .about(
            "Reads who has access to a Northflank organization and writes it to a baton sync file",
        )
        .after_help(AFTER_HELP)
        .styles(STYLES)
        .max_term_width(100)
        .disable_version_flag(true)
        .arg(
            Arg::new("version")
                .short('v')
                .long("version")
                .action(ArgAction::Version)
                .help("Print version"),
        )
        .args(FIELDS.iter().map(|field| argument(field)))
        .args_conflicts_with_subcommands(true)
        .subcommands([
            Command::new("diff")
                .about("Compare two syncs: who and what came, went or changed")
                .arg(
                    Arg::new("old")
                        .value_name("OLD.c1z")
                        .required(true)
                        .value_parser(value_parser!(PathBuf))
                        .help("File with the earlier sync, its newest"),
                )
                .arg(
                    Arg::new("new")
                        .value_name("NEW.c1z")
                        .value_parser(value_parser!(PathBuf))
                        .help(
                            "File with the later sync; without it, the first file's two newest \
                               syncs are compared",
                        ),
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
                .arg(
                    Arg::new("exit-code")
                        .long("exit-code")
                        .action(ArgAction::SetTrue)
                        .help("Exit with 20 if something changed, with 0 if nothing did"),
                ),
            Probe::command(),
            Command::new("capabilities")
                .about("Print what the connector can sync, as JSON; needs no token"),
            Command::new("config").about("Print the settings that a form can show, as JSON"),
            Command::new("completion")
                .about("Print a script that completes the command line in a shell")
                .arg(
                    Arg::new("shell")
                        .value_name("SHELL")
                        .required(true)
                        .value_parser(value_parser!(Shell)),
                ),
            Command::new("man").about("Print the manual page, in roff").hide(true),
        ])
}

fn argument(field: &Field) -> Arg {
    let argument = Arg::new(field.name)
        .long(field.name)
        .help(help(field))
        .help_heading(field.group.heading())
        .value_name(field.value)
        .hide(field.is_hidden)
        .action(if field.kind == Kind::List { ArgAction::Append } else { ArgAction::Set });
    let argument = match field.short {
        Some(short) => argument.short(short),
        None => argument,
    };
    let optional = |argument: Arg, bare| {
        argument.num_args(0..=1).require_equals(true).default_missing_value(bare)
    };
    match field.kind {
        Kind::Switch => optional(argument, "true"),
        Kind::Option { bare } => optional(argument, bare),
        Kind::Number { .. } => argument.allow_negative_numbers(true),
        Kind::Text | Kind::List => argument,
    }
}

/// The field's help with its variable and default.
fn help(field: &Field) -> String {
    let default = match (field.is_required, field.default.or(field.default_in_words)) {
        (true, _) => " [required]".to_owned(),
        (false, Some(default)) => format!(" [default: {default}]"),
        (false, None) => String::new(),
    };
    let aside = field.aside.map(|aside| format!("; {aside}")).unwrap_or_default();
    format!("{}{aside} (${}){default}", field.help, field.variable())
}

#[cfg(test)]
mod tests {
    use super::{Action, FIELDS, Flags, Kind, command, parse};
    use std::collections::HashSet;

    fn flags(arguments: &[&str]) -> Flags {
        let arguments = ["x"].iter().chain(arguments).map(Into::into);
        let Ok(Action::Run(flags)) = parse(arguments) else { panic!("not a run") };
        flags
    }

    #[test]
    fn the_flags_are_consistent() {
        command().debug_assert();
        let names: HashSet<_> = FIELDS.iter().map(|field| field.name).collect();
        assert_eq!(names.len(), FIELDS.len());
        let is_number = |field: &&&super::Field| matches!(field.kind, Kind::Number { .. });
        for field in FIELDS.iter().filter(is_number) {
            assert!(field.default.unwrap().parse::<i64>().is_ok(), "{}", field.name);
        }
    }

    #[test]
    fn every_flag_that_is_shown_names_its_variable_in_the_help() {
        let help = command().render_help().to_string();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for field in FIELDS {
            let variable = format!("(${})", field.variable());
            assert_eq!(help.contains(&variable), !field.is_hidden, "{variable}");
        }
    }

    #[test]
    fn a_switch_needs_no_value_and_takes_one() {
        let given = |arguments: &[&str]| {
            flags(arguments).get(super::super::fields::DIFF).map(<[String]>::to_vec)
        };
        assert_eq!(given(&["--diff"]), Some(vec!["table".into()]));
        assert_eq!(given(&["--diff=json"]), Some(vec!["json".into()]));
        assert_eq!(given(&[]), None);
    }
}
