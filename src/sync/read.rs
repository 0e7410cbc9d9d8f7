//! Reading: all lists of the organization, a bounded number of them side by side.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use time::OffsetDateTime;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tracing::{Instrument, Span};

use crate::connector::{GROUP, ROLE, USER};
use crate::northflank::{
    self, Client, DirectoryGroup, FirstPage, ListPage, ListRow, Member, Paginator, Refusal, Role,
};
use crate::work_dir::{Journal, RecordReader};

use super::container::Container;
use super::journal_record::{KeptLists, page_record, recorded_page};
use super::journal_writer::{self, PendingPage};
use super::options::SyncContext;
use super::page::{Page, Rows};
use super::snapshot::{SnapshotBuilder, UsersWithoutAccount};
use super::{Error, GroupsAnswer, Progress, SyncSelection, Validated};

/// Pages that may wait to be written to the journal.
const PAGES_WAITING: usize = 128;

/// What has been read.
pub(super) struct ReadResult {
    /// What it says together.
    pub(super) fold: SnapshotBuilder,
    /// The journal, to be gone on with.
    pub(super) journal: Journal,
    /// When the oldest list that was taken from it was read.
    pub(super) oldest: Option<OffsetDateTime>,
}

/// Reads everything.
///
/// The members, roles and groups are read anew in each run, and say what there is. Who is in a
/// role or group is taken from the `kept` lists or, page after page, from Northflank, and then
/// kept in the journal. A worker begins its next list when the one before is safe there: a run
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
        fold: Arc::default(),
        kept: Arc::new(kept),
        records: records.map(|records| Arc::new(Mutex::new(records))),
        pages,
        progress: Arc::clone(plan.progress),
    };
    let (fold, kept) = (Arc::clone(&reader.fold), Arc::clone(&reader.kept));
    let reading = reader.all(validated, plan.options.workers);
    let outcome = plan.cancel.run_until_cancelled(reading).await.unwrap_or(Err(Error::Cancelled));
    // The writing thread ends when all senders are gone, or has ended with an error that made
    // the readers stop: its error comes first.
    let journal = written.await??;
    outcome?;
    let fold = std::mem::take(&mut *fold.lock().unwrap_or_else(PoisonError::into_inner));
    for UsersWithoutAccount { group, count, with_address_of_a_member } in fold.without_account() {
        tracing::info!(
            group = %group,
            count,
            with_address_of_a_member = Some(with_address_of_a_member).filter(|count| *count > 0),
            "directory users without a Northflank account hold nothing yet"
        );
    }
    let containers = fold.containers(&plan.options.selection);
    let oldest = containers.iter().filter_map(|it| kept.get(it)).map(|it| it.ended_at).min();
    Ok(ReadResult { fold, journal, oldest })
}

#[derive(Clone)]
struct ListReader {
    client: Client,
    selection: Arc<SyncSelection>,
    fold: Arc<Mutex<SnapshotBuilder>>,
    kept: Arc<KeptLists>,
    /// Where the kept lists stand, if there are any.
    records: Option<Arc<Mutex<RecordReader>>>,
    pages: mpsc::Sender<PendingPage>,
    progress: Arc<Progress>,
}

/// A list that is to be read, as far as it has been read already.
enum ListTask {
    Members(FirstPage<Member>),
    Roles(FirstPage<Role>),
    Groups(FirstPage<DirectoryGroup>),
    MembersOf(Container),
}

impl ListTask {
    /// Whether its list says which others there are.
    fn leads(&self) -> bool {
        matches!(self, Self::Roles(_) | Self::Groups(_))
    }
}

impl ListReader {
    async fn all(self, validated: Validated, workers: NonZeroUsize) -> Result<(), Error> {
        let Validated { whoami: _, members, roles, groups } = validated;
        let mut jobs = VecDeque::new();
        // The member list comes first: it is the longest that can't be split.
        if self.selection.has_type(USER) {
            jobs.push_back(ListTask::Members(members));
        }
        let mut without_groups = None;
        match groups {
            GroupsAnswer::Listed(groups) if self.selection.has_type(GROUP) => {
                jobs.push_back(ListTask::Groups(*groups));
            }
            GroupsAnswer::Listed(_) => {}
            GroupsAnswer::Refused(error) => without_groups = Some(error),
        }
        if self.selection.has_type(ROLE) || without_groups.is_some() {
            jobs.push_back(ListTask::Roles(roles));
        }
        let mut leading = jobs.iter().filter(|job| job.leads()).count();
        let mut reading = JoinSet::new();
        loop {
            while reading.len() < workers.get() {
                let Some(job) = jobs.pop_front() else {
                    break;
                };
                let reader = self.clone();
                let read = async move { reader.job(job).await };
                reading.spawn(read.in_current_span());
            }
            let Some(read) = reading.join_next().await else {
                return Ok(());
            };
            if read?? {
                leading -= 1;
                if leading == 0 {
                    jobs.extend(self.found(without_groups.take())?.map(ListTask::MembersOf));
                }
            }
        }
    }

    /// The roles and groups whose members are to be read, now that their lists have been.
    ///
    /// If groups can't be listed, because of an error, and no role is linked to one, this means
    /// that the organization has no Directory Sync, and so no groups: who holds a role, its own
    /// list says. To know that, roles are read whether they are synced or not.
    fn found(
        &self,
        without_groups: Option<northflank::Error>,
    ) -> Result<impl Iterator<Item = Container> + use<>, Error> {
        let mut fold = self.fold.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = without_groups {
            if fold.has_links() {
                return Err(error.into());
            }
            if !self.selection.has_type(ROLE) {
                fold.leave_out_roles();
            }
            tracing::info!(
                answer = %error,
                "the organization has no Directory Sync, and so no directory groups: they can't \
                 be listed, and no role is linked to one"
            );
        }
        let found = fold.containers(&self.selection);
        self.progress.lists.add(found.len());
        self.estimate(found.iter().filter(|it| !self.kept.contains_key(it)).count() as u64);
        Ok(found.into_iter())
    }

    /// Says in time if the rate limit can't suffice. Every role and group takes one request at
    /// least; how many more, its first page tells.
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
    async fn job(self, job: ListTask) -> Result<bool, Error> {
        let leads = job.leads();
        match job {
            ListTask::Members(first) => self.rest_of(first, Rows::Members).await?,
            ListTask::Roles(first) => self.rest_of(first, Rows::Roles).await?,
            ListTask::Groups(first) => self.rest_of(first, Rows::Groups).await?,
            ListTask::MembersOf(container) => {
                if !self.take_kept(&container).await? {
                    self.members_of(&container).await?;
                }
                self.progress.lists_done.add(1);
                return Ok(false);
            }
        }
        Ok(leads)
    }

    /// Reads a list whose first page has been read.
    async fn rest_of<T: ListRow>(
        &self,
        first: FirstPage<T>,
        rows: impl Fn(Vec<T>) -> Rows,
    ) -> Result<(), Error> {
        let FirstPage { page, mut rest } = first;
        let mut next = Some(page);
        while let Some(page) = next {
            let ListPage { rows: page, body: _, is_first, is_last } = page;
            self.fold(Page { rows: rows(page), is_first, is_last })?;
            next = rest.next().await?;
        }
        Ok(())
    }

    /// Folds a page.
    fn fold(&self, page: Page) -> Result<(), Error> {
        page.rows.check()?;
        self.progress.read(&page);
        Ok(self.fold.lock().unwrap_or_else(PoisonError::into_inner).page(page)?)
    }

    /// Takes a list from the journal, if one was kept there.
    async fn take_kept(&self, container: &Container) -> Result<bool, Error> {
        let Some(records) = self.records.clone().filter(|_| self.kept.contains_key(container))
        else {
            return Ok(false);
        };
        let (reader, container) = (self.clone(), container.clone());
        let take = move || {
            for place in &reader.kept[&container].pages {
                let page = {
                    let mut records = records.lock().unwrap_or_else(PoisonError::into_inner);
                    let record = records.read(*place)?;
                    recorded_page(&container, record).map_err(Error::Record)?
                };
                reader.fold(page)?;
            }
            Ok::<_, Error>(())
        };
        tokio::task::spawn_blocking(take).await??;
        Ok(true)
    }

    /// Reads who is in a role or group.
    ///
    /// Where Northflank refuses to say, because of what is asked for, and by now doesn't list it
    /// any more, it was deleted meanwhile and is left out. Any other error ends the sync: access
    /// that exists would be missing.
    async fn members_of(&self, container: &Container) -> Result<(), Error> {
        let read = match container {
            Container::Role(role) => {
                let rows = |rows| Rows::RoleMembers(role.clone(), rows);
                self.keep_all(container, self.client.role_members(role), rows).await
            }
            Container::Group(group) => {
                let rows = |rows| Rows::GroupMembers(group.clone(), rows);
                self.keep_all(container, self.client.directory_group_members(group), rows).await
            }
        };
        let error = match read {
            Err(Error::Northflank(error))
                if error.refusal().is_some_and(Refusal::is_of_what_is_asked_for) =>
            {
                error
            }
            read => return read,
        };
        if self.is_still_listed(container).await? {
            let says_it_is_gone = error.refusal().is_some_and(Refusal::says_it_is_gone);
            return Err(if says_it_is_gone {
                Error::StillListed { kind: container.kind(), error: Box::new(error) }
            } else {
                error.into()
            });
        }
        tracing::info!("the {container} was deleted during the sync and is left out");
        self.fold.lock().unwrap_or_else(PoisonError::into_inner).leave_out(container);
        Ok(())
    }

    /// Whether Northflank's list still has a role or group: a row can shift between two pages, so
    /// that one reading misses it. The list that led here had it; what another two say counts if
    /// they agree.
    async fn is_still_listed(&self, container: &Container) -> Result<bool, northflank::Error> {
        for _ in 0..2 {
            let has_it = match container {
                Container::Role(role) => has(self.client.roles(), role).await?,
                Container::Group(group) => has(self.client.directory_groups(), group).await?,
            };
            if has_it {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads a list to its end, folds it and keeps it.
    async fn keep_all<T: ListRow>(
        &self,
        container: &Container,
        mut pages: Paginator<T>,
        rows: impl Fn(Vec<T>) -> Rows,
    ) -> Result<(), Error> {
        let mut number = 0;
        while let Some(page) = pages.next().await? {
            let ListPage { rows: page, body, is_first, is_last } = page;
            if is_first {
                number = 0;
            }
            let ended_at = is_last.then(OffsetDateTime::now_utc);
            let record = page_record(container, number, ended_at, body)?;
            number += 1;
            self.fold(Page { rows: rows(page), is_first, is_last })?;
            let (is_safe, safe) = oneshot::channel();
            let append = PendingPage { record, is_safe: is_last.then_some(is_safe) };
            // If nobody takes it or makes it safe, writing has failed, and its error is reported
            // instead of this one.
            self.pages.send(append).await.map_err(|_| Error::Cancelled)?;
            if is_last {
                safe.await.map_err(|_| Error::Cancelled)?;
            }
        }
        Ok(())
    }
}

/// Whether a list has a row with this id.
async fn has<T: ListRow>(mut pages: Paginator<T>, id: &str) -> Result<bool, northflank::Error> {
    while let Some(page) = pages.next().await? {
        if page.rows.iter().any(|row| row.id().is_some_and(|own| **own == *id)) {
            return Ok(true);
        }
    }
    Ok(false)
}
