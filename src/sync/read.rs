//! Reading: all lists of the organization, a bounded number of them side by side.

use std::collections::{HashSet, VecDeque};
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;

use futures_util::stream::{Stream, TryStreamExt};
use reqwest::StatusCode;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::c1z::Staging;
use crate::northflank::{self, Client, DirectoryGroup, Member, Role, Text};

use super::stage::{Batch, stage};
use super::{Error, Known, Progress};

/// Pages that may wait to be staged. Enough to keep the staging thread busy while answers
/// arrive, few enough that memory doesn't grow when it is the slower side.
const PAGES_WAITING: usize = 64;

/// A list to read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum List {
    Members,
    Roles,
    RoleMembers(Text),
    GroupMembers(Text),
}

/// Reads everything into `staging`.
///
/// Each worker reads one list at a time, page after page, because a page's cursor comes with
/// the page before. The member list starts first: it is the longest that can't be split.
pub(super) async fn read(
    client: &Client,
    known: Known,
    workers: NonZeroUsize,
    staging: Staging,
    progress: &Arc<Progress>,
) -> Result<Staging, Error> {
    let (batches, waiting) = mpsc::channel(PAGES_WAITING);
    let staged = tokio::task::spawn_blocking(move || stage(staging, waiting));
    let reader = Reader { client: client.clone(), batches, progress: Arc::clone(progress) };
    let outcome = read_lists(reader, known, workers).await;
    // The staging thread ends once all senders are gone, or has ended with an error that
    // made the readers stop: its error comes first.
    let staging = staged.await??;
    outcome?;
    Ok(staging)
}

async fn read_lists(reader: Reader, known: Known, workers: NonZeroUsize) -> Result<(), Error> {
    let mut lists = VecDeque::new();
    let mut seen = HashSet::new();
    match known.members {
        Some(members) => reader.members(members).await?,
        None => lists.push_back(List::Members),
    }
    match known.roles {
        Some(roles) => lists.extend(reader.roles(roles).await?),
        None => lists.push_back(List::Roles),
    }
    lists.extend(reader.groups(known.groups).await?);
    let mut reading: JoinSet<Result<Vec<List>, Error>> = JoinSet::new();
    loop {
        while reading.len() < workers.get() {
            let Some(list) = lists.pop_front() else {
                break;
            };
            // A role can stand on two pages if the list shifts in between.
            if seen.insert(format!("{list:?}")) {
                let reader = reader.clone();
                reading.spawn(async move { reader.list(list).await });
            }
        }
        match reading.join_next().await {
            Some(found) => lists.extend(found??),
            None => return Ok(()),
        }
    }
}

#[derive(Clone)]
struct Reader {
    client: Client,
    batches: mpsc::Sender<Batch>,
    progress: Arc<Progress>,
}

impl Reader {
    /// Reads one list; returns the lists that it leads to.
    async fn list(&self, list: List) -> Result<Vec<List>, Error> {
        match list {
            List::Members => {
                let mut pages = pin!(self.client.members());
                while let Some(members) = pages.try_next().await? {
                    self.members(members).await?;
                }
                Ok(Vec::new())
            }
            List::Roles => {
                let mut lists = Vec::new();
                let mut pages = pin!(self.client.roles());
                while let Some(roles) = pages.try_next().await? {
                    lists.extend(self.roles(roles).await?);
                }
                Ok(lists)
            }
            List::RoleMembers(role) => {
                let pages = self.client.role_members(&role);
                let read = self
                    .memberships(pages, |rows| Batch::RoleMembers { role: role.clone(), rows })
                    .await;
                self.finish("role", &role, read, Batch::RoleGone(role.clone())).await
            }
            List::GroupMembers(group) => {
                let mut without_account = 0;
                let pages = self.client.directory_group_members(&group);
                let pages = pages.inspect_ok(|rows| {
                    without_account += rows.iter().filter(|row| row.id.is_none()).count();
                });
                let read = self
                    .memberships(pages, |rows| Batch::GroupMembers { group: group.clone(), rows })
                    .await;
                if without_account > 0 {
                    tracing::info!(
                        group = %&*group,
                        count = without_account,
                        "directory users without a Northflank account hold nothing yet"
                    );
                }
                self.finish("directory group", &group, read, Batch::GroupGone(group.clone())).await
            }
        }
    }

    async fn members(&self, members: Vec<Member>) -> Result<(), Error> {
        self.progress.members.add(members.len());
        self.send(Batch::Members(members)).await
    }

    async fn roles(&self, roles: Vec<Role>) -> Result<Vec<List>, Error> {
        self.progress.roles.add(roles.len());
        let lists = roles.iter().map(|role| List::RoleMembers(role.id.clone())).collect();
        self.send(Batch::Roles(roles)).await?;
        Ok(lists)
    }

    async fn groups(&self, groups: Vec<DirectoryGroup>) -> Result<Vec<List>, Error> {
        self.progress.groups.add(groups.len());
        let lists = groups.iter().map(|group| List::GroupMembers(group.id.clone())).collect();
        self.send(Batch::Groups(groups)).await?;
        Ok(lists)
    }

    async fn memberships<T>(
        &self,
        pages: impl Stream<Item = Result<Vec<T>, northflank::Error>>,
        batch: impl Fn(Vec<T>) -> Batch,
    ) -> Result<(), Error> {
        let mut pages = pin!(pages);
        while let Some(rows) = pages.try_next().await? {
            self.progress.memberships.add(rows.len());
            self.send(batch(rows)).await?;
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
        gone: Batch,
    ) -> Result<Vec<List>, Error> {
        match read {
            Err(Error::Northflank(northflank::Error::Refused { answer, .. }))
                if answer.status == StatusCode::NOT_FOUND =>
            {
                tracing::info!("the {kind} {id} was deleted during the sync and is left out");
                self.send(gone).await?;
            }
            read => read?,
        }
        self.progress.lists_done.add(1);
        Ok(Vec::new())
    }

    /// Hands over a batch. If nobody takes it, staging has failed, and its error is reported
    /// instead of this one.
    async fn send(&self, batch: Batch) -> Result<(), Error> {
        self.batches.send(batch).await.map_err(|_| Error::Cancelled)
    }
}
