//! `man`: the manual page.

use std::io;

use clap_mangen::Man;

use crate::cli::exit::Failure;
use crate::cli::output;

/// The subcommand.
pub(super) fn command() -> clap::Command {
    clap::Command::new("man").about("Print the manual page, in roff").hide(true)
}

/// Prints the manual page of `whole`, the whole command line.
pub(super) fn print(whole: clap::Command) -> Result<(), Failure> {
    output::print(&page(whole).map_err(Failure::Output)?)
}

/// One page for all commands: it refers to no others.
fn page(mut whole: clap::Command) -> io::Result<Vec<u8>> {
    // So that commands know their whole names.
    whole.build();
    let mut page = Vec::new();
    let man = Man::new(whole.clone());
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    for command in whole.get_subcommands().filter(|command| !command.is_hide_set()) {
        page.extend(section(command)?);
    }
    man.render_extra_section(&mut page)?;
    man.render_version_section(&mut page)?;
    Ok(page)
}

/// The section of one command, with what stands in sections of the whole as parts of it.
fn section(command: &clap::Command) -> io::Result<Vec<u8>> {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_uppercase();
    let mut parts = Vec::new();
    let man = Man::new(command.clone());
    man.render_description_section(&mut parts)?;
    man.render_synopsis_section(&mut parts)?;
    man.render_options_section(&mut parts)?;
    let parts = String::from_utf8(parts).map_err(io::Error::other)?;
    Ok(format!(".SH {name}\n{}", parts.replace("\n.SH ", "\n.SS ")).into())
}
