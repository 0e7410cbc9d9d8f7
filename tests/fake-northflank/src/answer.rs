//! Answering a request: route, token, rate window, scope, query, existence, in this order.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cursor::{Bound, Position};
use crate::delivery::Delivery;
use crate::options::{
    BothTypes, DeniedAs, Options, PagingAnchor, Profile, RateHeaders, Whoami, Word,
};
use crate::organization::{ApiToken, DirectoryUser, TeamRole};
use crate::render::{HALF_SURROGATE, Render};
use crate::route::{BadParameter, Endpoint, Membership, Query};
use crate::script::Action;
use crate::state::State;
use crate::token::Token;

/// A request, as far as answering needs it.
pub(crate) struct Asked<'request> {
    pub(crate) method: &'request str,
    pub(crate) path: &'request str,
    pub(crate) query: &'request str,
    /// The values of all `authorization` headers.
    pub(crate) authorization: Vec<&'request str>,
    /// Whether the answer may be compressed.
    pub(crate) accepts_gzip: bool,
}

/// An answer, before it goes out.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers, besides content type and rate headers, which these replace.
    pub headers: Vec<(String, String)>,
    /// The body. It goes out as it is if a `content-encoding` is among the headers.
    pub body: Vec<u8>,
    /// How it goes out.
    pub delivery: Delivery,
}

impl Answer {
    /// An answer that goes out whole.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), delivery: Delivery::Whole }
    }
}

/// Answers a request.
pub(crate) fn answer(state: &mut State, options: &Options, asked: &Asked<'_>) -> Answer {
    let mut outcome = checked(state, options, asked);
    outcome.compress(options, asked.accepts_gzip);
    let success = outcome.status == 200;
    let shown = match options.rate_headers {
        RateHeaders::Always => true,
        RateHeaders::OnSuccess => success,
        RateHeaders::Never => false,
    };
    if let (true, Some(limit)) = (shown, options.rate_limit) {
        let remaining = limit.saturating_sub(state.window.used);
        let reset = left(state, options).as_secs_f64().ceil();
        for (name, value) in [
            ("x-ratelimit-limit", limit.to_string()),
            ("x-ratelimit-remaining", remaining.to_string()),
            ("x-ratelimit-reset", reset.to_string()),
        ] {
            if !outcome.headers.iter().any(|(own, _)| own == name) {
                outcome.headers.push((name.into(), value));
            }
        }
    }
    outcome
}

fn checked(state: &mut State, options: &Options, asked: &Asked<'_>) -> Answer {
    let Some((endpoint, id)) = Endpoint::of(asked.path) else {
        return error(404, "nf-not-found", "No such path", &json!(null));
    };
    if asked.method != "GET" {
        let mut answer = error(405, "nf-method", "Method not allowed", &json!(null));
        answer.headers.push(("allow".into(), "GET".into()));
        return answer;
    }
    let token = match asked.authorization.as_slice() {
        [one] => one.strip_prefix("Bearer ").and_then(|secret| state.tokens.get(secret)).cloned(),
        _ => None,
    };
    let now = state.now();
    let is_valid = |token: &Token| {
        !token.is_revoked && token.expires_at.is_none_or(|expiry| now.as_secs() < expiry)
    };
    let Some(token) = token.filter(is_valid) else {
        return error(401, "nf-unauthorized", "Unauthorized", &json!(null));
    };
    if let Some(refusal) = spend(state, options) {
        return refusal;
    }
    if endpoint == Endpoint::Auth {
        return scripted(state, options, endpoint, None, asked, &token);
    }
    if token.is_team {
        let status = if options.profile == Profile::Strict { 403 } else { 401 };
        return error(status, "nf-scope", "Unauthorized", &json!(null));
    }
    let (allowed, permission) = endpoint.needs(token.permissions);
    let team = id.as_deref().and_then(|id| id.split('/').next());
    let only = token.only_teams.as_ref().filter(|_| endpoint.is_of_a_team());
    let sees = only.is_none_or(|only| team.is_some_and(|team| only.iter().any(|it| it == team)));
    if !allowed || !sees {
        let details = json!({"requiredPermission": permission});
        return match options.denied_as {
            DeniedAs::Unauthorized => error(401, "nf-permission", "Unauthorized", &details),
            DeniedAs::Forbidden => error(403, "nf-permission", "Forbidden", &json!(null)),
        };
    }
    scripted(state, options, endpoint, id.as_deref(), asked, &token)
}

/// What a rule says, or else the usual.
fn scripted(
    state: &mut State,
    options: &Options,
    endpoint: Endpoint,
    id: Option<&str>,
    asked: &Asked<'_>,
    token: &Token,
) -> Answer {
    // Taken out while one of them is at work on the rest of the state.
    let mut rules = std::mem::take(&mut state.rules);
    let is_later =
        asked.query.split('&').any(|it| it.starts_with("cursor=") || it.starts_with("page="));
    let rule = rules.iter_mut().find_map(|rule| rule.takes(endpoint, id, is_later).then_some(rule));
    let answer = match rule.map(|rule| &mut rule.action) {
        Some(Action::Respond { status, headers, body }) => {
            Answer { headers: headers.clone(), ..Answer::new(*status, body.clone()) }
        }
        Some(Action::Refuse { headers, wait }) => {
            let until = state.now() + *wait;
            state.not_before = state.not_before.max(Some(until));
            Answer { headers: headers.clone(), ..too_many() }
        }
        Some(Action::Mutate(change)) => {
            state.mutate(change);
            usual(state, options, endpoint, id, asked.query, token)
        }
        Some(Action::Alter(alter)) => {
            let mut answer = usual(state, options, endpoint, id, asked.query, token);
            alter(&mut answer);
            answer
        }
        // Who the token is changes with token and time.
        None if options.keep_answers && endpoint != Endpoint::Auth => {
            kept(state, options, endpoint, id, asked, token)
        }
        None => usual(state, options, endpoint, id, asked.query, token),
    };
    state.rules = rules;
    answer
}

/// Takes one request from the window; the refusal if there is none left.
fn spend(state: &mut State, options: &Options) -> Option<Answer> {
    let limit = options.rate_limit?;
    let now = state.now();
    if state.window.started.is_none_or(|started| now >= started + options.window) {
        state.window.started = Some(now);
        state.window.used = 0;
    }
    if state.window.used < limit {
        state.window.used += 1;
        return None;
    }
    if options.refused_count {
        state.window.used += 1;
    }
    state.not_before = Some(now + left(state, options));
    Some(too_many())
}

fn too_many() -> Answer {
    error(429, "nf-rate-limit", "Too many requests", &json!(null))
}

/// Time until the window ends.
fn left(state: &State, options: &Options) -> Duration {
    let now = state.now();
    let end = state.window.started.map_or(now, |started| started + options.window);
    end.saturating_sub(now)
}

/// What was answered to the same question before, and else the usual, kept as it goes out.
fn kept(
    state: &mut State,
    options: &Options,
    endpoint: Endpoint,
    id: Option<&str>,
    asked: &Asked<'_>,
    token: &Token,
) -> Answer {
    let question = format!("{} {} {}", asked.path, asked.query, asked.accepts_gzip);
    if let Some(kept) = state.kept.get(&question) {
        return kept.clone();
    }
    let mut answer = usual(state, options, endpoint, id, asked.query, token);
    answer.compress(options, asked.accepts_gzip);
    state.kept.insert(question, answer.clone());
    answer
}

/// What is answered where no rule says otherwise.
fn usual(
    state: &mut State,
    options: &Options,
    endpoint: Endpoint,
    id: Option<&str>,
    query: &str,
    token: &Token,
) -> Answer {
    match Query::read(endpoint, query, options) {
        Ok(_) if endpoint == Endpoint::Auth => whoami(state, options, token),
        Ok(query) => listed(state, options, endpoint, id, &query, token),
        Err(bad) => bad_request(&bad),
    }
}

fn whoami(state: &State, options: &Options, token: &Token) -> Answer {
    let expires_at = token.expires_at.map(|expiry| state.date(Duration::from_secs(expiry)));
    match options.whoami {
        Whoami::Known => json_answer(&Render(&options.schema).token(token, expires_at.as_deref())),
        Whoami::Absent => error(404, "nf-not-found", "No such path", &json!(null)),
        Whoami::Odd => json_answer(&json!({"data": {
            "tokenKind": 7, "id": ["a"], "name": {"first": "A"}, "entityType": "galaxy",
            "entityId": false, "entityUid": 12, "role": "admin", "permissions": ["all"],
            "expiresAt": 1_893_456_000,
        }})),
    }
}

fn listed(
    state: &mut State,
    options: &Options,
    endpoint: Endpoint,
    id: Option<&str>,
    query: &Query,
    token: &Token,
) -> Answer {
    let render = Render(&options.schema);
    let index = state.index();
    let organization = &state.organization;
    let missing = |what| error(404, "nf-not-found", &format!("No such {what}"), &json!(null));
    let role = || organization.roles.iter().find(|role| Some(role.id.as_str()) == id);
    match endpoint {
        // Answered already: it is no list.
        Endpoint::Auth => missing("list"),
        Endpoint::Groups => groups(state, options, query),
        Endpoint::Role => match role() {
            Some(role) => json_answer(&json!({"data": render.role_alone(role)})),
            None => missing("role"),
        },
        Endpoint::Members => {
            let list = List { endpoint, id, query, key: "members" };
            let member = |state: &State, row: usize| {
                render.member(&state.organization.members[index.listed[row]])
            };
            let key = |row: usize| organization.members[index.listed[row]].id.clone();
            let page = list.page(state, options, index.listed.len(), key);
            answer_page(state, options, &list, page, member)
        }
        Endpoint::Roles => {
            let keys: Vec<_> = organization.roles.iter().map(|role| role.id.clone()).collect();
            let list = List { endpoint, id, query, key: "roles" };
            let page = list.page(state, options, keys.len(), |row| keys[row].clone());
            answer_page(state, options, &list, page, |state, row| {
                render.role(&state.organization.roles[row])
            })
        }
        Endpoint::RoleMembers => {
            let Some(role) = role() else {
                return missing("role");
            };
            let mut rows = Vec::new();
            for row in index.role_members(&role.id) {
                let wanted = query.user_ids.as_ref().is_none_or(|ids| ids.contains(&row.id));
                let types: &[Membership] = match (row.explicit, row.implicit, options.both_types) {
                    (true, true, BothTypes::TwoRows) => {
                        &[Membership::Explicit, Membership::Implicit]
                    }
                    (true, true, BothTypes::ImplicitWins) | (false, _, _) => {
                        &[Membership::Implicit]
                    }
                    (true, _, _) => &[Membership::Explicit],
                };
                for membership in types {
                    if wanted && query.membership.is_none_or(|only| only == *membership) {
                        rows.push((row, *membership));
                    }
                }
            }
            let list = List { endpoint, id, query, key: "members" };
            let page = list.page(state, options, rows.len(), |row| rows[row].0.id.clone());
            answer_page(state, options, &list, page, |state, row| {
                let (row, membership) = rows[row];
                let membership = match membership {
                    Membership::Explicit => "explicit",
                    Membership::Implicit => "implicit",
                };
                match index.member(&state.organization, &row.id) {
                    Some(member) => render.role_member(member, membership),
                    None => json!({"id": row.id, "type": membership}),
                }
            })
        }
        Endpoint::Teams => teams(state, options, query, token),
        Endpoint::TeamMembers
        | Endpoint::TeamRoles
        | Endpoint::TeamRoleMembers
        | Endpoint::TeamTokens => of_team(state, options, endpoint, id, query),
        Endpoint::Tokens => {
            let rows = tokens(render, &organization.tokens, "org");
            rendered(state, options, &List { endpoint, id, query, key: "tokens" }, &rows)
        }
        Endpoint::GroupMembers => {
            let found = organization.groups.iter().position(|row| Some(row.id.as_str()) == id);
            let Some(group) = found else {
                return missing("directory group");
            };
            let users = &organization.groups[group].users;
            let keys: Vec<String> = users
                .iter()
                .enumerate()
                .map(|(row, user)| match user {
                    DirectoryUser::Account(id) => id.clone(),
                    DirectoryUser::Unprovisioned { .. } => format!("#{row}"),
                })
                .collect();
            let list = List { endpoint, id, query, key: "members" };
            let page = list.page(state, options, keys.len(), |row| keys[row].clone());
            answer_page(state, options, &list, page, |state, row| {
                let user = &state.organization.groups[group].users[row];
                let account = match user {
                    DirectoryUser::Account(id) => index.member(&state.organization, id),
                    DirectoryUser::Unprovisioned { .. } => None,
                };
                render.directory_user(user, account)
            })
        }
    }
}

/// The teams that a token is shown.
fn teams(state: &mut State, options: &Options, query: &Query, token: &Token) -> Answer {
    let render = Render(&options.schema);
    let organization = &state.organization;
    let (endpoint, id) = (Endpoint::Teams, None);
    let sees = |id: &String| token.only_teams.as_ref().is_none_or(|only| only.contains(id));
    let teams = organization.teams.iter().map(|team| &team.id).enumerate();
    let keys: Vec<(usize, String)> =
        teams.filter(|(_, id)| sees(id)).map(|(index, id)| (index, id.clone())).collect();
    let list = List { endpoint, id, query, key: "teams" };
    let page = list.page(state, options, keys.len(), |row| keys[row].1.clone());
    answer_page(state, options, &list, page, |state, row| {
        render.team(&state.organization.teams[keys[row].0])
    })
}

/// A list of one team's.
fn of_team(
    state: &mut State,
    options: &Options,
    endpoint: Endpoint,
    id: Option<&str>,
    query: &Query,
) -> Answer {
    let render = Render(&options.schema);
    let index = state.index();
    let organization = &state.organization;
    let missing = |what| error(404, "nf-not-found", &format!("No such {what}"), &json!(null));
    let (team_id, role_id) =
        id.and_then(|id| id.split_once('/')).unwrap_or((id.unwrap_or_default(), ""));
    let Some(team) = organization.teams.iter().find(|team| team.id == team_id) else {
        return missing("team");
    };
    let people = |users: &[DirectoryUser]| -> Vec<(String, Value)> {
        let rows = users.iter().enumerate().map(|(row, user)| match user {
            DirectoryUser::Account(id) => {
                let account = index.member(organization, id);
                (id.clone(), render.team_member(user, account))
            }
            DirectoryUser::Unprovisioned { .. } => {
                (format!("#{row}"), render.team_member(user, None))
            }
        });
        let is_wanted =
            |id: &String| query.user_ids.as_ref().is_none_or(|wanted| wanted.contains(id));
        rows.filter(|(id, _)| is_wanted(id)).collect()
    };
    let (key, rows) = match endpoint {
        Endpoint::TeamMembers => ("members", people(&team.members)),
        Endpoint::TeamRoles => {
            let role = |role: &TeamRole| (role.id.clone(), render.team_role(role));
            ("roles", team.roles.iter().map(role).collect())
        }
        Endpoint::TeamTokens => ("tokens", tokens(render, &team.tokens, "team")),
        _ => match team.roles.iter().find(|role| role.id == role_id) {
            Some(role) => ("members", people(&role.holders)),
            None => return missing("team role"),
        },
    };
    let list = List { endpoint, id, query, key };
    rendered(state, options, &list, &rows)
}

/// The tokens that somebody can still use.
fn tokens(render: Render<'_>, tokens: &[ApiToken], kind: &str) -> Vec<(String, Value)> {
    let active = tokens.iter().filter(|token| !token.is_revoked);
    active.map(|token| (token.id.clone(), render.api_token(token, kind))).collect()
}

/// A page of rows, each with what it is found by.
fn rendered(
    state: &mut State,
    options: &Options,
    list: &List<'_>,
    rows: &[(String, Value)],
) -> Answer {
    let page = list.page(state, options, rows.len(), |row| rows[row].0.clone());
    answer_page(state, options, list, page, |_, row| rows[row].1.clone())
}

fn groups(state: &mut State, options: &Options, query: &Query) -> Answer {
    if let Some(status) = options.without_directory_sync.filter(|status| *status != 200) {
        return error(status, "nf-directory-sync", "Directory Sync is not enabled", &json!(null));
    }
    let render = Render(&options.schema);
    let groups = &state.organization.groups;
    let key = "directoryGroups";
    if !options.paged_groups {
        let rows: Vec<_> = groups.iter().map(|group| render.group(group)).collect();
        return body(options, key, &rows, None);
    }
    let list = List { endpoint: Endpoint::Groups, id: None, query, key };
    let page = list.page(state, options, groups.len(), |row| groups[row].id.clone());
    answer_page(state, options, &list, page, |state, row| {
        render.group(&state.organization.groups[row])
    })
}

/// A paged list.
struct List<'request> {
    endpoint: Endpoint,
    id: Option<&'request str>,
    query: &'request Query,
    key: &'static str,
}

/// Which rows of a list are served, and what follows.
struct Served {
    rows: std::ops::Range<usize>,
    next: Option<Position>,
    /// Whether no row comes after these.
    is_last: bool,
}

impl List<'_> {
    fn bound(&self, options: &Options) -> Bound {
        Bound {
            endpoint: self.endpoint,
            id: self.id.map(str::to_owned),
            filter: format!("{:?} {:?}", self.query.membership, self.query.user_ids),
            per_page: (options.profile == Profile::Strict).then_some(self.per_page(options)),
        }
    }

    fn per_page(&self, options: &Options) -> usize {
        options.page_size.or(self.query.per_page).unwrap_or(50)
    }

    fn page(
        &self,
        state: &State,
        options: &Options,
        count: usize,
        key: impl Fn(usize) -> String,
    ) -> Result<Served, BadParameter> {
        let start = match (&self.query.cursor, self.query.page) {
            (Some(cursor), _) => match state.cursors.find(cursor, &self.bound(options)) {
                Some(Position::Offset(offset)) => offset,
                Some(Position::Empty { more, then }) => {
                    let next = match more.checked_sub(1) {
                        Some(more) => Position::Empty { more, then },
                        None => *then,
                    };
                    return Ok(Served { rows: 0..0, next: Some(next), is_last: false });
                }
                Some(Position::After(last)) => {
                    (0..count).position(|row| key(row) == last).map_or(count, |row| row + 1)
                }
                None => return Err(BadParameter("cursor".into(), "is not valid here")),
            },
            (None, Some(page)) => (page - 1).saturating_mul(self.per_page(options)),
            (None, None) => 0,
        };
        let start = start.min(count);
        let end = (start + self.per_page(options)).min(count);
        let full = end - start == self.per_page(options);
        let at_end = match options.word_of(self.endpoint) {
            Word::FalseUntilEmpty | Word::StrayCursor => end > start,
            Word::Kept | Word::AlwaysFalse | Word::WithoutCursor => {
                full && options.last_full_page_says_more
            }
        };
        let more = end < count || at_end;
        let next = more.then(|| match options.anchor {
            PagingAnchor::Key if end > 0 => Position::After(key(end - 1)),
            PagingAnchor::Key | PagingAnchor::Offset => Position::Offset(end),
        });
        let next = next.map(|then| match options.empty_pages.checked_sub(1) {
            Some(more) => Position::Empty { more, then: Box::new(then) },
            None => then,
        });
        Ok(Served { rows: start..end, next, is_last: end == count })
    }
}

fn answer_page(
    state: &mut State,
    options: &Options,
    list: &List<'_>,
    page: Result<Served, BadParameter>,
    row: impl Fn(&State, usize) -> Value,
) -> Answer {
    let page = match page {
        Ok(page) => page,
        Err(bad) => return bad_request(&bad),
    };
    let rows: Vec<Value> = page.rows.map(|number| row(state, number)).collect();
    let word = options.word_of(list.endpoint);
    let has_next = match word {
        Word::Kept | Word::WithoutCursor => page.next.is_some(),
        Word::AlwaysFalse | Word::FalseUntilEmpty => false,
        Word::StrayCursor => !page.is_last,
    };
    let mut pagination = json!({"hasNextPage": has_next, "count": rows.len()});
    if options.schema.float_count {
        pagination["count"] = json!(f64::from(u32::try_from(rows.len()).unwrap_or_default()));
    }
    if options.schema.extra_fields {
        pagination["extra"] = json!([null]);
    }
    if let Some(position) = page.next.filter(|_| word != Word::WithoutCursor) {
        let cursor = state.cursors.issue(options.cursors, list.bound(options), position);
        pagination["cursor"] = cursor.into();
    }
    body(options, list.key, &rows, Some(pagination))
}

fn body(options: &Options, key: &str, rows: &[Value], pagination: Option<Value>) -> Answer {
    let mut body = json!({"data": {key: rows}});
    if let Some(pagination) = pagination {
        body["pagination"] = pagination;
    }
    if options.schema.extra_fields {
        body["extra"] = json!({"trace": "0"});
        body["data"]["extra"] = json!([]);
    }
    json_answer(&body)
}

fn json_answer(body: &Value) -> Answer {
    let body = body.to_string().replace(HALF_SURROGATE, r"\ud83d");
    Answer::new(200, body)
}

fn bad_request(BadParameter(name, why): &BadParameter) -> Answer {
    let mut message = String::from("Request failed payload validation - see details");
    let _ = write!(message, " ({name})");
    error(400, "nf-invalid-request-query", &message, &json!({name.as_str(): [why]}))
}

fn error(status: u16, id: &str, message: &str, details: &Value) -> Answer {
    let mut body = json!({"error": {"status": status, "id": id, "message": message}});
    if !details.is_null() {
        body["error"]["details"] = details.clone();
    }
    Answer::new(status, body.to_string())
}
