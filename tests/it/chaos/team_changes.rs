//! How teams change while they are read.

use fake_northflank::{ApiToken, DirectoryUser, Organization, Team, TeamRole};

use super::world::rows_of_team;

/// What happens to teams. As of all that changes while it is read, none of it makes a list skip a
/// row that stays.
#[derive(Debug, Clone, Copy)]
pub(super) enum TeamChange {
    SomebodyJoins,
    SomebodyLosesARole,
    ATeamComes,
    TheLastTeamGoes,
    ARoleComes,
    TheLastRoleGoes,
    ATokenIsMade,
    TheLastTokenIsRevoked,
}

impl TeamChange {
    /// Happens to `organization`, which is served in pages of `page` rows at least; `number` says
    /// to whom and in which team.
    pub(super) fn happen(self, number: usize, page: usize, organization: &mut Organization) {
        let Organization { members, teams, tokens, .. } = organization;
        let somebody = members.get(number % members.len().max(1)).map(|member| member.id.clone());
        let somebody = somebody.unwrap_or_else(|| format!("passer-by-{number}"));
        let account = || DirectoryUser::Account(somebody.clone());
        let place = number % teams.len().max(1);
        let team = teams.get_mut(place);
        match self {
            Self::SomebodyJoins => {
                let Some(Team { members, roles, .. }) = team else { return };
                let holders = roles.last_mut().map(|role| &mut role.holders);
                for people in [Some(members), holders].into_iter().flatten() {
                    if !people.contains(&account()) {
                        people.push(account());
                    }
                }
            }
            Self::SomebodyLosesARole => {
                let role = team.and_then(|team| team.roles.last_mut());
                if let Some(role) = role.filter(|role| role.holders.len() < page) {
                    role.holders.pop();
                }
            }
            Self::ATeamComes => {
                let id = format!("new-team-{number}");
                if teams.iter().all(|team| team.id != id) {
                    let role = TeamRole { id: "owner".to_owned(), ..TeamRole::default() };
                    let (members, roles) = (vec![account()], vec![role]);
                    teams.push(Team { id, members, roles, ..Team::default() });
                }
            }
            Self::TheLastTeamGoes => {
                // The first has been asked for before, and so is known to be there.
                let is_short = teams.last().is_some_and(|last| rows_of_team(last) < page);
                if is_short && teams.len() > 1 {
                    teams.pop();
                }
            }
            Self::ARoleComes => {
                let Some(Team { roles, .. }) = team else { return };
                let id = format!("new-role-{number}");
                if roles.iter().all(|role| role.id != id) {
                    roles.push(TeamRole { id, holders: vec![account()], ..TeamRole::default() });
                }
            }
            Self::TheLastRoleGoes => {
                let Some(Team { roles, .. }) = team else { return };
                if roles.last().is_some_and(|role| role.holders.len() < page) {
                    roles.pop();
                }
            }
            Self::ATokenIsMade => {
                let tokens = some_tokens(number, tokens, team);
                let id = format!("new-token-{number}");
                if tokens.iter().all(|token| token.id != id) {
                    // The newest is listed first.
                    tokens.insert(0, ApiToken { id, ..ApiToken::default() });
                }
            }
            Self::TheLastTokenIsRevoked => {
                let tokens = some_tokens(number, tokens, team);
                if let Some(last) = tokens.iter_mut().rfind(|token| !token.is_revoked) {
                    last.is_revoked = true;
                }
            }
        }
    }
}

/// The organization's tokens or those of the team, if there is one.
fn some_tokens<'all>(
    number: usize,
    own: &'all mut Vec<ApiToken>,
    team: Option<&'all mut Team>,
) -> &'all mut Vec<ApiToken> {
    match team {
        Some(team) if !number.is_multiple_of(2) => &mut team.tokens,
        _ => own,
    }
}
