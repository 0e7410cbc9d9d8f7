//! The demo's organization: small enough to look at, with one of everything.

use serde_json::Value;

use crate::organization::{
    ApiToken, DirectoryUser, Email, Group, Member, Mode, Organization, Projects, RestrictedTeam,
    Restrictions, Role, Team, TeamRole,
};

/// The file that the connector's own demo serves, in which rows are as Northflank has them.
const ORGANIZATION: &str = include_str!("../../../src/demo/organization.json");

impl Organization {
    /// The same with its teams and tokens, and who is from outside.
    ///
    /// # Panics
    ///
    /// If the demo's file is no JSON.
    #[must_use]
    pub fn with_teams_of_the_demo(mut self) -> Self {
        let file: Value = serde_json::from_str(ORGANIZATION).expect("the demo's file is JSON");
        let outsider = |row| Member { listed: false, ..member(row) };
        self.members.extend(rows(&file["outsiders"]).map(outsider));
        self.teams = rows(&file["teams"]).map(whole_team).collect();
        self.tokens = rows(&file["tokens"]).map(token).collect();
        self
    }

    /// Marlow Freight, a made-up logistics company that runs on Northflank.
    ///
    /// # Panics
    ///
    /// If the demo's file is no JSON.
    pub fn demo() -> Self {
        let file: Value = serde_json::from_str(ORGANIZATION).expect("the demo's file is JSON");
        Self {
            members: rows(&file["members"]).map(member).collect(),
            roles: rows(&file["roles"]).map(role).collect(),
            groups: rows(&file["groups"]).map(group).collect(),
            teams: Vec::new(),
            tokens: Vec::new(),
        }
    }
}

fn rows(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// A text that may be absent.
fn optional(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn text(value: &Value) -> String {
    optional(value).unwrap_or_default()
}

fn texts(list: &Value) -> Vec<String> {
    rows(list).map(text).collect()
}

fn is_true(value: &Value) -> bool {
    value.as_bool().unwrap_or_default()
}

fn member(row: &Value) -> Member {
    let email = |email: &Value| Email {
        address: text(&email["address"]),
        verified: is_true(&email["verified"]),
    };
    Member {
        id: text(&row["id"]),
        name: optional(&row["name"]),
        emails: rows(&row["emails"]).map(email).collect(),
        joined_at: optional(&row["joinedAt"]),
        last_login: optional(&row["lastLoginTime"]),
        finalized: is_true(&row["finalized"]),
        listed: true,
    }
}

fn role(role: &Value) -> Role {
    let row = &role["row"];
    Role {
        id: text(&row["id"]),
        name: text(&row["name"]),
        description: optional(&row["description"]),
        restrictions: Restrictions {
            enabled: is_true(&row["restrictions"]["enabled"]),
            teams: rows(&row["restrictions"]["teams"]).map(team).collect(),
        },
        directory_groups: texts(&row["directoryGroups"]),
        explicit: texts(&role["explicit"]),
        unexplained: Vec::new(),
        created_at: text(&row["createdAt"]),
        updated_at: text(&row["updatedAt"]),
    }
}

fn team(team: &Value) -> RestrictedTeam {
    let restrictions = &team["restrictions"];
    let projects = || Projects {
        mode: if restrictions["restrictionMode"] == "in" { Mode::In } else { Mode::NotIn },
        ids: texts(&restrictions["projects"]),
    };
    RestrictedTeam {
        id: text(&team["teamId"]),
        projects: is_true(&restrictions["enabled"]).then(projects),
    }
}

fn whole_team(team: &Value) -> Team {
    let row = &team["row"];
    let role = |role: &Value| {
        let row = &role["row"];
        let restrictions = &row["restrictions"];
        let projects = || Projects {
            mode: if restrictions["restrictionMode"] == "in" { Mode::In } else { Mode::NotIn },
            ids: texts(&restrictions["projects"]),
        };
        TeamRole {
            id: text(&row["id"]),
            name: text(&row["name"]),
            description: optional(&row["description"]),
            projects: is_true(&restrictions["enabled"]).then(projects),
            holders: rows(&role["holders"]).map(user).collect(),
            created_at: text(&row["createdAt"]),
            updated_at: text(&row["updatedAt"]),
        }
    };
    Team {
        id: text(&row["id"]),
        name: text(&row["name"]),
        description: optional(&row["description"]),
        uid: text(&row["uid"]),
        created_at: text(&row["createdAt"]),
        members: rows(&team["members"]).map(user).collect(),
        roles: rows(&team["roles"]).map(role).collect(),
        tokens: rows(&team["tokens"]).map(token).collect(),
    }
}

fn token(row: &Value) -> ApiToken {
    let role = &row["role"];
    ApiToken {
        id: text(&row["id"]),
        name: text(&row["name"]),
        description: optional(&row["description"]),
        role: role.is_object().then(|| (text(&role["roleId"]), text(&role["name"]))),
        creator: optional(&row["creatorEmail"]),
        created_at: text(&row["createdAt"]),
        expires_at: optional(&row["expiresAt"]),
        last_used_at: optional(&row["lastUsedAt"]),
        is_revoked: is_true(&row["revoked"]),
    }
}

/// Somebody by id, or somebody who has none.
fn user(user: &Value) -> DirectoryUser {
    let address = |email: &Value| optional(email).or_else(|| optional(&email["address"]));
    match user {
        Value::String(id) => DirectoryUser::Account(id.clone()),
        // In the directory already, without a Northflank account.
        row => DirectoryUser::Unprovisioned {
            name: optional(&row["name"]),
            emails: rows(&row["emails"]).filter_map(address).collect(),
        },
    }
}

fn group(group: &Value) -> Group {
    let row = &group["row"];
    Group {
        id: text(&row["id"]),
        name: text(&row["name"]),
        idp_id: text(&row["idpId"]),
        created_at: text(&row["createdAt"]),
        updated_at: text(&row["updatedAt"]),
        users: rows(&group["members"]).map(user).collect(),
    }
}
