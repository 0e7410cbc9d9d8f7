//! Service mode: serves ConductorOne until a signal comes. SIGHUP opens log files anew, where
//! there are any.

use opentelemetry::metrics::Meter;
use tokio_util::sync::CancellationToken;

use crate::cli::exit::Failure;
use crate::cli::logging::Logs;
use crate::cli::signal::{Signal, Signals};
use crate::northflank::{self, Client};
use crate::service::{self, ServiceSettings};
use crate::sync::SyncOptions;

/// Serves ConductorOne until a signal comes. A second signal ends the process at once.
pub(super) async fn serve(
    settings: ServiceSettings,
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
    let stop = CancellationToken::new();
    let serving = service::run(settings, client, northflank, sync, meter, &stop);
    let mut serving = std::pin::pin!(serving);
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
        tracing::info!("SIGHUP: opening the log files anew");
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
