//! Everything that changes while the fake runs.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::answer::Answer;
use crate::cursor::Cursors;
use crate::journal::Request;
use crate::organization::{Member, Organization};
use crate::route::Endpoint;
use crate::script::Rule;
use crate::token::Token;

/// The fake's state, behind one lock.
pub(crate) struct State {
    pub(crate) organization: Organization,
    /// By secret.
    pub(crate) tokens: HashMap<String, Token>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) cursors: Cursors,
    pub(crate) window: Window,
    pub(crate) journal: Vec<Request>,
    pub(crate) violations: Vec<String>,
    pub(crate) in_flight: usize,
    pub(crate) most_in_flight: usize,
    /// Answers that are given again, by question.
    pub(crate) kept: HashMap<String, Answer>,
    /// Until when the last 429 said to wait.
    pub(crate) not_before: Option<Duration>,
    clock: Clock,
    index: Option<Arc<Index>>,
}

/// A window of the rate limit.
#[derive(Debug, Default)]
pub(crate) struct Window {
    pub(crate) started: Option<Duration>,
    pub(crate) used: u32,
}

/// A clock that a test can advance.
struct Clock {
    start: Instant,
    advanced: Duration,
}

/// What follows from the organization, computed once per version of it.
#[derive(Default)]
pub(crate) struct Index {
    /// Positions of the members that the member list has.
    pub(crate) listed: Vec<usize>,
    members: HashMap<String, usize>,
    role_members: HashMap<String, Vec<RoleRow>>,
}

/// Somebody who holds a role, by position in the member list.
#[derive(Debug, Clone)]
pub(crate) struct RoleRow {
    pub(crate) id: String,
    pub(crate) explicit: bool,
    pub(crate) implicit: bool,
}

impl State {
    pub(crate) fn new(organization: Organization) -> Self {
        Self {
            organization,
            tokens: HashMap::new(),
            rules: Vec::new(),
            cursors: Cursors::default(),
            window: Window::default(),
            journal: Vec::new(),
            violations: Vec::new(),
            in_flight: 0,
            most_in_flight: 0,
            kept: HashMap::new(),
            not_before: None,
            clock: Clock { start: Instant::now(), advanced: Duration::ZERO },
            index: None,
        }
    }

    /// Time since the start, on the fake's clock.
    pub(crate) fn now(&self) -> Duration {
        self.clock.start.elapsed() + self.clock.advanced
    }

    /// A time of the fake's clock on everybody's, as RFC 3339 writes it.
    pub(crate) fn date(&self, time: Duration) -> String {
        let elapsed = self.clock.start.elapsed() + self.clock.advanced;
        let date = OffsetDateTime::now_utc() + time - elapsed;
        // Only years beyond 9999 have no such form.
        date.truncate_to_second().format(&Rfc3339).unwrap_or_default()
    }

    pub(crate) fn advance(&mut self, time: Duration) {
        self.clock.advanced += time;
    }

    /// Makes a token known; returns its secret.
    pub(crate) fn add_token(&mut self, token: Token) -> String {
        let secret = token.secret(self.tokens.len());
        self.tokens.insert(secret.clone(), token);
        secret
    }

    /// Changes the organization.
    pub(crate) fn mutate(&mut self, change: &mut dyn FnMut(&mut Organization)) {
        change(&mut self.organization);
        self.index = None;
        self.kept.clear();
    }

    pub(crate) fn index(&mut self) -> Arc<Index> {
        let organization = &self.organization;
        let index = self.index.get_or_insert_with(|| Arc::new(Index::of(organization)));
        Arc::clone(index)
    }

    /// How often each endpoint was asked.
    pub(crate) fn per_endpoint(&self) -> BTreeMap<Endpoint, usize> {
        let mut counts = BTreeMap::new();
        for request in &self.journal {
            let path = request.target.split('?').next().unwrap_or_default();
            if let Some((endpoint, _)) = Endpoint::of(path) {
                *counts.entry(endpoint).or_default() += 1;
            }
        }
        counts
    }
}

impl Index {
    fn of(organization: &Organization) -> Self {
        let members = organization.members.iter().enumerate();
        let role_members = organization.roles.iter().map(|role| {
            let rows = organization.role_members(role).into_iter().map(|row| RoleRow {
                id: row.id.to_owned(),
                explicit: row.explicit,
                implicit: row.implicit,
            });
            (role.id.clone(), rows.collect())
        });
        let listed = members.clone().filter(|(_, member)| member.listed);
        Self {
            listed: listed.map(|(index, _)| index).collect(),
            members: members.map(|(index, member)| (member.id.clone(), index)).collect(),
            role_members: role_members.collect(),
        }
    }

    /// The member with an id.
    pub(crate) fn member<'world>(
        &self,
        organization: &'world Organization,
        id: &str,
    ) -> Option<&'world Member> {
        organization.members.get(*self.members.get(id)?)
    }

    /// Who holds a role; nobody if there is no such role.
    pub(crate) fn role_members(&self, role: &str) -> &[RoleRow] {
        self.role_members.get(role).map_or(&[], Vec::as_slice)
    }
}
