//! Logs, on standard error.

use std::io::{self, Write};

use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

use super::config::{Config, LogFormat};
use super::terminal::Terminal;

/// Starts logging for the rest of the process. A process that logs already goes on as it does.
pub(super) fn start(config: &Config, terminal: &Terminal) {
    let builder = tracing_subscriber::fmt()
        .with_max_level(config.log_level)
        .with_target(false)
        .with_span_events(FmtSpan::NONE)
        .with_writer(Log(terminal.clone()));
    let _ = match config.log_format {
        LogFormat::Console => tracing::subscriber::set_global_default(
            builder.with_ansi(terminal.has_colour()).finish(),
        ),
        LogFormat::Json => {
            tracing::subscriber::set_global_default(builder.json().flatten_event(true).finish())
        }
    };
}

/// Writes log lines around the progress display.
struct Log(Terminal);

impl<'log> MakeWriter<'log> for Log {
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
