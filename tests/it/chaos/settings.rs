//! What the connector is told to do.

use std::collections::BTreeSet;

use fake_northflank::Organization;

use super::draw::Draw;
use super::faults::IMPATIENT;
use crate::harness::{Connector, expected};

/// How much of each resource is to be synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    Everything,
    NoGrants,
    ResourcesOnly,
}

/// How ids end that no organization has.
const NONE: &str = "-that-is-none";

/// What part of the organization is to be synced.
#[derive(Debug, Clone)]
pub(super) struct Selection {
    pub(super) depth: Depth,
    /// All if empty.
    pub(super) types: BTreeSet<&'static str>,
    /// Type and id; all if empty.
    pub(super) resources: BTreeSet<(&'static str, String)>,
    /// Teams and their roles besides.
    pub(super) teams: bool,
    /// API tokens besides.
    pub(super) secrets: bool,
}

impl Selection {
    pub(super) const ALL: Self = Self {
        depth: Depth::Everything,
        types: BTreeSet::new(),
        resources: BTreeSet::new(),
        teams: false,
        secrets: false,
    };

    /// Whether resources of a type are asked for.
    pub(super) fn has_type(&self, of: &str) -> bool {
        let is_named = |of: &str| {
            let is_wanted = || self.resources.iter().any(|(wanted, _)| *wanted == of);
            self.teams || self.types.contains(of) || (self.types.is_empty() && is_wanted())
        };
        match of {
            "api-token" => self.secrets,
            "team-role" => is_named(of),
            "team" => is_named(of) || is_named("team-role"),
            _ => self.types.is_empty() || self.types.contains(of),
        }
    }

    /// Whether the list of teams is read.
    pub(super) fn reads_teams(&self) -> bool {
        self.has_type("team") || self.secrets
    }

    /// Whether one of the resources is a team, or belongs to one.
    pub(super) fn names_teams(&self) -> bool {
        let of_teams = ["team", "team-role", "api-token"];
        self.resources.iter().any(|(of, _)| of_teams.contains(of))
    }

    /// Whether one of the resources is none.
    pub(super) fn names_nothing(&self) -> bool {
        self.resources.iter().any(|(_, id)| id.ends_with(NONE))
    }

    pub(super) fn is_all(&self) -> bool {
        self.depth == Depth::Everything && self.types.is_empty() && self.resources.is_empty()
    }

    fn any(draw: &mut Draw, organization: &Organization) -> Self {
        let (teams, secrets) = (draw.percent(35), draw.percent(25));
        let mut selection = Self { teams, secrets, ..Self::ALL };
        if draw.percent(60) {
            return selection;
        }
        selection.depth = draw.one(&[
            Depth::Everything,
            Depth::Everything,
            Depth::NoGrants,
            Depth::ResourcesOnly,
        ]);
        if draw.percent(50) {
            let all = [("group", 60), ("role", 60), ("team", 25), ("team-role", 25), ("user", 60)];
            let drawn = all.into_iter().filter(|(_, percent)| draw.percent(*percent));
            selection.types = drawn.map(|(of, _)| of).collect();
        }
        if draw.percent(50) {
            let members = organization.members.iter().map(|member| ("user", member.id.clone()));
            let roles = organization.roles.iter().map(|role| ("role", role.id.clone()));
            let groups = organization.groups.iter().map(|group| ("group", group.id.clone()));
            let teams = organization.teams.iter().flat_map(|team| {
                let of_team = |id: &str| format!("{}/{id}", team.id);
                let roles = team.roles.iter().map(move |role| ("team-role", of_team(&role.id)));
                std::iter::once(("team", team.id.clone())).chain(roles)
            });
            let tokens = expected::tokens(organization).into_iter();
            let tokens = tokens.filter_map(|key| {
                let (_, id) = key.split_once(':')?;
                Some(("api-token", id.to_owned()))
            });
            // What a list of settings can carry.
            let is_plain = |id: &str| {
                let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-/@".contains(&byte);
                id.bytes().all(is_plain)
            };
            let may_be_named = |of: &str| match of {
                "api-token" => selection.secrets,
                _ => selection.types.is_empty() || selection.has_type(of),
            };
            let all: Vec<_> = members
                .filter(|_| draw.percent(5))
                .chain(roles)
                .chain(groups)
                .chain(teams)
                .chain(tokens)
                .filter(|(of, id)| is_plain(id) && may_be_named(of))
                .collect();
            if !all.is_empty() {
                selection.resources = (0..draw.number(1..=3)).map(|_| draw.one(&all)).collect();
                if draw.percent(10) {
                    let (of, id) = draw.one(&all);
                    selection.resources.insert((of, format!("{id}{NONE}")));
                }
            }
        }
        selection
    }
}

/// Which earlier syncs are to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    All,
    /// So many of a kind, the new one among them.
    Newest(usize),
    /// As many of a kind as there are, and two at least.
    AsMany,
}

/// What the connector is told.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "switches, each of its own")]
pub(super) struct Settings {
    pub(super) selection: Selection,
    pub(super) keep: Keep,
    /// Whether what changed is to be shown.
    pub(super) shows_changes: bool,
    /// Whether a request that says nothing is given up in time for a test.
    pub(super) is_impatient: bool,
    /// Whether no time may be spent on waiting for the rate limit.
    pub(super) never_waits: bool,
    /// Whether each line of the log is JSON.
    pub(super) logs_json: bool,
    arguments: Vec<String>,
    variables: Vec<(&'static str, String)>,
}

impl Settings {
    /// None at all, or those that ask for all that has to be asked for.
    pub(super) fn plain(asks_for_all: bool) -> Self {
        let arguments: &[&str] =
            if asks_for_all { &["--sync-teams", "--sync-secrets"] } else { &[] };
        Self {
            selection: Selection { teams: asks_for_all, secrets: asks_for_all, ..Selection::ALL },
            keep: Keep::AsMany,
            shows_changes: false,
            is_impatient: false,
            never_waits: false,
            logs_json: true,
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            variables: Vec::new(),
        }
    }

    pub(super) fn any(draw: &mut Draw, organization: &Organization) -> Self {
        let mut settings =
            Self { selection: Selection::any(draw, organization), ..Self::plain(false) };
        let mut arguments: Vec<String> = Vec::new();
        let mut say = |flag: &str, value: String| arguments.extend([flag.to_owned(), value]);
        if draw.percent(60) {
            let workers = draw.one(&["-1", "0", "1", "2", "4", "16", "64"]);
            say("--workers", workers.to_owned());
        }
        if draw.percent(40) {
            say("--http-timeout-seconds", IMPATIENT.to_string());
            settings.is_impatient = true;
        }
        if draw.percent(10) {
            settings.never_waits = draw.percent(50);
            let wait = if settings.never_waits { "0s" } else { "10m" };
            say("--max-wait", wait.to_owned());
        }
        if draw.percent(30) {
            say("--log-level", draw.one(&["debug", "info", "warn", "error"]).to_owned());
        }
        if draw.percent(20) {
            say("--log-format", "console".to_owned());
            settings.logs_json = false;
        }
        let Selection { depth, types, resources, teams, secrets } = &settings.selection;
        if !types.is_empty() {
            say("--sync-resource-types", types.iter().copied().collect::<Vec<_>>().join(","));
        }
        if !resources.is_empty() {
            let ids = resources.iter().map(|(of, id)| format!("{of}/{id}"));
            say("--sync-resources", ids.collect::<Vec<_>>().join(","));
        }
        match depth {
            Depth::Everything => {}
            Depth::NoGrants => arguments.push("--skip-grants".to_owned()),
            Depth::ResourcesOnly => arguments.push("--skip-entitlements-and-grants".to_owned()),
        }
        let switches = [(*teams, "--sync-teams"), (*secrets, "--sync-secrets")];
        arguments.extend(switches.iter().filter(|(on, _)| *on).map(|(_, it)| (*it).to_owned()));
        if draw.percent(15) {
            arguments.push("--no-resume".to_owned());
        }
        if draw.percent(40) {
            let count = draw.number(1..=4);
            settings.keep = Keep::Newest(count);
            settings.variables.push(("BATON_KEEP_SYNC_COUNT", count.to_string()));
        }
        if draw.percent(15) {
            settings.keep = Keep::All;
            settings.variables.push(("BATON_SKIP_CLEANUP", "true".to_owned()));
        }
        if draw.percent(15) {
            settings.variables.push(("TMPDIR", "/nowhere/at/all".to_owned()));
        }
        if settings.selection.is_all() && settings.keep != Keep::Newest(1) && draw.percent(15) {
            settings.shows_changes = true;
            arguments.push("--diff=json".to_owned());
            if draw.percent(50) {
                arguments.push("--exit-code".to_owned());
            }
        }
        settings.arguments = arguments;
        settings
    }

    /// Whether there is no place for what unpacks a file to show what changed.
    pub(super) fn has_no_scratch(&self) -> bool {
        self.variables.iter().any(|(name, _)| *name == "TMPDIR")
    }

    /// Tells a connector.
    pub(super) fn tell(&self, connector: Connector) -> Connector {
        let connector = connector.arguments(&self.arguments);
        self.variables
            .iter()
            .fold(connector, |connector, (name, value)| connector.variable(name, value))
    }
}
