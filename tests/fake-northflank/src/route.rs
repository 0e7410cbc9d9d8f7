//! Which endpoint a request is for, and what its query says.

use percent_encoding::percent_decode_str;

use crate::options::{Options, Profile};
use crate::token::Permissions;

/// An endpoint of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    /// `GET /v1/org-members`
    Members,
    /// `GET /v1/org-roles`
    Roles,
    /// `GET /v1/org-roles/{roleId}`
    Role,
    /// `GET /v1/org-roles/{roleId}/members`
    RoleMembers,
    /// `GET /v1/directory-groups`
    Groups,
    /// `GET /v1/directory-groups/{groupId}/members`
    GroupMembers,
    /// `GET /v1/auth`
    Auth,
    /// `GET /v1/teams`
    Teams,
    /// `GET /v1/teams/{teamId}/members`
    TeamMembers,
    /// `GET /v1/teams/{teamId}/roles`
    TeamRoles,
    /// `GET /v1/teams/{teamId}/roles/{roleId}/members`
    TeamRoleMembers,
    /// `GET /v1/tokens`
    Tokens,
    /// `GET /v1/teams/{teamId}/tokens`
    TeamTokens,
}

impl Endpoint {
    /// The endpoint of a path, with the id of what it belongs to, decoded once: behind its team's
    /// and a slash, if that is a team's role.
    pub(crate) fn of(path: &str) -> Option<(Self, Option<String>)> {
        let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        let id = |encoded: &str| {
            let id = percent_decode_str(encoded).decode_utf8().ok()?.into_owned();
            (!id.is_empty()).then_some(Some(id))
        };
        match segments.as_slice() {
            ["v1", "auth"] => Some((Self::Auth, None)),
            ["v1", "org-members"] => Some((Self::Members, None)),
            ["v1", "org-roles"] => Some((Self::Roles, None)),
            ["v1", "org-roles", role] => Some((Self::Role, id(role)?)),
            ["v1", "org-roles", role, "members"] => Some((Self::RoleMembers, id(role)?)),
            ["v1", "directory-groups"] => Some((Self::Groups, None)),
            ["v1", "directory-groups", group, "members"] => Some((Self::GroupMembers, id(group)?)),
            ["v1", "teams"] => Some((Self::Teams, None)),
            ["v1", "teams", team, "members"] => Some((Self::TeamMembers, id(team)?)),
            ["v1", "teams", team, "roles"] => Some((Self::TeamRoles, id(team)?)),
            ["v1", "teams", team, "tokens"] => Some((Self::TeamTokens, id(team)?)),
            ["v1", "teams", team, "roles", role, "members"] => {
                let (team, role) = id(team)?.zip(id(role)?)?;
                Some((Self::TeamRoleMembers, Some(format!("{team}/{role}"))))
            }
            ["v1", "tokens"] => Some((Self::Tokens, None)),
            _ => None,
        }
    }

    /// The permission that it needs, and whether it is among these.
    pub(crate) fn needs(self, has: Permissions) -> (bool, &'static str) {
        match self {
            Self::Members | Self::GroupMembers => (has.members, "os_admin_members_read"),
            Self::Roles | Self::Role | Self::RoleMembers | Self::Groups => {
                (has.roles, "os_admin_roles_read")
            }
            Self::Teams => (has.teams, "os_team_general_read"),
            Self::TeamMembers => (has.team_members, "ac_admin_members_read"),
            Self::TeamRoles | Self::TeamRoleMembers => (has.team_roles, "ac_admin_roles_read"),
            Self::Tokens | Self::TeamTokens => (has.tokens, "ac_admin_apitokens_read"),
            Self::Auth => (true, ""),
        }
    }

    /// Whether it is of one team.
    pub(crate) fn is_of_a_team(self) -> bool {
        matches!(
            self,
            Self::TeamMembers | Self::TeamRoles | Self::TeamRoleMembers | Self::TeamTokens
        )
    }

    /// Whether it comes in pages, where directory groups do or don't.
    fn is_paged(self, paged_groups: bool) -> bool {
        match self {
            Self::Groups => paged_groups,
            Self::Role | Self::Auth => false,
            _ => true,
        }
    }
}

/// A query, as far as it makes sense.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) per_page: Option<usize>,
    pub(crate) page: Option<usize>,
    pub(crate) cursor: Option<String>,
    /// `type`, of role members.
    pub(crate) membership: Option<Membership>,
    /// `userIds`, of role members.
    pub(crate) user_ids: Option<Vec<String>>,
}

/// The `type` of a role member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Membership {
    Explicit,
    Implicit,
}

/// A parameter that makes no sense, and why.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadParameter(pub(crate) String, pub(crate) &'static str);

impl Query {
    /// Reads the query of a request to `endpoint`.
    pub(crate) fn read(
        endpoint: Endpoint,
        text: &str,
        options: &Options,
    ) -> Result<Self, BadParameter> {
        let strict = options.profile == Profile::Strict;
        let mut query = Self::default();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            let bad = |why| Err(BadParameter(name.to_string(), why));
            let number = || value.parse::<usize>().ok().filter(|number| *number >= 1);
            let is_paging = matches!(&*name, "per_page" | "page" | "cursor");
            if is_paging && !endpoint.is_paged(options.paged_groups) {
                if strict {
                    return bad("is not a parameter of this endpoint");
                }
                continue;
            }
            match &*name {
                "per_page" => match number() {
                    Some(number) if number > 100 && strict => return bad("must be at most 100"),
                    Some(number) => query.per_page = Some(number.min(100)),
                    None => return bad("must be a positive integer"),
                },
                "page" => match number() {
                    Some(number) => query.page = Some(number),
                    None => return bad("must be a positive integer"),
                },
                "cursor" => query.cursor = Some(value.into_owned()),
                "type" if endpoint == Endpoint::RoleMembers => {
                    query.membership = Some(match &*value {
                        "explicit" => Membership::Explicit,
                        "implicit" => Membership::Implicit,
                        _ => return bad("must be explicit or implicit"),
                    });
                }
                "userIds"
                    if matches!(endpoint, Endpoint::RoleMembers | Endpoint::TeamRoleMembers) =>
                {
                    let ids = query.user_ids.get_or_insert_default();
                    if strict {
                        ids.push(value.into_owned());
                    } else {
                        ids.extend(value.split(',').map(str::to_owned));
                    }
                }
                _ if strict => return bad("is not a parameter of this endpoint"),
                _ => {}
            }
        }
        if strict && query.page.is_some() && query.cursor.is_some() {
            return Err(BadParameter("page".into(), "must not be given with a cursor"));
        }
        Ok(query)
    }
}

#[cfg(test)]
mod tests {
    use super::{BadParameter, Endpoint, Membership, Options, Profile, Query};

    fn read(endpoint: Endpoint, text: &str, strict: bool) -> Result<Query, BadParameter> {
        let profile = if strict { Profile::Strict } else { Profile::Lenient };
        Query::read(endpoint, text, &Options { profile, ..Options::default() })
    }

    #[test]
    fn ids_are_decoded_once() {
        let of = |path| Endpoint::of(path).and_then(|(_, id)| id);
        assert_eq!(of("/v1/org-roles/a%2Fb%2520c/members").as_deref(), Some("a/b%20c"));
    }

    #[test]
    fn other_spellings_of_a_path_are_unknown() {
        for path in [
            "//v1/org-members",
            "/v1/v1/org-members",
            "/v1/org-members/",
            "/org-members",
            "/v2/org-members",
            "/v1/org-roles//members",
            "/",
        ] {
            assert_eq!(Endpoint::of(path), None, "{path}");
        }
    }

    #[test]
    fn page_sizes_beyond_the_documented_are_clamped_or_refused() {
        let read = |text, strict| read(Endpoint::Members, text, strict);
        assert_eq!(read("per_page=500", false).unwrap().per_page, Some(100));
        assert!(read("per_page=500", true).is_err());
        for text in ["per_page=0", "per_page=-1", "per_page=x", "page=0", "page=1.5"] {
            assert!(read(text, false).is_err(), "{text}");
        }
    }

    #[test]
    fn unknown_parameters_are_ignored_or_refused() {
        assert_eq!(read(Endpoint::Members, "x=1", false), Ok(Query::default()));
        assert!(read(Endpoint::Members, "x=1", true).is_err());
        assert!(read(Endpoint::Members, "type=explicit", true).is_err());
        assert_eq!(read(Endpoint::Groups, "per_page=7", false), Ok(Query::default()));
        assert!(read(Endpoint::Groups, "per_page=7", true).is_err());
        assert!(read(Endpoint::Members, "page=1&cursor=a", true).is_err());
    }

    #[test]
    fn role_members_can_be_filtered() {
        let read = |text, strict| read(Endpoint::RoleMembers, text, strict);
        assert_eq!(read("type=implicit", true).unwrap().membership, Some(Membership::Implicit));
        let bad = BadParameter("type".into(), "must be explicit or implicit");
        assert_eq!(read("type=other", false), Err(bad));
        let ids = read("userIds=a,b&userIds=c", false).unwrap().user_ids.unwrap();
        assert_eq!(ids, ["a", "b", "c"]);
    }
}
