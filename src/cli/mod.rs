//! The command line: flags and environment, what a person sees, exit codes.

mod config;
mod config_file;
mod describe;
mod difference;
mod exit;
mod fields;
mod flags;
mod logging;
mod serve;
mod signal;
mod telemetry;
mod terminal;
mod values;

use std::ffi::OsString;
use std::path::Path;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::c1z::{Saved, Target};
use crate::northflank::Client;
use crate::service;
use crate::sync::{self, Progress};

use config::{Config, Mode};
use exit::Failure;
use flags::{Action, Flags, Probe};
use signal::Signals;
use telemetry::Exporters;
use terminal::Terminal;

/// Time between a signal and the end of the process, whatever is under way.
const STOP_WITHIN: Duration = Duration::from_millis(900);

/// Time between two states of the progress display.
const REDRAW_EVERY: Duration = Duration::from_millis(100);

/// Runs the connector with `arguments` (the program's name first) and the environment that
/// `variable` looks into. Returns the process's exit code.
pub fn main(
    arguments: impl IntoIterator<Item = OsString>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> ExitCode {
    let action = match flags::parse(arguments) {
        Ok(action) => action,
        // Help and version are no errors, and go to standard output.
        Err(output) if !output.use_stderr() => {
            // A reader that went away has seen enough.
            let _ = output.print();
            return ExitCode::SUCCESS;
        }
        Err(error) => return exit::report(&Failure::usage(&error)),
    };
    let outcome = match action {
        Action::Run(flags) => run(&flags, variable),
        Action::Diff(compared) => difference::compare(&compared),
        Action::HealthCheck(asked) => probe(&asked, variable),
        Action::Capabilities => {
            describe::capabilities_json().and_then(|json| describe::print(json.as_bytes()))
        }
        Action::Config => describe::config_json().and_then(|json| describe::print(json.as_bytes())),
        Action::Completion(shell) => describe::print(&describe::completion(shell)),
        Action::ManualPage => describe::manual_page().and_then(|page| describe::print(&page)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => exit::report(&failure),
    }
}

/// Asks a running service how it is.
fn probe(asked: &Probe, variable: impl Fn(&str) -> Option<OsString>) -> Result<(), Failure> {
    let address = config::health_check_address(&asked.flags, variable)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let asking = service::probe(address, &asked.endpoint, asked.timeout);
    Ok(runtime.map_err(Failure::Runtime)?.block_on(asking)?)
}

fn run(flags: &Flags, variable: impl Fn(&str) -> Option<OsString>) -> Result<(), Failure> {
    let config = Config::resolve(flags, &variable)?;
    let terminal = Terminal::new(config.log.format);
    let runtime = runtime(&config.mode).map_err(Failure::Runtime)?;
    let entered = runtime.enter();
    let exporters = config.telemetry.as_ref().map(Exporters::new).transpose()?;
    logging::start(&config, &terminal, exporters.as_ref())?;
    drop(entered);
    for note in &config.notes {
        tracing::warn!("{note}");
    }
    let outcome = match &config.mode {
        Mode::OneShot { file, diff } => {
            runtime.block_on(one_shot(&config, file, &terminal)).and_then(|()| match diff {
                Some(how) => difference::after_sync(file, *how),
                None => Ok(()),
            })
        }
        Mode::Service(service) => serve::settings(&config, service, &variable)
            .and_then(|settings| runtime.block_on(serve::serve(&config, settings))),
    };
    if let Some(exporters) = exporters {
        // On a thread of its own: the runtime has to go on for it.
        let stopping = runtime.spawn_blocking(|| exporters.stop());
        // It doesn't fail, and nobody cancels it.
        let _ = runtime.block_on(stopping);
    }
    // After a signal a thread may still be compressing; its work is not wanted.
    runtime.shutdown_background();
    outcome
}

/// A daemon waits most of its life, and what it does then is mostly waiting too: one thread,
/// besides those that write files. Each further one would keep memory of its own.
fn runtime(mode: &Mode) -> std::io::Result<Runtime> {
    match mode {
        Mode::OneShot { .. } => Runtime::new(),
        Mode::Service(_) => tokio::runtime::Builder::new_current_thread().enable_all().build(),
    }
}

/// One sync into one file.
async fn one_shot(config: &Config, file: &Path, terminal: &Terminal) -> Result<(), Failure> {
    let started = Instant::now();
    let mut signals = Signals::listen().map_err(Failure::Runtime)?;
    let target = Target::inspect(file).map_err(sync::Error::File)?;
    let path = target.path().to_owned();
    let client = Client::new(&config.northflank)?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        base_url = %config.northflank.base_url,
        file = %path.display(),
        workers = config.sync.workers,
        "starting sync"
    );
    let progress = Arc::new(Progress::default());
    let cancel = CancellationToken::new();
    let mut syncing = pin!(sync::sync(&client, target, config.sync.clone(), &progress, &cancel));
    let mut redraw = tokio::time::interval(REDRAW_EVERY);
    let outcome = loop {
        tokio::select! {
            outcome = &mut syncing => break outcome,
            signal = signals.next() => {
                cancel.cancel();
                let _ = tokio::time::timeout(STOP_WITHIN, &mut syncing).await;
                terminal.clear();
                return Err(Failure::Signal(signal));
            }
            _ = redraw.tick(), if terminal.is_shown() => terminal.draw(&progress, &client),
        }
    };
    terminal.clear();
    let saved = outcome?;
    let Saved { sync_id, stats, size } = &saved;
    tracing::info!(
        sync_id,
        resources = stats.resources,
        entitlements = stats.entitlements,
        grants = stats.grants,
        requests = client.requests(),
        file = %path.display(),
        bytes = size,
        seconds = started.elapsed().as_secs_f64(),
        "sync complete"
    );
    if terminal.is_shown() {
        terminal.print(&terminal::summary(&saved, &path, started.elapsed()));
    }
    Ok(())
}
