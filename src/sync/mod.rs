//! One full sync: validate, read, fold, expand, write. Nothing reaches the target unless
//! everything has been read; what has been read outlives an interruption.

mod acting_role;
mod completion;
mod error;
mod journal_record;
mod journal_writer;
mod options;
mod preflight;
mod progress;
mod read;
mod selection;
mod snapshot;

mod unknown_resources;
mod write;

pub use completion::log_completion;
pub use error::{Error, TooManyRows, UnknownResource, UnknownResources};
pub use journal_record::{JournalIndex, KeptList, KeptLists, page_record, recorded_page};
pub use options::SyncOptions;
pub use preflight::{MissingPermission, Preflight, Validated, ValidationError, validate, warnings};
pub use progress::{Progress, SyncPhase};
pub use selection::{SyncDepth, SyncSelection};
pub use snapshot::{MemberRef, MembershipKind, Snapshot, SnapshotBuilder, WithMembers};

use std::convert::Infallible;
use std::sync::Arc;
use std::time::SystemTime;

use svix_ksuid::{Ksuid, KsuidLike};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span, debug_span};

use crate::c1z::{NewFile, Organization, PreviousFile, SavedFile, SyncRun, Target};
use crate::connector::{RESOURCE_TYPES, profile_keys};
use crate::northflank::{Client, RateLimitWait, Whoami};
use crate::work_dir::WorkDirectory;
use crate::work_dir::{FoundJournal, IdentityDigests, Journal, RunIdentity};

use journal_record::finished_record;
use options::SyncContext;
use read::ReadResult;
use unknown_resources::unknown;

/// Syncs the organization that `client` reads into `target`.
///
/// Stops soon after `cancel` is triggered, with [`Error::Cancelled`]. On any error the target
/// is as it was, and the lists that were read to their ends are kept in a directory beside it
/// ([`WorkDirectory::beside`]) for the next sync into the same target, unless they may be the
/// reason.
pub async fn sync(
    client: &Client,
    target: Target,
    options: SyncOptions,
    progress: &Arc<Progress>,
    cancel: &CancellationToken,
) -> Result<SavedFile, Error> {
    let running = run(client, target, options, progress, cancel).instrument(debug_span!("sync"));
    // A whole sync is too large to be carried about in the futures that wait for it.
    let running = Box::pin(running);
    tokio::select! {
        outcome = running => outcome,
        never = log_waits(client, progress) => match never {},
    }
}

async fn run(
    client: &Client,
    target: Target,
    options: SyncOptions,
    progress: &Arc<Progress>,
    cancel: &CancellationToken,
) -> Result<SavedFile, Error> {
    let now = OffsetDateTime::now_utc();
    let client = &client.with_fresh_paging();
    let begin = |whoami: Option<&Whoami>| announce(client, &target, &options, whoami, progress);
    let checking =
        Preflight::make(client, &options.selection, begin).instrument(debug_span!("validate"));
    let checks = cancel.run_until_cancelled(checking).await.ok_or(Error::Cancelled)?;
    let validated = checks.verdict(now)?;
    for warning in validated.whoami.iter().flat_map(|whoami| warnings(whoami, now)) {
        tracing::warn!("{warning}");
    }
    let (work, opened) = {
        let (client, options, progress) = (client.clone(), options.clone(), Arc::clone(progress));
        let span = Span::current();
        tokio::task::spawn_blocking(move || {
            let _entered = span.entered();
            let work = WorkDirectory::create(target.path())?;
            // Another run may have written it since, and has ended now that the lock is ours.
            let target = Target::inspect(target.path())?;
            // A journal that can't be looked at for another's fault is kept.
            work.keep_journal();
            let previous = PreviousFile::open(&target, &work, &RESOURCE_TYPES.map(|own| own.id))?;
            let organization = organization(&progress);
            if let Some(organization) = &organization {
                previous.check_organization(organization)?;
            }
            let new = sync_run(String::new(), &options.selection, now, organization);
            previous.check_can_be_followed(options.retention, &new)?;
            let (journal, kept) = open(&work, &previous, &client, &options, now, &progress)?;
            Ok::<_, Error>((Arc::new(work), OpenedTarget { target, previous, journal, kept }))
        })
        .await??
    };
    let taken = opened.kept.len() as u64;
    let plan = SyncContext { client, options: &options, now, progress, cancel };
    // Too large to be carried about in the future that waits for it.
    let outcome = Box::pin(read_and_write(&plan, validated, opened, &work)).await;
    if let Err(error) = &outcome {
        let read = progress.lists_kept.get();
        let is_kept = work.journal().exists() && error.keeps_lists(taken > 0);
        if taken + read == 0 || !is_kept {
            work.discard_journal();
        } else {
            let lists = taken + read;
            tracing::info!(lists, "what has been read is kept; the same sync goes on from there");
        }
        if read == 0 && error.is_out_of_time() {
            tracing::warn!(
                "this run has read no list of a role's or group's members to its end, and the next \
                 one will come no further in the same time: allow longer waits (--max-wait), a \
                 smaller reserve (--rate-limit-reserve) or ask Northflank for a higher limit"
            );
        }
    }
    outcome
}

/// Where a sync goes to, and where it begins.
struct OpenedTarget {
    target: Target,
    previous: PreviousFile,
    journal: Journal,
    kept: KeptLists,
}

/// Reads what isn't kept yet, and writes all of it.
async fn read_and_write(
    plan: &SyncContext<'_>,
    validated: Validated,
    OpenedTarget { target, previous, journal, kept }: OpenedTarget,
    work: &Arc<WorkDirectory>,
) -> Result<SavedFile, Error> {
    plan.progress.enter(SyncPhase::Reading);
    let reading = read::read(plan, validated, kept, journal).instrument(debug_span!("read"));
    let ReadResult { builder, journal, oldest } = reading.await?;
    let options = plan.options.clone();
    let started_at = oldest.map_or(plan.now, |oldest| oldest.min(plan.now));
    let (sync_id, organization) = (journal.sync_id().to_owned(), organization(plan.progress));
    let run = sync_run(sync_id, &options.selection, started_at, organization);
    plan.progress.enter(SyncPhase::Writing);
    let (work, progress) = (Arc::clone(work), Arc::clone(plan.progress));
    let cancel = plan.cancel.clone();
    let span = Span::current();
    tokio::task::spawn_blocking(move || {
        let _entered = span.entered();
        let writing = debug_span!("write").entered();
        let access = builder.finish();
        let unknown = unknown(&access, &options.selection)?;
        if options.leave_out_unknown {
            for unknown in &unknown.0 {
                tracing::warn!("{unknown}; it is left out");
            }
        } else if !unknown.0.is_empty() {
            // It may exist by the next time.
            return Err(Error::Unknown(unknown));
        }
        let mut file = NewFile::create(&target, &work, &previous, options.retention, run)?;
        let mut rows = file.inserts()?;
        write::write(&access, &options.selection, &mut rows, &progress, &cancel)?;
        drop((rows, access, writing));
        progress.enter(SyncPhase::Saving);
        let _saving = debug_span!("save").entered();
        let packed = file.pack()?;
        // Said before it is asked whether to stop: whoever asks to stop and doesn't see it said
        // knows that the target stays as it is.
        progress.enter(SyncPhase::Replacing);
        if cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let saved = packed.replace()?;
        if saved.removed > 1 {
            tracing::warn!(
                file = %target.path().display(),
                removed = saved.removed,
                "earlier syncs were removed from the file, which keeps as many as \
                 BATON_KEEP_SYNC_COUNT says"
            );
        }
        finish(journal, &work, options.for_task.as_deref());
        Ok(saved)
    })
    .await?
}

/// What a file says of a sync of `selection`.
fn sync_run(
    sync_id: String,
    selection: &SyncSelection,
    started_at: OffsetDateTime,
    organization: Option<Organization>,
) -> SyncRun {
    SyncRun {
        sync_id,
        sync_type: selection.sync_type(),
        started_at,
        reduced_to: selection.reduced_to(),
        organization,
        profile_keys: profile_keys(|spec| spec.opt_in.is_none() || selection.has_type(spec.id)),
        types: selection.further_types().map(str::to_owned).collect(),
    }
}

/// Keeps what was read for `task`, if there is one, and notes that it was all.
fn finish(mut journal: Journal, work: &WorkDirectory, task: Option<&str>) {
    let Some(task) = task else {
        return work.discard_journal();
    };
    let mut note = || {
        let record = finished_record(OffsetDateTime::now_utc(), task)?;
        journal.append([record.as_slice()])?;
        Ok::<_, Error>(journal.make_safe()?)
    };
    if let Err(error) = note() {
        tracing::warn!(%error, "what has been read can't be kept until it is delivered");
        work.discard_journal();
    }
}

/// Says what begins, and as whom.
fn announce(
    client: &Client,
    target: &Target,
    options: &SyncOptions,
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
        progress.set_whoami(whoami.clone());
    }
}

/// Whose access is read, as far as Northflank tells.
fn organization(progress: &Progress) -> Option<Organization> {
    let whoami = progress.whoami()?;
    Organization::new(whoami.organization_slug.clone(), whoami.organization_uid.clone())
}

/// Logs each wait for the rate limit: how long, until when, and how far the sync is.
async fn log_waits(client: &Client, progress: &Progress) -> Infallible {
    let mut waiting = client.waiting();
    loop {
        let wait = *waiting.borrow_and_update();
        if let Some(RateLimitWait { until, reserve }) = wait {
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

/// Opens the journal, finds what an earlier run has left in it, and says what was found.
fn open(
    work: &WorkDirectory,
    previous: &PreviousFile,
    client: &Client,
    options: &SyncOptions,
    now: OffsetDateTime,
    progress: &Progress,
) -> Result<(Journal, KeptLists), Error> {
    let identity = RunIdentity {
        version: env!("CARGO_PKG_VERSION"),
        settings: &format!("{} {:?}", client.base_url(), options.selection),
        digests: &|salt| IdentityDigests {
            organization: progress.whoami().and_then(|it| it.organization_digest(salt)),
            token: client.token_digest(salt),
        },
        sync_id: &Ksuid::new(Some(SystemTime::from(now)), None).to_string(),
        is_finished: &|sync_id| previous.has_sync(sync_id),
    };
    let path = work.journal();
    let begin = || Ok((Journal::create(&path, &identity)?, KeptLists::new()));
    if !options.resume {
        if path.exists() {
            tracing::info!(
                "what an interrupted sync had read is discarded: starting over was asked for"
            );
        }
        return begin();
    }
    let mut index = JournalIndex::default();
    let (journal, cut) = match Journal::find(&path, &identity, |it, place| index.add(it, place))? {
        FoundJournal::Nothing => return begin(),
        FoundJournal::Records { journal, cut } => (journal, cut),
        FoundJournal::Discarded(reason) => {
            tracing::info!("what an interrupted sync had read is discarded: {reason}");
            return begin();
        }
    };
    let kept = index.kept_lists(now, options.for_task.as_deref());
    if let Some(problem) = cut {
        tracing::warn!(
            lists = kept.len(),
            problem,
            "the end of what an interrupted sync had read is damaged; the lists before it are \
             kept, the rest is read again"
        );
    }
    let Some(oldest) = kept.values().map(|list| list.ended_at).min() else {
        tracing::info!(
            "what an interrupted sync had read is discarded: no list of it is whole and not too \
             old"
        );
        return begin();
    };
    tracing::info!(
        lists = kept.len(),
        oldest = %rfc3339(oldest),
        "going on from an interrupted sync; the lists that it has read to their ends are not \
         read again"
    );
    Ok((journal, kept))
}
