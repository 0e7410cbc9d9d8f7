//! Validation: may the token read everything that a sync needs? Asked first, all at once, so
//! that one run tells everything that is missing and nothing is written. What is asked for are
//! the first pages of the lists, which need not be asked for again.

use std::fmt;

use futures_util::future::join_all;
use reqwest::StatusCode;
use time::{Date, Duration, OffsetDateTime};

use crate::baton::check_id;
use crate::error_chain::with_causes;
use crate::northflank::{
    Client, Error, List, ListKind, Problem, Refusal, Rows, StartedList, TokenOwner, Whoami,
};

use super::SyncSelection;
use super::acting_role::{ActingRole, RoleScope};

/// A token that expires within this time is warned of.
const WARN_BEFORE: Duration = Duration::days(14);

/// The lists that are asked for first, in the order in which they are told, whatever is selected.
const LISTS: [ListKind; 3] = [ListKind::Members, ListKind::Roles, ListKind::DirectoryGroups];

/// What Northflank answered to all that is asked first.
#[derive(Debug)]
pub struct Preflight {
    /// Whose token it is, if Northflank tells.
    pub whoami: Option<Whoami>,
    /// That it refuses to tell, if it does. Nobody needs a permission to ask that.
    pub whoami_refusal: Option<Refusal>,
    /// The first page of each list that says what there is, and of those that belong to the first
    /// row of one that has to be asked for.
    pub lists: Vec<(ListKind, Result<StartedList, Error>)>,
    /// The kinds of lists of which none could be asked for, because what they belong to couldn't
    /// be listed.
    pub unasked: Vec<ListKind>,
    /// Whether the token's role has to let it see all teams.
    needs_all_teams: bool,
}

/// What the checks told, where nothing is missing.
#[derive(Debug)]
pub struct Validated {
    /// Whose token it is, if Northflank tells.
    pub whoami: Option<Whoami>,
    /// The lists whose first pages have been read, in the order of their kinds.
    pub lists: Vec<StartedList>,
    /// That Northflank refuses to list directory groups, as it may where an organization has no
    /// Directory Sync. That this is the reason, the roles must show: none of them may be linked to
    /// a group.
    pub without_groups: Option<Error>,
}

/// Why the connector can't connect.
#[derive(Debug, thiserror::Error)]
pub enum ValidationError {
    /// No endpoint accepts the token.
    #[error(
        "Northflank refuses the API token ({0}): it is wrong, expired or revoked, or belongs \
         to a team; create one under the organization's Settings > API > Tokens"
    )]
    Token(Refusal),
    /// The token's time is over.
    #[error(
        "Northflank refuses {token} ({refusal}): it expired on {day}; create one under the \
         organization's Settings > API > Tokens"
    )]
    Expired {
        token: String,
        /// When it expired, shown as 2026-12-01.
        day: Date,
        /// An answer to it.
        refusal: Refusal,
    },
    /// The token is a team's.
    #[error(
        "{token} belongs to {team}, which can't read the organization; create one under the \
         organization's Settings > API > Tokens"
    )]
    Team { token: String, team: String },
    /// The token is valid but its role lacks permissions.
    #[error(
        "{token} may not read {}; give its role these permissions in Northflank, they take \
         effect at once{}",
        list(.missing), could_not_be_checked(.unasked)
    )]
    Permissions {
        token: String,
        /// What it lacks.
        missing: Vec<MissingPermission>,
        /// What it may lack besides.
        unasked: Vec<ListKind>,
    },
    /// The token's role doesn't apply to all teams, so that Northflank may leave some out of what
    /// it lists.
    #[error(
        "{token} can't be trusted to see all teams: its role is restricted to {}, and Northflank \
         may leave the others out without a word; give the token a role without restrictions",
        if .teams.is_empty() { "no team".to_owned() } else { .teams.join(", ") }
    )]
    Restricted {
        token: String,
        /// The teams that the role is restricted to.
        teams: Vec<String>,
    },
    /// Something else went wrong, maybe more than once.
    #[error("can't check the API token: {}", causes(.0))]
    Failed(Vec<Error>),
}

/// A list that the token may not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingPermission {
    pub list: ListKind,
    /// Northflank's own name of the permission, where the answer gives one.
    pub permission_name: Option<String>,
}

impl fmt::Display for MissingPermission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let declaration = self.list.declaration();
        write!(formatter, "{} (needs {}", declaration.rows, declaration.permission)?;
        if let Some(named) = &self.permission_name {
            write!(formatter, ", which the API calls {named}")?;
        }
        formatter.write_str(")")
    }
}

/// What of teams isn't known to be readable, with the permissions that it takes.
fn could_not_be_checked(unasked: &[ListKind]) -> String {
    let needs = unasked.iter().map(|kind| {
        let declaration = kind.declaration();
        format!("{} (needs {})", declaration.rows, declaration.permission)
    });
    let needs: Vec<_> = needs.collect();
    let needs: Vec<_> = needs.iter().map(String::as_str).collect();
    if needs.is_empty() {
        return String::new();
    }
    format!("; whether it may read {} couldn't be checked", enumerated(&needs))
}

fn list(missing: &[MissingPermission]) -> String {
    missing.iter().map(MissingPermission::to_string).collect::<Vec<_>>().join(" and ")
}

/// Each with the system's own account of it; nobody but this text keeps them. What several have
/// in common is said once.
fn causes(errors: &[Error]) -> String {
    let mut groups: Vec<(String, Vec<&Error>)> = Vec::new();
    for error in errors {
        let cause = with_causes(&error.problem);
        match groups.iter_mut().find(|(of_group, _)| *of_group == cause) {
            Some((_, group)) => group.push(error),
            None => groups.push((cause, vec![error])),
        }
    }
    let said = groups.iter().map(|(cause, group)| {
        let endpoints: Vec<_> = group.iter().map(|error| &*error.endpoint).collect();
        let tries = group.iter().map(|error| error.tries).max().unwrap_or_default();
        let tries = if tries > 1 { format!(" ({tries} tries)") } else { String::new() };
        format!("GET {}: {cause}{tries}", enumerated(&endpoints))
    });
    said.collect::<Vec<_>>().join(" and ")
}

/// `a, b and c`.
fn enumerated(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [name] => (*name).to_owned(),
        [names @ .., last] => format!("{} and {last}", names.join(", ")),
    }
}

/// Asks for one page of each scope that `selection` takes, and who the token is.
pub async fn validate(
    client: &Client,
    selection: &SyncSelection,
) -> Result<Validated, ValidationError> {
    Preflight::make(client, selection, |_| ()).await.verdict(OffsetDateTime::now_utc())
}

impl Preflight {
    /// Asks for one page of each scope that `selection` takes, and who the token is, which is told
    /// to `announce` as soon as it is known whether it is known.
    pub async fn make(
        client: &Client,
        selection: &SyncSelection,
        announce: impl FnOnce(Option<&Whoami>),
    ) -> Self {
        let whoami = async {
            let whoami = client.whoami().await;
            announce(whoami.as_ref().ok());
            whoami
        };
        let further = ListKind::ALL.iter().copied().filter(|kind| {
            kind.parent().is_none()
                && !LISTS.contains(kind)
                && selection.has_list(&List::only(*kind))
        });
        let asked = LISTS.into_iter().chain(further).map(List::only);
        let (whoami, mut lists) = tokio::join!(whoami, first_pages(client, asked));
        let (below, unasked) = lists_below(&lists, selection);
        let below = first_pages(client, below).await;
        // What has gone since it was listed is looked for again where it is read.
        let has_gone = |error: &Error| {
            error.refusal().is_some_and(|it| it.is_of_what_is_asked_for() && !it.is_refused())
        };
        lists.extend(below.into_iter().filter(|(_, list)| !list.as_ref().is_err_and(has_gone)));
        // Where one of them is found, so are the others.
        let has_read = whoami.is_ok() || lists.iter().any(|(_, list)| list.is_ok());
        let errors = lists.iter_mut().filter_map(|(_, list)| list.as_mut().err());
        errors.for_each(|error| error.doubt_base_url(has_read));
        let (whoami, whoami_refusal) = match whoami {
            Ok(whoami) => (Some(whoami), None),
            Err(refusal) => (None, refusal),
        };
        let needs_all_teams = selection.has_list(&List::only(ListKind::Teams));
        Self { whoami, whoami_refusal, lists, unasked, needs_all_teams }
    }

    /// What was answered to the list of a kind.
    pub fn list(&self, kind: ListKind) -> Option<&Result<StartedList, Error>> {
        self.lists.iter().find(|(asked, _)| *asked == kind).map(|(_, list)| list)
    }

    /// Whether this refusal to list directory groups means, as far as the first page of the
    /// roles tells, that the organization has no Directory Sync. What Northflank answers then is
    /// documented nowhere.
    pub fn lack_directory_sync(&self, error: &Error) -> bool {
        let others = self
            .lists
            .iter()
            .filter(|(kind, _)| LISTS.contains(kind) && *kind != ListKind::DirectoryGroups);
        may_lack_directory_sync(error)
            && others.map(|(_, list)| list.as_ref()).all(|list| list.is_ok_and(|it| !has_links(it)))
    }

    /// What they tell, or what it is that a sync lacks.
    pub fn verdict(self, now: OffsetDateTime) -> Result<Validated, ValidationError> {
        let groups = self.list(ListKind::DirectoryGroups).and_then(|groups| groups.as_ref().err());
        let lacks_directory_sync = groups.is_some_and(|error| self.lack_directory_sync(error));
        let Self { whoami, whoami_refusal, lists, unasked, needs_all_teams } = self;
        let is_missing = |(kind, list): &(ListKind, Result<StartedList, Error>)| {
            list.is_err() && !(lacks_directory_sync && *kind == ListKind::DirectoryGroups)
        };
        if lists.iter().any(is_missing) {
            let errors = lists.into_iter().map(|(kind, list)| (kind, list.err()));
            let whoami = whoami.as_ref().ok_or(whoami_refusal.as_ref());
            return Err(problem(errors.collect(), unasked, whoami, now));
        }
        if let Some(whoami) = whoami.as_ref().filter(|_| needs_all_teams) {
            for (_, list) in &lists {
                let scope = list.as_ref().ok().and_then(|list| whoami_scope(whoami, list));
                if let Some(RoleScope::Teams(teams)) = scope {
                    return Err(ValidationError::Restricted { token: whoami.full_name(), teams });
                }
            }
        }
        let mut started = Vec::new();
        let mut without_groups = None;
        for (_, list) in lists {
            match list {
                Ok(list) => started.push(list),
                Err(error) => without_groups = Some(error),
            }
        }
        started.sort_by_key(|list| list.first.list.kind);
        Ok(Validated { whoami, lists: started, without_groups })
    }
}

/// The first page of each.
async fn first_pages(
    client: &Client,
    lists: impl IntoIterator<Item = List>,
) -> Vec<(ListKind, Result<StartedList, Error>)> {
    join_all(
        lists.into_iter().map(|list| async move { (list.kind, client.list(list).start().await) }),
    )
    .await
}

/// Of each kind that belongs to rows of lists that have to be asked for, the first list that is
/// read; and the kinds of which nothing is known.
fn lists_below(
    lists: &[(ListKind, Result<StartedList, Error>)],
    selection: &SyncSelection,
) -> (Vec<List>, Vec<ListKind>) {
    let (mut below, mut unasked) = (Vec::new(), Vec::new());
    for (kind, list) in lists.iter().filter(|(kind, _)| !LISTS.contains(kind)) {
        let children = kind.declaration().of_each_row.iter().copied();
        for child in children.filter(|child| selection.may_have_lists(*child)) {
            match list {
                Ok(list) => {
                    let ids = list.first.rows.iter().filter_map(|row| row.id().cloned());
                    // Others the reading refuses.
                    let mut lists = ids.filter(|id| check_id(id).is_ok());
                    let first = lists.find_map(|id| {
                        Some(List::of(child, id)).filter(|it| selection.has_list(it))
                    });
                    below.extend(first);
                }
                Err(_) => unasked.push(child),
            }
        }
    }
    (below, unasked)
}

/// Where the token's role applies, if a list's first page tells.
fn whoami_scope(whoami: &Whoami, list: &StartedList) -> Option<RoleScope> {
    ActingRole::of(whoami)?.scope_in(&list.first.rows)
}

/// Whether the first page of a list has something that is linked to a directory group.
fn has_links(list: &StartedList) -> bool {
    match &list.first.rows {
        Rows::Roles(roles) => roles.iter().any(|role| !role.directory_groups.is_empty()),
        _ => false,
    }
}

/// Whether the refusal to list directory groups may have that reason, as no other is known. A
/// gateway's or proxy's says nothing of the organization.
fn may_lack_directory_sync(error: &Error) -> bool {
    error.refusal().is_some_and(|answer| {
        let has_another_reason = matches!(
            answer.status,
            StatusCode::UNAUTHORIZED | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS
        );
        answer.is_northflanks
            && answer.status.is_client_error()
            && !answer.is_denied()
            && !has_another_reason
    })
}

/// What the failed requests mean together. A refusal that names no permission is a bad token if
/// every endpoint gives it and nobody knows the token, and else a missing permission. Of a 403
/// that is only so if it is Northflank's answer to who the token is, too, or if its time is over.
fn problem(
    outcomes: Vec<(ListKind, Option<Error>)>,
    unasked: Vec<ListKind>,
    whoami: Result<&Whoami, Option<&Refusal>>,
    now: OffsetDateTime,
) -> ValidationError {
    let mut is_known = outcomes.iter().any(|(_, error)| error.is_none());
    let mut refusals = outcomes.iter().filter_map(|(_, error)| error.as_ref()?.refusal());
    let is_refused = refusals.any(Refusal::is_of_what_is_asked_for);
    let (whoami, may_be_none) = match whoami {
        Ok(whoami) if whoami.owner == Some(TokenOwner::Team) && !is_known && is_refused => {
            let slug = whoami.slug.as_ref();
            return ValidationError::Team {
                token: whoami.name(),
                team: slug.map_or("a team".to_owned(), |slug| format!("the team {slug}")),
            };
        }
        Ok(whoami) => (whoami.clone(), whoami.has_expired(now)),
        Err(refusal) => {
            let may_be_none =
                refusal.is_some_and(|it| it.is_northflanks && it.may_be_of_the_token());
            (Whoami::default(), may_be_none)
        }
    };
    let mut refusal = None;
    let mut has_bare_refusal = false;
    let mut missing = Vec::new();
    let mut failed = Vec::new();
    for (list, error) in outcomes {
        let Some(error) = error else { continue };
        match error.problem {
            Problem::Refused(answer) if answer.is_refused() => {
                let is_bare = answer.may_be_of_the_token() && (may_be_none || !answer.is_denied());
                has_bare_refusal |= is_bare;
                is_known |= !is_bare;
                missing.push(MissingPermission {
                    list,
                    permission_name: answer.required_permission.clone(),
                });
                refusal = Some(answer);
            }
            problem => failed.push(Error { problem, ..error }),
        }
    }
    let Some(refusal) = refusal else {
        return ValidationError::Failed(failed);
    };
    let expiry = whoami.expiry_day().filter(|_| whoami.has_expired(now));
    match (whoami.owner, expiry) {
        (_, Some(day)) if has_bare_refusal && !is_known => {
            ValidationError::Expired { token: whoami.full_name(), day, refusal }
        }
        (None, _) if has_bare_refusal && !is_known => ValidationError::Token(refusal),
        _ => ValidationError::Permissions { token: whoami.full_name(), missing, unasked },
    }
}

/// What to warn of although everything can be read.
pub fn warnings(whoami: &Whoami, now: OffsetDateTime) -> Vec<String> {
    let mut warnings = Vec::new();
    let token = whoami.full_name();
    if whoami.owner == Some(TokenOwner::Team) {
        warnings.push(format!("{token} is said to belong to a team, but reads an organization"));
    }
    if let (Some(expires_at), Some(day)) = (whoami.expires_at(), whoami.expiry_day()) {
        if whoami.has_expired(now) {
            warnings.push(format!("{token} is said to have expired on {day}, but still works"));
        } else if expires_at - now <= WARN_BEFORE {
            warnings.push(format!("{token} expires on {day}; replace it in time"));
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use time::{Duration, OffsetDateTime};

    use super::{
        Error, LISTS, Problem, StatusCode, TokenOwner, ValidationError, Whoami,
        may_lack_directory_sync, problem, warnings,
    };
    use crate::northflank::{READ_MEMBERS, READ_ROLES, Refusal, TokenExpiry};

    const NOW: OffsetDateTime = datetime!(2026-11-25 12:00 UTC);

    fn refused(status: u16, permission: Option<&str>) -> Error {
        let refusal = Refusal {
            status: StatusCode::from_u16(status).unwrap(),
            required_permission: permission.map(Into::into),
            is_northflanks: true,
            ..Refusal::default()
        };
        Error { endpoint: "/v1/x".into(), tries: 1, problem: Problem::Refused(refusal) }
    }

    fn token_of(owner: TokenOwner) -> Whoami {
        Whoami {
            owner: Some(owner),
            slug: Some("acme".into()),
            token: Some("review".into()),
            role: Some("Auditor".into()),
            ..Whoami::default()
        }
    }

    fn of(errors: [Option<Error>; 3], whoami: Option<&Whoami>) -> ValidationError {
        verdict(errors, whoami.ok_or(None))
    }

    fn verdict(
        errors: [Option<Error>; 3],
        whoami: Result<&Whoami, Option<&Refusal>>,
    ) -> ValidationError {
        problem(LISTS.into_iter().zip(errors).collect(), Vec::new(), whoami, NOW)
    }

    fn all(status: u16) -> [Option<Error>; 3] {
        [(); 3].map(|()| Some(refused(status, None)))
    }

    #[test]
    fn a_bare_401_from_everywhere_is_a_bad_token_unless_the_organization_owns_it() {
        let error = of(all(401), None);
        assert!(matches!(error, ValidationError::Token(_)), "{error}");
        // Of a kind that nobody knows.
        let error = of(all(401), Some(&Whoami::default()));
        assert!(matches!(error, ValidationError::Token(_)), "{error}");
        let error = of(all(401), Some(&token_of(TokenOwner::Organization))).to_string();
        let token = "the API token review (role Auditor) of the organization acme may not read";
        assert!(error.starts_with(token), "{error}");
    }

    #[test]
    fn a_403_from_everywhere_is_a_bad_token_only_where_nobody_may_ask_who_it_is_either() {
        let refusal = |status, permission| refused(status, permission).refusal().unwrap().clone();
        let is_token = |errors, auth: Option<&Refusal>| {
            matches!(verdict(errors, Err(auth)), ValidationError::Token(_))
        };
        let mixed =
            || [Some(refused(401, None)), Some(refused(403, None)), Some(refused(502, None))];
        for auth in [refusal(403, None), refusal(401, None)] {
            assert!(is_token(all(403), Some(&auth)));
            assert!(is_token(mixed(), Some(&auth)));
            // Something is known of the token, or it reads something.
            for known in [Some(refused(403, Some("x"))), Some(refused(401, Some("x"))), None] {
                let errors = [Some(refused(403, None)), known, Some(refused(403, None))];
                assert!(!is_token(errors, Some(&auth)));
            }
        }
        let gateways = Refusal { is_northflanks: false, ..refusal(403, None) };
        let says_nothing =
            [None, Some(refusal(403, Some("x"))), Some(refusal(404, None)), Some(gateways)];
        for auth in says_nothing {
            let error = verdict(all(403), Err(auth.as_ref()));
            assert!(matches!(error, ValidationError::Permissions { .. }), "{error}");
        }
    }

    #[test]
    fn a_403_that_a_proxy_may_have_said_is_told_as_such() {
        let foreign = || {
            let mut error = refused(403, None);
            if let Problem::Refused(refusal) = &mut error.problem {
                refusal.is_northflanks = false;
            }
            Some(error)
        };
        let auth = foreign().unwrap().refusal().cloned();
        for whoami in [Err(None), Err(auth.as_ref()), Ok(&token_of(TokenOwner::Organization))] {
            let error = verdict([foreign(), foreign(), foreign()], whoami);
            assert!(matches!(error, ValidationError::Failed(_)), "{error}");
            assert!(error.to_string().contains("proxy or firewall"), "{error}");
        }
        let error = verdict([foreign(), foreign(), foreign()], Ok(&token_of(TokenOwner::Team)));
        assert!(matches!(error, ValidationError::Team { .. }), "{error}");
    }

    #[test]
    fn a_teams_token_is_told_apart_whatever_the_refusals_look_like() {
        let team = token_of(TokenOwner::Team);
        for errors in [
            all(401),
            all(403),
            all(404),
            all(400),
            [(); 3].map(|()| Some(refused(401, Some("x")))),
            [Some(refused(401, None)), Some(refused(502, None)), Some(refused(403, None))],
        ] {
            let error = of(errors, Some(&team));
            assert!(matches!(error, ValidationError::Team { .. }), "{error}");
            let parts = "(role Auditor) belongs to the team acme, which can't read";
            assert!(error.to_string().contains(parts), "{error}");
        }
        // What it can read in part is a matter of permissions, and what fails is neither.
        let error = of([None, Some(refused(403, None)), None], Some(&team));
        assert!(matches!(error, ValidationError::Permissions { .. }), "{error}");
        assert!(matches!(of(all(502), Some(&team)), ValidationError::Failed(_)));
    }

    #[test]
    fn what_several_checks_have_in_common_is_said_once() {
        let failed = |endpoint: &str, status: u16, tries| Error {
            endpoint: endpoint.to_owned(),
            tries,
            ..refused(status, None)
        };
        let same = ["/v1/a", "/v1/b", "/v1/c"].map(|endpoint| failed(endpoint, 503, 5));
        let said = ValidationError::Failed(same.into()).to_string();
        assert_eq!(
            said,
            "can't check the API token: GET /v1/a, /v1/b and /v1/c: Northflank answered 503 Service \
             Unavailable (5 tries)"
        );
        let mixed = [failed("/v1/a", 503, 5), failed("/v1/b", 400, 1), failed("/v1/c", 503, 4)];
        let said = ValidationError::Failed(mixed.into()).to_string();
        assert_eq!(
            said,
            "can't check the API token: GET /v1/a and /v1/c: Northflank answered 503 Service \
             Unavailable (5 tries) and GET /v1/b: Northflank answered 400 Bad Request"
        );
    }

    #[test]
    fn an_expired_token_that_is_refused_says_when_it_expired() {
        let expiry = TokenExpiry::At(NOW - Duration::days(2));
        let expired = Whoami { expiry, ..token_of(TokenOwner::Organization) };
        for status in [401, 403] {
            let error = of(all(status), Some(&expired)).to_string();
            assert!(error.contains("review (role Auditor) of the organization acme"), "{error}");
            assert!(error.contains("it expired on 2026-11-23"), "{error}");
            let errors = [Some(refused(status, None)), None, Some(refused(status, None))];
            let error = of(errors, Some(&expired));
            assert!(matches!(error, ValidationError::Permissions { .. }), "{error}");
        }
    }

    #[test]
    fn a_bare_401_beside_an_answer_is_a_missing_permission() {
        let error = of([Some(refused(401, None)), None, None], None).to_string();
        assert!(error.contains(&format!("members (needs {READ_MEMBERS})")), "{error}");
        assert!(!error.contains("roles"), "{error}");
    }

    #[test]
    fn everything_that_is_missing_is_reported_together() {
        let errors = [
            Some(refused(403, None)),
            Some(refused(401, Some("os_admin_roles_read"))),
            Some(refused(401, None)),
        ];
        let error = of(errors, None).to_string();
        for part in [
            format!("members (needs {READ_MEMBERS})"),
            format!("roles (needs {READ_ROLES}, which the API calls os_admin_roles_read)"),
            format!("directory groups (needs {READ_ROLES})"),
        ] {
            assert!(error.contains(&part), "{error}");
        }
    }

    #[test]
    fn another_failure_is_not_taken_for_a_missing_permission() {
        let error = of([Some(refused(502, None)), None, None], None);
        assert!(matches!(error, ValidationError::Failed(_)));
        assert!(error.to_string().contains("502 Bad Gateway"), "{error}");
    }

    #[test]
    fn only_a_refusal_without_another_reason_may_mean_that_there_is_no_directory_sync() {
        for status in [400, 404, 405, 409, 410, 418, 422, 451] {
            assert!(may_lack_directory_sync(&refused(status, None)), "{status}");
        }
        for status in [302, 401, 403, 408, 429, 500, 501, 503] {
            assert!(!may_lack_directory_sync(&refused(status, None)), "{status}");
        }
        assert!(!may_lack_directory_sync(&refused(401, Some("x"))));
    }

    #[test]
    fn an_expiry_is_warned_of_from_two_weeks_before_and_after_it() {
        let expiring = |days| {
            let expiry = TokenExpiry::At(NOW + Duration::days(days));
            let token = Whoami { expiry, ..token_of(TokenOwner::Organization) };
            warnings(&token, NOW).join("; ")
        };
        assert_eq!(expiring(15), "");
        let token = "the API token review (role Auditor) of the organization acme";
        assert_eq!(expiring(14), format!("{token} expires on 2026-12-09; replace it in time"));
        let past = format!("{token} is said to have expired on 2026-11-24, but still works");
        assert_eq!(expiring(-1), past);
        assert_eq!(warnings(&token_of(TokenOwner::Organization), NOW), [""; 0]);
        assert_eq!(warnings(&Whoami::default(), NOW), [""; 0]);
        assert!(warnings(&token_of(TokenOwner::Team), NOW)[0].contains("belong to a team"));
    }
}
