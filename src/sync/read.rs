//! Reading: all lists of the organization, a bounded number of them side by side.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use time::OffsetDateTime;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tracing::{Instrument, Span};

use crate::connector::ROLE;
use crate::northflank::{
    self, AnyRow, Client, List, ListKind, Page, Problem, Refusal, StartedList, Text,
};
use crate::work_dir::{Journal, RecordReader};

use super::acting_role::{ActingRole, RoleScope};
use super::journal_record::{KeptLists, check_ids, page_record, recorded_page};
use super::journal_writer::{self, PendingPage};
use super::options::SyncContext;
use super::snapshot::{SnapshotBuilder, UsersWithoutAccount};
use super::{Error, Progress, SyncSelection, Validated, ValidationError};

/// Pages that may wait to be written to the journal.
const PAGES_WAITING: usize = 128;

/// What has been read.
pub(super) struct ReadResult {
    /// What it says together.
    pub(super) builder: SnapshotBuilder,
    /// The journal, to be gone on with.
    pub(super) journal: Journal,
    /// When the oldest list that was taken from it was read.
    pub(super) oldest: Option<OffsetDateTime>,
}

/// Reads everything.
///
/// The members, roles, groups and teams are read anew in each run, and say what there is. What
/// belongs to one of them is taken from the `kept` lists or, page after page, from Northflank, and
/// then kept in the journal. A worker begins its next list when the one before is safe there: a run
/// that is killed has read one list for each worker in vain, at most.
pub(super) async fn read(
    plan: &SyncContext<'_>,
    validated: Validated,
    kept: KeptLists,
    journal: Journal,
) -> Result<ReadResult, Error> {
    let records = if kept.is_empty() { None } else { Some(journal.reader()?) };
    let (pages, waiting) = mpsc::channel(PAGES_WAITING);
    let counted = Arc::clone(plan.progress);
    let span = Span::current();
    let write = move || span.in_scope(|| journal_writer::write(journal, waiting, &counted));
    let written = tokio::task::spawn_blocking(write);
    let reader = ListReader {
        client: plan.client.clone(),
        selection: Arc::clone(&plan.options.selection),
        builder: Arc::default(),
        kept: Arc::new(kept),
        records: records.map(|records| Arc::new(Mutex::new(records))),
        pages,
        progress: Arc::clone(plan.progress),
        token: Arc::new(ReadingToken::of(&validated, &plan.options.selection)),
    };
    let token = Arc::clone(&reader.token);
    let (builder, kept) = (Arc::clone(&reader.builder), Arc::clone(&reader.kept));
    let reading = reader.all(validated, plan.options.workers);
    let outcome = plan.cancel.run_until_cancelled(reading).await.unwrap_or(Err(Error::Cancelled));
    // The writing thread ends when all senders are gone, or has ended with an error that made
    // the readers stop: its error comes first.
    let journal = written.await??;
    outcome?;
    let builder = std::mem::take(&mut *builder.lock().unwrap_or_else(PoisonError::into_inner));
    warn_of_people_without_id(&builder);
    token.warn_of_what_may_be_missing(&builder);
    let lists = builder.lists_below(&plan.options.selection);
    let oldest = lists.iter().filter_map(|it| kept.get(it)).map(|it| it.ended_at).min();
    Ok(ReadResult { builder, journal, oldest })
}

/// Tells of those whom lists name without an id.
fn warn_of_people_without_id(builder: &SnapshotBuilder) {
    let mut teams = BTreeMap::<_, (usize, usize)>::new();
    for UsersWithoutAccount { list, count, with_address_of_a_member } in builder.without_account() {
        let id = list.parent.as_deref().unwrap_or_default();
        if list.kind.is_below(ListKind::Teams) {
            let team = id.split('/').next().unwrap_or_default().to_owned();
            let (members, holders) = teams.entry(team).or_default();
            let is_of_team = list.kind == ListKind::TeamMembers;
            *(if is_of_team { members } else { holders }) += count;
            continue;
        }
        tracing::info!(
            group = id,
            count,
            with_address_of_a_member = Some(with_address_of_a_member).filter(|count| *count > 0),
            "directory users without a Northflank account hold nothing yet"
        );
    }
    for (team, (members, role_holders)) in teams {
        tracing::warn!(
            team,
            members,
            role_holders = Some(role_holders).filter(|count| *count > 0),
            "Northflank gives no id of some who are in the team: who they are can't be told, and \
             they stand in no row"
        );
    }
}

/// What is known of the token whose role has to let it see all teams.
struct ReadingToken {
    /// What it is called; `None` where it need not see them.
    name: Option<String>,
    role: Option<ActingRole>,
    /// Whether its role is known to apply everywhere.
    sees_all: AtomicBool,
}

impl ReadingToken {
    fn of(validated: &Validated, selection: &SyncSelection) -> Self {
        let needs_all = selection.has_list(&List::only(ListKind::Teams));
        let whoami = validated.whoami.clone().unwrap_or_default();
        let token = Self {
            name: needs_all.then(|| whoami.full_name()),
            role: ActingRole::of(&whoami),
            sees_all: AtomicBool::new(false),
        };
        // Known from a page that need not be read again.
        let roles = validated.lists.iter().find(|list| list.first.list.kind == ListKind::Roles);
        let scope = roles.and_then(|roles| token.role.as_ref()?.scope_in(&roles.first.rows));
        token.sees_all.store(scope == Some(RoleScope::Everywhere), Ordering::Relaxed);
        token
    }

    /// Whether the roles are to be read for its sake.
    fn is_sought(&self) -> bool {
        self.name.is_some() && self.role.is_some() && !self.sees_all.load(Ordering::Relaxed)
    }

    /// Refuses a role that is restricted to some teams.
    fn check(&self, page: &Page) -> Result<(), ValidationError> {
        let (Some(token), Some(role)) = (&self.name, &self.role) else { return Ok(()) };
        match role.scope_in(&page.rows) {
            Some(RoleScope::Teams(teams)) => {
                Err(ValidationError::Restricted { token: token.clone(), teams })
            }
            Some(RoleScope::Everywhere) => {
                self.sees_all.store(true, Ordering::Relaxed);
                Ok(())
            }
            Some(RoleScope::Unknown) | None => Ok(()),
        }
    }

    /// Tells of teams that may be missing, now that all has been read.
    fn warn_of_what_may_be_missing(&self, builder: &SnapshotBuilder) {
        let Some(token) = &self.name else { return };
        if !self.sees_all.load(Ordering::Relaxed) {
            tracing::warn!(
                token,
                "whether the list of teams is complete can't be known: Northflank doesn't say \
                 which role the token has, or where that role applies, and a token whose role is \
                 restricted to some teams may be shown no others"
            );
        }
        for (role, team) in builder.missing_teams() {
            tracing::warn!(
                %role,
                %team,
                "the role is restricted to a team that Northflank doesn't list: the team is gone, \
                 or the token may not see it"
            );
        }
    }
}

#[derive(Clone)]
struct ListReader {
    client: Client,
    selection: Arc<SyncSelection>,
    builder: Arc<Mutex<SnapshotBuilder>>,
    kept: Arc<KeptLists>,
    /// Where the kept lists stand, if there are any.
    records: Option<Arc<Mutex<RecordReader>>>,
    pages: mpsc::Sender<PendingPage>,
    progress: Arc<Progress>,
    token: Arc<ReadingToken>,
}

/// A list that is to be read.
enum ListTask {
    /// The only one of its kind, whose first page has been read.
    Only(Box<StartedList>),
    /// One that belongs to something: it may have been kept, or its first page have been read.
    Below(List, Option<Box<StartedList>>),
}

impl ListTask {
    /// Whether the list says which others there are.
    fn leads_to_others(&self) -> bool {
        let kind = match self {
            Self::Only(started) => started.first.list.kind,
            Self::Below(list, _) => list.kind,
        };
        !kind.declaration().of_each_row.is_empty()
    }
}

impl ListReader {
    async fn all(self, validated: Validated, workers: NonZeroUsize) -> Result<(), Error> {
        let Validated { whoami: _, lists, without_groups } = validated;
        let mut without_groups = without_groups;
        let is_read = |list: &List| {
            self.selection.has_list(list)
                // They show whether groups are missing, or what the token may see.
                || (list.kind == ListKind::Roles
                    && (without_groups.is_some() || self.token.is_sought()))
        };
        let (only, below): (Vec<_>, Vec<_>) =
            lists.into_iter().partition(|started| started.first.list.parent.is_none());
        let mut below: HashMap<_, _> = below
            .into_iter()
            .map(|started| (started.first.list.clone(), Box::new(started)))
            .collect();
        let mut known = HashSet::new();
        let mut jobs: VecDeque<_> = only
            .into_iter()
            .filter(|started| is_read(&started.first.list))
            .map(|started| ListTask::Only(Box::new(started)))
            .collect();
        let mut leading = jobs.iter().filter(|read_list| read_list.leads_to_others()).count();
        let mut reading = JoinSet::new();
        loop {
            while reading.len() < workers.get() {
                let Some(read_list) = jobs.pop_front() else {
                    break;
                };
                let reader = self.clone();
                let read = async move { reader.read_list(read_list).await };
                reading.spawn(read.in_current_span());
            }
            let Some(read) = reading.join_next().await else {
                return Ok(());
            };
            if read?? {
                leading -= 1;
                if leading == 0 {
                    for list in self.lists_to_read(without_groups.take(), &mut known)? {
                        let started = below.remove(&list);
                        jobs.push_back(ListTask::Below(list, started));
                    }
                    leading = jobs.iter().filter(|job| job.leads_to_others()).count();
                }
            }
        }
    }

    /// The lists that are to be read next, now that all have been that say which there are.
    ///
    /// If groups can't be listed, because of an error, and no role is linked to one, this means
    /// that the organization has no Directory Sync, and so no groups: who holds a role, its own
    /// list says. To know that, roles are read whether they are synced or not.
    fn lists_to_read(
        &self,
        without_groups: Option<northflank::Error>,
        known: &mut HashSet<List>,
    ) -> Result<Vec<List>, Error> {
        let mut builder = self.builder.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = without_groups {
            if builder.has_links() {
                return Err(error.into());
            }
            tracing::info!(
                answer = %error,
                "the organization has no Directory Sync, and so no directory groups: they can't \
                 be listed, and no role is linked to one"
            );
        }
        if !self.selection.has_type(ROLE) {
            builder.leave_out_kind(ListKind::Roles);
        }
        let mut lists = builder.lists_below(&self.selection);
        lists.retain(|list| known.insert(list.clone()));
        self.progress.lists.add(lists.len());
        self.estimate(lists.iter().filter(|list| !self.kept.contains_key(list)).count() as u64);
        Ok(lists)
    }

    /// Says in time if the rate limit can't suffice. Every list takes one request at least; how
    /// many more, its first page tells.
    fn estimate(&self, lists: u64) {
        if let Some(window) = self.client.window().filter(|it| u64::from(it.usable()) < lists) {
            tracing::warn!(
                requests_needed = lists,
                requests_left = window.remaining,
                requests_in_reserve = window.reserve,
                requests_per_window = window.limit,
                "the sync needs at least so many more requests, more than Northflank's rate \
                 limit and the reserve leave in this window; it will wait for the next one"
            );
        }
    }

    /// Reads a list. Returns whether it is one that leads to others.
    async fn read_list(self, read_list: ListTask) -> Result<bool, Error> {
        let leads_to_others = read_list.leads_to_others();
        match read_list {
            ListTask::Only(list) => {
                let StartedList { first, mut rest, .. } = *list;
                let kind = first.list.kind;
                let mut next = Some(first);
                while let Some(page) = next {
                    self.builder(page)?;
                    let page = rest.next().await;
                    next = page.map_err(|error| error.doubting_permission(kind))?;
                }
            }
            ListTask::Below(list, started) => {
                let is_whole = started.as_ref().is_some_and(|started| started.first.is_last);
                if is_whole || !self.fold_kept(&list).await? {
                    self.below(&list, started).await?;
                }
                self.progress.lists_done.add(1);
            }
        }
        Ok(leads_to_others)
    }

    /// Folds a page.
    fn builder(&self, page: Page) -> Result<(), Error> {
        check_ids(&page)?;
        self.token.check(&page)?;
        if !page.is_parent_gone {
            self.progress.read(&page);
        }
        Ok(self.builder.lock().unwrap_or_else(PoisonError::into_inner).page(page)?)
    }

    /// Takes a list from the journal, if one was kept there.
    async fn fold_kept(&self, list: &List) -> Result<bool, Error> {
        let Some(records) = self.records.clone().filter(|_| self.kept.contains_key(list)) else {
            return Ok(false);
        };
        let (reader, list) = (self.clone(), list.clone());
        let take = move || {
            for place in &reader.kept[&list].pages {
                let page = {
                    let mut records = records.lock().unwrap_or_else(PoisonError::into_inner);
                    let record = records.read(*place)?;
                    recorded_page(&list, record).map_err(Error::Record)?
                };
                reader.builder(page)?;
            }
            Ok::<_, Error>(())
        };
        tokio::task::spawn_blocking(take).await??;
        Ok(true)
    }

    /// Reads a list that belongs to something.
    ///
    /// Where Northflank refuses to say, because of what is asked for, and by now doesn't list it
    /// any more, it was deleted meanwhile and is left out. Any other error ends the sync: access
    /// that exists would be missing.
    async fn below(&self, list: &List, started: Option<Box<StartedList>>) -> Result<(), Error> {
        let error = match self.read_and_keep(list, started).await {
            Err(Error::Northflank(error)) => error.doubting_permission(list.kind),
            read => return read,
        };
        if !error.refusal().is_some_and(Refusal::is_of_what_is_asked_for) {
            return Err(self.with_team(list, error));
        }
        let unlisted = self.unlisted(list).await.map_err(|error| self.with_team(list, error))?;
        let Some(gone) = unlisted else {
            let says_it_is_gone = error.refusal().is_some_and(Refusal::says_it_is_gone);
            return Err(match list.kind.parent() {
                Some(parent) if says_it_is_gone => {
                    Error::StillListed { kind: parent.declaration().row, error: Box::new(error) }
                }
                _ => self.with_team(list, error),
            });
        };
        tracing::info!("the {gone} was deleted during the sync and is left out");
        self.builder(Page::of_gone_parent(gone))
    }

    /// The error with the team whose list couldn't be read, if it is one's. That the rate limit is
    /// spent says nothing of a team.
    fn with_team(&self, list: &List, error: northflank::Error) -> Error {
        let is_out_of_time = matches!(error.problem, Problem::RateLimited(_));
        if is_out_of_time || !list.kind.is_below(ListKind::Teams) {
            return error.into();
        }
        let id = list.parent.as_deref().and_then(|id| id.split('/').next()).unwrap_or_default();
        let builder = self.builder.lock().unwrap_or_else(PoisonError::into_inner);
        let name = builder.name_of(&List::only(ListKind::Teams), id);
        let team = name.map_or_else(|| id.to_owned(), |name| format!("{name} ({id})"));
        Error::Team { team, error: Box::new(error) }
    }

    /// The list, or one above it, whose owner Northflank doesn't list any more; `None` if all is
    /// still listed. A row can shift between two pages, so that one reading misses it: the list
    /// that led here had it; what another two say counts if they agree.
    async fn unlisted(&self, list: &List) -> Result<Option<List>, northflank::Error> {
        let (Some(parents), Some(id)) = (list.listing_its_parent(), &list.parent) else {
            return Ok(None);
        };
        for _ in 0..2 {
            let is_listed = match self.lists(&parents, id).await {
                Ok(is_listed) => is_listed,
                Err(error) if error.refusal().is_some_and(Refusal::is_of_what_is_asked_for) => {
                    let above = Box::pin(self.unlisted(&parents)).await?;
                    return above.map(Some).ok_or(error);
                }
                Err(error) => return Err(error),
            };
            if is_listed {
                return Ok(None);
            }
        }
        Ok(Some(list.clone()))
    }

    /// Whether a list has what is known by `id` among all of its kind.
    async fn lists(&self, parents: &List, id: &Text) -> Result<bool, northflank::Error> {
        let mut pages = self.client.list(parents.clone());
        while let Some(page) =
            pages.next().await.map_err(|it| it.doubting_permission(parents.kind))?
        {
            if page.rows.iter().filter_map(AnyRow::id).any(|row| parents.id_of(row) == *id) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads a list to its end, folds it and keeps it.
    async fn read_and_keep(
        &self,
        list: &List,
        started: Option<Box<StartedList>>,
    ) -> Result<(), Error> {
        let (mut next, mut pages) = if let Some(started) = started {
            let StartedList { first, body, rest } = *started;
            (Some((first, body)), rest)
        } else {
            let mut pages = self.client.list(list.clone());
            (pages.next_with_body().await?, pages)
        };
        let mut number = 0;
        while let Some((page, body)) = next {
            if page.is_first {
                number = 0;
            }
            let is_last = page.is_last;
            let ended_at = is_last.then(OffsetDateTime::now_utc);
            let record = page_record(list, number, ended_at, body)?;
            number += 1;
            self.builder(page)?;
            let (is_safe, safe) = oneshot::channel();
            let append = PendingPage { record, is_safe: is_last.then_some(is_safe) };
            // If nobody takes it or makes it safe, writing has failed, and its error is reported
            // instead of this one.
            self.pages.send(append).await.map_err(|_| Error::Cancelled)?;
            if is_last {
                safe.await.map_err(|_| Error::Cancelled)?;
            }
            next = pages.next_with_body().await?;
        }
        Ok(())
    }
}
