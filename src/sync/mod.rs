//! One full sync: validate, read, stage, expand, write. Nothing reaches the target unless
//! everything has been read.

mod error;
mod progress;
mod read;
mod stage;
mod validate;
mod write;

pub use error::Error;
pub use progress::{Phase, Progress};
pub use validate::{Known, Missing, Scope, ValidationError, validate};

use std::num::NonZeroUsize;
use std::sync::Arc;

use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::c1z::{NewFile, Previous, Retention, Saved, Staging, Target, WorkDirectory};
use crate::connector::{GROUP, ROLE, USER};
use crate::northflank::Client;

/// How a sync is to be done.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Lists that are read side by side, each with one request under way.
    pub workers: NonZeroUsize,
    /// Which earlier syncs the file keeps.
    pub retention: Retention,
}

/// Syncs the organization that `client` reads into `target`.
///
/// Stops soon after `cancel` is triggered, with [`Error::Cancelled`]. On any error the target
/// is as it was.
pub async fn sync(
    client: &Client,
    target: Target,
    options: Options,
    progress: &Arc<Progress>,
    cancel: &CancellationToken,
) -> Result<Saved, Error> {
    let started_at = OffsetDateTime::now_utc();
    let known = cancel.run_until_cancelled(validate(client)).await.ok_or(Error::Cancelled)??;
    let (work, previous, staging) = tokio::task::spawn_blocking(move || {
        let work = WorkDirectory::create(target)?;
        let previous = Previous::open(&work, &[GROUP, ROLE, USER])?;
        let staging = Staging::create(&work)?;
        Ok::<_, Error>((work, previous, staging))
    })
    .await??;

    progress.enter(Phase::Reading);
    let reading = read::read(client, known, options.workers, staging, progress);
    let staging = cancel.run_until_cancelled(reading).await.ok_or(Error::Cancelled)??;

    progress.enter(Phase::Writing);
    let (progress, cancel) = (Arc::clone(progress), cancel.clone());
    tokio::task::spawn_blocking(move || {
        let mut file = NewFile::create(&work, &previous, options.retention, started_at)?;
        write::write(&staging, &mut file, &progress, &cancel)?;
        drop(staging);
        progress.enter(Phase::Saving);
        Ok(file.save()?)
    })
    .await?
}
