//! Reading: all lists of the organization, a bounded number of them side by side.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use time::OffsetDateTime;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tracing::{Instrument, Span};

use crate::connector::{RESOURCE_TYPES, ROLE, ResourceTypeSpec};
use crate::northflank::{self, Client, List, ListKind, Page, Refusal, StartedList};
use crate::work_dir::{Journal, RecordReader};

use super::journal_record::{KeptLists, check_ids, page_record, recorded_page};
use super::journal_writer::{self, PendingPage};
use super::options::SyncContext;
use super::snapshot::{SnapshotBuilder, UsersWithoutAccount};
use super::{Error, Progress, SyncSelection, Validated};

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
        builder: Arc::default(),
        kept: Arc::new(kept),
        records: records.map(|records| Arc::new(Mutex::new(records))),
        pages,
        progress: Arc::clone(plan.progress),
    };
    let (builder, kept) = (Arc::clone(&reader.builder), Arc::clone(&reader.kept));
    let reading = reader.all(validated, plan.options.workers);
    let outcome = plan.cancel.run_until_cancelled(reading).await.unwrap_or(Err(Error::Cancelled));
    // The writing thread ends when all senders are gone, or has ended with an error that made
    // the readers stop: its error comes first.
    let journal = written.await??;
    outcome?;
    let builder = std::mem::take(&mut *builder.lock().unwrap_or_else(PoisonError::into_inner));
    for UsersWithoutAccount { list, count, with_address_of_a_member } in builder.without_account() {
        tracing::info!(
            group = list.parent.as_deref(),
            count,
            with_address_of_a_member = Some(with_address_of_a_member).filter(|count| *count > 0),
            "directory users without a Northflank account hold nothing yet"
        );
    }
    let lists = builder.member_lists(&plan.options.selection);
    let oldest = lists.iter().filter_map(|it| kept.get(it)).map(|it| it.ended_at).min();
    Ok(ReadResult { builder, journal, oldest })
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
}

/// A list that is to be read.
enum ListTask {
    /// One whose first page has been read.
    Started(Box<StartedList>),
    /// One of members, which may have been kept.
    Members(List),
}

impl ListTask {
    /// Whether the list says which others there are.
    fn leads_to_others(&self) -> bool {
        match self {
            Self::Started(list) => !list.first.list.kind.declaration().of_each_row.is_empty(),
            Self::Members(_) => false,
        }
    }
}

impl ListReader {
    async fn all(self, validated: Validated, workers: NonZeroUsize) -> Result<(), Error> {
        let Validated { whoami: _, lists, without_groups } = validated;
        let mut without_groups = without_groups;
        let is_read = |list: &StartedList| {
            let kind = list.first.list.kind;
            let has_type = |spec: &&ResourceTypeSpec| self.selection.has_type(spec.id);
            RESOURCE_TYPES.iter().filter(|spec| has_type(spec)).any(|spec| spec.list == kind)
                // They show whether groups are missing.
                || (kind == ListKind::Roles && without_groups.is_some())
        };
        let mut jobs: VecDeque<_> = lists
            .into_iter()
            .filter(is_read)
            .map(|list| ListTask::Started(Box::new(list)))
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
                    jobs.extend(
                        self.member_lists_to_read(without_groups.take())?.map(ListTask::Members),
                    );
                }
            }
        }
    }

    /// The roles and groups whose members are to be read, now that their lists have been.
    ///
    /// If groups can't be listed, because of an error, and no role is linked to one, this means
    /// that the organization has no Directory Sync, and so no groups: who holds a role, its own
    /// list says. To know that, roles are read whether they are synced or not.
    fn member_lists_to_read(
        &self,
        without_groups: Option<northflank::Error>,
    ) -> Result<impl Iterator<Item = List> + use<>, Error> {
        let mut builder = self.builder.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = without_groups {
            if builder.has_links() {
                return Err(error.into());
            }
            if !self.selection.has_type(ROLE) {
                builder.leave_out_kind(ListKind::Roles);
            }
            tracing::info!(
                answer = %error,
                "the organization has no Directory Sync, and so no directory groups: they can't \
                 be listed, and no role is linked to one"
            );
        }
        let member_lists_to_read = builder.member_lists(&self.selection);
        self.progress.lists.add(member_lists_to_read.len());
        self.estimate(
            member_lists_to_read.iter().filter(|it| !self.kept.contains_key(it)).count() as u64
        );
        Ok(member_lists_to_read.into_iter())
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
    async fn read_list(self, read_list: ListTask) -> Result<bool, Error> {
        let leads_to_others = read_list.leads_to_others();
        match read_list {
            ListTask::Started(list) => {
                let StartedList { first, mut rest } = *list;
                let mut next = Some(first);
                while let Some(page) = next {
                    self.builder(page)?;
                    next = rest.next().await?;
                }
            }
            ListTask::Members(list) => {
                if !self.fold_kept(&list).await? {
                    self.members(&list).await?;
                }
                self.progress.lists_done.add(1);
            }
        }
        Ok(leads_to_others)
    }

    /// Folds a page.
    fn builder(&self, page: Page) -> Result<(), Error> {
        check_ids(&page)?;
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

    /// Reads who is in something.
    ///
    /// Where Northflank refuses to say, because of what is asked for, and by now doesn't list it
    /// any more, it was deleted meanwhile and is left out. Any other error ends the sync: access
    /// that exists would be missing.
    async fn members(&self, list: &List) -> Result<(), Error> {
        let error = match self.read_and_keep(list).await {
            Err(Error::Northflank(error))
                if error.refusal().is_some_and(Refusal::is_of_what_is_asked_for) =>
            {
                error
            }
            read => return read,
        };
        if self.is_still_listed(list).await? {
            let says_it_is_gone = error.refusal().is_some_and(Refusal::says_it_is_gone);
            return Err(match list.kind.parent() {
                Some(parent) if says_it_is_gone => {
                    Error::StillListed { kind: parent.declaration().row, error: Box::new(error) }
                }
                _ => error.into(),
            });
        }
        tracing::info!("the {list} was deleted during the sync and is left out");
        self.builder(Page::of_gone_parent(list.clone()))
    }

    /// Whether Northflank still lists what a list belongs to: a row can shift between two pages, so
    /// that one reading misses it. The list that led here had it; what another two say counts if
    /// they agree.
    async fn is_still_listed(&self, list: &List) -> Result<bool, northflank::Error> {
        let (Some(parents), Some(id)) = (list.listing_its_parent(), &list.parent) else {
            return Ok(true);
        };
        for _ in 0..2 {
            let mut pages = self.client.list(parents.clone());
            while let Some(page) = pages.next().await? {
                if page.rows.iter().any(|row| row.id() == Some(id)) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Reads a list to its end, folds it and keeps it.
    async fn read_and_keep(&self, list: &List) -> Result<(), Error> {
        let mut pages = self.client.list(list.clone());
        let mut number = 0;
        while let Some((page, body)) = pages.next_with_body().await? {
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
        }
        Ok(())
    }
}
