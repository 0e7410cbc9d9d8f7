//! Logs, on standard error and in files.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::filter::{dynamic_filter_fn, filter_fn};
use tracing_subscriber::fmt::format::debug_fn;
use tracing_subscriber::fmt::{FormatFields, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry, fmt, registry};

use crate::baton::{legible_json, printable};
use crate::private_fs;
use crate::service;

use super::exit::{FAILURE, Failure};
use super::output_queue::{OutputMessage, OutputQueue, QueuedLine};
use super::telemetry::Exporters;
use super::terminal::Terminal;
use crate::config::{Config, LogFormat, RunMode};

/// A layer of the subscriber.
type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// The logs of this process, written on threads of their own.
pub(super) struct Logs {
    terminal: OutputQueue,
    files: Vec<OutputQueue>,
}

impl Logs {
    /// Starts logging for the rest of the process. A process that logs already goes on as it
    /// does.
    pub(super) fn start(
        config: &Config,
        terminal: &Terminal,
        exporters: Option<&Exporters>,
    ) -> Result<Self, Failure> {
        let log = &config.log;
        let mut files = Vec::new();
        // A file that is named twice is written once.
        for path in log.paths.iter().collect::<BTreeSet<_>>() {
            let fail = |source| Failure::Log { path: path.clone(), source };
            let file = open(path).map_err(fail)?;
            files.push(log_file(path.clone(), file).map_err(Failure::Runtime)?);
        }
        let is_service = matches!(config.mode, RunMode::Service { .. });
        let for_people = layer(log.format, terminal.has_colour(), terminal.writer());
        // People read it as the last line; only programs need it as one of the log.
        let has_failure = is_service && log.format == LogFormat::Json;
        let is_theirs = filter_fn(move |metadata| has_failure || metadata.target() != FAILURE);
        let mut lines = vec![for_people.with_filter(is_theirs).boxed()];
        lines.extend(files.iter().map(|file| layer(log.format, false, file.clone())));
        lines.extend(exporters.and_then(Exporters::log_layer).map(Layer::boxed));
        let (level, debug_until) = (log.level, log.debug_until);
        let wanted = dynamic_filter_fn(move |metadata, _| {
            is_wanted(metadata, level, debug_until, OffsetDateTime::now_utc)
        });
        let mut layers = vec![lines.with_filter(wanted.with_max_level_hint(level)).boxed()];
        layers.extend(exporters.and_then(Exporters::trace_layer).map(Layer::boxed));
        if let RunMode::Service { given_secret, .. } = &config.mode {
            let (token, secret) = (config.northflank.token.clone(), given_secret.clone());
            layers.push(service::debug_log_layer(token, secret).boxed());
        }
        let _ = tracing::subscriber::set_global_default(registry().with(layers));
        Ok(Self { terminal: terminal.writer(), files })
    }

    /// Whether there are log files.
    pub(super) fn has_files(&self) -> bool {
        !self.files.is_empty()
    }

    /// Opens the log files anew, at their paths: what stood there may have been moved away.
    pub(super) fn reopen(&self) {
        for file in &self.files {
            file.send(OutputMessage::Reopen);
        }
    }

    /// Waits until everything that was logged is written, though not for ever. What threads that
    /// are still at work log from then on is not: an error is the last line.
    pub(super) fn end(&self) {
        for writer in self.files.iter().chain([&self.terminal]) {
            writer.end();
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    private_fs::open_regular(path, OpenOptions::new().create(true).append(true))
}

/// A writer of lines to the file at `path`, which is opened anew when that is asked for.
fn log_file(path: PathBuf, mut file: File) -> io::Result<OutputQueue> {
    OutputQueue::start("a log file", move |message| match message {
        OutputMessage::Lines(lines) => file.write_all(&lines),
        OutputMessage::Reopen => {
            match open(&path) {
                Ok(anew) => file = anew,
                Err(error) => {
                    let path = path.display();
                    tracing::warn!(%path, %error, "a log file can't be opened anew: the old one is written on");
                }
            }
            Ok(())
        }
        OutputMessage::Progress(_) | OutputMessage::NoProgress => Ok(()),
    })
}

fn layer(format: LogFormat, colour: bool, writer: OutputQueue) -> BoxedLayer {
    let layer = fmt::layer().with_target(false).with_ansi(colour);
    match format {
        LogFormat::Console => layer.with_writer(writer).fmt_fields(fields()).boxed(),
        LogFormat::Json => {
            layer.with_writer(PrintableLog(writer)).json().flatten_event(true).boxed()
        }
    }
}

/// Writes JSON in which no value steers a terminal either.
struct PrintableLog(OutputQueue);

impl<'writer> MakeWriter<'writer> for PrintableLog {
    type Writer = PrintableLogLine<'writer>;

    fn make_writer(&'writer self) -> PrintableLogLine<'writer> {
        PrintableLogLine(self.0.make_writer())
    }
}

/// Writes one line, which comes whole.
struct PrintableLogLine<'writer>(QueuedLine<'writer>);

impl Write for PrintableLogLine<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write_all(legible_json(&String::from_utf8_lossy(line)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Fields as they are usually written, but that no value begins a line of its own or steers a
/// terminal: what others say is among them.
fn fields() -> impl for<'writer> FormatFields<'writer> + Send + Sync + 'static {
    debug_fn(|writer, field, value| {
        let value = printable(&format!("{value:?}"));
        match field.name() {
            "message" => write!(writer, "{value}"),
            // Slanted names and faint signs, as tracing-subscriber has them.
            name if writer.has_ansi_escapes() => {
                write!(writer, "\u{1b}[3m{name}\u{1b}[0m\u{1b}[2m=\u{1b}[0m{value}")
            }
            name => write!(writer, "{name}={value}"),
        }
    })
    .delimited(" ")
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

#[cfg(test)]
mod tests {
    use super::super::output_queue::lines_to;
    use super::{LogFormat, SubscriberExt, layer, registry};
    use std::io::Read;

    /// What others say.
    const SAID: &str = "no\n2026-01-01 task done\u{1b}[2K\u{202e}\u{7f}\u{9b}1m";

    fn logged(format: LogFormat) -> String {
        let (mut reader, pipe) = std::io::pipe().unwrap();
        let writer = lines_to("a pipe", pipe).unwrap();
        let subscriber = registry().with(layer(format, false, writer));
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(error = %SAID, id = "a\nb", count = 3, "they said {SAID}");
        });
        let mut log = String::new();
        reader.read_to_string(&mut log).unwrap();
        assert_eq!(log.lines().count(), 1, "{log}");
        log
    }

    #[test]
    fn json_has_what_others_say_as_it_is_and_steers_no_terminal() {
        let log = logged(LogFormat::Json);
        assert!(!log.trim_end().contains(char::is_control), "{log}");
        assert!(!log.contains('\u{202e}'), "{log}");
        let line: serde_json::Value = serde_json::from_str(&log).unwrap();
        assert_eq!(line["error"], SAID);
        assert_eq!(line["message"], format!("they said {SAID}"));
    }

    #[test]
    fn what_others_say_begins_no_line_and_steers_no_terminal() {
        let log = logged(LogFormat::Console);
        let said = "no\u{fffd}2026-01-01 task done\u{fffd}[2K\u{fffd}\u{fffd}\u{fffd}1m";
        let expected = format!("WARN they said {said} error={said} id=\"a\\nb\" count=3\n");
        assert!(log.ends_with(&expected), "{log}");
    }
}
