//! The organization, how it is served, and how it changes meanwhile.

use std::time::Duration;

use fake_northflank::{
    DirectoryUser, Endpoint, Member, Options, Organization, RateHeaders, Role, Size, Team, Word,
};

use super::draw::Draw;
use super::team_changes::TeamChange;
use crate::sync::properties;

/// Any organization: of odd ids, of many pages, or none, with Directory Sync or without.
pub(super) fn organization(draw: &mut Draw) -> Organization {
    let organization = match draw.number(0..=9) {
        0 => Organization::demo(),
        1 => Organization::odd(),
        2..=4 => draw.any(&properties::organization()),
        _ => {
            let size = Size {
                members: draw.magnitude(400),
                roles: draw.magnitude(14) - 1,
                groups: draw.magnitude(9) - 1,
                memberships: draw.magnitude(1_500),
            };
            Organization::generate(draw.number(0..=1_000_000) as u64, size)
        }
    };
    let organization = with_teams(draw, organization);
    if draw.percent(10) { organization.without_directory_sync() } else { organization }
}

/// The same with any teams, their roles and API tokens, or without.
fn with_teams(draw: &mut Draw, organization: Organization) -> Organization {
    match draw.number(0..=4) {
        0 => Organization { teams: Vec::new(), tokens: Vec::new(), ..organization },
        // Those that it has.
        1 => organization,
        2 | 3 => {
            let seed = draw.number(0..=1_000_000) as u64;
            organization.with_teams(seed, draw.number(1..=4))
        }
        _ => {
            let ids = organization.members.iter().map(|member| member.id.clone());
            let (teams, tokens) = draw.any(&properties::teams(&ids.collect::<Vec<_>>()));
            Organization { teams, tokens, ..organization }
        }
    }
}

/// Any way of serving that loses nothing.
pub(super) fn options(draw: &mut Draw, organization: &Organization) -> Options {
    let mut options = draw.any(&properties::options());
    let roles = organization.roles.iter().map(|role| organization.role_members(role).len());
    let groups = organization.groups.iter().map(|group| group.users.len());
    let teams = organization.teams.iter().map(rows_of_team);
    let rows = organization.members.len()
        + roles.sum::<usize>()
        + groups.sum::<usize>()
        + teams.sum::<usize>()
        + organization.tokens.len();
    // No more than some 150 pages.
    options.page_size = options.page_size.map(|size| size.max(rows / 150));
    options.title_case_headers = draw.percent(30);
    // How one list pages says nothing of another.
    if draw.percent(40) {
        for endpoint in [
            Endpoint::Members,
            Endpoint::RoleMembers,
            Endpoint::GroupMembers,
            Endpoint::TeamMembers,
            Endpoint::TeamRoles,
            Endpoint::TeamTokens,
        ] {
            options.words.insert(endpoint, draw.one(&Word::ALL));
        }
    }
    let mut links = organization.roles.iter().flat_map(|role| &role.directory_groups);
    if organization.groups.is_empty() && links.next().is_none() && draw.percent(70) {
        options.without_directory_sync = Some(draw.one(&[200, 400, 404, 409, 422]));
    }
    if draw.percent(30) {
        options.latency = Duration::from_millis(draw.number(1..=30) as u64);
    }
    if draw.percent(25) {
        // A few windows.
        let lists = organization.requests()
            + organization.requests_for_teams()
            + organization.requests_for_tokens();
        let pages = lists + rows / options.page_size.unwrap_or(100);
        let pages = pages * (1 + options.empty_pages);
        options.rate_limit = u32::try_from(6 + pages / 3).ok();
        options.window = Duration::from_secs(1);
        options.refused_count = draw.percent(50);
        let headers = [RateHeaders::Always, RateHeaders::OnSuccess, RateHeaders::Never];
        options.rate_headers = draw.one(&headers);
    }
    options
}

/// Rows of all lists of a team's.
pub(super) fn rows_of_team(team: &Team) -> usize {
    let holders = team.roles.iter().map(|role| role.holders.len());
    team.members.len() + team.roles.len() + holders.sum::<usize>() + team.tokens.len()
}

/// Whether some of its roles are linked to groups, however many of the last ones go in a run.
pub(super) fn stays_linked(organization: &Organization) -> bool {
    let roles = &organization.roles;
    let staying = &roles[..roles.len().saturating_sub(2)];
    staying.iter().any(|role| !role.directory_groups.is_empty())
}

/// What happens to an organization. None of it makes a list that is being read in pages skip a
/// row that stays: what comes is added behind, and what goes stands on a list's only page or at
/// its end.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change {
    SomebodyJoins,
    SomebodyIsGivenARole,
    SomebodyLosesARole,
    SomebodyIsRenamed,
    ARoleComes,
    TheLastRoleGoes,
    TheLastGroupGoes,
    InTeams(TeamChange),
}

impl Change {
    pub(super) fn any(draw: &mut Draw) -> Self {
        draw.one(&[
            Self::SomebodyJoins,
            Self::SomebodyIsGivenARole,
            Self::SomebodyLosesARole,
            Self::SomebodyIsRenamed,
            Self::ARoleComes,
            Self::TheLastRoleGoes,
            Self::TheLastGroupGoes,
            Self::InTeams(TeamChange::SomebodyJoins),
            Self::InTeams(TeamChange::SomebodyLosesARole),
            Self::InTeams(TeamChange::ATeamComes),
            Self::InTeams(TeamChange::TheLastTeamGoes),
            Self::InTeams(TeamChange::ARoleComes),
            Self::InTeams(TeamChange::TheLastRoleGoes),
            Self::InTeams(TeamChange::ATokenIsMade),
            Self::InTeams(TeamChange::TheLastTokenIsRevoked),
        ])
    }

    /// Happens to `organization`, which is served in pages of `page` rows at least; `number`
    /// says to whom.
    pub(super) fn happen(self, number: usize, page: usize, organization: &mut Organization) {
        // Two rows for each holder, at most.
        let fits = |organization: &Organization, role: &Role| {
            organization.role_members(role).len() * 2 < page
        };
        let Organization { members, roles, groups, .. } = organization;
        let somebody = (!members.is_empty()).then(|| members[number % members.len()].id.clone());
        let place = number % roles.len().max(1);
        match self {
            Self::SomebodyJoins => {
                let id = format!("newcomer-{number}");
                if members.iter().any(|member| member.id == id) {
                    return;
                }
                let new =
                    Member { id: id.clone(), finalized: true, listed: true, ..<_>::default() };
                members.push(new);
                if let Some(role) = roles.get_mut(place) {
                    role.explicit.push(id.clone());
                }
                if let Some(group) = groups.last_mut() {
                    group.users.push(DirectoryUser::Account(id));
                }
            }
            Self::SomebodyIsGivenARole => {
                // Whoever holds it through a group would move to another page.
                let holds = |role: &Role, id: &str| {
                    organization.role_members(role).iter().any(|holder| holder.id == id)
                };
                if let Some(id) = somebody
                    && organization.roles.get(place).is_some_and(|role| !holds(role, &id))
                {
                    organization.roles[place].explicit.push(id);
                }
            }
            Self::SomebodyLosesARole => {
                if !roles.is_empty() && fits(organization, &organization.roles[place]) {
                    organization.roles[place].explicit.pop();
                }
            }
            Self::SomebodyIsRenamed => {
                let there = number % members.len().max(1);
                if let Some(member) = members.get_mut(there) {
                    member.name = Some(format!("Renamed {number}"));
                }
            }
            Self::ARoleComes => {
                let id = format!("new-role-{number}");
                if roles.iter().all(|role| role.id != id) {
                    let directory_groups = groups.last().map(|group| group.id.clone());
                    roles.push(Role {
                        id,
                        name: "New".to_owned(),
                        directory_groups: directory_groups.into_iter().collect(),
                        explicit: somebody.into_iter().collect(),
                        ..Role::default()
                    });
                }
            }
            Self::TheLastRoleGoes => {
                if organization.roles.last().is_some_and(|role| fits(organization, role)) {
                    organization.roles.pop();
                }
            }
            Self::TheLastGroupGoes => {
                let is_linked = |id: &String| {
                    organization.roles.iter().any(|role| role.directory_groups.contains(id))
                };
                let last = organization.groups.last();
                if last.is_some_and(|last| last.users.len() < page && !is_linked(&last.id)) {
                    organization.groups.pop();
                }
            }
            Self::InTeams(change) => change.happen(number, page, organization),
        }
    }
}

/// What happens to an organization while nobody reads it: rows may stand anywhere after it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Upheaval {
    SomebodyLeaves,
    HalfOfARoleGoes,
    ARoleGoes,
    AGroupGoes,
    RolesAreInAnotherOrder,
    ATeamGoes,
    HalfOfATeamGoes,
    TeamsAreInAnotherOrder,
}

impl Upheaval {
    pub(super) fn any(draw: &mut Draw) -> Self {
        draw.one(&[
            Self::SomebodyLeaves,
            Self::HalfOfARoleGoes,
            Self::ARoleGoes,
            Self::AGroupGoes,
            Self::RolesAreInAnotherOrder,
            Self::ATeamGoes,
            Self::HalfOfATeamGoes,
            Self::TeamsAreInAnotherOrder,
        ])
    }

    /// Happens to `organization`; `number` says to whom.
    pub(super) fn happen(self, number: usize, organization: &mut Organization) {
        let Organization { members, roles, groups, teams, .. } = organization;
        let place = number % roles.len().max(1);
        match self {
            Self::SomebodyLeaves => {
                // Nobody leaves a team by that.
                if members.is_empty() {
                    return;
                }
                let Member { id, .. } = members.remove(number % members.len());
                for role in roles {
                    role.explicit.retain(|own| *own != id);
                    role.unexplained.retain(|own| *own != id);
                }
                for group in groups {
                    group
                        .users
                        .retain(|user| !matches!(user, DirectoryUser::Account(own) if *own == id));
                }
            }
            Self::HalfOfARoleGoes => {
                if let Some(role) = roles.get_mut(place) {
                    let half = role.explicit.len() / 2;
                    role.explicit.drain(..half);
                }
            }
            Self::ARoleGoes => {
                if !roles.is_empty() {
                    roles.remove(place);
                }
            }
            Self::AGroupGoes => {
                if !groups.is_empty() {
                    let gone = groups.remove(number % groups.len());
                    for role in roles {
                        role.directory_groups.retain(|id| *id != gone.id);
                    }
                }
            }
            Self::RolesAreInAnotherOrder => roles.reverse(),
            Self::ATeamGoes => {
                if !teams.is_empty() {
                    teams.remove(number % teams.len());
                }
            }
            Self::HalfOfATeamGoes => {
                let place = number % teams.len().max(1);
                if let Some(Team { members, roles, tokens, .. }) = teams.get_mut(place) {
                    members.drain(..members.len() / 2);
                    roles.drain(..roles.len() / 2);
                    tokens.drain(..tokens.len() / 2);
                    for role in roles {
                        role.holders.drain(..role.holders.len() / 2);
                    }
                }
            }
            Self::TeamsAreInAnotherOrder => {
                teams.reverse();
                for team in teams {
                    team.roles.reverse();
                }
            }
        }
    }
}
