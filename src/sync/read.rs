//! Reading: all lists of the organization, a bounded number of them side by side.

use std::collections::{HashSet, VecDeque};
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;

use futures_util::stream::{Stream, TryStreamExt};
use reqwest::StatusCode;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use crate::c1z::Staging;
use crate::connector::{GROUP, ROLE, USER};
use crate::northflank::{self, Answer, Client, DirectoryGroup, Page, Position, Role};

use super::list::List;
use super::stage::{Batch, Rows, stage};
use super::{Error, Known, Progress, Selection};

/// Pages that may wait to be staged. Each worker waits for its page, so that more than these
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

/// Reads into `staging` everything that isn't there yet.
///
/// Each worker reads one list at a time, page after page, because a page's cursor comes with
/// the page before; a list's next page is asked for when the one before is safe on disk. The
/// member list starts first: it is the longest that can't be split.
///
/// The staging comes back in any case, with what was read.
pub(super) async fn read(
    plan: &Plan<'_>,
    known: Known,
    staging: Staging,
) -> Result<(Staging, Result<(), Error>), Error> {
    let mut lists = Lists::default();
    lists.add(unread(plan.selection, &staging)?);
    let (batches, waiting) = mpsc::channel(PAGES_WAITING);
    let counted = Arc::clone(plan.progress);
    let span = Span::current();
    let staging = move || span.in_scope(|| stage(staging, waiting, &counted));
    let staged = tokio::task::spawn_blocking(staging);
    let reader = Reader {
        client: plan.client.clone(),
        selection: Arc::clone(plan.selection),
        batches,
        progress: Arc::clone(plan.progress),
    };
    let reading = reader.all(known, lists, plan.workers);
    let outcome = plan.cancel.run_until_cancelled(reading).await.unwrap_or(Err(Error::Cancelled));
    // The staging thread ends when all senders are gone, or has ended with an error that
    // made the readers stop: its error comes first.
    let (staging, stored) = staged.await?;
    Ok((staging, stored.and(outcome)))
}

/// A list and the page to begin with.
type Unread = (List, Option<Position>);

/// The lists that an earlier run left unread, or those that lead to all others.
fn unread(selection: &Selection, staging: &Staging) -> Result<Vec<Unread>, Error> {
    let mut lists = Vec::new();
    for (list, resource_type) in [(List::Members, USER), (List::Groups, GROUP), (List::Roles, ROLE)]
    {
        if selection.has_type(resource_type) && staging.next_page(&list.name())?.is_none() {
            lists.push((list, None));
        }
    }
    let left = staging.unread()?.into_iter();
    lists.extend(
        left.filter_map(|(name, next)| Some((List::named(&name)?, next.map(Position::Cursor)))),
    );
    Ok(lists)
}

/// Lists that wait to be read, each once.
#[derive(Default)]
struct Lists {
    waiting: VecDeque<Unread>,
    seen: HashSet<List>,
}

impl Lists {
    /// A role can stand on two pages if the list shifts in between.
    fn add(&mut self, found: impl IntoIterator<Item = Unread>) {
        let found = found.into_iter().filter(|(list, _)| self.seen.insert(list.clone()));
        self.waiting.extend(found);
    }

    /// Whether a list is still to be read.
    fn has(&self, list: &List) -> bool {
        self.waiting.iter().any(|(waiting, _)| waiting == list)
    }

    /// Takes a list out that is to be read from its beginning, if it is.
    fn take(&mut self, list: &List) -> bool {
        let place = self.waiting.iter().position(|waiting| *waiting == (list.clone(), None));
        place.is_some_and(|place| self.waiting.remove(place).is_some())
    }
}

#[derive(Clone)]
struct Reader {
    client: Client,
    selection: Arc<Selection>,
    batches: mpsc::Sender<Batch>,
    progress: Arc<Progress>,
}

impl Reader {
    async fn all(self, known: Known, mut lists: Lists, workers: NonZeroUsize) -> Result<(), Error> {
        self.take(known, &mut lists).await?;
        if !lists.has(&List::Roles) {
            self.estimate();
        }
        let mut reading: JoinSet<Result<Vec<Unread>, Error>> = JoinSet::new();
        loop {
            while reading.len() < workers.get() {
                let Some((list, next)) = lists.waiting.pop_front() else {
                    break;
                };
                let reader = self.clone();
                reading.spawn(async move { reader.list(list, next).await }.in_current_span());
            }
            match reading.join_next().await {
                Some(found) => lists.add(found??),
                None => return Ok(()),
            }
        }
    }

    /// Uses what the validation has read of lists that are to be read from their beginning.
    async fn take(&self, known: Known, lists: &mut Lists) -> Result<(), Error> {
        if lists.take(&List::Groups) {
            let found = self.groups(known.groups).await?;
            lists.add(found);
        }
        if let Some(members) = known.members.filter(|_| lists.take(&List::Members)) {
            self.send(Rows::Members(members), None, Vec::new()).await?;
        }
        if let Some(roles) = known.roles.filter(|_| lists.take(&List::Roles)) {
            let found = self.roles(Page { rows: roles, next: None }).await?;
            lists.add(found);
        }
        Ok(())
    }

    /// Says in time if the rate limit can't suffice. Every role and group takes one request at
    /// least; how many more, its first page tells.
    fn estimate(&self) {
        let lists = self.progress.lists.get().saturating_sub(self.progress.lists_done.get());
        if let Some(window) = self.client.window().filter(|it| u64::from(it.remaining) < lists) {
            tracing::warn!(
                requests_needed = lists,
                requests_left = window.remaining,
                requests_per_window = window.limit,
                "the sync needs at least so many more requests, more than Northflank's rate \
                 limit leaves in this window; it will wait for the next one"
            );
        }
    }

    /// Reads one list from the page at `next` on; returns the lists that it leads to.
    async fn list(&self, list: List, next: Option<Position>) -> Result<Vec<Unread>, Error> {
        match list {
            List::Members => {
                self.pages(self.client.members(next), Rows::Members).await?;
                Ok(Vec::new())
            }
            List::Roles => {
                let mut found = Vec::new();
                let mut pages = pin!(self.client.roles(next));
                while let Some(answer) = pages.try_next().await? {
                    found.extend(self.roles(answer.page).await?);
                }
                self.estimate();
                Ok(found)
            }
            List::Groups => self.groups(self.client.directory_groups().await?.page.rows).await,
            List::RoleMembers(role) => {
                let pages = self.client.role_members(&role, next);
                let read = self.pages(pages, |rows| Rows::RoleMembers(role.clone(), rows)).await;
                self.finish("role", &role, read, Rows::RoleGone(role.clone())).await
            }
            List::GroupMembers(group) => {
                let mut without_account = 0;
                let pages = self.client.directory_group_members(&group, next);
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
                self.finish("directory group", &group, read, Rows::GroupGone(group.clone())).await
            }
        }
    }

    async fn roles(&self, page: Page<Role>) -> Result<Vec<Unread>, Error> {
        let mut found = Vec::new();
        for Role { id, directory_groups, .. } in &page.rows {
            if self.selection.has_memberships_of(ROLE, id) {
                found.push(List::RoleMembers(id.clone()));
            }
            if self.selection.has_sources_of(id) {
                found.extend(directory_groups.iter().cloned().map(List::GroupMembers));
            }
        }
        self.send(Rows::Roles(page.rows), page.next, found.clone()).await?;
        Ok(from_the_beginning(found))
    }

    async fn groups(&self, groups: Vec<DirectoryGroup>) -> Result<Vec<Unread>, Error> {
        let ids = groups.iter().map(|group| &group.id);
        let ids = ids.filter(|id| self.selection.has_memberships_of(GROUP, id));
        let found: Vec<List> = ids.cloned().map(List::GroupMembers).collect();
        self.send(Rows::Groups(groups), None, found.clone()).await?;
        Ok(from_the_beginning(found))
    }

    /// Reads a list that leads to no others.
    async fn pages<T>(
        &self,
        pages: impl Stream<Item = Result<Answer<T>, northflank::Error>>,
        rows: impl Fn(Vec<T>) -> Rows,
    ) -> Result<(), Error> {
        let mut pages = pin!(pages);
        while let Some(Answer { page, .. }) = pages.try_next().await? {
            self.send(rows(page.rows), page.next, Vec::new()).await?;
        }
        Ok(())
    }

    /// A role or group that answers 404 after having been listed was deleted meanwhile and is
    /// dropped whole. Any other error ends the sync.
    async fn finish(
        &self,
        kind: &str,
        id: &str,
        read: Result<(), Error>,
        gone: Rows,
    ) -> Result<Vec<Unread>, Error> {
        match read {
            Err(Error::Northflank(error))
                if error.refusal().is_some_and(|it| it.status == StatusCode::NOT_FOUND) =>
            {
                tracing::info!("the {kind} {id} was deleted during the sync and is left out");
                self.send(gone, None, Vec::new()).await?;
            }
            read => read?,
        }
        self.progress.lists_done.add(1);
        Ok(Vec::new())
    }

    /// Hands over a page, with where the one after it is and the lists that it leads to,
    /// and waits until that is safe. If nobody takes it, staging has failed, and its error is
    /// reported instead of this one.
    async fn send(
        &self,
        rows: Rows,
        next: Option<Position>,
        found: Vec<List>,
    ) -> Result<(), Error> {
        let (stored, is_stored) = oneshot::channel();
        let batch = Batch { rows, next, found, stored };
        self.batches.send(batch).await.map_err(|_| Error::Cancelled)?;
        is_stored.await.map_err(|_| Error::Cancelled)
    }
}

fn from_the_beginning(lists: Vec<List>) -> Vec<Unread> {
    lists.into_iter().map(|list| (list, None)).collect()
}
