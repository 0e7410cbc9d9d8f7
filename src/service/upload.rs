//! Uploads: a file as a stream of chunks with its digest at the end.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{Stream, stream};
use ring::digest::{Context, SHA256};
use tonic::{Code, Status};

use super::platform::{Described, Failure, Platform, Reached, reached};
use super::protocol::BatonServiceUploadAssetRequest as Message;
use super::protocol::baton_service_upload_asset_request::{
    Msg, UploadData, UploadEof, UploadMetadata,
};

/// Bytes in a chunk, but for the last.
const CHUNK: usize = 512 * 1024;

/// How often a file is sent.
const ATTEMPTS: u32 = 3;

/// Between the second attempt and the third. The second follows at once.
const PAUSE: Duration = Duration::from_secs(1);

/// The longest time between two looks whether ConductorOne can be reached again.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Time without progress after which an attempt has failed: no chunk taken, no answer.
const STALLED_AFTER: Duration = Duration::from_mins(10);

/// Why an upload failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum UploadError {
    /// The file can't be read.
    #[error("can't read the file to upload: {0}")]
    Read(#[from] io::Error),
    /// ConductorOne didn't take it.
    #[error("the upload failed: {}", Described(.0))]
    Platform(Status),
}

impl From<UploadError> for Failure {
    fn from(error: UploadError) -> Self {
        let code = match &error {
            UploadError::Read(_) => Code::Unknown,
            UploadError::Platform(status) => status.code(),
        };
        Self { code, message: error.to_string(), is_final: false }
    }
}

/// Uploads the file at `path` for a task, whole, again from the start if an attempt fails.
///
/// While ConductorOne can't be reached this waits, until it is dropped.
pub(super) async fn upload(
    platform: &Platform,
    task: &str,
    path: &Path,
) -> Result<(), UploadError> {
    let digest = on_thread({
        let path = path.to_owned();
        move || digest(&path)
    });
    let digest = digest.await?;
    let (mut attempt, mut wait) = (1, PAUSE);
    loop {
        let error = match send(platform, task, path, digest).await {
            Ok(()) => return Ok(()),
            Err(UploadError::Platform(status)) => status,
            Err(error @ UploadError::Read(_)) => return Err(error),
        };
        if reached(&error) == Reached::Nobody {
            let seconds = wait.as_secs();
            tracing::warn!(error = %Described(&error), retry_in_seconds = seconds, "can't upload yet");
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
            continue;
        }
        tracing::warn!(attempt, of = ATTEMPTS, error = %Described(&error), "an upload failed");
        if attempt == ATTEMPTS {
            return Err(UploadError::Platform(error));
        }
        if attempt > 1 {
            tokio::time::sleep(PAUSE).await;
        }
        attempt += 1;
    }
}

/// The SHA-256 digest of a file.
fn digest(path: &Path) -> io::Result<[u8; 32]> {
    let mut file = File::open(path)?;
    let mut context = Context::new(&SHA256);
    let mut buffer = [0; 16 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => context.update(&buffer[..count]),
        }
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    Ok(digest)
}

/// One attempt.
async fn send(
    platform: &Platform,
    task: &str,
    path: &Path,
    digest: [u8; 32],
) -> Result<(), UploadError> {
    let path = path.to_owned();
    let file = on_thread(move || File::open(path)).await?;
    let seen = Arc::new(Seen::default());
    let metadata = Msg::Metadata(UploadMetadata {
        host_id: platform.host_id().to_owned(),
        task_id: task.to_owned(),
    });
    let messages = messages(metadata, file, digest, Arc::clone(&seen));
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
struct Seen {
    /// How many were taken.
    taken: AtomicU64,
    /// Why they ended early.
    failure: Mutex<Option<io::Error>>,
}

impl Seen {
    fn fail(&self, error: io::Error) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    fn failure(&self) -> Option<io::Error> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What comes next.
enum Next {
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
    seen: Arc<Seen>,
) -> impl Stream<Item = Message> + Send + 'static {
    stream::unfold(Next::Metadata(metadata, file), move |next| {
        let seen = Arc::clone(&seen);
        async move {
            seen.taken.fetch_add(1, Ordering::Relaxed);
            let (message, next) = match next {
                Next::Metadata(metadata, file) => (metadata, Next::Data(file)),
                Next::Data(file) => match on_thread(move || chunk(file)).await {
                    Ok((data, file)) if !data.is_empty() => {
                        (Msg::Data(UploadData { data }), Next::Data(file))
                    }
                    Ok(_) => (Msg::Eof(UploadEof { sha256_checksum: digest.into() }), Next::End),
                    Err(error) => {
                        seen.fail(error);
                        return None;
                    }
                },
                Next::End => return None,
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
