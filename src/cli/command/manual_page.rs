//! `man`: the manual page.

use crate::cli::exit::Failure;
use crate::cli::output;

/// The subcommand.
pub(super) fn command() -> clap::Command {
    clap::Command::new("man").about("Print the manual page, in roff").hide(true)
}

/// Prints the manual page of `whole`, the whole command line.
pub(super) fn print(whole: clap::Command) -> Result<(), Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(whole).render(&mut page).map_err(Failure::Output)?;
    output::print(&page)
}
