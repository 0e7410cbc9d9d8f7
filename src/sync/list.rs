//! The lists that a sync reads.

use crate::northflank::Text;

/// A list to read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum List {
    /// The organization's members.
    Members,
    /// The organization's roles.
    Roles,
    /// The directory groups.
    Groups,
    /// The members of a role.
    RoleMembers(Text),
    /// The members of a directory group.
    GroupMembers(Text),
}

impl List {
    /// What the resume store calls it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Members => "members".to_owned(),
            Self::Roles => "roles".to_owned(),
            Self::Groups => "groups".to_owned(),
            Self::RoleMembers(role) => format!("role:{role}"),
            Self::GroupMembers(group) => format!("group:{group}"),
        }
    }

    /// The list that the resume store calls so.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "members" => Some(Self::Members),
            "roles" => Some(Self::Roles),
            "groups" => Some(Self::Groups),
            _ => match name.split_once(':')? {
                ("role", id) => Some(Self::RoleMembers(id.into())),
                ("group", id) => Some(Self::GroupMembers(id.into())),
                _ => None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::List;

    #[test]
    fn a_list_is_found_again_by_its_name() {
        for list in [
            List::Members,
            List::Roles,
            List::Groups,
            List::RoleMembers("members".into()),
            List::GroupMembers("a:b".into()),
        ] {
            assert_eq!(List::named(&list.name()), Some(list));
        }
        assert_eq!(List::named("teams"), None);
        assert_eq!(List::named("team:a"), None);
    }
}
