//! How much to log, and how.

use std::io::IsTerminal;
use std::path::PathBuf;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::level_filters::LevelFilter;

use super::fields;
use super::values::Values;

/// How much to log, and how.
#[derive(Debug)]
pub(crate) struct LogConfig {
    /// How much.
    pub(crate) level: LevelFilter,
    /// When debug logging falls back to info.
    pub(crate) debug_until: Option<OffsetDateTime>,
    /// How, on standard error.
    pub(crate) format: LogFormat,
    /// Files that get the log too.
    pub(crate) paths: Vec<PathBuf>,
}

/// How to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Console,
    /// One JSON object a line.
    Json,
}

/// What to log, where, and in what form.
pub(super) fn log(values: &mut Values<'_>) -> Option<LogConfig> {
    let level = values.parsed(fields::LOG_LEVEL, |text| match &*text.to_lowercase() {
        "debug" => Ok(LevelFilter::DEBUG),
        "info" => Ok(LevelFilter::INFO),
        "warn" | "warning" => Ok(LevelFilter::WARN),
        // Go's connectors have levels above errors; here nothing is worse than one.
        "error" | "dpanic" | "panic" | "fatal" => Ok(LevelFilter::ERROR),
        _ => Err("it can be debug, info, warn or error".to_owned()),
    });
    let debug_until = values.parsed(fields::LOG_LEVEL_DEBUG_EXPIRES_AT, |text| {
        OffsetDateTime::parse(text, &Rfc3339)
            .map_err(|_| "it takes a time such as 2026-12-01T00:00:00Z".to_owned())
    });
    let format = values.parsed(fields::LOG_FORMAT, |text| match &*text.to_lowercase() {
        "console" => Ok(LogFormat::Console),
        "json" => Ok(LogFormat::Json),
        _ => Err("it can be console or json".to_owned()),
    });
    let has_expired = debug_until.is_some_and(|until| until <= OffsetDateTime::now_utc());
    Some(LogConfig {
        level: match level? {
            LevelFilter::DEBUG if has_expired => LevelFilter::INFO,
            level => level,
        },
        debug_until,
        format: format.unwrap_or_else(|| {
            if std::io::stderr().is_terminal() { LogFormat::Console } else { LogFormat::Json }
        }),
        paths: values.list(fields::LOG_PATH, |path| Ok(PathBuf::from(path))),
    })
}
