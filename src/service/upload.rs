//! Uploads: a file as a stream of chunks with its digest at the end.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::{Stream, stream};
use tonic::{Code, Status};

use super::platform::{CallProgress, Platform, StatusText, TaskFailure, reached};
use super::protocol::BatonServiceUploadAssetRequest as Message;
use super::protocol::baton_service_upload_asset_request::{
    Msg, UploadData, UploadEof, UploadMetadata,
};
use crate::digest::sha256_of;

/// Bytes in a chunk, but for the last.
const CHUNK: usize = 512 * 1024;

/// How often a file is sent that ConductorOne itself doesn't take.
const ATTEMPTS: u32 = 3;

/// Between the second attempt and the third. The second follows at once.
const PAUSE: Duration = Duration::from_secs(1);

/// The longest time between two looks whether ConductorOne can be reached again.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How long after the first failure a file is still sent of which nothing reaches ConductorOne.
/// An outage ends a task's heartbeats much earlier; what lasts so long with heartbeats that
/// arrive is a gateway that refuses just this upload.
const UNREACHED_FOR: Duration = Duration::from_mins(30);

/// How many times a file's bytes are sent to a gateway that doesn't pass them on,
const UNREACHED_TIMES: u64 = 10;

/// and how many bytes in any case, so that a small file is sent as long as time allows.
const UNREACHED_BYTES: u64 = 64 << 20;

/// Time without progress after which an attempt has failed: no chunk taken, no answer.
const STALLED_AFTER: Duration = Duration::from_mins(10);

/// Why an upload failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum UploadError {
    /// The file can't be read.
    #[error("can't read the file to upload: {0}")]
    Read(#[from] io::Error),
    /// ConductorOne didn't take it.
    #[error("the upload failed: {}", StatusText(.0))]
    Platform(Status),
    /// Something before ConductorOne doesn't pass it on.
    #[error(
        "the upload never reached ConductorOne, in {tries} tries and {} minutes: {}",
        .time.as_secs() / 60, StatusText(.status)
    )]
    Unreached {
        /// How often it was tried.
        tries: u32,
        /// From the first failure to the last.
        time: Duration,
        /// The last failure.
        status: Status,
    },
}

impl From<UploadError> for TaskFailure {
    fn from(error: UploadError) -> Self {
        let code = match &error {
            UploadError::Read(_) => Code::Unknown,
            UploadError::Platform(status) | UploadError::Unreached { status, .. } => status.code(),
        };
        Self { code, message: error.to_string(), is_final: false }
    }
}

/// Uploads the file at `path` for a task, whole, again from the start if an attempt fails.
///
/// While ConductorOne can't be reached this waits, for half an hour at most.
pub(super) async fn upload(
    platform: &Platform,
    task: &str,
    path: &Path,
) -> Result<(), UploadError> {
    let digest = on_thread({
        let path = path.to_owned();
        move || sha256_of(File::open(path)?)
    });
    let (digest, size) = digest.await?;
    let mut tries = UploadAttempts::new(size);
    loop {
        let seen = Arc::new(UploadProgress::default());
        let status = match send(platform, task, path, digest, &seen).await {
            Ok(()) => return Ok(()),
            Err(UploadError::Platform(status)) => status,
            Err(error) => return Err(error),
        };
        let sent = seen.bytes.load(Ordering::Relaxed);
        let Some(wait) = tries.after(reached(&status), sent, Instant::now()) else {
            return Err(tries.into_error(status));
        };
        tracing::warn!(
            tries = tries.count,
            error = %StatusText(&status),
            retry_in_seconds = wait.as_secs(),
            "an upload failed"
        );
        tokio::time::sleep(wait).await;
    }
}

/// How often a file has been sent, and whether it is to be sent again.
struct UploadAttempts {
    /// The file's size in bytes.
    size: u64,
    /// All tries.
    count: u32,
    /// Those that ConductorOne may have seen.
    answered: u32,
    /// Bytes of all tries.
    sent: u64,
    /// The first failure and the last.
    failing: Option<(Instant, Instant)>,
    /// Before the next try, if ConductorOne can't be reached.
    wait: Duration,
    /// Whether ConductorOne could not be reached at the last try.
    is_unreached: bool,
}

impl UploadAttempts {
    fn new(size: u64) -> Self {
        Self {
            size,
            count: 0,
            answered: 0,
            sent: 0,
            failing: None,
            wait: PAUSE,
            is_unreached: false,
        }
    }

    /// How long to wait after a try that sent so many bytes and failed `now`; `None` to give up.
    fn after(&mut self, reached: CallProgress, sent: u64, now: Instant) -> Option<Duration> {
        let (since, _) = self.failing.unwrap_or((now, now));
        self.failing = Some((since, now));
        self.count += 1;
        self.sent += sent;
        self.is_unreached = reached == CallProgress::Nobody;
        if self.is_unreached {
            let most = (self.size * UNREACHED_TIMES).max(UNREACHED_BYTES);
            if now - since >= UNREACHED_FOR || self.sent >= most {
                return None;
            }
            let wait = self.wait;
            self.wait = (wait * 2).min(LONGEST_WAIT);
            return Some(wait);
        }
        self.answered += 1;
        match self.answered {
            ATTEMPTS.. => None,
            1 => Some(Duration::ZERO),
            _ => Some(PAUSE),
        }
    }

    fn into_error(self, status: Status) -> UploadError {
        match self.failing {
            Some((since, until)) if self.is_unreached => {
                UploadError::Unreached { tries: self.count, time: until - since, status }
            }
            _ => UploadError::Platform(status),
        }
    }
}

/// One attempt.
async fn send(
    platform: &Platform,
    task: &str,
    path: &Path,
    digest: [u8; 32],
    seen: &Arc<UploadProgress>,
) -> Result<(), UploadError> {
    let path = path.to_owned();
    let file = on_thread(move || File::open(path)).await?;
    let metadata = Msg::Metadata(UploadMetadata {
        host_id: platform.host_id().to_owned(),
        task_id: task.to_owned(),
    });
    let messages = messages(metadata, file, digest, Arc::clone(seen));
    let outcome = tokio::select! {
        outcome = platform.upload(messages) => outcome,
        () = stalled(&seen.taken) => {
            Err(Status::deadline_exceeded("ConductorOne takes no more of it"))
        }
    };
    match seen.failure() {
        // What ConductorOne says of half an upload only follows from it.
        Some(error) => Err(UploadError::Read(error)),
        None => outcome.map_err(UploadError::Platform),
    }
}

/// What the outside sees of the messages that are being sent.
#[derive(Default)]
struct UploadProgress {
    /// How many were taken.
    taken: AtomicU64,
    /// The bytes of data in them.
    bytes: AtomicU64,
    /// Why they ended early.
    failure: Mutex<Option<io::Error>>,
}

impl UploadProgress {
    fn fail(&self, error: io::Error) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    fn failure(&self) -> Option<io::Error> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What comes next.
enum NextUpload {
    Metadata(Msg, File),
    Data(File),
    End,
}

/// The messages of one upload, each read when the one before has been taken. Without the
/// digest at the end the upload is void, which is how an error here reaches the other side.
fn messages(
    metadata: Msg,
    file: File,
    digest: [u8; 32],
    seen: Arc<UploadProgress>,
) -> impl Stream<Item = Message> + Send + 'static {
    stream::unfold(NextUpload::Metadata(metadata, file), move |next| {
        let seen = Arc::clone(&seen);
        async move {
            seen.taken.fetch_add(1, Ordering::Relaxed);
            let (message, next) = match next {
                NextUpload::Metadata(metadata, file) => (metadata, NextUpload::Data(file)),
                NextUpload::Data(file) => match on_thread(move || chunk(file)).await {
                    Ok((data, file)) if !data.is_empty() => {
                        seen.bytes.fetch_add(data.len() as u64, Ordering::Relaxed);
                        (Msg::Data(UploadData { data }), NextUpload::Data(file))
                    }
                    Ok(_) => {
                        (Msg::Eof(UploadEof { sha256_checksum: digest.into() }), NextUpload::End)
                    }
                    Err(error) => {
                        seen.fail(error);
                        return None;
                    }
                },
                NextUpload::End => return None,
            };
            Some((Message { msg: Some(message) }, next))
        }
    })
}

fn chunk(file: File) -> io::Result<(Vec<u8>, File)> {
    let mut data = Vec::new();
    (&file).take(CHUNK as u64).read_to_end(&mut data)?;
    Ok((data, file))
}

/// Ends when nothing has been taken for too long.
async fn stalled(taken: &AtomicU64) {
    loop {
        let before = taken.load(Ordering::Relaxed);
        tokio::time::sleep(STALLED_AFTER).await;
        if taken.load(Ordering::Relaxed) == before {
            return;
        }
    }
}

async fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::{
        CallProgress, Duration, Instant, LONGEST_WAIT, PAUSE, Status, UploadAttempts, UploadError,
    };

    /// How often a file is sent to a gateway that takes so many bytes of it and refuses it, and
    /// for how long.
    fn refused_by_a_gateway(size: u64, sent: u64) -> (u32, Duration) {
        let started = Instant::now();
        let (mut tries, mut now) = (UploadAttempts::new(size), started);
        while let Some(wait) = tries.after(CallProgress::Nobody, sent, now) {
            assert!((PAUSE..=LONGEST_WAIT).contains(&wait), "{wait:?}");
            now += wait;
        }
        let error = tries.into_error(Status::unavailable("HTTP 429"));
        let UploadError::Unreached { tries, time, .. } = &error else { panic!("{error}") };
        let said = error.to_string();
        assert!(said.contains("never reached ConductorOne") && said.contains("HTTP 429"), "{said}");
        (*tries, *time)
    }

    #[test]
    fn a_gateway_that_refuses_an_upload_gets_it_for_half_an_hour_and_ten_times_at_most() {
        let (_, small) = refused_by_a_gateway(10_000, 10_000);
        assert!((Duration::from_mins(30)..Duration::from_mins(31)).contains(&small), "{small:?}");
        let (times, large) = refused_by_a_gateway(1 << 30, 1 << 30);
        assert!(times == 10 && large < Duration::from_mins(5), "{times} {large:?}");
        // Refused before it was sent.
        let (_, unsent) = refused_by_a_gateway(1 << 30, 0);
        assert_eq!(unsent, small);
    }

    #[test]
    fn a_try_that_takes_longer_than_all_waits_is_made_once_more() {
        let (mut tries, now) = (UploadAttempts::new(1 << 30), Instant::now());
        let hour = Duration::from_hours(1);
        assert_eq!(tries.after(CallProgress::Nobody, 1 << 30, now + hour), Some(PAUSE));
        assert_eq!(tries.after(CallProgress::Nobody, 1 << 30, now + hour * 2), None);
    }

    #[test]
    fn what_conductorone_refuses_is_sent_three_times_however_long_it_was_out_of_reach() {
        let (mut tries, now) = (UploadAttempts::new(10_000), Instant::now());
        let late = now + Duration::from_mins(40);
        assert!(tries.after(CallProgress::Nobody, 0, now).is_some());
        assert_eq!(tries.after(CallProgress::ConductorOne, 10_000, late), Some(Duration::ZERO));
        assert_eq!(tries.after(CallProgress::Unknown, 10_000, late), Some(PAUSE));
        assert_eq!(tries.after(CallProgress::ConductorOne, 10_000, late), None);
        let error = tries.into_error(Status::data_loss("digest"));
        assert!(matches!(error, UploadError::Platform(_)), "{error}");
    }
}
