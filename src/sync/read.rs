//! Reading: all lists of the organization, a bounded number of them side by side.

use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::stream::{Stream, TryStreamExt};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use crate::journal::Journal;
use crate::northflank::{self, Answer, Client, Listed, Page, Position, Refusal, Role};

use super::fold::Fold;
use super::keep::{self, Gathered, Unsafe};
use super::list::{List, Lists};
use super::page::{ListPage, Rows};
use super::validate::has_links;
use super::{Error, Groups, Known, Progress, Selection};

/// Pages that may wait to be kept. Each worker waits for its page, so that more than these
/// never happens with the workers that are allowed.
const PAGES_WAITING: usize = 128;

/// How reading is to be done.
pub(super) struct Plan<'sync> {
    pub(super) client: &'sync Client,
    pub(super) workers: NonZeroUsize,
    pub(super) selection: &'sync Arc<Selection>,
    pub(super) progress: &'sync Arc<Progress>,
    pub(super) cancel: &'sync CancellationToken,
}

/// Reads everything that isn't in `gathered` yet, and keeps it in `journal`.
///
/// Each worker reads one list at a time, page after page, because a page's cursor comes with
/// the page before. It asks for the next page, of this list or another, while the one before is
/// being made safe on disk, but not for a third: a run that is killed has read two pages for each
/// list under way in vain, at most.
pub(super) async fn read(
    plan: &Plan<'_>,
    known: Known,
    gathered: Gathered,
    journal: Journal,
) -> Result<Fold, Error> {
    let Gathered { fold, lists, .. } = gathered;
    let fold = Arc::new(Mutex::new(fold));
    let (pages, waiting) = mpsc::channel(PAGES_WAITING);
    let counted = Arc::clone(plan.progress);
    let span = Span::current();
    let keeping = move || span.in_scope(|| keep::keep(journal, waiting, &counted));
    let kept = tokio::task::spawn_blocking(keeping);
    let reader = Reader {
        client: plan.client.clone(),
        selection: Arc::clone(plan.selection),
        fold: Arc::clone(&fold),
        pages,
        progress: Arc::clone(plan.progress),
    };
    let reading = reader.all(known, lists, plan.workers);
    let outcome = plan.cancel.run_until_cancelled(reading).await.unwrap_or(Err(Error::Cancelled));
    // The keeping thread ends when all senders are gone, or has ended with an error that made
    // the readers stop: its error comes first.
    kept.await??;
    outcome?;
    Ok(std::mem::take(&mut *fold.lock().unwrap_or_else(PoisonError::into_inner)))
}

#[derive(Clone)]
struct Reader {
    client: Client,
    selection: Arc<Selection>,
    fold: Arc<Mutex<Fold>>,
    pages: mpsc::Sender<Unsafe>,
    progress: Arc<Progress>,
}

/// A list that has been read to its end.
struct Read {
    list: List,
    /// The lists that it leads to.
    found: Vec<List>,
    /// Its last page.
    last: Before,
}

/// A page that was handed over and may not be safe yet.
#[derive(Default)]
struct Before(Option<oneshot::Receiver<()>>);

impl Before {
    /// Waits until the page is safe. If nobody makes it so, keeping has failed, and its error
    /// is reported instead of this one.
    async fn is_safe(&mut self) -> Result<(), Error> {
        match self.0.take() {
            Some(safe) => safe.await.map_err(|_| Error::Cancelled),
            None => Ok(()),
        }
    }
}

impl Reader {
    async fn all(self, known: Known, mut lists: Lists, workers: NonZeroUsize) -> Result<(), Error> {
        let mut idle = vec![self.take(known, &mut lists).await?];
        let mut reading: JoinSet<Result<Read, Error>> = JoinSet::new();
        if !lists.is_unread(&List::Roles) {
            self.estimate();
        }
        loop {
            while reading.len() < workers.get() {
                let Some((list, next)) = lists.begin() else {
                    break;
                };
                let (reader, before) = (self.clone(), idle.pop().unwrap_or_default());
                let read = async move { reader.list(list, next, before).await };
                reading.spawn(read.in_current_span());
            }
            let Some(read) = reading.join_next().await else {
                return Ok(());
            };
            let Read { list, found, last } = read??;
            idle.push(last);
            self.progress.lists.add(lists.add(found));
            if list == List::Roles {
                self.estimate();
            }
        }
    }

    /// Uses what the validation has read of lists that are to be read from their beginning.
    async fn take(&self, known: Known, lists: &mut Lists) -> Result<Before, Error> {
        let mut before = Before::default();
        let Known { whoami: _, members, roles, groups } = known;
        match groups {
            Groups::Listed(groups) => {
                if lists.is_untouched(&List::Groups) {
                    self.use_page(lists, groups, Rows::Groups, &mut before).await?;
                }
                if lists.is_untouched(&List::Roles) {
                    self.use_page(lists, roles, Rows::Roles, &mut before).await?;
                }
            }
            Groups::Refused(error) => self.without_groups(lists, roles, error, &mut before).await?,
        }
        if lists.is_untouched(&List::Members) {
            self.use_page(lists, members, Rows::Members, &mut before).await?;
        }
        Ok(before)
    }

    /// Groups can't be listed, because of `error`. Where no role is linked to one, this means
    /// that the organization has no Directory Sync, and so no groups: who holds a role, its own
    /// list says. So the roles are read to their end first, whether they are synced or not;
    /// their first page is known to have no links.
    async fn without_groups(
        &self,
        lists: &mut Lists,
        first: Answer<Role>,
        error: northflank::Error,
        before: &mut Before,
    ) -> Result<(), Error> {
        let mut next = first.page.next.clone();
        let are_new = lists.is_untouched(&List::Roles);
        if are_new {
            self.use_page(lists, first, Rows::Roles, before).await?;
        }
        let mut pages = pin!(self.client.roles(next.clone()));
        while next.is_some() {
            let Some(answer) = pages.try_next().await? else {
                break;
            };
            if has_links(&answer.page.rows) {
                return Err(error.into());
            }
            next.clone_from(&answer.page.next);
            if are_new {
                self.use_page(lists, answer, Rows::Roles, before).await?;
            }
        }
        lists.read(&List::Groups, None);
        tracing::info!(
            answer = %error,
            "the organization has no Directory Sync, and so no directory groups: they can't be \
             listed, and no role is linked to one"
        );
        Ok(())
    }

    /// Uses a page of a list that is at its beginning, or has been used up to this page.
    async fn use_page<T>(
        &self,
        lists: &mut Lists,
        answer: Answer<T>,
        rows: impl Fn(Vec<T>) -> Rows,
        before: &mut Before,
    ) -> Result<(), Error> {
        let Answer { page: Page { rows: page, next }, body } = answer;
        let page = ListPage { rows: rows(page), next };
        lists.read(&page.rows.list(), page.next.as_ref());
        let found = page.rows.found(&self.selection);
        self.progress.lists.add(lists.add(found));
        self.hand_over(page, body, before).await
    }

    /// Says in time if the rate limit can't suffice. Every role and group takes one request at
    /// least; how many more, its first page tells.
    fn estimate(&self) {
        let lists = self.progress.lists.get().saturating_sub(self.progress.lists_done.get());
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

    /// Reads one list from the page at `next` on, after the page `before` of another list.
    async fn list(
        &self,
        list: List,
        next: Option<Position>,
        mut before: Before,
    ) -> Result<Read, Error> {
        let found = match &list {
            List::Members => {
                self.pages(self.client.members(next), Rows::Members, &mut before).await?
            }
            List::Roles => self.pages(self.client.roles(next), Rows::Roles, &mut before).await?,
            List::Groups => {
                self.pages(self.client.directory_groups(next), Rows::Groups, &mut before).await?
            }
            List::RoleMembers(role) => {
                let pages = self.client.role_members(role, next);
                let rows = |rows| Rows::RoleMembers(role.clone(), rows);
                let read = self.pages(pages, rows, &mut before).await;
                let is_listed = has(self.client.roles(None), role);
                let gone = Rows::RoleGone(role.clone());
                self.finish("role", role, read, gone, is_listed, &mut before).await?;
                Vec::new()
            }
            List::GroupMembers(group) => {
                let mut without_account = 0;
                let pages = self.client.directory_group_members(group, next);
                let pages = pages.inspect_ok(|answer| {
                    without_account +=
                        answer.page.rows.iter().filter(|row| row.id.is_none()).count();
                });
                let rows = |rows| Rows::GroupMembers(group.clone(), rows);
                let read = self.pages(pages, rows, &mut before).await;
                if without_account > 0 {
                    tracing::info!(
                        %group,
                        count = without_account,
                        "directory users without a Northflank account hold nothing yet"
                    );
                }
                let groups = self.client.directory_groups(None);
                let (gone, is_listed) = (Rows::GroupGone(group.clone()), has(groups, group));
                self.finish("directory group", group, read, gone, is_listed, &mut before).await?;
                Vec::new()
            }
        };
        Ok(Read { list, found, last: before })
    }

    /// Reads a list; returns the lists that its pages lead to.
    async fn pages<T: Listed>(
        &self,
        pages: impl Stream<Item = Result<Answer<T>, northflank::Error>>,
        rows: impl Fn(Vec<T>) -> Rows,
        before: &mut Before,
    ) -> Result<Vec<List>, Error> {
        let mut pages = pin!(pages);
        let mut found = Vec::new();
        while let Some(answer) = pages.try_next().await? {
            let Answer { page: Page { rows: page, next }, body } = answer;
            let page = ListPage { rows: rows(page), next };
            found.extend(page.rows.found(&self.selection));
            self.hand_over(page, body, before).await?;
        }
        Ok(found)
    }

    /// A role or group of which Northflank says, after having listed it, that there is none,
    /// and which its list lacks by now, was deleted meanwhile and is dropped whole. Any other
    /// error ends the sync: access that exists would be left out.
    async fn finish(
        &self,
        kind: &'static str,
        id: &str,
        read: Result<Vec<List>, Error>,
        gone: Rows,
        is_listed: impl Future<Output = Result<bool, northflank::Error>>,
        before: &mut Before,
    ) -> Result<(), Error> {
        let error = match read {
            Err(Error::Northflank(error)) if error.refusal().is_some_and(Refusal::is_missing) => {
                error
            }
            read => return read.map(drop),
        };
        if is_listed.await? {
            return Err(Error::StillListed { kind, error: Box::new(error) });
        }
        tracing::info!("the {kind} {id} was deleted during the sync and is left out");
        self.hand_over(ListPage { rows: gone, next: None }, Vec::new(), before).await
    }

    /// Folds a page of a list and hands it over to be kept, once the page `before` is safe.
    async fn hand_over(
        &self,
        page: ListPage,
        body: Vec<u8>,
        before: &mut Before,
    ) -> Result<(), Error> {
        before.is_safe().await?;
        page.rows.check()?;
        let record = page.record(body)?;
        self.progress.read(&page);
        self.fold.lock().unwrap_or_else(PoisonError::into_inner).page(page)?;
        let (is_safe, safe) = oneshot::channel();
        self.pages.send(Unsafe { record, is_safe }).await.map_err(|_| Error::Cancelled)?;
        before.0 = Some(safe);
        Ok(())
    }
}

/// Whether a list has a row with this id.
async fn has<T: Listed>(
    pages: impl Stream<Item = Result<Answer<T>, northflank::Error>>,
    id: &str,
) -> Result<bool, northflank::Error> {
    let mut pages = pin!(pages);
    while let Some(answer) = pages.try_next().await? {
        if answer.page.rows.iter().any(|row| row.id().is_some_and(|own| **own == *id)) {
            return Ok(true);
        }
    }
    Ok(false)
}
