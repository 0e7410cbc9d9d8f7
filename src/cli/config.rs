//! The configuration: a flag goes before its variable, a variable before the default. An
//! empty variable counts as unset, as it does for other baton connectors.

use std::ffi::OsString;
use std::fmt;
use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tracing::level_filters::LevelFilter;

use crate::c1z::Retention;
use crate::northflank::{BaseUrl, Settings};
use crate::sync::Options;

use super::flags::Flags;

/// Lists read side by side unless told otherwise. Northflank allows 1000 requests an hour by
/// default, which eight workers at 100 ms a request use up in some 13 seconds: more of them
/// would not finish a large organization sooner, only press the API harder.
const AUTOMATIC_WORKERS: NonZeroUsize = NonZeroUsize::new(8).unwrap();

/// Time for one request, what other baton connectors allow.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(5);

/// Everything that a run needs to know, valid.
#[derive(Debug)]
pub(super) struct Config {
    /// The sync file.
    pub(super) file: PathBuf,
    /// How to reach Northflank.
    pub(super) northflank: Settings,
    /// How to sync.
    pub(super) sync: Options,
    /// How much to log.
    pub(super) log_level: LevelFilter,
    /// How to log.
    pub(super) log_format: LogFormat,
}

/// How to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LogFormat {
    /// For people.
    Console,
    /// One JSON object a line.
    Json,
}

/// Everything that is wrong with the configuration.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problems(Vec<String>);

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join("; "))
    }
}

impl Config {
    /// Resolves flags, variables and defaults; reports all problems at once.
    pub(super) fn resolve(
        flags: Flags,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, Problems> {
        let mut values = Values { variable, problems: Vec::new() };
        let token = values.token(flags.northflank_api_token.map(|token| token.0));
        let base_url = values.parsed("northflank-base-url", flags.northflank_base_url, |text| {
            text.parse().map_err(|error| format!("is {text:?}: {error}"))
        });
        let file = values.text("file", flags.file);
        let workers = values.parsed("workers", flags.workers, workers);
        let log_level = values.parsed("log-level", flags.log_level, |text| match text {
            "debug" => Ok(LevelFilter::DEBUG),
            "info" => Ok(LevelFilter::INFO),
            "warn" => Ok(LevelFilter::WARN),
            "error" => Ok(LevelFilter::ERROR),
            _ => Err(format!("is {text:?}; it can be debug, info, warn or error")),
        });
        let log_format = values.parsed("log-format", flags.log_format, |text| match text {
            "console" => Ok(LogFormat::Console),
            "json" => Ok(LogFormat::Json),
            _ => Err(format!("is {text:?}; it can be console or json")),
        });
        let retention = values.retention();
        let default_base_url = || BaseUrl::DEFAULT.parse().ok();
        let (Some(token), Some(base_url), true) =
            (token, base_url.or_else(default_base_url), values.problems.is_empty())
        else {
            return Err(Problems(values.problems));
        };
        Ok(Self {
            file: file.unwrap_or_else(|| "sync.c1z".to_owned()).into(),
            northflank: Settings {
                base_url,
                token,
                request_timeout: REQUEST_TIMEOUT,
                max_wait: None,
            },
            sync: Options {
                workers: workers.unwrap_or(AUTOMATIC_WORKERS),
                retention,
                resume: true,
                selection: Arc::default(),
            },
            log_level: log_level.unwrap_or(LevelFilter::INFO),
            log_format: log_format.unwrap_or_else(|| {
                if std::io::stderr().is_terminal() { LogFormat::Console } else { LogFormat::Json }
            }),
        })
    }
}

fn workers(text: &str) -> Result<NonZeroUsize, String> {
    match text.parse() {
        Ok(-1) => Ok(AUTOMATIC_WORKERS),
        Ok(0) => Ok(NonZeroUsize::MIN),
        Ok(number @ 1..=100_i16) => Ok(usize::try_from(number)
            .ok()
            .and_then(NonZeroUsize::new)
            .unwrap_or(NonZeroUsize::MIN)),
        _ => Err(format!("is {text:?}; it can be -1 (automatic), 0 (one at a time) or up to 100")),
    }
}

/// Looks values up and collects what is wrong with them.
struct Values<F> {
    variable: F,
    problems: Vec<String>,
}

impl<F: Fn(&str) -> Option<OsString>> Values<F> {
    /// The value of a setting, from its flag or variable.
    fn text(&mut self, name: &str, flag: Option<String>) -> Option<String> {
        flag.or_else(|| self.variable(&variable_name(name)))
    }

    fn parsed<T>(
        &mut self,
        name: &str,
        flag: Option<String>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(name, flag)?;
        match parse(text.trim()) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.problems.push(format!("{} {problem}", both_names(name)));
                None
            }
        }
    }

    /// The token, without the blanks that copying leaves around it.
    fn token(&mut self, flag: Option<String>) -> Option<SecretString> {
        const NAME: &str = "northflank-api-token";
        let problem = match self.text(NAME, flag) {
            None => {
                "is not set; create a token in Northflank under the organization's \
                     Settings > API > Tokens"
            }
            Some(token) if token.trim().is_empty() => "is empty",
            Some(token) if !token.trim().bytes().all(|byte| byte.is_ascii_graphic()) => {
                "has characters that no token has; was it copied whole and alone?"
            }
            Some(token) => return Some(token.trim().into()),
        };
        self.problems.push(format!("{} {problem}", both_names(NAME)));
        None
    }

    /// How many syncs to keep. As in the reference, a value that makes no sense counts as
    /// none.
    fn retention(&mut self) -> Retention {
        let skip = self.variable("BATON_SKIP_CLEANUP");
        if matches!(skip.as_deref(), Some("1" | "t" | "T" | "true" | "TRUE" | "True")) {
            return Retention::All;
        }
        match self.variable("BATON_KEEP_SYNC_COUNT").map(|text| text.parse()) {
            Some(Ok(count @ 1..)) => Retention::Newest(count),
            _ => Retention::DEFAULT,
        }
    }

    fn variable(&mut self, name: &str) -> Option<String> {
        match (self.variable)(name)?.into_string() {
            Ok(value) if value.is_empty() => None,
            Ok(value) => Some(value),
            Err(_) => {
                self.problems.push(format!("{name} is not valid UTF-8"));
                None
            }
        }
    }
}

fn variable_name(name: &str) -> String {
    format!("BATON_{}", name.replace('-', "_").to_uppercase())
}

fn both_names(name: &str) -> String {
    format!("{} (--{name})", variable_name(name))
}

#[cfg(test)]
mod tests {
    use super::{AUTOMATIC_WORKERS, Config, LogFormat, NonZeroUsize, Problems, Retention};
    use crate::cli::flags::Flags;
    use clap::Parser;
    use secrecy::ExposeSecret;
    use tracing::level_filters::LevelFilter;

    fn resolve(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Config, Problems> {
        let flags = Flags::try_parse_from([&["x"], arguments].concat()).unwrap();
        Config::resolve(flags, |name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| value.into())
        })
    }

    const TOKEN: (&str, &str) = ("BATON_NORTHFLANK_API_TOKEN", "nf-1");

    #[test]
    fn a_token_is_all_that_is_needed() {
        let config = resolve(&[], &[TOKEN]).unwrap();
        assert_eq!(config.file.to_str(), Some("sync.c1z"));
        assert_eq!(config.northflank.base_url.to_string(), "https://api.northflank.com");
        assert_eq!(config.northflank.token.expose_secret(), "nf-1");
        assert_eq!(config.sync.workers, AUTOMATIC_WORKERS);
        assert_eq!(config.sync.retention, Retention::Newest(2));
        assert_eq!(config.log_level, LevelFilter::INFO);
    }

    #[test]
    fn a_flag_goes_before_its_variable_and_an_empty_variable_is_unset() {
        let variables = [TOKEN, ("BATON_FILE", "variable.c1z"), ("BATON_LOG_FORMAT", "json")];
        let config = resolve(&["-f", "flag.c1z"], &variables).unwrap();
        assert_eq!(config.file.to_str(), Some("flag.c1z"));
        assert_eq!(config.log_format, LogFormat::Json);
        let config = resolve(&[], &variables).unwrap();
        assert_eq!(config.file.to_str(), Some("variable.c1z"));
        let config = resolve(&[], &[TOKEN, ("BATON_FILE", ""), ("BATON_WORKERS", "")]).unwrap();
        assert_eq!(config.file.to_str(), Some("sync.c1z"));
    }

    #[test]
    fn blanks_around_the_token_are_dropped_and_a_blank_token_is_refused() {
        let config = resolve(&[], &[("BATON_NORTHFLANK_API_TOKEN", " nf-1\n")]).unwrap();
        assert_eq!(config.northflank.token.expose_secret(), "nf-1");
        for token in [" \t\n", "nf-1 nf-2", "nf-\u{e9}"] {
            let problems = resolve(&["--northflank-api-token", token], &[]).unwrap_err();
            assert!(problems.to_string().starts_with("BATON_NORTHFLANK_API_TOKEN (--"));
            assert!(!problems.to_string().contains("nf-"), "{problems}");
        }
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        let arguments =
            ["--workers", "many", "--log-level", "loud", "--northflank-base-url", "http://a.test"];
        let problems = resolve(&arguments, &[("BATON_LOG_FORMAT", "xml")]).unwrap_err().to_string();
        for name in
            ["NORTHFLANK_API_TOKEN", "NORTHFLANK_BASE_URL", "WORKERS", "LOG_LEVEL", "LOG_FORMAT"]
        {
            assert!(problems.contains(&format!("BATON_{name} (--")), "{problems}");
        }
    }

    #[test]
    fn workers_may_be_automatic_or_one_at_a_time() {
        let workers =
            |text| resolve(&["--workers", text], &[TOKEN]).map(|config| config.sync.workers);
        assert_eq!(workers("-1"), Ok(AUTOMATIC_WORKERS));
        assert_eq!(workers("0"), Ok(NonZeroUsize::MIN));
        assert_eq!(workers("100").map(NonZeroUsize::get), Ok(100));
        assert!(workers("-2").is_err());
        assert!(workers("101").is_err());
    }

    #[test]
    fn retention_follows_the_variables_of_the_reference() {
        let retention =
            |name, value| resolve(&[], &[TOKEN, (name, value)]).map(|config| config.sync.retention);
        assert_eq!(retention("BATON_KEEP_SYNC_COUNT", "5"), Ok(Retention::Newest(5)));
        assert_eq!(retention("BATON_KEEP_SYNC_COUNT", "0"), Ok(Retention::Newest(2)));
        assert_eq!(retention("BATON_SKIP_CLEANUP", "true"), Ok(Retention::All));
        assert_eq!(retention("BATON_SKIP_CLEANUP", "no"), Ok(Retention::Newest(2)));
    }
}
