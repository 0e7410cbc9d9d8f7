//! The flags. What they mean together with the environment is decided in
//! [`config`](super::config).

use clap::Parser;
use clap::builder::styling::{AnsiColor, Styles};

/// Headings and names stand out; values don't.
const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold());

/// Reads who has access to a Northflank organization and writes it to a sync file.
#[derive(Debug, Parser)]
#[command(
    name = "baton-northflank",
    version,
    styles = STYLES,
    about = "Reads who has access to a Northflank organization and writes it to a baton sync file",
    long_about = None,
    after_help = AFTER_HELP,
    max_term_width = 100
)]
pub(super) struct Flags {
    /// Northflank API token of an organization role that may read members and roles; better
    /// given by its variable than on the command line, which other users of the machine see
    /// ($BATON_NORTHFLANK_API_TOKEN) [required]
    #[arg(long, value_name = "TOKEN", help_heading = "Northflank")]
    pub(super) northflank_api_token: Option<Token>,

    /// Northflank API base URL ($BATON_NORTHFLANK_BASE_URL) [default: https://api.northflank.com]
    #[arg(long, value_name = "URL", help_heading = "Northflank")]
    pub(super) northflank_base_url: Option<String>,

    /// The sync file to write; an existing one gets a new sync and keeps the one before
    /// ($BATON_FILE) [default: sync.c1z]
    #[arg(short, long, value_name = "FILE", help_heading = "Sync")]
    pub(super) file: Option<String>,

    /// Lists to read side by side: a number, 0 for one at a time, -1 for automatic, which is
    /// 8 ($BATON_WORKERS) [default: -1]
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, help_heading = "Sync")]
    pub(super) workers: Option<String>,

    /// How much to log: debug, info, warn or error ($BATON_LOG_LEVEL) [default: info]
    #[arg(long, value_name = "LEVEL", help_heading = "Logs")]
    pub(super) log_level: Option<String>,

    /// How to log: console or json ($BATON_LOG_FORMAT) [default: console on a terminal, else json]
    #[arg(long, value_name = "FORMAT", help_heading = "Logs")]
    pub(super) log_format: Option<String>,
}

const AFTER_HELP: &str = "\
A flag goes before its variable. Further variables: BATON_KEEP_SYNC_COUNT, the number of syncs \
that a file keeps (default 2), and BATON_SKIP_CLEANUP, to keep all.

Exit codes: 0 done, 2 failed, 3 a mistake in flags, variables or file, 4 timed out, \
7 missing permissions, 14 Northflank or the file is unavailable, 16 the token is refused, \
130 and 143 stopped by SIGINT and SIGTERM.";

/// A token, which no output shows.
#[derive(Clone)]
pub(super) struct Token(pub(super) String);

impl From<String> for Token {
    fn from(token: String) -> Self {
        Self(token)
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("[token]")
    }
}

#[cfg(test)]
mod tests {
    use super::Flags;
    use clap::{CommandFactory, Parser};

    #[test]
    fn the_flags_are_consistent() {
        Flags::command().debug_assert();
    }

    #[test]
    fn no_debug_output_shows_the_token() {
        let flags = Flags::try_parse_from(["x", "--northflank-api-token", "nf-secret"]).unwrap();
        assert!(!format!("{flags:?}").contains("nf-secret"));
    }

    #[test]
    fn every_flag_names_its_variable_in_the_help() {
        let help = Flags::command().render_help().to_string();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for argument in Flags::command().get_arguments() {
            let name = argument.get_long().unwrap();
            let variable = format!("($BATON_{})", name.replace('-', "_").to_uppercase());
            assert!(help.contains(&variable), "{variable}");
        }
    }
}
