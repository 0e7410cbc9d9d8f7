//! The organization, on a day and on a later one.

use serde::Deserialize;
use serde_json::{Value, json};

/// What the organization is called.
pub const NAME: &str = "Marlow Freight";

/// Who leaves before the later day.
const LEAVER: &str = "uma-vargas";

/// Who comes.
const NEWCOMER: &str = "zoe-quill";

/// Who is no owner any more then.
const FORMER_OWNER: &str = "ben-okafor";

/// The day on which the organization is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DemoDay {
    /// As it is in `organization.json`.
    First,
    /// Somebody has come and is on call, somebody has left, and an owner is none any more.
    Later,
}

impl DemoDay {
    /// The day whose organization somebody is in by `is_member`, which takes ids of members;
    /// `None` for another organization.
    pub fn of<E>(is_member: impl Fn(&str) -> Result<bool, E>) -> Result<Option<Self>, E> {
        if !is_member(FORMER_OWNER)? {
            return Ok(None);
        }
        Ok(match (is_member(LEAVER)?, is_member(NEWCOMER)?) {
            (true, false) => Some(Self::First),
            (false, true) => Some(Self::Later),
            _ => None,
        })
    }

    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::First => Self::Later,
            Self::Later => Self::First,
        }
    }
}

/// Everything that is served.
#[derive(Deserialize)]
pub(super) struct DemoOrganization {
    /// Whose the token is.
    pub(super) auth: Value,
    /// Rows of members.
    pub(super) members: Vec<Value>,
    /// Roles, in the order of creation.
    pub(super) roles: Vec<DemoRole>,
    /// Directory groups, in the order of creation.
    pub(super) groups: Vec<DemoGroup>,
    /// Rows of people who are in teams and not in the organization.
    outsiders: Vec<Value>,
    /// Teams, in the order of creation.
    pub(super) teams: Vec<DemoTeam>,
    /// Rows of the organization's own API tokens.
    pub(super) tokens: Vec<Value>,
}

#[derive(Deserialize)]
pub(super) struct DemoRole {
    pub(super) row: Value,
    /// Ids of members who hold it by hand.
    explicit: Vec<String>,
}

/// A directory group.
#[derive(Deserialize)]
pub(super) struct DemoGroup {
    pub(super) row: Value,
    /// Ids of members; rows of those who have no account.
    members: Vec<Value>,
}

#[derive(Deserialize)]
pub(super) struct DemoTeam {
    pub(super) row: Value,
    /// Ids of people; rows of those who have none.
    members: Vec<Value>,
    roles: Vec<DemoTeamRole>,
    /// Rows of its API tokens.
    pub(super) tokens: Vec<Value>,
}

/// A role of a team's.
#[derive(Deserialize)]
struct DemoTeamRole {
    row: Value,
    /// Ids of people.
    holders: Vec<Value>,
}

impl DemoTeam {
    /// The rows of its roles.
    pub(super) fn roles(&self) -> Vec<Value> {
        self.roles.iter().map(|role| role.row.clone()).collect()
    }
}

impl DemoOrganization {
    /// The organization on `day`.
    pub(super) fn on(day: DemoDay) -> serde_json::Result<Self> {
        let organization: Self = serde_json::from_str(include_str!("organization.json"))?;
        Ok(match day {
            DemoDay::First => organization,
            DemoDay::Later => organization.later(),
        })
    }

    fn later(mut self) -> Self {
        self.members.retain(|member| member["id"] != LEAVER);
        self.members.push(json!({
            "id": NEWCOMER,
            "name": "Zoë Quill",
            "emails": [{"address": "zoe.quill@marlow.example", "verified": true}],
            "joinedAt": "2026-11-20T09:00:00.000Z",
            "finalized": true,
        }));
        for group in &mut self.groups {
            group.members.retain(|member| member != LEAVER);
            if group.row["name"] == "On call" {
                group.members.push(NEWCOMER.into());
            }
        }
        for role in self.roles.iter_mut().filter(|role| role.row["id"] == "owner") {
            role.explicit.retain(|id| id != FORMER_OWNER);
        }
        self
    }

    /// The rows of those who hold a role: by hand, then through linked groups alone.
    pub(super) fn role_members(&self, id: &str) -> Option<Vec<Value>> {
        let role = self.roles.iter().find(|role| role.row["id"] == id)?;
        let is_explicit = |id: &str| role.explicit.iter().any(|explicit| explicit == id);
        let links = role.row["directoryGroups"].as_array().into_iter().flatten();
        let linked = links.filter_map(|id| self.groups.iter().find(|group| group.row["id"] == *id));
        let mut implicit = Vec::new();
        for id in linked.flat_map(|group| &group.members).filter_map(Value::as_str) {
            if !is_explicit(id) && !implicit.contains(&id) {
                implicit.push(id);
            }
        }
        let explicit = role.explicit.iter().map(|id| (id.as_str(), "explicit"));
        let holders = explicit.chain(implicit.into_iter().map(|id| (id, "implicit")));
        Some(
            holders
                .filter_map(|(id, membership)| {
                    let mut row = self.member(id)?.clone();
                    row["type"] = membership.into();
                    Some(row)
                })
                .collect(),
        )
    }

    /// The rows of those who are in a group.
    pub(super) fn group_members(&self, id: &str) -> Option<Vec<Value>> {
        let group = self.groups.iter().find(|group| group.row["id"] == id)?;
        Some(self.people(&group.members))
    }

    /// The rows of those whom ids or rows name.
    fn people(&self, named: &[Value]) -> Vec<Value> {
        let row = |named: &Value| match named {
            Value::String(id) => self.member(id).cloned(),
            row => Some(row.clone()),
        };
        named.iter().filter_map(row).collect()
    }

    /// The team of this id.
    pub(super) fn team(&self, id: &str) -> Option<&DemoTeam> {
        self.teams.iter().find(|team| team.row["id"] == id)
    }

    /// The rows of those who are in a team.
    pub(super) fn team_members(&self, id: &str) -> Option<Vec<Value>> {
        Some(self.people(&self.team(id)?.members))
    }

    /// The rows of those who hold a role of a team's.
    pub(super) fn team_role_members(&self, team: &str, role: &str) -> Option<Vec<Value>> {
        let role = self.team(team)?.roles.iter().find(|it| it.row["id"] == role)?;
        Some(self.people(&role.holders))
    }

    fn member(&self, id: &str) -> Option<&Value> {
        self.members.iter().chain(&self.outsiders).find(|member| member["id"] == id)
    }
}

#[cfg(test)]
mod tests {
    use super::{DemoDay, DemoOrganization};

    #[test]
    fn every_id_in_it_is_a_members() {
        for day in [DemoDay::First, DemoDay::Later] {
            let organization = DemoOrganization::on(day).unwrap();
            let is_member = |id: &str| organization.member(id).is_some();
            let explicit = organization.roles.iter().flat_map(|role| &role.explicit);
            let in_groups = organization.groups.iter().flat_map(|group| &group.members);
            let holders = organization.teams.iter().flat_map(|team| &team.roles);
            let holders = holders.flat_map(|role| &role.holders);
            let in_teams = organization.teams.iter().flat_map(|team| &team.members);
            let others = in_groups.chain(holders).chain(in_teams);
            let mut ids = explicit.map(String::as_str).chain(others.filter_map(|it| it.as_str()));
            assert!(ids.all(is_member));
        }
    }

    #[test]
    fn a_day_is_known_by_who_is_there() {
        for day in [DemoDay::First, DemoDay::Later] {
            let organization = DemoOrganization::on(day).unwrap();
            let known = DemoDay::of(|id| Ok::<_, ()>(organization.member(id).is_some()));
            assert_eq!(known, Ok(Some(day)));
        }
        assert_eq!(DemoDay::of(|_| Ok::<_, ()>(false)), Ok(None));
        assert_eq!(DemoDay::of(|_| Ok::<_, ()>(true)), Ok(None));
        assert_eq!(DemoDay::of(|_| Err(())), Err(()));
    }

    #[test]
    fn whoever_holds_a_role_by_hand_and_through_a_group_is_told_once() {
        let organization = DemoOrganization::on(DemoDay::First).unwrap();
        let members = organization.role_members("platform-eng").unwrap();
        let daniel: Vec<_> = members.iter().filter(|row| row["id"] == "daniel-weiss").collect();
        assert_eq!((daniel.len(), &daniel[0]["type"]), (1, &"explicit".into()));
        let implicit = members.iter().filter(|row| row["type"] == "implicit").count();
        assert_eq!((members.len(), implicit), (10, 8));
        assert!(organization.role_members("nobody").is_none());
    }
}
