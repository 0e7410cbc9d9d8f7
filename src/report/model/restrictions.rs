//! Where a role applies, as the profile of a role of this connector's tells.

use std::fmt;

use prost_types::value::Kind;
use prost_types::{Struct, Value};
use serde::Serialize;

use crate::baton::v2::Resource;

use super::profile_keys::{
    PROJECT_MODE, PROJECTS, RESTRICTED, TEAM, TEAMS, is_our_role, is_our_team_role,
};

/// Where a role applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RestrictionText {
    /// Whether it is restricted to teams; `None` where nobody knows.
    pub restricted: Option<bool>,
    pub teams: Vec<RestrictedTeam>,
}

/// A team that a role is restricted to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RestrictedTeam {
    pub id: String,
    /// Whether the role applies to these projects (`in`) or to all others (`notIn`); `None` if
    /// it applies to all.
    pub project_mode: Option<String>,
    /// The projects' ids.
    pub projects: Vec<String>,
}

impl RestrictionText {
    /// Those of a role of this connector's; of nothing else.
    pub fn of(resource: &Resource) -> Option<Self> {
        let profile = resource.profile.as_ref()?;
        let restricted = match kind(profile, RESTRICTED) {
            Some(Kind::BoolValue(restricted)) => Some(*restricted),
            _ => None,
        };
        let team = |id: &str, of: &Struct| RestrictedTeam {
            id: text(of, id).unwrap_or_default(),
            project_mode: text(of, PROJECT_MODE),
            projects: list(of, PROJECTS).iter().filter_map(as_text).collect(),
        };
        if is_our_team_role(resource) {
            // It applies in its own team, whatever it is restricted to there.
            return Some(Self { restricted, teams: vec![team(TEAM, profile)] });
        }
        if !is_our_role(resource) {
            return None;
        }
        let teams = list(profile, TEAMS).iter().filter_map(|of| match &of.kind {
            Some(Kind::StructValue(of)) => Some(team("id", of)),
            _ => None,
        });
        Some(Self { restricted, teams: teams.collect() })
    }
}

impl fmt::Display for RestrictionText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.restricted, &self.teams[..]) {
            (None, _) => formatter.write_str("where it applies isn't known"),
            (Some(false), []) => formatter.write_str("applies everywhere"),
            (Some(true), []) => formatter.write_str("restricted to no team"),
            (Some(_), teams) => {
                let teams: Vec<_> = teams.iter().map(ToString::to_string).collect();
                write!(formatter, "applies only in {}", teams.join(", "))
            }
        }
    }
}

impl fmt::Display for RestrictedTeam {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = if self.id.is_empty() { "without an id" } else { &self.id };
        let projects = self.projects.join(", ");
        match (self.project_mode.as_deref(), &self.projects[..]) {
            (None, _) | (Some("notIn"), []) => write!(formatter, "team {id} (all projects)"),
            (Some("in"), []) => write!(formatter, "team {id} (no project)"),
            (Some("in"), [_]) => write!(formatter, "team {id} (only project {projects})"),
            (Some("in"), _) => write!(formatter, "team {id} (only projects {projects})"),
            (Some("notIn"), _) => write!(formatter, "team {id} (all projects but {projects})"),
            // A word that came later.
            (Some(mode), _) => write!(formatter, "team {id} ({mode}: {projects})"),
        }
    }
}

fn kind<'profile>(profile: &'profile Struct, key: &str) -> Option<&'profile Kind> {
    profile.fields.get(key)?.kind.as_ref()
}

fn list<'profile>(profile: &'profile Struct, key: &str) -> &'profile [Value] {
    match kind(profile, key) {
        Some(Kind::ListValue(list)) => &list.values,
        _ => &[],
    }
}

fn text(profile: &Struct, key: &str) -> Option<String> {
    as_text(profile.fields.get(key)?)
}

fn as_text(value: &Value) -> Option<String> {
    match &value.kind {
        Some(Kind::StringValue(text)) => Some(text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::RestrictionText;
    use crate::baton::v2::Resource;
    use crate::connector::role;

    fn words(restrictions: &str) -> String {
        let json = format!(r#"{{"id":"r","name":"R"{restrictions}}}"#);
        RestrictionText::of(&role(&serde_json::from_str(&json).unwrap())).unwrap().to_string()
    }

    fn restricted(teams: &str) -> String {
        words(&format!(r#","restrictions":{{"enabled":true,"teams":[{teams}]}}"#))
    }

    fn team(mode: &str, projects: &str) -> String {
        restricted(&format!(
            r#"{{"teamId":"core","restrictions":{{"enabled":true,"projects":[{projects}]{mode}}}}}"#
        ))
    }

    #[test]
    fn where_a_role_applies_reads_as_a_phrase() {
        let not_in = r#","restrictionMode":"notIn""#;
        for (told, expected) in [
            (words(""), "applies everywhere"),
            (words(r#","restrictions":{"enabled":"yes"}"#), "where it applies isn't known"),
            (restricted(""), "restricted to no team"),
            (
                restricted(r#"{"teamId":"web"},{"teamId":"core"}"#),
                "applies only in team core (all projects), team web (all projects)",
            ),
            (team("", r#""db""#), "applies only in team core (only project db)"),
            (team("", r#""db","api""#), "applies only in team core (only projects api, db)"),
            (team("", ""), "applies only in team core (no project)"),
            (team(not_in, r#""db""#), "applies only in team core (all projects but db)"),
            (team(not_in, ""), "applies only in team core (all projects)"),
        ] {
            assert_eq!(told, expected);
        }
        assert_eq!(RestrictionText::of(&Resource::default()), None);
    }
}
