//! Without a subcommand: one sync, or serving ConductorOne, as the configuration has it.

use tokio::runtime::Runtime;

use crate::cli::exit::Failure;
use crate::cli::logging;
use crate::cli::settings::{Config, Flags, Mode, Variables};
use crate::cli::telemetry::Exporters;
use crate::cli::terminal::Terminal;

use super::{diff, serve, sync};

/// Sets up what every run needs, and runs.
pub(super) fn run(flags: &Flags, variables: Variables<'_>) -> Result<(), Failure> {
    let config = Config::resolve(flags, variables)?;
    let terminal = Terminal::new(config.log.format);
    let runtime = runtime(&config.mode).map_err(Failure::Runtime)?;
    let entered = runtime.enter();
    let exporters = config.telemetry.as_ref().map(Exporters::new).transpose()?;
    logging::start(&config, &terminal, exporters.as_ref())?;
    drop(entered);
    for note in &config.notes {
        tracing::warn!("{note}");
    }
    let Config { mode, northflank, sync: options, .. } = config;
    let outcome = match mode {
        Mode::OneShot { file, diff: after } => runtime
            .block_on(sync::sync(&file, &northflank, options, &terminal))
            .and_then(|()| after.map_or(Ok(()), |how| diff::after_sync(&file, how))),
        Mode::Service(service) => runtime.block_on(serve::serve(*service, &northflank, options)),
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
