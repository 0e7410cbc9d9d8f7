//! Rows as JSON, in the forms that the documentation shows, types or hints at.

use serde_json::{Map, Value, json};

use crate::options::{Emails, Schema, Times};
use crate::organization::{
    ApiToken, DirectoryUser, Email, Group, Member, Mode, Projects, Restrictions, Role, Team,
    TeamRole,
};
use crate::token::{Owner, Token};

/// Writes rows in one form.
#[derive(Clone, Copy)]
pub(crate) struct Render<'schema>(pub(crate) &'schema Schema);

impl Render<'_> {
    pub(crate) fn member(self, member: &Member) -> Value {
        let mut row = self.row(&member.id);
        self.optional(&mut row, "name", member.name.as_deref().map(|name| self.name(name)));
        self.optional(&mut row, "emails", Some(self.emails(&member.emails, false)));
        let joined_at = member.joined_at.as_deref().map(|time| self.time(time));
        self.optional(&mut row, "joinedAt", joined_at);
        self.optional(&mut row, "lastLoginTime", self.last_login(member));
        self.optional(&mut row, "finalized", Some(member.finalized.into()));
        Value::Object(row)
    }

    /// `membership` is `explicit` or `implicit`.
    pub(crate) fn role_member(self, member: &Member, membership: &str) -> Value {
        let mut row = self.member(member);
        // What an unknown type is called matters to nobody, only that it is unknown.
        row["type"] = if self.0.unknown_values { "delegated" } else { membership }.into();
        row
    }

    pub(crate) fn role(self, role: &Role) -> Value {
        let mut row = self.row(&role.id);
        row.insert("name".into(), self.name(&role.name));
        let description = role.description.as_deref().map(Value::from);
        self.optional(&mut row, "description", description);
        self.optional(&mut row, "restrictions", Some(self.restrictions(&role.restrictions)));
        let groups = (!role.directory_groups.is_empty()).then(|| json!(role.directory_groups));
        if self.0.minimal {
            // Without the links nobody could tell why members are implicit.
            row.extend(groups.map(|groups| ("directoryGroups".to_owned(), groups)));
        } else {
            self.optional(&mut row, "directoryGroups", groups);
        }
        self.optional(&mut row, "createdAt", Some(self.time(&role.created_at)));
        self.optional(&mut row, "updatedAt", Some(self.time(&role.updated_at)));
        Value::Object(row)
    }

    /// One role by itself, which has permissions besides.
    pub(crate) fn role_alone(self, role: &Role) -> Value {
        let mut row = self.role(role);
        if !self.0.minimal {
            row["permissions"] = json!({"teamScope": [], "projectScope": [], "orgScope": []});
        }
        row
    }

    pub(crate) fn group(self, group: &Group) -> Value {
        let mut row = self.row(&group.id);
        self.optional(&mut row, "name", Some(self.name(&group.name)));
        self.optional(&mut row, "idpId", Some(group.idp_id.as_str().into()));
        self.optional(&mut row, "createdAt", Some(self.time(&group.created_at)));
        self.optional(&mut row, "updatedAt", Some(self.time(&group.updated_at)));
        Value::Object(row)
    }

    /// `account` is the member whom the user's id names, if there is one.
    pub(crate) fn directory_user(self, user: &DirectoryUser, account: Option<&Member>) -> Value {
        let (mut row, name, emails) = match user {
            DirectoryUser::Account(id) => {
                let name = account.and_then(|member| member.name.as_deref());
                let emails = account.map(|member| self.emails(&member.emails, true));
                (self.row(id), name, emails)
            }
            DirectoryUser::Unprovisioned { name, emails } => {
                let emails: Vec<Email> = emails
                    .iter()
                    .map(|address| Email { address: address.clone(), verified: false })
                    .collect();
                let mut row = self.row("");
                row.insert("id".into(), Value::Null);
                (row, name.as_deref(), Some(self.emails(&emails, true)))
            }
        };
        self.optional(&mut row, "name", name.map(|name| self.name(name)));
        self.optional(&mut row, "emails", emails);
        let last_login = account.and_then(|member| self.last_login(member));
        self.optional(&mut row, "lastLoginTime", last_login);
        Value::Object(row)
    }

    pub(crate) fn team(self, team: &Team) -> Value {
        let mut row = self.row(&team.id);
        self.optional(&mut row, "name", Some(self.name(&team.name)));
        self.optional(&mut row, "description", team.description.as_deref().map(Value::from));
        self.optional(&mut row, "uid", Some(team.uid.as_str().into()));
        self.optional(&mut row, "createdAt", Some(self.time(&team.created_at)));
        Value::Object(row)
    }

    /// `account` is the member whom the user's id names, if there is one.
    pub(crate) fn team_member(self, user: &DirectoryUser, account: Option<&Member>) -> Value {
        match (user, account) {
            (DirectoryUser::Account(id), None) => Value::Object(self.row(id)),
            (DirectoryUser::Account(_), Some(account)) => self.member(account),
            (DirectoryUser::Unprovisioned { emails, .. }, _) => {
                let mut row = self.row("");
                row.insert("id".into(), Value::Null);
                let email = |address: &String| json!({"address": address, "verified": false});
                self.optional(&mut row, "emails", Some(emails.iter().map(email).collect()));
                Value::Object(row)
            }
        }
    }

    pub(crate) fn team_role(self, role: &TeamRole) -> Value {
        let mut row = self.row(&role.id);
        self.optional(&mut row, "name", Some(self.name(&role.name)));
        self.optional(&mut row, "description", role.description.as_deref().map(Value::from));
        let restrictions = role.projects.as_ref().map(|projects| self.projects(projects));
        self.optional(
            &mut row,
            "restrictions",
            Some(restrictions.unwrap_or(json!({"enabled": false}))),
        );
        self.optional(&mut row, "createdAt", Some(self.time(&role.created_at)));
        self.optional(&mut row, "updatedAt", Some(self.time(&role.updated_at)));
        Value::Object(row)
    }

    /// `kind` is whose the token is: `team` or `org`.
    pub(crate) fn api_token(self, token: &ApiToken, kind: &str) -> Value {
        let mut row = self.row(&token.id);
        let time = |time: &Option<String>| time.as_deref().map(|time| self.time(time));
        self.optional(&mut row, "name", Some(self.name(&token.name)));
        self.optional(&mut row, "description", token.description.as_deref().map(Value::from));
        let role = token.role.as_ref().map(
            |(id, name)| json!({"name": name, "roleId": id, "roleType": kind, "entityType": kind}),
        );
        self.optional(&mut row, "role", role);
        self.optional(&mut row, "creatorEmail", token.creator.as_deref().map(Value::from));
        self.optional(&mut row, "createdAt", Some(self.time(&token.created_at)));
        self.optional(&mut row, "expiresAt", Some(time(&token.expires_at).unwrap_or_default()));
        self.optional(&mut row, "lastUsedAt", time(&token.last_used_at));
        self.optional(&mut row, "active", Some((!token.is_revoked).into()));
        self.optional(&mut row, "revoked", Some(token.is_revoked.into()));
        Value::Object(row)
    }

    /// What `GET /v1/auth` says of a token that stops being valid at `expires_at`.
    pub(crate) fn token(self, token: &Token, expires_at: Option<&str>) -> Value {
        let Owner { slug, uid } = &token.owner;
        let kind = if token.is_team { "team" } else { "org" };
        let mut row = self.row(&token.id);
        let permissions = [
            (token.permissions.members, "os_admin_members_read"),
            (token.permissions.roles, "os_admin_roles_read"),
        ];
        let permissions: Vec<_> =
            permissions.iter().filter(|(has, _)| *has).map(|(_, name)| *name).collect();
        for (key, value) in [
            ("tokenKind", json!("api")),
            ("entityType", json!(kind)),
            ("entityId", json!(slug)),
            ("entityUid", json!(uid)),
            ("createdAt", self.time("2026-01-15T08:00:00.000Z")),
        ] {
            row.insert(key.into(), value);
        }
        if token.is_team {
            self.optional(&mut row, "orgId", Some("acme".into()));
            self.optional(&mut row, "orgUid", Some("65a4f0c2d9b8e7163f5a0a01".into()));
        }
        self.optional(&mut row, "name", Some(self.name(&token.name)));
        self.optional(&mut row, "creatorEmail", Some("founder@acme.test".into()));
        let role = json!({
            "name": token.role_name, "roleId": token.role_id, "roleType": kind, "entityType": kind,
        });
        self.optional(&mut row, "role", Some(role));
        self.optional(&mut row, "permissions", Some(json!({"orgScope": permissions})));
        self.optional(&mut row, "expiresAt", expires_at.map(|time| self.time(time)));
        json!({"data": row})
    }

    fn last_login(self, member: &Member) -> Option<Value> {
        member.last_login.as_deref().map(|time| self.time(time))
    }

    fn row(self, id: &str) -> Map<String, Value> {
        let mut row = Map::new();
        row.insert("id".into(), id.into());
        if self.0.extra_fields {
            row.insert("extra".into(), json!({"nested": [1, {"id": "not-an-id"}]}));
        }
        row
    }

    fn optional(self, row: &mut Map<String, Value>, key: &str, value: Option<Value>) {
        if self.0.minimal {
            return;
        }
        if self.0.nulls {
            row.insert(key.into(), Value::Null);
        } else if self.0.malformed && key != "directoryGroups" {
            let odd = [json!(7), json!([[1]]), json!({"a": [1]}), json!(true), json!(-0.5)];
            row.insert(key.into(), odd[key.len() % odd.len()].clone());
        } else if let Some(value) = value {
            row.insert(key.into(), value);
        }
    }

    fn name(self, name: &str) -> Value {
        // The server turns the mark into an escape that no string of Rust can hold.
        if self.0.half_surrogates { format!("{name}{HALF_SURROGATE}").into() } else { name.into() }
    }

    fn time(self, time: &str) -> Value {
        match self.0.times {
            Times::AsGiven => time.into(),
            Times::Offset => {
                let seconds = time.get(..19).unwrap_or(time);
                format!("{seconds}+02:00").into()
            }
            Times::Invalid => "yesterday".into(),
        }
    }

    fn emails(self, emails: &[Email], in_directory: bool) -> Value {
        let object = |email: &Email| json!({"address": email.address, "verified": email.verified});
        let string = |email: &Email| Value::from(email.address.as_str());
        let each = |form: &dyn Fn(usize, &Email) -> Value| {
            emails.iter().enumerate().map(|(index, email)| form(index, email)).collect()
        };
        match self.0.emails {
            Emails::AsDocumented if in_directory => each(&|_, email| string(email)),
            Emails::AsDocumented | Emails::Objects => each(&|_, email| object(email)),
            Emails::Strings => each(&|_, email| string(email)),
            Emails::Mixed => each(&|index, email| {
                if index % 2 == 0 { string(email) } else { object(email) }
            }),
            Emails::Empty => json!([]),
            Emails::Null => Value::Null,
            Emails::WithoutAddress => each(&|_, email| json!({"verified": email.verified})),
        }
    }

    fn projects(self, projects: &Projects) -> Value {
        json!({
            "enabled": true,
            "projects": projects.ids,
            "restrictionMode": match projects.mode {
                _ if self.0.unknown_values => "matching",
                Mode::In => "in",
                Mode::NotIn => "notIn",
            },
        })
    }

    fn restrictions(self, restrictions: &Restrictions) -> Value {
        let teams: Vec<Value> = restrictions
            .teams
            .iter()
            .map(|team| {
                let projects = match &team.projects {
                    Some(projects) => self.projects(projects),
                    None => json!({"enabled": false}),
                };
                json!({"teamId": team.id, "restrictions": projects})
            })
            .collect();
        if teams.is_empty() {
            json!({"enabled": restrictions.enabled})
        } else {
            json!({"enabled": restrictions.enabled, "teams": teams})
        }
    }
}

/// Stands for half a surrogate pair until the JSON is text. A private-use character.
pub(crate) const HALF_SURROGATE: char = '\u{e000}';
