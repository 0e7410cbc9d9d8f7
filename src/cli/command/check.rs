//! `check`: what the token is, what it may read and what a sync would take, on one screen, or
//! what Northflank's answers look like.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches};
use serde_json::json;
use time::{OffsetDateTime, UtcOffset};

use crate::baton::printable;
use crate::cli::exit::Failure;
use crate::cli::output;
use crate::cli::settings::{self, Flags, NORTHFLANK_FIELDS, Variables};
use crate::northflank::{
    Client, Error, Expiry, FirstPage, Listed, Owner, Problem, Shapes, Whoami, Window,
};
use crate::sync::{self, Checks, Scope};

/// What is to be shown of Northflank's answers.
pub(crate) struct Check {
    /// Their shapes instead of what they mean.
    shapes: bool,
    /// How to reach Northflank.
    flags: Flags,
}

/// The subcommand.
pub(super) fn command() -> clap::Command {
    clap::Command::new("check")
        .about(
            "Say who the token is, what it may read and what a sync takes at least; exit as a \
             sync would, without touching a file",
        )
        .arg(Arg::new("shapes").long("shapes").action(ArgAction::SetTrue).help(
            "Print instead what Northflank's answers look like, as JSON: names, types \
                     and counts, and no value, fit for a public bug report",
        ))
        .args(settings::arguments(NORTHFLANK_FIELDS))
}

impl Check {
    /// What was typed.
    pub(super) fn from_matches(arguments: &ArgMatches) -> Self {
        Self {
            shapes: arguments.get_flag("shapes"),
            flags: Flags::from_matches(arguments, NORTHFLANK_FIELDS),
        }
    }

    /// Asks Northflank, and prints what it answers.
    pub(super) fn print(&self, variables: Variables<'_>) -> Result<(), Failure> {
        let mut settings = settings::northflank_settings(&self.flags, variables)?;
        // Whoever asks looks at the screen: they are told of a wait instead of made to wait.
        settings.max_wait.get_or_insert(Duration::ZERO);
        let shapes = Arc::new(Shapes::default());
        let client = Client::new(&settings)?.recording(&shapes);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let checking = Checks::make(&client, |_| ());
        let checks = runtime.map_err(Failure::Runtime)?.block_on(checking);
        let now = OffsetDateTime::now_utc();
        if self.shapes {
            let version = env!("CARGO_PKG_VERSION");
            let text = output::json(&json!({"connector": version, "answers": shapes.json()}))?;
            output::print(text.as_bytes())?;
        } else {
            output::print(screen(&checks, client.window(), now).as_bytes())?;
        }
        checks.verdict(now).map(drop).map_err(|error| sync::Error::from(error).into())
    }
}

/// What the checks tell.
fn screen(checks: &Checks, window: Option<Window>, now: OffsetDateTime) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        // Names are Northflank's, and so anybody's.
        let _ = writeln!(text, "{name:<18}{}", printable(value));
    };
    let nobody = Whoami::default();
    let whoami = checks.whoami.as_ref().unwrap_or(&nobody);
    let is_answered = is_answered(checks);
    let unknown = if is_answered {
        "unknown, Northflank doesn't tell"
    } else {
        "unknown, Northflank doesn't answer"
    };
    let said = |value: &Option<String>| value.clone().unwrap_or_else(|| unknown.to_owned());
    line("Token", &said(&whoami.token));
    line("Role", &said(&whoami.role));
    let owner = if whoami.owner == Some(Owner::Team) { "Team" } else { "Organization" };
    line(owner, &said(&whoami.slug));
    let expires = checks.whoami.as_ref().map(|whoami| expiry(whoami, now));
    line("Expires", &said(&expires));
    if is_answered {
        line("Members", &readable(Scope::Members, &checks.members));
        line("Roles", &readable(Scope::Roles, &checks.roles));
        line("Directory groups", &readable(Scope::DirectoryGroups, &checks.groups));
        line("Directory Sync", &directory_sync(checks));
    } else {
        // Why, the error says, once.
        for name in ["Members", "Roles", "Directory groups", "Directory Sync"] {
            line(name, unknown);
        }
    }
    line("Rate limit", &said(&window.map(rate_limit)));
    let requests = format!("{} requests at least", least_requests(checks));
    line("A sync takes", if is_answered { &requests } else { unknown });
    text
}

/// Whether there was an answer to anything.
fn is_answered(checks: &Checks) -> bool {
    fn has_answer<T>(first: &Result<FirstPage<T>, Error>) -> bool {
        !matches!(first, Err(Error { problem: Problem::Transport { .. }, .. }))
    }
    checks.whoami.is_some()
        || has_answer(&checks.members)
        || has_answer(&checks.roles)
        || has_answer(&checks.groups)
}

fn expiry(whoami: &Whoami, now: OffsetDateTime) -> String {
    let at = match whoami.expiry {
        Expiry::Never => return "never".to_owned(),
        Expiry::Unreadable => {
            return "unknown, Northflank tells it in a form that isn't documented".to_owned();
        }
        Expiry::At(at) => at,
    };
    let day = at.to_offset(UtcOffset::UTC).date();
    match (at - now).whole_days() {
        _ if at <= now => format!("{day}, which has passed"),
        0 => format!("{day}, within a day"),
        1 => format!("{day}, in 1 day"),
        days => format!("{day}, in {days} days"),
    }
}

fn readable<T: Listed>(scope: Scope, first: &Result<FirstPage<T>, Error>) -> String {
    match first {
        Ok(answer) => {
            let more = if answer.page.is_last { "" } else { " and more" };
            format!("readable, {}{more}", answer.page.rows.len())
        }
        Err(error) => match error.refusal() {
            Some(answer) if answer.is_refused() => {
                let named = answer.required_permission.as_ref();
                let named = named.map_or(String::new(), |named| format!(" ({named})"));
                format!("refused; needs {}{named}", scope.permission())
            }
            _ => format!("unknown: {}", error.problem),
        },
    }
}

fn directory_sync(checks: &Checks) -> String {
    match &checks.groups {
        Ok(answer) if answer.page.rows.is_empty() => "no, or no groups in it",
        Ok(_) => "yes",
        Err(error) if checks.lack_directory_sync(error) => {
            "no: groups can't be listed, and no role is linked to one"
        }
        Err(_) => "unknown",
    }
    .to_owned()
}

fn rate_limit(Window { limit, remaining, reserve }: Window) -> String {
    format!("{remaining} of {limit} requests left in this window, {reserve} of them in reserve")
}

/// Every list takes a request for each of its pages, and one at least.
fn least_requests(checks: &Checks) -> usize {
    fn pages<T>(first: &Result<FirstPage<T>, Error>) -> usize {
        let has_more = first.as_ref().is_ok_and(|answer| !answer.page.is_last);
        1 + usize::from(has_more)
    }
    fn lists<T>(first: &Result<FirstPage<T>, Error>) -> usize {
        first.as_ref().map_or(0, |answer| answer.page.rows.len())
    }
    let whoami = 1;
    let lists_of_lists = pages(&checks.members) + pages(&checks.roles) + pages(&checks.groups);
    whoami + lists_of_lists + lists(&checks.roles) + lists(&checks.groups)
}
