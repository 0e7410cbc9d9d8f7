//! The command line: settings, commands, what a person sees, exit codes.

mod collector_status;
mod command;
mod exit;
mod exit_code_list;
mod logging;
mod output;
mod output_queue;
mod pending_file;
mod rules_file;
mod signal;
mod telemetry;
mod terminal;
mod unpacking;

use std::ffi::OsString;
use std::process::ExitCode;

use crate::config::Secrets;
use command::Command;

/// Runs the connector with `arguments` (the program's name first) and the environment that
/// `variable` looks into. Returns the process's exit code.
pub fn main(
    arguments: impl IntoIterator<Item = OsString>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> ExitCode {
    let secrets = Secrets::of(&variable);
    signal::survive_file_size_limit();
    match Command::parse(arguments) {
        Ok(command) => {
            let outcome = command.run(&variable);
            signal::give_way();
            exit::report_outcome(outcome, &secrets)
        }
        Err(unread) => exit::usage(&unread, &secrets),
    }
}
