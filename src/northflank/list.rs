//! The lists that Northflank has. Each is declared once, with all that it takes to read it: a
//! further one is a model, and an entry here.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::model::{
    DirectoryGroup, DirectoryGroupMember, ListedToken, Member, Role, RoleMember, Team, TeamMember,
    TeamRole,
};
use super::page_body::{ListRow, PageBody, PageError};
use super::permission::{
    READ_MEMBERS, READ_ROLES, READ_TEAM_MEMBERS, READ_TEAM_ROLES, READ_TEAMS, READ_TOKENS,
};
use super::text::Text;

/// Which list: of a kind and, where such lists belong to something, to what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    pub kind: ListKind,
    /// The id of what it belongs to; where that belongs to something itself, behind the id of
    /// that and a slash.
    pub parent: Option<Text>,
}

/// What there is to know of the lists of a kind.
#[derive(Debug)]
pub struct ListDeclaration {
    /// Its path, in which `{}` stands for the parent's id, part by part.
    pub(super) path: &'static str,
    /// Whether it comes in pages. One that doesn't is read as what its answers say all the same,
    /// should the API begin to page it.
    pub(super) is_paged: bool,
    /// The permission that it takes to read it, as Northflank shows it.
    pub permission: &'static str,
    /// What its rows are called.
    pub rows: &'static str,
    /// What each of its rows is called.
    pub row: &'static str,
    /// The lists that belong to each of its rows.
    pub of_each_row: &'static [ListKind],
}

macro_rules! lists {
    ($($(#[$docs:meta])* $kind:ident: $model:ident = $declaration:expr;)*) => {
        /// The kinds of lists. What is known of a person comes from the first that tells.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum ListKind {
            $($(#[$docs])* $kind,)*
        }

        /// The rows of a list, or of a page of it.
        #[derive(Debug)]
        pub enum Rows {
            $($(#[$docs])* $kind(Vec<$model>),)*
        }

        impl ListKind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// What there is to know of them.
            pub fn declaration(self) -> &'static ListDeclaration {
                match self {
                    $(Self::$kind => {
                        const DECLARATION: &ListDeclaration = &$declaration;
                        DECLARATION
                    })*
                }
            }

            /// The key of the rows in an answer.
            pub(super) fn key(self) -> &'static str {
                match self {
                    $(Self::$kind => $model::KEY,)*
                }
            }

            /// What an answer says.
            pub(super) fn read(self, body: &[u8]) -> Result<PageBody<Rows>, PageError> {
                match self {
                    $(Self::$kind => Ok(PageBody::read(body)?.map(Rows::$kind)),)*
                }
            }

            /// No rows of such a list.
            pub(super) fn no_rows(self) -> Rows {
                match self {
                    $(Self::$kind => Rows::$kind(Vec::new()),)*
                }
            }
        }

        impl Rows {
            /// Each of them, with what all kinds have in common.
            #[expect(clippy::iter_without_into_iter, reason = "nobody loops over the rows themselves")]
            pub fn iter(&self) -> Box<dyn Iterator<Item = &dyn AnyRow> + '_> {
                match self {
                    $(Self::$kind(rows) => Box::new(rows.iter().map(|row| row as &dyn AnyRow)),)*
                }
            }

            /// Whether there are none.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// How many there are.
            pub fn len(&self) -> usize {
                match self {
                    $(Self::$kind(rows) => rows.len(),)*
                }
            }
        }
    };
}

lists! {
    /// The members of the organization.
    Members: Member = ListDeclaration {
        path: "/v1/org-members",
        is_paged: true,
        permission: READ_MEMBERS,
        rows: "members",
        row: "member",
        of_each_row: &[],
    };
    /// The directory groups. The API documents no query for them.
    DirectoryGroups: DirectoryGroup = ListDeclaration {
        path: "/v1/directory-groups",
        is_paged: false,
        permission: READ_ROLES,
        rows: "directory groups",
        row: "directory group",
        of_each_row: &[ListKind::DirectoryGroupMembers],
    };
    DirectoryGroupMembers: DirectoryGroupMember = ListDeclaration {
        path: "/v1/directory-groups/{}/members",
        is_paged: true,
        permission: READ_MEMBERS,
        rows: "directory group members",
        row: "directory group member",
        of_each_row: &[],
    };
    /// The organization's roles.
    Roles: Role = ListDeclaration {
        path: "/v1/org-roles",
        is_paged: true,
        permission: READ_ROLES,
        rows: "roles",
        row: "role",
        of_each_row: &[ListKind::RoleMembers],
    };
    RoleMembers: RoleMember = ListDeclaration {
        path: "/v1/org-roles/{}/members",
        is_paged: true,
        permission: READ_ROLES,
        rows: "role members",
        row: "role member",
        of_each_row: &[],
    };
    /// The organization's teams.
    Teams: Team = ListDeclaration {
        path: "/v1/teams",
        is_paged: true,
        permission: READ_TEAMS,
        rows: "teams",
        row: "team",
        of_each_row: &[ListKind::TeamMembers, ListKind::TeamRoles, ListKind::TeamTokens],
    };
    TeamMembers: TeamMember = ListDeclaration {
        path: "/v1/teams/{}/members",
        is_paged: true,
        permission: READ_TEAM_MEMBERS,
        rows: "team members",
        row: "team member",
        of_each_row: &[],
    };
    TeamRoles: TeamRole = ListDeclaration {
        path: "/v1/teams/{}/roles",
        is_paged: true,
        permission: READ_TEAM_ROLES,
        rows: "team roles",
        row: "team role",
        of_each_row: &[ListKind::TeamRoleMembers],
    };
    /// The members of a role of a team's.
    TeamRoleMembers: TeamMember = ListDeclaration {
        path: "/v1/teams/{}/roles/{}/members",
        is_paged: true,
        permission: READ_TEAM_ROLES,
        rows: "team role members",
        row: "team role member",
        of_each_row: &[],
    };
    /// The organization's own API tokens.
    Tokens: ListedToken = ListDeclaration {
        path: "/v1/tokens",
        is_paged: true,
        permission: READ_TOKENS,
        rows: "API tokens",
        row: "API token",
        of_each_row: &[],
    };
    /// The API tokens of a team.
    TeamTokens: ListedToken = ListDeclaration {
        path: "/v1/teams/{}/tokens",
        is_paged: true,
        permission: READ_TOKENS,
        rows: "teams' API tokens",
        row: "API token",
        of_each_row: &[],
    };
}

impl ListKind {
    /// The kind of the lists whose rows lists of this kind belong to; `None` if there is only one
    /// list of it.
    pub fn parent(self) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.declaration().of_each_row.contains(&self))
    }

    /// Whether lists of this kind belong to rows of `other`, or to what does.
    pub fn is_below(self, other: Self) -> bool {
        self.parent().is_some_and(|parent| parent == other || parent.is_below(other))
    }
}

impl List {
    /// The only list of its kind.
    pub fn only(kind: ListKind) -> Self {
        Self { kind, parent: None }
    }

    /// The list that belongs to what has this id.
    pub fn of(kind: ListKind, parent: Text) -> Self {
        Self { kind, parent: Some(parent) }
    }

    /// What it belongs to is listed in this one.
    pub fn listing_its_parent(&self) -> Option<Self> {
        let kind = self.kind.parent()?;
        let parts = self.parent.as_ref().and_then(|id| id.split_once('/'));
        let parent = parts.filter(|_| kind.parent().is_some()).map(|(first, _)| first.into());
        Some(Self { kind, parent })
    }

    /// The id by which the row `id` of this list is known among those of all lists of its kind.
    pub fn id_of(&self, id: &Text) -> Text {
        match &self.parent {
            Some(parent) => format!("{parent}/{id}").as_str().into(),
            None => id.clone(),
        }
    }
}

/// The kind and the id of what it belongs to, or its name.
impl fmt::Display for List {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.parent, self.kind.parent()) {
            (Some(id), Some(kind)) => write!(formatter, "{} {id}", kind.declaration().row),
            _ => formatter.write_str(self.kind.declaration().rows),
        }
    }
}

/// What rows of all kinds have in common.
pub trait AnyRow {
    /// What tells the row from others, if anything does.
    fn id(&self) -> Option<&Text>;

    /// What of it could not be read, where the row is of use without.
    fn malformed_fields(&self) -> Vec<&'static str>;

    /// Equal for equal rows.
    fn hash(&self, hasher: &std::hash::RandomState) -> u64;
}

impl<T: ListRow> AnyRow for T {
    fn id(&self) -> Option<&Text> {
        ListRow::id(self)
    }

    fn malformed_fields(&self) -> Vec<&'static str> {
        ListRow::malformed_fields(self).collect()
    }

    fn hash(&self, hasher: &std::hash::RandomState) -> u64 {
        std::hash::BuildHasher::hash_one(hasher, self)
    }
}

#[cfg(test)]
mod tests {
    use super::{List, ListKind};

    #[test]
    fn every_kind_of_list_belongs_to_rows_of_one_other_or_is_the_only_one() {
        for kind in ListKind::ALL {
            let parents = ListKind::ALL.iter();
            let parents = parents.filter(|it| it.declaration().of_each_row.contains(kind)).count();
            let is_of_a_parent = kind.declaration().path.contains("{}");
            assert_eq!(parents, usize::from(is_of_a_parent), "{kind:?}");
        }
    }

    #[test]
    fn a_list_is_called_by_what_it_belongs_to() {
        let of = List::of(ListKind::DirectoryGroupMembers, "g1".into());
        assert_eq!(of.to_string(), "directory group g1");
        assert_eq!(List::of(ListKind::RoleMembers, "owner".into()).to_string(), "role owner");
        assert_eq!(List::only(ListKind::Roles).to_string(), "roles");
        let of = List::of(ListKind::TeamRoleMembers, "core/admin".into());
        assert_eq!(of.to_string(), "team role core/admin");
    }

    #[test]
    fn what_a_list_belongs_to_is_a_row_of_the_list_above_it() {
        let role = List::of(ListKind::TeamRoleMembers, "core/a/b".into());
        let roles = role.listing_its_parent().unwrap();
        assert_eq!(roles, List::of(ListKind::TeamRoles, "core".into()));
        assert_eq!(roles.id_of(&"a/b".into()), role.parent.unwrap());
        assert_eq!(roles.listing_its_parent(), Some(List::only(ListKind::Teams)));
        let group = List::of(ListKind::RoleMembers, "a/b".into());
        assert_eq!(group.listing_its_parent(), Some(List::only(ListKind::Roles)));
        assert!(ListKind::TeamRoleMembers.is_below(ListKind::Teams));
        assert!(!ListKind::RoleMembers.is_below(ListKind::Teams));
    }
}
