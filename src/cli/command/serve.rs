//! Service mode: serves ConductorOne until a signal comes. SIGHUP opens log files anew, where
//! there are any.

use opentelemetry::metrics::Meter;
use tokio_util::sync::CancellationToken;

use crate::cli::exit::Failure;
use crate::cli::logging::Logs;
use crate::cli::signal::{Signal, Signals};
use crate::config::ServiceConfig;
use crate::northflank::{self, Client};
use crate::service::{self, ServiceSettings};
use crate::sync::SyncOptions;

/// Serves ConductorOne until a signal comes. A second signal ends the process at once.
pub(super) async fn serve(
    service: ServiceConfig,
    northflank: &northflank::ClientSettings,
    sync: SyncOptions,
    meter: Option<Meter>,
    logs: &Logs,
) -> Result<(), Failure> {
    let mut signals = Signals::listen().map_err(Failure::Runtime)?;
    let client = Client::new(northflank)?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        base_url = %northflank.base_url,
        "starting service mode"
    );
    let settings = ServiceSettings {
        client_id: service.client_id,
        client_secret: service.client_secret,
        api_host: service.api_host,
        host_id: service.host_id,
        task_concurrency: service.task_concurrency,
        scratch: service.scratch,
        verifier: northflank.verifier.clone(),
        token_timeout: northflank.request_timeout,
        health_check: service.health_check,
        metrics: service.metrics,
        meter,
        skip_full_sync: service.skip_full_sync,
        sync,
    };
    let stop = CancellationToken::new();
    let mut serving = std::pin::pin!(service::run(settings, client, &stop));
    let signal = loop {
        let signal = tokio::select! {
            outcome = &mut serving => return Ok(outcome?),
            signal = signals.next() => signal,
        };
        if signal != Signal::Hangup || !logs.has_files() {
            break signal;
        }
        // As logrotate asks for it.
        logs.reopen();
        tracing::info!("SIGHUP: the log files are opened anew");
    };
    tracing::info!(signal = signal.name(), "stopping");
    stop.cancel();
    tokio::select! {
        outcome = serving => outcome?,
        signal = signals.next() => return Err(Failure::ServiceStopped(signal)),
    }
    match signal {
        // Nobody who ends a service sends it: what watches over it may start it again.
        Signal::Hangup => Err(Failure::ServiceStopped(signal)),
        Signal::Interrupt | Signal::Terminate => Ok(()),
    }
}
