//! Service mode: a self-hosted connector that ConductorOne drives.
//!
//! | room | what it does |
//! | --- | --- |
//! | `credentials` | client id and secret |
//! | `assertion`, `token` | proves who we are and gets access tokens for it |
//! | `dial`, `proxy`, `gateway`, `platform` | the connection, what stands before it, and every call |
//! | `host` | what ConductorOne is told of machine and build |
//! | `task_context`, `hello`, `poll` | what tasks share, and the daemon's loop |
//! | `heartbeat`, `full_sync`, `upload`, `temp_store` | a sync and what it takes |
//! | `unsupported` | answers to what is not done here |
//! | `debug_log` | the log of one task, if ConductorOne wants it |
//! | `contact`, `task_history` | what is known of ConductorOne, and what became of the tasks |
//! | `health`, `metrics` | what probes are told of it, and whoever collects metrics |
//! | `http_server`, `probe` | how they are answered, and how a probe asks |
//! | `protocol` | generated messages |

mod assertion;
mod contact;
mod credentials;
mod debug_log;
mod dial;
mod error;
mod full_sync;
mod gateway;
mod health;
mod heartbeat;
mod hello;
mod host;
mod http_server;
mod metrics;
mod operating_system;
mod platform;
mod poll;
mod probe;
mod protocol;
mod proxy;
mod task_context;
mod task_history;
mod temp_store;
mod token;
mod unsupported;
mod upload;

pub use assertion::NoRandomness;
pub use credentials::{
    ApiHost, ApiHostError, ClientId, ClientIdError, ClientSecret, ClientSecretError,
};
pub use debug_log::layer as debug_log_layer;
pub use error::Error;
pub use probe::{ProbeError, probe};
pub use proxy::{check_proxy, needs_proxy};
pub use token::TokenError;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::metrics::Meter;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::northflank::{self, ClientSettings};
use crate::sync::SyncOptions;

use contact::Contact;
use health::{Health, Readiness};
use metrics::MetricsPage;
use platform::Platform;
use task_context::TaskContext;
use task_history::TaskHistory;
use temp_store::TempStore;
use token::TokenSource;

/// Time for running tasks to end once the daemon is told to stop. Container runtimes grant
/// ten seconds before they kill, of which the last traces and log lines take up to three.
const STOP_WITHIN: Duration = Duration::from_secs(6);

/// How to be a self-hosted connector.
#[derive(Debug)]
pub struct ServiceSettings {
    /// Who the connector is to ConductorOne.
    pub client_id: ClientId,
    /// What proves it.
    pub client_secret: ClientSecret,
    /// Where ConductorOne is, if not where the client id says.
    pub api_host: Option<ApiHost>,
    /// The name of this process among others with the same client id; the machine's name if
    /// empty.
    pub host_id: String,
    /// Tasks worked on at once.
    pub task_concurrency: NonZeroUsize,
    /// Whether full syncs are refused.
    pub skip_full_sync: bool,
    /// Where sync files are made; the system's temporary directory if `None`.
    pub scratch: Option<PathBuf>,
    /// Where the health check server listens, if there is to be one.
    pub health_check: Option<SocketAddr>,
    /// Where metrics are served, if they are.
    pub metrics: Option<SocketAddr>,
}

/// Works on ConductorOne's tasks until `stop` is triggered. ConductorOne is reached with the time
/// limit and the verifier of `connection`, with which `northflank` was made.
///
/// Stops gracefully: running tasks are ended, ConductorOne is told so, and nothing is left on
/// disk but what an unfinished sync can go on from.
pub async fn run(
    settings: ServiceSettings,
    northflank: northflank::Client,
    connection: &ClientSettings,
    sync: SyncOptions,
    meter: Option<Meter>,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let (contact, history) = (Arc::<Contact>::default(), Arc::<TaskHistory>::default());
    let selection = Arc::clone(&sync.selection);
    let health =
        Health::new(northflank.clone(), selection, Arc::clone(&contact), Arc::clone(&history));
    let health = Arc::new(health);
    let _servers = serve_state(&health, &settings, meter.as_ref()).await?;
    let scratch = Arc::new(TempStore::open(settings.scratch.as_deref(), &settings.client_id)?);
    let clearing = Arc::clone(&scratch);
    let _clearing = AbortOnDropHandle::new(tokio::spawn(async move { clearing.clear_old().await }));
    let host = settings.api_host.as_ref().unwrap_or(settings.client_id.host()).clone();
    let name = settings.client_id.name().to_owned();
    let host_id = host_id(settings.host_id);
    let verifier = connection.verifier.clone();
    let tls = northflank::tls(verifier.as_ref()).map_err(Error::TlsOfTokens)?;
    let tokens = TokenSource::new(
        settings.client_id,
        settings.client_secret,
        &host,
        tls,
        connection.request_timeout,
    );
    tracing::info!(
        host = host.as_str(),
        host_id,
        name,
        "presenting this connector to ConductorOne"
    );
    let tokens = tokens.map_err(Error::Http)?;
    let platform = Platform::new(&host, &name, host_id, tokens, verifier, contact)?;
    let daemon = Arc::new(TaskContext {
        platform: Arc::new(platform),
        northflank,
        scratch,
        history,
        skips_full_syncs: settings.skip_full_sync,
        sync,
    });

    let tasks = TaskTracker::new();
    // Also told to stop by what ends the daemon from within.
    let stop = stop.child_token();
    let outcome = serve(&daemon, &health, settings.task_concurrency, &tasks, &stop).await;
    health.set(Readiness::Stopping);
    stop.cancel();
    tasks.close();
    if !tasks.is_empty() {
        tracing::info!(tasks = tasks.len(), "ending the tasks that run");
    }
    let _ = tokio::time::timeout(STOP_WITHIN, tasks.wait()).await;
    daemon.scratch.close();
    outcome
}

/// Has the servers that are wanted answer, until dropped, and metrics be read.
async fn serve_state(
    health: &Arc<Health>,
    settings: &ServiceSettings,
    meter: Option<&Meter>,
) -> Result<Vec<AbortOnDropHandle<Infallible>>, Error> {
    let mut servers = Vec::new();
    if let Some(address) = settings.health_check {
        let listener = health::listen(address).await?;
        tracing::info!(%address, "answering health checks");
        let serving = http_server::serve(listener, Arc::clone(health));
        servers.push(AbortOnDropHandle::new(tokio::spawn(serving)));
    }
    if let Some(address) = settings.metrics {
        let listener = metrics::listen(address).await?;
        tracing::info!(%address, "serving metrics");
        let serving = http_server::serve(listener, MetricsPage::new(health));
        servers.push(AbortOnDropHandle::new(tokio::spawn(serving)));
    }
    if let Some(meter) = meter {
        metrics::observe(health, meter);
    }
    Ok(servers)
}

async fn serve(
    daemon: &Arc<TaskContext>,
    health: &Health,
    concurrency: NonZeroUsize,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let secrets = daemon.sync.selection.secrets;
    let Some(said) = stop.run_until_cancelled(hello::at_start(&daemon.platform, secrets)).await
    else {
        return Ok(());
    };
    said?;
    health.set(Readiness::Ready);
    tracing::info!("serving ConductorOne: it has accepted this connector; waiting for tasks");
    poll::poll(daemon, health, concurrency, tasks, stop).await
}

/// At most 256 bytes and never empty, as ConductorOne wants it.
fn host_id(wanted: String) -> String {
    let names = [wanted, host::hostname()].into_iter();
    let name = names.map(|name| name.trim().to_owned()).find(|name| !name.is_empty());
    crate::baton::shorten(name.as_deref().unwrap_or("baton-northflank"), 256)
}
