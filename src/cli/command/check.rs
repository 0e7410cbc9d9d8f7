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
use crate::config::{Flags, NORTHFLANK_FIELDS, SELECTION_FIELDS, Variables};
use crate::northflank::{
    Client, Error, List, ListKind, Problem, RateWindow, SchemaReport, StartedList, TokenExpiry,
    TokenOwner, Whoami,
};
use crate::sync::{self, Preflight, SyncSelection};

/// What is to be shown of Northflank's answers.
pub(crate) struct CheckArgs {
    /// Their shapes instead of what they mean.
    shapes: bool,
    /// How to reach Northflank, and what of it a sync would read.
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
        .args(crate::config::arguments(NORTHFLANK_FIELDS))
        .args(crate::config::arguments(SELECTION_FIELDS))
}

impl CheckArgs {
    /// What was typed.
    pub(super) fn from_matches(arguments: &ArgMatches) -> Self {
        Self {
            shapes: arguments.get_flag("shapes"),
            flags: Flags::from_matches(arguments, &[NORTHFLANK_FIELDS, SELECTION_FIELDS].concat()),
        }
    }

    /// Asks Northflank, and prints what it answers.
    pub(super) fn print(&self, variables: Variables<'_>) -> Result<(), Failure> {
        let (mut settings, selection) = crate::config::northflank_settings(&self.flags, variables)?;
        // Whoever asks looks at the screen: they are told of a wait instead of made to wait.
        settings.max_wait.get_or_insert(Duration::ZERO);
        let shapes = Arc::new(SchemaReport::default());
        let client = Client::new(&settings)?.recording(&shapes);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let checking = Preflight::make(&client, &selection, |_| ());
        let checks = runtime.map_err(Failure::Runtime)?.block_on(checking);
        let now = OffsetDateTime::now_utc();
        if self.shapes {
            let version = env!("CARGO_PKG_VERSION");
            let text = output::json(&json!({"connector": version, "answers": shapes.json()}))?;
            output::print(text.as_bytes())?;
        } else {
            output::print(screen(&checks, &selection, client.window(), now).as_bytes())?;
        }
        checks.verdict(now).map(drop).map_err(|error| sync::Error::from(error).into())
    }
}

/// What the checks tell.
fn screen(
    checks: &Preflight,
    selection: &SyncSelection,
    window: Option<RateWindow>,
    now: OffsetDateTime,
) -> String {
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
    let owner = if whoami.owner == Some(TokenOwner::Team) { "Team" } else { "Organization" };
    line(owner, &said(&whoami.slug));
    let expires = checks.whoami.as_ref().map(|whoami| expiry(whoami, now));
    line("Expires", &said(&expires));
    if is_answered {
        for (kind, list) in &checks.lists {
            line(&name(*kind), &readable(*kind, list));
        }
        for kind in &checks.unasked {
            let declaration = kind.declaration();
            let needs = format!("unknown, teams can't be listed; needs {}", declaration.permission);
            line(&name(*kind), &needs);
        }
        line("Directory Sync", &directory_sync(checks));
    } else {
        // Why, the error says, once.
        for (kind, _) in &checks.lists {
            line(&name(*kind), unknown);
        }
        line("Directory Sync", unknown);
    }
    line("Rate limit", &said(&window.map(rate_limit)));
    let requests = format!("{} requests at least", least_requests(checks, selection));
    line("A sync takes", if is_answered { &requests } else { unknown });
    text
}

/// Whether there was an answer to anything.
fn is_answered(checks: &Preflight) -> bool {
    let has_answer = |list: &Result<StartedList, Error>| {
        !matches!(list, Err(Error { problem: Problem::Transport { .. }, .. }))
    };
    checks.whoami.is_some() || checks.lists.iter().any(|(_, list)| has_answer(list))
}

/// What a list is called.
fn name(kind: ListKind) -> String {
    let name = kind.declaration().rows;
    let first = name.chars().next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(name.chars().skip(1)).collect()
}

fn expiry(whoami: &Whoami, now: OffsetDateTime) -> String {
    let at = match whoami.expiry {
        TokenExpiry::Never => return "never".to_owned(),
        TokenExpiry::Unreadable => {
            return "unknown, Northflank tells it in a form that isn't documented".to_owned();
        }
        TokenExpiry::At(at) => at,
    };
    let day = at.to_offset(UtcOffset::UTC).date();
    match (at - now).whole_days() {
        _ if at <= now => format!("{day}, which has passed"),
        0 => format!("{day}, within a day"),
        1 => format!("{day}, in 1 day"),
        days => format!("{day}, in {days} days"),
    }
}

fn readable(kind: ListKind, list: &Result<StartedList, Error>) -> String {
    match list {
        Ok(list) => {
            let more = if list.first.is_last { "" } else { " and more" };
            let of = match &list.first.list {
                List { parent: None, .. } => String::new(),
                of => format!(" in the {of}"),
            };
            format!("readable, {}{more}{of}", list.first.rows.len())
        }
        Err(error) => match error.refusal() {
            Some(answer) if answer.is_refused() => {
                let named = answer.required_permission.as_ref();
                let named = named.map_or(String::new(), |named| format!(" ({named})"));
                format!("refused; needs {}{named}", kind.declaration().permission)
            }
            _ => format!("unknown: {}", error.problem),
        },
    }
}

fn directory_sync(checks: &Preflight) -> String {
    match checks.list(ListKind::DirectoryGroups) {
        Some(Ok(list)) if list.first.rows.is_empty() => "no, or no groups in it",
        Some(Ok(_)) => "yes",
        Some(Err(error)) if checks.lack_directory_sync(error) => {
            "no: groups can't be listed, and no role is linked to one"
        }
        Some(Err(_)) | None => "unknown",
    }
    .to_owned()
}

fn rate_limit(RateWindow { limit, remaining, reserve }: RateWindow) -> String {
    format!("{remaining} of {limit} requests left in this window, {reserve} of them in reserve")
}

/// Every list takes a request for each of its pages, and one at least.
fn least_requests(checks: &Preflight, selection: &SyncSelection) -> usize {
    let whoami = 1;
    let requests = checks.lists.iter().map(|(kind, list)| {
        // One that belongs to something is counted with that.
        let first_page = usize::from(kind.parent().is_none());
        let Ok(StartedList { first, .. }) = list else { return first_page };
        let has_more = usize::from(!first.is_last && selection.has_list(&first.list));
        let ids = first.rows.iter().filter_map(|row| row.id());
        let below = ids.flat_map(|id| {
            let kinds = kind.declaration().of_each_row.iter();
            kinds.map(|kind| List::of(*kind, first.list.id_of(id)))
        });
        first_page + has_more + below.filter(|list| selection.has_list(list)).count()
    });
    whoami + requests.sum::<usize>()
}
