//! What rows of Northflank's are, as far as a sync is concerned: people, things that become
//! resources, or who is in one.

use crate::northflank::{
    DirectoryGroupMember, Email, Lenient, List, ListKind, Member, RoleMember, Rows, TeamMember,
    Text,
};

use super::api_token::OwnedToken;
use super::listed_resource::ListedResource;
use super::team_role::RoleOfTeam;

/// What rows are.
#[derive(Debug)]
pub enum RowContent {
    /// The organization's members.
    People(Vec<Member>),
    /// What becomes resources.
    Resources(Vec<Box<dyn ListedResource>>),
    /// Who is in one of these.
    Memberships(Vec<Membership>),
}

impl RowContent {
    /// What rows of `list` are.
    pub fn of(list: &List, rows: Rows) -> Self {
        fn resources<T: ListedResource + 'static>(rows: impl Iterator<Item = T>) -> RowContent {
            RowContent::Resources(rows.map(|row| Box::new(row) as Box<_>).collect())
        }
        fn memberships<T: Into<Membership>>(rows: Vec<T>) -> RowContent {
            RowContent::Memberships(rows.into_iter().map(Into::into).collect())
        }
        match rows {
            Rows::Members(rows) => Self::People(rows),
            Rows::DirectoryGroups(rows) => resources(rows.into_iter()),
            Rows::DirectoryGroupMembers(rows) => memberships(rows),
            Rows::Roles(rows) => resources(rows.into_iter()),
            Rows::RoleMembers(rows) => memberships(rows),
            Rows::Teams(rows) => resources(rows.into_iter()),
            Rows::TeamRoles(rows) => {
                resources(rows.into_iter().map(|role| RoleOfTeam::new(list, role)))
            }
            Rows::TeamMembers(rows) | Rows::TeamRoleMembers(rows) => memberships(rows),
            Rows::Tokens(rows) | Rows::TeamTokens(rows) => {
                resources(rows.into_iter().map(|token| OwnedToken::new(list, token)))
            }
        }
    }
}

/// Somebody who is in something.
#[derive(Debug)]
pub struct Membership {
    /// The username; `None` for somebody without one.
    pub id: Option<Text>,
    /// The full name.
    pub name: Lenient<Text>,
    /// E-mail addresses, in the API's order.
    pub emails: Vec<Email>,
    /// When the user last logged in, RFC 3339.
    pub last_login: Lenient<Text>,
    /// Whether the account is fully set up, where the list is one that tells.
    pub finalized: Lenient<bool>,
    /// Northflank's word for it; `None` if it was added by hand or there is no other way.
    pub reported: Option<Text>,
}

impl From<DirectoryGroupMember> for Membership {
    fn from(row: DirectoryGroupMember) -> Self {
        let DirectoryGroupMember { id, name, emails, last_login } = row;
        Self { id, name, emails, last_login, finalized: Lenient::Absent, reported: None }
    }
}

impl From<RoleMember> for Membership {
    fn from(row: RoleMember) -> Self {
        let RoleMember { id, name, emails, membership, last_login } = row;
        let reported = match membership.into_option() {
            Some(word) if &*word == "explicit" => None,
            word => Some(word.unwrap_or_else(|| "unknown".into())),
        };
        Self { id: Some(id), name, emails, last_login, finalized: Lenient::Absent, reported }
    }
}

impl From<TeamMember> for Membership {
    fn from(row: TeamMember) -> Self {
        let TeamMember { id, name, emails, last_login, finalized } = row;
        Self { id, name, emails, last_login, finalized, reported: None }
    }
}

/// How somebody belongs to the organization, by the list that says most of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonStanding {
    /// The organization's member list has them.
    Member,
    /// Only a role or directory group names them, or what is left of one.
    Unlisted,
    /// Only teams do.
    Outsider,
}

impl PersonStanding {
    /// Of somebody of whom a list of this kind says most.
    pub fn told_by(kind: ListKind) -> Self {
        if kind == ListKind::Members {
            Self::Member
        } else if kind.is_below(ListKind::Teams) {
            Self::Outsider
        } else {
            Self::Unlisted
        }
    }
}
