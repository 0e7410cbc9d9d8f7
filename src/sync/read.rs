//! Reading: all lists of the organization, a bounded number of them side by side.

use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;

use futures_util::stream::{Stream, TryStreamExt};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use crate::journal::Journal;
use crate::northflank::{self, Answer, Client, Listed, Page, Position, Refusal, Role};

use super::fold::Fold;
use super::keep::{self, Arrived, Gathered};
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
/// the page before. A list's next page is asked for while the one before is being made safe on
/// disk, but no third: a run that is killed has read two pages of each list in vain, at most.
pub(super) async fn read(
    plan: &Plan<'_>,
    known: Known,
    gathered: Gathered,
    journal: Journal,
) -> Result<Fold, Error> {
    let Gathered { fold, lists, .. } = gathered;
    let (pages, waiting) = mpsc::channel(PAGES_WAITING);
    let counted = Arc::clone(plan.progress);
    let span = Span::current();
    let keeping = move || span.in_scope(|| keep::keep(journal, fold, waiting, &counted));
    let kept = tokio::task::spawn_blocking(keeping);
    let reader = Reader {
        client: plan.client.clone(),
        selection: Arc::clone(plan.selection),
        pages,
        progress: Arc::clone(plan.progress),
    };
    let reading = reader.all(known, lists, plan.workers);
    let outcome = plan.cancel.run_until_cancelled(reading).await.unwrap_or(Err(Error::Cancelled));
    // The keeping thread ends when all senders are gone, or has ended with an error that made
    // the readers stop: its error comes first.
    let fold = kept.await??;
    outcome?;
    Ok(fold)
}

#[derive(Clone)]
struct Reader {
    client: Client,
    selection: Arc<Selection>,
    pages: mpsc::Sender<Arrived>,
    progress: Arc<Progress>,
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
        self.take(known, &mut lists).await?;
        let mut reading: JoinSet<Result<(List, Vec<List>), Error>> = JoinSet::new();
        if !lists.is_unread(&List::Roles) {
            self.estimate();
        }
        loop {
            while reading.len() < workers.get() {
                let Some((list, next)) = lists.begin() else {
                    break;
                };
                let reader = self.clone();
                reading.spawn(async move { reader.list(list, next).await }.in_current_span());
            }
            let Some(read) = reading.join_next().await else {
                return Ok(());
            };
            let (list, found) = read??;
            self.progress.lists.add(lists.add(found));
            if list == List::Roles {
                self.estimate();
            }
        }
    }

    /// Uses what the validation has read of lists that are to be read from their beginning.
    async fn take(&self, known: Known, lists: &mut Lists) -> Result<(), Error> {
        let Known { whoami: _, members, roles, groups } = known;
        match groups {
            Groups::Listed(groups) => {
                if lists.is_untouched(&List::Groups) {
                    self.use_page(lists, groups, Rows::Groups).await?;
                }
                if lists.is_untouched(&List::Roles) {
                    self.use_page(lists, roles, Rows::Roles).await?;
                }
            }
            Groups::Refused(error) => self.without_groups(lists, roles, error).await?,
        }
        if lists.is_untouched(&List::Members) {
            self.use_page(lists, members, Rows::Members).await?;
        }
        Ok(())
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
    ) -> Result<(), Error> {
        let mut next = first.page.next.clone();
        let are_new = lists.is_untouched(&List::Roles);
        if are_new {
            self.use_page(lists, first, Rows::Roles).await?;
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
                self.use_page(lists, answer, Rows::Roles).await?;
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
    ) -> Result<(), Error> {
        let Answer { page: Page { rows: page, next }, body } = answer;
        let page = ListPage { rows: rows(page), next };
        lists.read(&page.rows.list(), page.next.as_ref());
        let found = page.rows.found(&self.selection);
        self.progress.lists.add(lists.add(found));
        let mut before = Before::default();
        self.hand_over(page, body, &mut before).await?;
        before.is_safe().await
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

    /// Reads one list from the page at `next` on; returns the lists that it leads to.
    async fn list(&self, list: List, next: Option<Position>) -> Result<(List, Vec<List>), Error> {
        let found = match &list {
            List::Members => self.pages(self.client.members(next), Rows::Members).await?,
            List::Roles => self.pages(self.client.roles(next), Rows::Roles).await?,
            List::Groups => self.pages(self.client.directory_groups(next), Rows::Groups).await?,
            List::RoleMembers(role) => {
                let pages = self.client.role_members(role, next);
                let read = self.pages(pages, |rows| Rows::RoleMembers(role.clone(), rows)).await;
                let is_listed = has(self.client.roles(None), role);
                self.finish("role", role, read, Rows::RoleGone(role.clone()), is_listed).await?;
                Vec::new()
            }
            List::GroupMembers(group) => {
                let mut without_account = 0;
                let pages = self.client.directory_group_members(group, next);
                let pages = pages.inspect_ok(|answer| {
                    without_account +=
                        answer.page.rows.iter().filter(|row| row.id.is_none()).count();
                });
                let read = self.pages(pages, |rows| Rows::GroupMembers(group.clone(), rows)).await;
                if without_account > 0 {
                    tracing::info!(
                        %group,
                        count = without_account,
                        "directory users without a Northflank account hold nothing yet"
                    );
                }
                let groups = self.client.directory_groups(None);
                let (gone, is_listed) = (Rows::GroupGone(group.clone()), has(groups, group));
                self.finish("directory group", group, read, gone, is_listed).await?;
                Vec::new()
            }
        };
        Ok((list, found))
    }

    /// Reads a list; returns the lists that its pages lead to.
    async fn pages<T: Listed>(
        &self,
        pages: impl Stream<Item = Result<Answer<T>, northflank::Error>>,
        rows: impl Fn(Vec<T>) -> Rows,
    ) -> Result<Vec<List>, Error> {
        let mut pages = pin!(pages);
        let mut found = Vec::new();
        let mut before = Before::default();
        loop {
            let answer = match pages.try_next().await {
                Ok(Some(answer)) => answer,
                end => {
                    before.is_safe().await?;
                    return end.map(|_| found).map_err(Error::from);
                }
            };
            let Answer { page: Page { rows: page, next }, body } = answer;
            let page = ListPage { rows: rows(page), next };
            found.extend(page.rows.found(&self.selection));
            self.hand_over(page, body, &mut before).await?;
        }
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
        let mut before = Before::default();
        self.hand_over(ListPage { rows: gone, next: None }, Vec::new(), &mut before).await?;
        before.is_safe().await
    }

    /// Hands over a page of a list, once the page `before` is safe.
    async fn hand_over(
        &self,
        page: ListPage,
        body: Vec<u8>,
        before: &mut Before,
    ) -> Result<(), Error> {
        before.is_safe().await?;
        let (is_safe, safe) = oneshot::channel();
        let arrived = Arrived { page, body, is_safe };
        self.pages.send(arrived).await.map_err(|_| Error::Cancelled)?;
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
