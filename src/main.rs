//! The `baton-northflank` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    baton_northflank::cli::main(std::env::args_os(), |name| std::env::var_os(name))
}
