//! Logs, on standard error and in files.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::sync::Arc;

use time::OffsetDateTime;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry, fmt, registry};

use crate::service;

use super::exit::Failure;
use super::settings::{Config, LogFormat, Mode};
use super::telemetry::Exporters;
use super::terminal::Terminal;

/// A layer of the subscriber.
type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Starts logging for the rest of the process. A process that logs already goes on as it does.
pub(super) fn start(
    config: &Config,
    terminal: &Terminal,
    exporters: Option<&Exporters>,
) -> Result<(), Failure> {
    let log = &config.log;
    let mut lines = vec![layer(log.format, terminal.has_colour(), Lines(terminal.clone()))];
    for path in &log.paths {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .map_err(|source| Failure::Log { path: path.clone(), source })?;
        lines.push(layer(log.format, false, Arc::new(file)));
    }
    lines.extend(exporters.and_then(Exporters::log_layer).map(Layer::boxed));
    let (level, debug_until) = (log.level, log.debug_until);
    let wanted = dynamic_filter_fn(move |metadata, _| {
        is_wanted(metadata, level, debug_until, OffsetDateTime::now_utc)
    });
    let mut layers = vec![lines.with_filter(wanted.with_max_level_hint(level)).boxed()];
    layers.extend(exporters.and_then(Exporters::trace_layer).map(Layer::boxed));
    if let Mode::Service(service) = &config.mode {
        let secrets = vec![config.northflank.token.clone(), service.given_secret.clone()];
        layers.push(service::debug_log_layer(secrets).boxed());
    }
    let _ = tracing::subscriber::set_global_default(registry().with(layers));
    Ok(())
}

fn layer<W>(format: LogFormat, colour: bool, writer: W) -> BoxedLayer
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let layer = fmt::layer().with_target(false).with_ansi(colour).with_writer(writer);
    match format {
        LogFormat::Console => layer.boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    }
}

/// Debug lines end when they expire, also in a process that runs on.
fn is_wanted(
    metadata: &Metadata<'_>,
    level: LevelFilter,
    debug_until: Option<OffsetDateTime>,
    now: impl Fn() -> OffsetDateTime,
) -> bool {
    *metadata.level() <= level
        && (*metadata.level() <= Level::INFO || debug_until.is_none_or(|until| now() < until))
}

/// Writes log lines around the progress display.
struct Lines(Terminal);

impl<'log> MakeWriter<'log> for Lines {
    type Writer = Line<'log>;

    fn make_writer(&'log self) -> Line<'log> {
        Line(&self.0)
    }
}

struct Line<'log>(&'log Terminal);

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.around(|| io::stderr().write(line))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
