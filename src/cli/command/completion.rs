//! `completion SHELL`: a script that completes the command line.

use clap::{Arg, value_parser};
use clap_complete::Shell;

use crate::cli::exit::Failure;
use crate::cli::output;

/// The subcommand.
pub(super) fn command() -> clap::Command {
    clap::Command::new("completion")
        .about("Print a script that completes the command line in a shell")
        .arg(
            Arg::new("shell").value_name("SHELL").required(true).value_parser(value_parser!(Shell)),
        )
}

/// The shell that was named.
pub(super) fn shell(arguments: &clap::ArgMatches) -> Shell {
    arguments.get_one("shell").copied().unwrap_or(Shell::Bash)
}

/// Prints a script that completes `whole`, the whole command line, in `shell`.
pub(super) fn print(mut whole: clap::Command, shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    let name = whole.get_name().to_owned();
    clap_complete::generate(shell, &mut whole, name, &mut script);
    output::print(&script)
}
