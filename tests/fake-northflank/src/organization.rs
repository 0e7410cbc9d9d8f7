//! The world that is served.

use std::collections::{HashMap, HashSet};

/// An organization. Whatever follows from something else (implicit role members) is
/// computed, so that a world can't contradict itself unless it says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Organization {
    /// Everybody with an account, in the order of joining.
    pub members: Vec<Member>,
    /// Roles, in the order of creation.
    pub roles: Vec<Role>,
    /// Directory groups, in the order of creation.
    pub groups: Vec<Group>,
    /// Teams, in the order of creation.
    pub teams: Vec<Team>,
    /// The organization's own API tokens, the newest first.
    pub tokens: Vec<ApiToken>,
}

/// Somebody with an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Member {
    /// The username.
    pub id: String,
    /// The full name.
    pub name: Option<String>,
    /// E-mail addresses.
    pub emails: Vec<Email>,
    /// RFC 3339.
    pub joined_at: Option<String>,
    /// RFC 3339.
    pub last_login: Option<String>,
    /// Whether the account is set up.
    pub finalized: bool,
    /// Whether the member list has the member; roles and groups may know more people.
    pub listed: bool,
}

/// An e-mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// The address.
    pub address: String,
    /// Whether it is verified.
    pub verified: bool,
}

/// An organization role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Role {
    /// The slug.
    pub id: String,
    /// The name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Where it applies.
    pub restrictions: Restrictions,
    /// Ids of linked directory groups; may name groups that don't exist.
    pub directory_groups: Vec<String>,
    /// Ids of members added by hand.
    pub explicit: Vec<String>,
    /// Ids of members that are implicit although no linked group has them: a contradiction
    /// that a test asks for.
    pub unexplained: Vec<String>,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub updated_at: String,
}

/// Where a role applies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restrictions {
    /// Whether it is restricted at all.
    pub enabled: bool,
    /// To which teams.
    pub teams: Vec<RestrictedTeam>,
}

/// A team that a role is restricted to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestrictedTeam {
    /// The team's slug.
    pub id: String,
    /// To which of its projects, if not to all.
    pub projects: Option<Projects>,
}

/// Some of a team's projects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Projects {
    /// Only these or all but these.
    pub mode: Mode,
    /// The projects' slugs.
    pub ids: Vec<String>,
}

/// What a list of projects means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Only these.
    In,
    /// All but these.
    NotIn,
}

/// A team.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Team {
    /// The slug.
    pub id: String,
    /// The name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The object id.
    pub uid: String,
    /// RFC 3339.
    pub created_at: String,
    /// Who is in it; accounts may be of people whom the member list lacks.
    pub members: Vec<DirectoryUser>,
    /// Its roles, whose ids other teams' roles may have as well.
    pub roles: Vec<TeamRole>,
    /// Its API tokens, the newest first.
    pub tokens: Vec<ApiToken>,
}

/// A role of a team's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TeamRole {
    /// The slug.
    pub id: String,
    /// The name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// To which of the team's projects it is restricted, if it is.
    pub projects: Option<Projects>,
    /// Who holds it.
    pub holders: Vec<DirectoryUser>,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub updated_at: String,
}

/// An API token, as it is listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiToken {
    /// The slug.
    pub id: String,
    /// The name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Id and name of the role that it acts as.
    pub role: Option<(String, String)>,
    /// The address of who made it.
    pub creator: Option<String>,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339; `None` for never.
    pub expires_at: Option<String>,
    /// RFC 3339; `None` for never.
    pub last_used_at: Option<String>,
    /// Whether somebody has put an end to it; it isn't listed then.
    pub is_revoked: bool,
}

/// A directory group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The identity provider's id.
    pub idp_id: String,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub updated_at: String,
    /// Who is in it.
    pub users: Vec<DirectoryUser>,
}

/// Somebody in a directory group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DirectoryUser {
    /// Somebody with this account.
    Account(String),
    /// Somebody whom Northflank has no account for.
    Unprovisioned {
        /// The full name.
        name: Option<String>,
        /// E-mail addresses.
        emails: Vec<String>,
    },
}

/// Somebody who holds a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoleMember<'organization> {
    /// The username.
    pub id: &'organization str,
    /// Added by hand.
    pub explicit: bool,
    /// Through a linked group.
    pub implicit: bool,
}

impl Organization {
    /// Who holds a role: those added by hand, then those whom linked groups bring.
    pub fn role_members<'organization>(
        &'organization self,
        role: &'organization Role,
    ) -> Vec<RoleMember<'organization>> {
        let groups: HashMap<&str, &Group> =
            self.groups.iter().map(|group| (group.id.as_str(), group)).collect();
        let accounts = role
            .directory_groups
            .iter()
            .filter_map(|id| groups.get(id.as_str()))
            .flat_map(|group| group.accounts())
            .chain(role.unexplained.iter().map(String::as_str));
        let explicit: HashSet<&str> = role.explicit.iter().map(String::as_str).collect();
        let mut seen = HashSet::new();
        let implicit: Vec<&str> = accounts.filter(|id| seen.insert(*id)).collect();
        let by_hand = role.explicit.iter().map(|id| RoleMember {
            id,
            explicit: true,
            implicit: seen.contains(id.as_str()),
        });
        let through_groups = implicit
            .iter()
            .filter(|id| !explicit.contains(*id))
            .map(|id| RoleMember { id, explicit: false, implicit: true });
        by_hand.chain(through_groups).collect()
    }

    /// The organization as it would be without Directory Sync: nobody is in a group, and no
    /// role is linked to one.
    #[must_use]
    pub fn without_directory_sync(mut self) -> Self {
        self.groups.clear();
        self.roles.iter_mut().for_each(|role| role.directory_groups.clear());
        self
    }

    /// Requests that a read of teams takes besides, with their roles, and then with who is in
    /// both.
    pub fn requests_for_teams(&self) -> usize {
        let teams = self.teams.iter().map(|team| {
            let holders = team.roles.iter().map(|role| pages(role.holders.len()));
            pages(team.members.len()) + pages(team.roles.len()) + holders.sum::<usize>()
        });
        pages(self.teams.len()) + teams.sum::<usize>()
    }

    /// Requests that a read of API tokens takes besides, but for the list of teams.
    pub fn requests_for_tokens(&self) -> usize {
        let active =
            |tokens: &[ApiToken]| pages(tokens.iter().filter(|token| !token.is_revoked).count());
        active(&self.tokens) + self.teams.iter().map(|team| active(&team.tokens)).sum::<usize>()
    }

    /// Requests that a full read takes in pages of 100, and one that asks who the token is.
    pub fn requests(&self) -> usize {
        let listed = self.members.iter().filter(|member| member.listed).count();
        let roles = self.roles.iter().map(|role| pages(self.role_members(role).len()));
        let groups = self.groups.iter().map(|group| pages(group.users.len()));
        let (whoami, listing_groups) = (1, 1);
        let lists = pages(listed) + pages(self.roles.len()) + listing_groups;
        whoami + lists + roles.sum::<usize>() + groups.sum::<usize>()
    }
}

/// Pages of 100 in which so many rows come.
fn pages(rows: usize) -> usize {
    rows.div_ceil(100).max(1)
}

impl Group {
    /// The usernames of those in the group who have an account.
    pub fn accounts(&self) -> impl Iterator<Item = &str> {
        self.users.iter().filter_map(|user| match user {
            DirectoryUser::Account(id) => Some(id.as_str()),
            DirectoryUser::Unprovisioned { .. } => None,
        })
    }
}
