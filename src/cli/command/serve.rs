//! Service mode: serves ConductorOne until a signal comes.

use tokio_util::sync::CancellationToken;

use crate::cli::exit::Failure;
use crate::cli::signal::{Signal, Signals};
use crate::northflank::{self, Client};
use crate::service::{self, ServiceSettings};
use crate::sync::SyncOptions;

/// Serves ConductorOne until a signal comes. A second signal ends the process at once.
pub(super) async fn serve(
    settings: ServiceSettings,
    northflank: &northflank::ClientSettings,
    sync: SyncOptions,
) -> Result<(), Failure> {
    let mut signals = Signals::listen().map_err(Failure::Runtime)?;
    let client = Client::new(northflank)?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        base_url = %northflank.base_url,
        "starting service mode"
    );
    let stop = CancellationToken::new();
    let mut serving = std::pin::pin!(service::run(settings, client, northflank, sync, &stop));
    let signal = tokio::select! {
        outcome = &mut serving => return Ok(outcome?),
        signal = signals.next() => signal,
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
