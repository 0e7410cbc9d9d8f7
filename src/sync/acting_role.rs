//! The role that the token acts as: one that is restricted to some teams may be shown only these,
//! without a word.

use crate::northflank::{Lenient, RoleRestrictions, Rows, Whoami};

/// The role that the token acts as, as far as Northflank says which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ActingRole {
    /// The one of this id.
    Id(String),
    /// One of this name.
    Name(String),
}

/// Where a role applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RoleScope {
    Everywhere,
    /// Only in these teams.
    Teams(Vec<String>),
    /// Nobody knows.
    Unknown,
}

impl ActingRole {
    /// The one that `whoami` names.
    pub(super) fn of(whoami: &Whoami) -> Option<Self> {
        let id = whoami.role_id.clone().map(Self::Id);
        id.or_else(|| whoami.role.clone().map(Self::Name))
    }

    /// Where it applies, if its row is among these.
    pub(super) fn scope_in(&self, rows: &Rows) -> Option<RoleScope> {
        let Rows::Roles(roles) = rows else { return None };
        let mut found = roles.iter().filter(|role| match self {
            Self::Id(id) => *role.id == **id,
            Self::Name(name) => role.name.as_deref().is_some_and(|own| own.trim() == name),
        });
        Some(match &found.next()?.restrictions {
            Lenient::Read(RoleRestrictions { enabled: Some(true), teams }) => {
                let ids = teams.iter().filter_map(|team| team.team_id.as_ref());
                RoleScope::Teams(ids.map(ToString::to_string).collect())
            }
            Lenient::Absent | Lenient::Read(_) => RoleScope::Everywhere,
            Lenient::Malformed => RoleScope::Unknown,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{ActingRole, RoleScope, Rows};

    fn scope(role: &ActingRole, restrictions: &Value) -> Option<RoleScope> {
        let rows = json!([
            {"id": "other", "restrictions": {"enabled": true}},
            {"id": "auditor", "name": "Auditor", "restrictions": restrictions},
        ]);
        role.scope_in(&Rows::Roles(serde_json::from_value(rows).unwrap()))
    }

    #[test]
    fn a_role_applies_where_its_row_says_and_nobody_knows_where_that_can_not_be_read() {
        let some = json!({"enabled": true, "teams": [{"teamId": "core"}]});
        let off = json!({"enabled": false, "teams": [{"teamId": "core"}]});
        for role in [ActingRole::Id("auditor".into()), ActingRole::Name("Auditor".into())] {
            let teams = RoleScope::Teams(vec!["core".into()]);
            assert_eq!(scope(&role, &some), Some(teams));
            assert_eq!(scope(&role, &off), Some(RoleScope::Everywhere));
            assert_eq!(scope(&role, &Value::Null), Some(RoleScope::Everywhere));
            assert_eq!(scope(&role, &json!(7)), Some(RoleScope::Unknown));
        }
        assert_eq!(scope(&ActingRole::Id("nobody".into()), &some), None);
        assert_eq!(ActingRole::Id("a".into()).scope_in(&Rows::Members(Vec::new())), None);
    }
}
