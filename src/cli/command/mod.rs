//! Commands: one file for each, with its part of the command line beside what it does.

mod access;
mod capabilities;
mod check;
mod completion;
mod config;
mod demo;
mod diff;
mod health_check;
mod manual_page;
mod review;
mod run;
mod serve;
mod sync;
mod syncs;

use std::ffi::OsString;

use clap::builder::styling::{AnsiColor, Styles};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction};
use clap_complete::Shell;

use super::exit::Failure;
use super::exit_code_list::exit_codes;
use crate::config::{Config, FIELDS, Field, FieldKind, Flags, Secrets, Variables, arguments};

use access::AccessArgs;
use check::CheckArgs;
use demo::DemoArgs;
use diff::DiffArgs;
use health_check::HealthCheckArgs;
use review::ReviewArgs;
use syncs::SyncsArgs;

/// Headings and names stand out; values don't.
const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold());

const AFTER_HELP: &str = "\
A setting is taken from its flag, else from its variable, else from the file .baton.yaml (or \
the one that BATON_CONFIG_PATH names), where it is called like the flag without dashes. Further \
variables: BATON_KEEP_SYNC_COUNT, the number of syncs that a file keeps (default: as many as it has, 2 at least), and \
BATON_SKIP_CLEANUP, to keep all.

All settings, also those that are accepted and do nothing here: \
https://github.com/ConductorOne/baton-northflank/blob/main/docs/settings.md";

/// What is to be done.
pub(super) enum Command {
    /// Sync, once or as a service.
    Run(Flags),
    /// Tell who has access to what.
    Access(AccessArgs),
    /// Judge a sync by rules.
    Review(ReviewArgs),
    /// Compare two syncs.
    Diff(DiffArgs),
    /// List the syncs of a file.
    Syncs(SyncsArgs),
    /// Say what the token may read, and what Northflank answers.
    Check(CheckArgs),
    /// Sync a made-up organization, and tell who has access.
    Demo(DemoArgs),
    /// Ask a running service how it is.
    HealthCheck(HealthCheckArgs),
    /// Print what the connector can do.
    Capabilities(Flags),
    /// Print the schema of the configuration.
    Config,
    /// Print a script that completes the command line.
    Completion(Shell),
    /// Print the manual page.
    ManualPage,
}

impl Command {
    /// Reads the command line.
    pub(super) fn parse(
        words: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, Box<clap::Error>> {
        let words: Vec<_> = words.into_iter().collect();
        let program = words.first().cloned().unwrap_or_default();
        let matches = command_line().try_get_matches_from(&words);
        let matches = matches.map_err(|error| Box::new(explained(error, &words)))?;
        Ok(match matches.subcommand() {
            Some(("access", arguments)) => Self::Access(AccessArgs::from_matches(arguments)),
            Some(("review", arguments)) => Self::Review(ReviewArgs::from_matches(arguments)),
            Some(("diff", arguments)) => Self::Diff(DiffArgs::from_matches(arguments)),
            Some(("syncs", arguments)) => Self::Syncs(SyncsArgs::from_matches(arguments)),
            Some(("check", arguments)) => Self::Check(CheckArgs::from_matches(arguments)),
            Some(("demo", arguments)) => Self::Demo(DemoArgs::from_matches(arguments, &program)),
            Some(("health-check", arguments)) => {
                Self::HealthCheck(HealthCheckArgs::from_matches(arguments))
            }
            Some(("capabilities", arguments)) => Self::Capabilities(capabilities::flags(arguments)),
            Some(("config", _)) => Self::Config,
            Some(("completion", arguments)) => Self::Completion(completion::shell(arguments)),
            Some(("man", _)) => Self::ManualPage,
            _ => Self::Run(Flags::from_matches(&matches, FIELDS)),
        })
    }

    /// Does it.
    pub(super) fn run(self, variables: Variables<'_>) -> Result<(), Failure> {
        match self {
            Self::Run(flags) => {
                run::run(Config::resolve(&flags, variables)?, &Secrets::of(variables))
            }
            Self::Access(telling) => telling.run(),
            Self::Review(review) => review.run(),
            Self::Diff(compared) => compared.print(),
            Self::Syncs(listed) => listed.print(),
            Self::Check(check) => check.print(variables),
            Self::Demo(demo) => demo.play(Self::run_alone),
            Self::HealthCheck(probe) => probe.probe(variables),
            Self::Capabilities(flags) => capabilities::print(&flags, variables),
            Self::Config => config::print(),
            Self::Completion(shell) => completion::print(command_line(), shell),
            Self::ManualPage => manual_page::print(command_line()),
        }
    }

    /// Does what a command line says, without its first word, whatever variables and settings
    /// file say.
    fn run_alone(words: &[OsString]) -> Result<(), Failure> {
        let program = [OsString::from("baton-northflank")];
        match Self::parse(program.iter().chain(words).cloned()) {
            Ok(Self::Run(flags)) => run::run(Config::of_flags(&flags)?, &Secrets::default()),
            Ok(command) => command.run(&|_| None),
            Err(unread) => Err(Failure::Usage(unread.to_string())),
        }
    }
}

/// The whole command line, for parsing, help, completions and the manual page.
fn command_line() -> clap::Command {
    clap::Command::new("baton-northflank")
        .version(env!("CARGO_PKG_VERSION"))
        .about(
            "Reads who has access to a Northflank organization and writes it to a baton sync file",
        )
        .after_help(format!("{AFTER_HELP}\n\n{}", exit_codes()))
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
        .args(arguments(FIELDS))
        .args_conflicts_with_subcommands(true)
        .subcommands([
            access::command(),
            review::command(),
            check::command(),
            demo::command(),
            diff::command(),
            syncs::command(),
            health_check::command(),
            capabilities::command(),
            config::command(),
            completion::command(),
            manual_page::command(),
        ])
}

/// The same mistake, but that a word behind a flag is taken for no command that there isn't.
fn explained(error: clap::Error, words: &[OsString]) -> clap::Error {
    let mut command = command_line();
    let word = match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(word))
            if error.kind() == ErrorKind::ArgumentConflict
                && command.find_subcommand(word).is_none() =>
        {
            word.clone()
        }
        _ => return error,
    };
    let before = words.windows(2).find(|pair| pair[1] == *word).map(|pair| &pair[0]);
    let flag = FIELDS.iter().find(|field| {
        let short = field.short.map(|short| format!("-{short}"));
        matches!(field.kind, FieldKind::Switch | FieldKind::Option { .. })
            && before.is_some_and(|before| {
                *before == *format!("--{}", field.name) || short.is_some_and(|it| *before == *it)
            })
    });
    let mistake = match flag {
        Some(Field { name, .. }) => {
            format!("a value of '--{name}' stands behind an equals sign: '--{name}={word}'")
        }
        None => format!("unexpected argument '{word}' found"),
    };
    command.error(ErrorKind::UnknownArgument, mistake)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        super::command_line().debug_assert();
    }
}
