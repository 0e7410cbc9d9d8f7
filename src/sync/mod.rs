//! One full sync: validate, read, fold, expand, write. Nothing reaches the target unless
//! everything has been read; what has been read outlives an interruption.

mod code;
mod error;
mod fold;
mod keep;
mod list;
mod page;
mod progress;
mod read;
mod selection;
mod unknown;
mod validate;
mod write;

pub use code::file_code;
pub use error::{Error, TooLarge, Unknown, Unknowns};
pub use fold::{Access, Held, Holder, Holding};
pub use keep::Gathered;
pub use progress::{Phase, Progress};
pub use selection::{Depth, Selection};
pub use validate::{Checks, Groups, Known, Missing, Scope, ValidationError, validate, warnings};

use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::SystemTime;

use svix_ksuid::{Ksuid, KsuidLike};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span, debug_span};

use crate::c1z::{NewFile, Previous, Retention, Saved, SyncRun, Target};
use crate::connector::{GROUP, ROLE, USER};
use crate::journal::{Digests, Found, Identity, Journal};
use crate::northflank::{Client, Wait, Whoami};
use crate::work::WorkDirectory;

use read::Plan;
use unknown::unknown;

/// How a sync is to be done.
#[derive(Debug, Clone)]
pub struct Options {
    /// Lists that are read side by side, each with one request under way.
    pub workers: NonZeroUsize,
    /// Which earlier syncs the file keeps.
    pub retention: Retention,
    /// What to sync.
    pub selection: Arc<Selection>,
    /// Whether to go on from what an interrupted sync into the same target has read.
    pub resume: bool,
    /// Whether what has been read is kept even when the file is there, for a caller that has
    /// yet to deliver the file and then removes [`WorkDirectory::beside`].
    pub keep_pages: bool,
    /// Whether selected resources that Northflank doesn't have are left out, with a warning,
    /// rather than an error.
    pub leave_out_unknown: bool,
}

/// Syncs the organization that `client` reads into `target`.
///
/// Stops soon after `cancel` is triggered, with [`Error::Cancelled`]. On any error the target
/// is as it was, and the pages that were read are kept in a directory beside it
/// ([`WorkDirectory::beside`]) for the next sync into the same target.
pub async fn sync(
    client: &Client,
    target: Target,
    options: Options,
    progress: &Arc<Progress>,
    cancel: &CancellationToken,
) -> Result<Saved, Error> {
    let running = run(client, target, options, progress, cancel).instrument(debug_span!("sync"));
    // A whole sync is too large to be carried about in the futures that wait for it.
    let running = Box::pin(running);
    let outcome = tokio::select! {
        outcome = running => outcome,
        never = tell_waits(client, progress) => match never {},
    };
    let pages = progress.pages.get();
    if outcome.as_ref().is_err_and(Error::keeps_pages) && pages > 0 {
        tracing::info!(pages, "what has been read is kept; the same sync goes on from there");
    }
    outcome
}

async fn run(
    client: &Client,
    target: Target,
    options: Options,
    progress: &Arc<Progress>,
    cancel: &CancellationToken,
) -> Result<Saved, Error> {
    let started_at = OffsetDateTime::now_utc();
    let client = &client.unprejudiced();
    let begin = |whoami: Option<&Whoami>| announce(client, &target, &options, whoami, progress);
    let checking = Checks::make(client, begin).instrument(debug_span!("validate"));
    let checks = cancel.run_until_cancelled(checking).await.ok_or(Error::Cancelled)?;
    let known = checks.verdict(started_at)?;
    for warning in known.whoami.iter().flat_map(|whoami| warnings(whoami, started_at)) {
        tracing::warn!("{warning}");
    }
    let (target, work, previous, journal, gathered) = {
        let (client, options, progress) = (client.clone(), options.clone(), Arc::clone(progress));
        let span = Span::current();
        tokio::task::spawn_blocking(move || {
            let _entered = span.entered();
            let work = WorkDirectory::create(target.path())?;
            // Another run may have written it since, and has ended now that the lock is ours.
            let target = Target::inspect(target.path())?;
            // A journal that can't be looked at for another's fault is kept.
            work.keep_journal();
            let previous = Previous::open(&target, &work, &[GROUP, ROLE, USER])?;
            let selection = &options.selection;
            let (sync_type, reduced_to) = (selection.sync_type(), selection.reduced_to());
            previous.check_can_be_followed(options.retention, sync_type, reduced_to)?;
            let (journal, gathered) =
                open(&work, &previous, &client, &options, started_at, &progress)?;
            Ok::<_, Error>((target, work, previous, journal, gathered))
        })
        .await??
    };

    progress.enter(Phase::Reading);
    let selection = &options.selection;
    let plan = Plan { client, workers: options.workers, selection, progress, cancel };
    let run = SyncRun {
        sync_id: journal.sync_id().to_owned(),
        sync_type: selection.sync_type(),
        started_at: journal.began_at(),
        reduced_to: selection.reduced_to(),
    };
    let reading = read::read(&plan, known, gathered, journal).instrument(debug_span!("read"));
    let outcome = reading.await;
    if progress.pages.get() == 0 {
        work.discard_journal();
    }
    let fold = outcome?;

    progress.enter(Phase::Writing);
    let (progress, cancel) = (Arc::clone(progress), cancel.clone());
    let span = Span::current();
    tokio::task::spawn_blocking(move || {
        let _entered = span.entered();
        let writing = debug_span!("write").entered();
        let access = fold.finish();
        let unknown = unknown(&access, &options.selection)?;
        if options.leave_out_unknown {
            for unknown in &unknown.0 {
                tracing::warn!("{unknown}; it is left out");
            }
        } else if !unknown.0.is_empty() {
            // It may exist by the next time.
            work.discard_journal();
            return Err(Error::Unknown(unknown));
        }
        let mut file = NewFile::create(&target, &work, &previous, options.retention, run)?;
        let mut rows = file.inserts()?;
        write::write(&access, &options.selection, &mut rows, &progress, &cancel)?;
        drop((rows, access, writing));
        progress.enter(Phase::Saving);
        let _saving = debug_span!("save").entered();
        let packed = file.pack()?;
        // Said before it is asked whether to stop: whoever asks to stop and doesn't see it said
        // knows that the target stays as it is.
        progress.enter(Phase::Replacing);
        if cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let saved = packed.replace()?;
        if !options.keep_pages {
            work.discard_journal();
        }
        Ok(saved)
    })
    .await?
}

/// Says what begins, and as whom.
fn announce(
    client: &Client,
    target: &Target,
    options: &Options,
    whoami: Option<&Whoami>,
    progress: &Progress,
) {
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        base_url = %client.base_url(),
        organization = whoami.and_then(|whoami| whoami.slug.as_deref()),
        token = whoami.and_then(|whoami| whoami.token.as_deref()),
        role = whoami.and_then(|whoami| whoami.role.as_deref()),
        file = %target.path().display(),
        workers = options.workers,
        "starting sync"
    );
    if let Some(whoami) = whoami {
        progress.know(whoami.clone());
    }
}

/// Logs each wait for the rate limit: how long, until when, and how far the sync is.
async fn tell_waits(client: &Client, progress: &Progress) -> Infallible {
    let mut waiting = client.waiting();
    loop {
        let wait = *waiting.borrow_and_update();
        if let Some(Wait { until, reserve }) = wait {
            let why = match reserve {
                None => "waiting for Northflank's rate limit",
                Some(_) => {
                    "waiting for the next window of Northflank's rate limit: what is left of \
                     this one is the reserve that is kept (--rate-limit-reserve)"
                }
            };
            tracing::warn!(
                requests_in_reserve = reserve,
                seconds = (until - OffsetDateTime::now_utc()).whole_seconds(),
                until = %rfc3339(until),
                pages = progress.pages.get(),
                lists_done = progress.lists_done.get(),
                lists = progress.lists.get(),
                "{why}"
            );
        }
        if waiting.changed().await.is_err() {
            // Only without a client, which is borrowed here.
            std::future::pending::<()>().await;
        }
    }
}

/// A time for the log, in whole seconds.
fn rfc3339(time: OffsetDateTime) -> String {
    // Only years beyond 9999 have no such form.
    time.truncate_to_second().format(&Rfc3339).unwrap_or_default()
}

/// Opens the journal, gathers what an earlier run has left in it, and says what was found.
fn open(
    work: &WorkDirectory,
    previous: &Previous,
    client: &Client,
    options: &Options,
    now: OffsetDateTime,
    progress: &Progress,
) -> Result<(Journal, Gathered), Error> {
    let selection = &options.selection;
    let mut gathered = Gathered::nothing_of(selection);
    let identity = Identity {
        version: env!("CARGO_PKG_VERSION"),
        settings: &format!("{} {selection:?}", client.base_url()),
        digests: &|salt| Digests {
            organization: progress.whoami().and_then(|it| it.organization_digest(salt)),
            token: client.token_digest(salt),
        },
        sync_id: &Ksuid::new(Some(SystemTime::from(now)), None).to_string(),
        is_finished: &|sync_id| previous.has_sync(sync_id),
        now,
    };
    let replay = |record: &[u8]| gathered.replay(record, progress);
    let (journal, found) = Journal::open(&work.journal(), &identity, options.resume, replay)?;
    match found {
        Found::Nothing => {}
        Found::Records { count, cut } => {
            if let Some(problem) = cut {
                tracing::warn!(
                    pages = count,
                    problem,
                    "the end of what an interrupted sync had read is damaged; the pages before \
                     it are kept, the rest is read again"
                );
            }
            tracing::info!(
                pages = count,
                began = %rfc3339(journal.began_at()),
                "going on from an interrupted sync; its pages are not read again"
            );
        }
        Found::Discarded(reason) => {
            tracing::info!("what an interrupted sync had read is discarded: {reason}");
        }
    }
    Ok((journal, gathered))
}
