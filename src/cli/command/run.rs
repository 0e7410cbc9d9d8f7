//! Without a subcommand: one sync, or serving ConductorOne, as the configuration has it.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::thread;

use tokio::runtime::Runtime;

use crate::cli::exit::{self, Failure};
use crate::cli::logging::Logs;
use crate::cli::signal::Signals;
use crate::cli::telemetry::Exporters;
use crate::cli::terminal::Terminal;
use crate::config::{Config, RunMode, Secrets};

use super::{diff, serve, sync};

/// Threads that write logs, keep pages and compress the file.
const BESIDES_WORKERS: usize = 6;

/// Enough for a thread that does nothing, in bytes.
const SMALL_STACK: usize = 64 << 10;

/// Sets up what every run needs, and runs.
pub(super) fn run(config: Config, secrets: &Secrets) -> Result<(), Failure> {
    check_threads(&config.mode).map_err(Failure::Threads)?;
    let terminal = Terminal::new(config.log.format).map_err(Failure::Runtime)?;
    let runtime = runtime(&config.mode).map_err(Failure::Runtime)?;
    let entered = runtime.enter();
    let is_service = matches!(config.mode, RunMode::Service { .. });
    let verifier = config.northflank.verifier.as_ref();
    let exporters =
        config.telemetry.as_ref().map(|it| Exporters::new(it, verifier, is_service)).transpose()?;
    let logs = Logs::start(&config, &terminal, exporters.as_ref())?;
    drop(entered);
    for note in &config.notes {
        tracing::warn!("{note}");
    }
    let Config { mode, northflank, sync: options, .. } = config;
    let outcome = match mode {
        RunMode::OneShot { file, diff: after } => runtime.block_on(async {
            let mut signals = Signals::listen().map_err(Failure::Runtime)?;
            let sync_id = sync::sync(&file, &northflank, options, &terminal, &mut signals).await?;
            match after {
                Some(how) => diff::after_sync(&file, sync_id, how, &mut signals).await,
                None => Ok(()),
            }
        }),
        RunMode::Service { settings, .. } => {
            let meter = exporters.as_ref().and_then(Exporters::meter);
            runtime.block_on(serve::serve(*settings, &northflank, options, meter, &logs))
        }
    };
    if let Err(failure) = &outcome {
        exit::log(failure, secrets);
    }
    if let Some(exporters) = exporters {
        // On a thread of its own: the runtime has to go on for it.
        let stopping = runtime.spawn_blocking(|| exporters.stop());
        // It doesn't fail, and nobody cancels it.
        let _ = runtime.block_on(stopping);
    }
    // After a signal a thread may still be compressing; its work is not wanted.
    runtime.shutdown_background();
    logs.end();
    outcome
}

/// Whether there can be as many threads as it takes: a runtime that can't have them panics, or
/// waits for ever.
fn check_threads(mode: &RunMode) -> io::Result<()> {
    let workers = match mode {
        RunMode::OneShot { .. } => thread::available_parallelism().map_or(1, NonZeroUsize::get),
        RunMode::Service { .. } => 0,
    };
    let gate = Mutex::new(());
    thread::scope(|scope| {
        // They wait until all are there.
        let _closed = gate.lock();
        for _ in 0..workers + BESIDES_WORKERS {
            let thread = thread::Builder::new().stack_size(SMALL_STACK);
            thread.spawn_scoped(scope, || drop(gate.lock()))?;
        }
        Ok(())
    })
}

/// A daemon waits most of its life, and what it does then is mostly waiting too: one thread,
/// besides those that write files. Each further one would keep memory of its own.
fn runtime(mode: &RunMode) -> std::io::Result<Runtime> {
    match mode {
        RunMode::OneShot { .. } => Runtime::new(),
        RunMode::Service { .. } => {
            tokio::runtime::Builder::new_current_thread().enable_all().build()
        }
    }
}
