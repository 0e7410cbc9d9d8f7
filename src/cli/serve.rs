//! Service mode on the command line: settings and signals.

use std::ffi::OsString;
use std::fmt::Display;
use std::str::FromStr;

use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

use crate::northflank::Client;
use crate::service::{self, Settings};

use super::config::{Config, Service};
use super::exit::Failure;
use super::fields::{self, Field};
use super::signal::Signals;

/// What service mode needs to know, from the configuration and from variables that have no
/// flag.
pub(super) fn settings(
    config: &Config,
    service: &Service,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Settings, Failure> {
    let text = |name: &str| variable(name).and_then(|value| value.into_string().ok());
    let filled = |name: &str| text(name).filter(|value| !value.trim().is_empty());
    let field = |field: &Field| format!("{} (--{})", field.variable(), field.name);
    let secret = service.client_secret.expose_secret();
    let scratch = service.scratch.clone();
    Ok(Settings {
        client_id: parsed(&field(fields::CLIENT_ID), &service.client_id)?,
        client_secret: parsed(&field(fields::CLIENT_SECRET), secret)?,
        api_host: filled("BATON_C1_API_HOST")
            .map(|host| parsed("BATON_C1_API_HOST", &host))
            .transpose()?,
        host_id: filled("BATON_HOST_ID").unwrap_or_default(),
        task_concurrency: service.task_concurrency,
        scratch: scratch.or_else(|| filled("BATON_TMPDIR").map(Into::into)),
        token_timeout: config.northflank.request_timeout,
        health_check: service.health_check,
        skip_full_sync: service.skip_full_sync,
        sync: config.sync.clone(),
    })
}

fn parsed<T: FromStr<Err: Display>>(name: &str, text: &str) -> Result<T, Failure> {
    text.parse().map_err(|error| Failure::Credentials(format!("{name} {error}")))
}

/// Serves ConductorOne until a signal comes. A second signal ends the process at once.
pub(super) async fn serve(config: &Config, settings: Settings) -> Result<(), Failure> {
    let mut signals = Signals::listen().map_err(Failure::Runtime)?;
    let client = Client::new(&config.northflank)?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        base_url = %config.northflank.base_url,
        "starting service mode"
    );
    let stop = CancellationToken::new();
    let mut serving = std::pin::pin!(service::run(settings, client, &stop));
    tokio::select! {
        outcome = &mut serving => return Ok(outcome?),
        signal = signals.next() => {
            tracing::info!(signal = signal.name(), "stopping");
            stop.cancel();
        }
    }
    tokio::select! {
        outcome = serving => Ok(outcome?),
        signal = signals.next() => Err(Failure::Signal(signal)),
    }
}
