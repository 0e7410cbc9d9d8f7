//! The configuration: everything that a run needs to know, made of settings from flags,
//! variables and file.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::level_filters::LevelFilter;

use crate::baton::v2::ResourceId;
use crate::c1z::Retention;
use crate::connector::{GROUP, ROLE, USER};
use crate::northflank::{BaseUrl, Settings};
use crate::sync::{Depth, Options, Selection};

use super::difference::AfterSync;
use super::fields;
use super::flags::Flags;
use super::values::{Problems, Values};

/// Lists read side by side unless told otherwise. Northflank allows 1000 requests an hour by
/// default, which eight workers at 100 ms a request use up in some 13 seconds: more of them
/// would not finish a large organization sooner, only press the API harder.
const AUTOMATIC_WORKERS: NonZeroUsize = NonZeroUsize::new(8).unwrap();

/// The time before the first retry of a request: a hiccup is over by then.
const FIRST_RETRY: Duration = Duration::from_millis(200);

/// Everything that a run needs to know, valid.
#[derive(Debug)]
pub(super) struct Config {
    /// Whether to sync once or to serve ConductorOne.
    pub(super) mode: Mode,
    /// How to reach Northflank.
    pub(super) northflank: Settings,
    /// What to sync, and how.
    pub(super) sync: Options,
    /// How much to log, and how.
    pub(super) log: Log,
    /// Where to send traces and logs, if anywhere.
    pub(super) telemetry: Option<Telemetry>,
    /// What is accepted but without effect, for the log.
    pub(super) notes: Vec<String>,
}

/// What the process is for.
#[derive(Debug)]
pub(super) enum Mode {
    /// Syncs into one file and ends.
    OneShot {
        /// The sync file.
        file: PathBuf,
        /// How to show what changed since the file's previous sync, if at all.
        diff: Option<AfterSync>,
    },
    /// Syncs on ConductorOne's request until it is told to stop.
    Service(Service),
}

/// What service mode needs to know.
#[derive(Debug)]
pub(super) struct Service {
    /// As ConductorOne gave it, unparsed.
    pub(super) client_id: String,
    /// As ConductorOne gave it, unparsed.
    pub(super) client_secret: SecretString,
    /// Tasks at a time.
    pub(super) task_concurrency: NonZeroUsize,
    /// Whether requests for a sync are answered without syncing.
    pub(super) skip_full_sync: bool,
    /// Where files are built before they are uploaded, if not in the system's place.
    pub(super) scratch: Option<PathBuf>,
    /// Where the health check server listens, if it runs.
    pub(super) health_check: Option<SocketAddr>,
}

/// How much to log, and how.
#[derive(Debug)]
pub(super) struct Log {
    /// How much.
    pub(super) level: LevelFilter,
    /// When debug logging falls back to info.
    pub(super) debug_until: Option<OffsetDateTime>,
    /// How, on standard error.
    pub(super) format: LogFormat,
    /// Files that get the log too.
    pub(super) paths: Vec<PathBuf>,
}

/// How to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LogFormat {
    /// For people.
    Console,
    /// One JSON object a line.
    Json,
}

/// Where to send traces and logs, over OTLP.
#[derive(Debug)]
pub(super) struct Telemetry {
    /// The collector, as `host:port`.
    pub(super) endpoint: String,
    /// How to trust it.
    pub(super) tls: CollectorTls,
    /// Whether to send traces.
    pub(super) traces: bool,
    /// Whether to send logs.
    pub(super) logs: bool,
}

/// How to trust the OpenTelemetry collector.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum CollectorTls {
    /// By the CAs of the system.
    SystemRoots,
    /// By this CA, a certificate in PEM.
    Authority(String),
    /// Without TLS.
    Insecure,
}

impl Config {
    /// Resolves flags, variables, file and defaults; reports all problems at once.
    pub(super) fn resolve(
        flags: &Flags,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, Problems> {
        let mut values = Values::new(flags, variable);
        let mut northflank = values.northflank();
        let resume = !values.switch(fields::NO_RESUME);
        let workers = values.workers();
        let retention = values.retention();
        let selection = values.selection();
        let log = values.log();
        let telemetry = values.telemetry();
        values.storage_engine();
        let mut notes = values.notes();
        let mode = values.mode(&mut notes);
        if let (Some(Mode::Service(_)), Some(northflank)) = (&mode, &mut northflank)
            && northflank.max_wait.take().is_some()
        {
            // It limits all waits of a process together, which a daemon's life would use up.
            notes.push("--max-wait does not apply to service mode".to_owned());
        }
        let config = match (mode, northflank, log, workers) {
            (Some(mode), Some(northflank), Some(log), Some(workers)) => Some(Self {
                mode,
                northflank,
                sync: Options {
                    workers,
                    retention,
                    selection: Arc::new(selection),
                    resume,
                    keep_pages: false,
                },
                log,
                telemetry,
                notes,
            }),
            _ => None,
        };
        values.finish(config)
    }
}

/// Where the health check server of a service with these settings listens.
pub(super) fn health_check_address(
    flags: &Flags,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<SocketAddr, Problems> {
    let mut values = Values::new(flags, variable);
    let address = values.health_check_address();
    values.finish(address)
}

impl<F: Fn(&str) -> Option<OsString>> Values<'_, F> {
    fn northflank(&mut self) -> Option<Settings> {
        let token = self.secret(fields::API_TOKEN);
        if token.is_none() && !self.is_given(fields::API_TOKEN) {
            let name = fields::API_TOKEN.name;
            self.problem(format!(
                "{} (--{name}) is not set; create a token in Northflank under the \
                 organization's Settings > API > Tokens",
                fields::API_TOKEN.variable(),
            ));
        }
        let base_url = self.parsed(fields::BASE_URL, |text| {
            text.parse::<BaseUrl>().map_err(|error| error.to_string())
        });
        let timeout = self.number(fields::HTTP_TIMEOUT_SECONDS);
        let max_wait = self.parsed(fields::MAX_WAIT, |text| {
            humantime::parse_duration(text)
                .map_err(|_| "it takes a duration such as 90s, 20m or 2h".to_owned())
        });
        Some(Settings {
            base_url: base_url?,
            token: token?,
            request_timeout: Duration::from_secs(timeout?),
            first_retry: FIRST_RETRY,
            max_wait,
        })
    }

    fn workers(&mut self) -> Option<NonZeroUsize> {
        let workers = self.number::<isize>(fields::WORKERS)?;
        Some(match usize::try_from(workers) {
            Ok(number) => NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN),
            Err(_) => AUTOMATIC_WORKERS,
        })
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

    fn selection(&mut self) -> Selection {
        let resources_only = self.switch(fields::SKIP_ENTITLEMENTS_AND_GRANTS);
        let without_grants = self.switch(fields::SKIP_GRANTS);
        let depth = match (resources_only, without_grants) {
            (true, _) => Depth::ResourcesOnly,
            (false, true) => Depth::WithoutGrants,
            (false, false) => Depth::Full,
        };
        Selection {
            depth,
            resource_types: self.list(fields::SYNC_RESOURCE_TYPES, own_type),
            resources: self.list(fields::SYNC_RESOURCES, resource_id),
            expand: true,
        }
    }

    fn log(&mut self) -> Option<Log> {
        let level = self.parsed(fields::LOG_LEVEL, |text| match text {
            "debug" => Ok(LevelFilter::DEBUG),
            "info" => Ok(LevelFilter::INFO),
            "warn" => Ok(LevelFilter::WARN),
            "error" => Ok(LevelFilter::ERROR),
            _ => Err("it can be debug, info, warn or error".to_owned()),
        });
        let debug_until = self.parsed(fields::LOG_LEVEL_DEBUG_EXPIRES_AT, |text| {
            OffsetDateTime::parse(text, &Rfc3339)
                .map_err(|_| "it takes a time such as 2026-12-01T00:00:00Z".to_owned())
        });
        let format = self.parsed(fields::LOG_FORMAT, |text| match text {
            "console" => Ok(LogFormat::Console),
            "json" => Ok(LogFormat::Json),
            _ => Err("it can be console or json".to_owned()),
        });
        let has_expired = debug_until.is_some_and(|until| until <= OffsetDateTime::now_utc());
        Some(Log {
            level: match level? {
                LevelFilter::DEBUG if has_expired => LevelFilter::INFO,
                level => level,
            },
            debug_until,
            format: format.unwrap_or_else(|| {
                if std::io::stderr().is_terminal() { LogFormat::Console } else { LogFormat::Json }
            }),
            paths: self.list(fields::LOG_PATH, |path| Ok(PathBuf::from(path))),
        })
    }

    fn telemetry(&mut self) -> Option<Telemetry> {
        let endpoint = self.text(fields::OTEL_COLLECTOR_ENDPOINT);
        let insecure = self.switch(fields::OTEL_COLLECTOR_ENDPOINT_TLS_INSECURE);
        let certificate = self.text(fields::OTEL_COLLECTOR_ENDPOINT_TLS_CERT);
        let certificate_file = self.parsed(fields::OTEL_COLLECTOR_ENDPOINT_TLS_CERT_PATH, |path| {
            std::fs::read_to_string(path).map_err(|error| format!("it can't be read: {error}"))
        });
        let traces = !self.switch(fields::OTEL_TRACING_DISABLED);
        let logs = !self.switch(fields::OTEL_LOGGING_DISABLED);
        let tls = match (insecure, certificate, certificate_file) {
            (false, None, None) => CollectorTls::SystemRoots,
            (true, None, None) => CollectorTls::Insecure,
            (false, Some(pem), None) | (false, None, Some(pem)) => CollectorTls::Authority(pem),
            _ => {
                self.problem(
                    "only one of --otel-collector-endpoint-tls-cert, \
                     --otel-collector-endpoint-tls-cert-path and \
                     --otel-collector-endpoint-tls-insecure can be given"
                        .to_owned(),
                );
                return None;
            }
        };
        (traces || logs).then_some(Telemetry { endpoint: endpoint?, tls, traces, logs })
    }

    fn storage_engine(&mut self) {
        self.parsed(fields::STORAGE_ENGINE, |engine| match engine {
            "sqlite" => Ok(()),
            "pebble" => Err("this connector writes sqlite files only, which every reader of \
                             sync files accepts; leave it out"
                .to_owned()),
            _ => Err("it can be sqlite".to_owned()),
        });
    }

    /// Service mode if there are credentials of ConductorOne; both, or else none.
    fn mode(&mut self, notes: &mut Vec<String>) -> Option<Mode> {
        let client_id = self.text(fields::CLIENT_ID);
        let client_secret = self.secret(fields::CLIENT_SECRET);
        let has_secret = self.is_given(fields::CLIENT_SECRET);
        let task_concurrency = self.number(fields::TASK_CONCURRENCY).and_then(NonZeroUsize::new);
        let scratch = self.parsed(fields::C1Z_TEMP_DIR, |path| {
            let path = PathBuf::from(path);
            if path.is_dir() { Ok(path) } else { Err("there is no such directory".to_owned()) }
        });
        let skip_full_sync = self.switch(fields::SKIP_FULL_SYNC);
        let health_check = self.switch(fields::HEALTH_CHECK);
        let health_check_address = self.health_check_address();
        let diff = self.parsed(fields::DIFF, |format| {
            format.parse().map_err(|problem: &str| problem.to_owned())
        });
        let exit_code = self.switch(fields::EXIT_CODE);
        let file = self.text(fields::FILE);
        match (client_id, has_secret) {
            (None, false) => {
                // The health check is switched on in the container image, for both modes.
                if skip_full_sync {
                    notes.push("--skip-full-sync applies to service mode only".to_owned());
                }
                let diff = diff.map(|format| AfterSync { format, exit_code });
                if diff.is_some() {
                    self.check_diff();
                }
                if exit_code && diff.is_none() {
                    notes.push("--exit-code has no effect without --diff".to_owned());
                }
                Some(Mode::OneShot { file: file?.into(), diff })
            }
            (Some(client_id), true) => {
                if diff.is_some() {
                    notes.push("--diff does not apply to service mode".to_owned());
                }
                Some(Mode::Service(Service {
                    client_id,
                    client_secret: client_secret?,
                    task_concurrency: task_concurrency?,
                    skip_full_sync,
                    scratch,
                    health_check: if health_check { Some(health_check_address?) } else { None },
                }))
            }
            (client_id, _) => {
                let (given, missing) = match client_id {
                    Some(_) => (fields::CLIENT_ID, fields::CLIENT_SECRET),
                    None => (fields::CLIENT_SECRET, fields::CLIENT_ID),
                };
                self.problem(format!(
                    "{} (--{}) is set without {} (--{}); service mode needs both",
                    given.variable(),
                    given.name,
                    missing.variable(),
                    missing.name
                ));
                None
            }
        }
    }

    /// A diff after the sync needs the whole organization, and the sync before it.
    fn check_diff(&mut self) {
        if self.retention() == Retention::Newest(1) {
            self.problem(
                "--diff needs the file's sync before, but BATON_KEEP_SYNC_COUNT is 1; let it be \
                 2 or more"
                    .to_owned(),
            );
        }
        if self.selection() != Selection::default() {
            self.problem(
                "--diff needs a sync of everything; what --sync-resource-types, \
                 --sync-resources and --skip-… leave out would look removed"
                    .to_owned(),
            );
        }
    }

    /// Where the health check server listens.
    fn health_check_address(&mut self) -> Option<SocketAddr> {
        let port = self.number(fields::HEALTH_CHECK_PORT);
        let address = self.parsed(fields::HEALTH_CHECK_BIND_ADDRESS, |text| match text {
            "localhost" => Ok(IpAddr::from(Ipv4Addr::LOCALHOST)),
            text => text
                .parse()
                .map_err(|_| "it takes an IP address such as 127.0.0.1 or 0.0.0.0".to_owned()),
        });
        Some(SocketAddr::new(address?, port?))
    }

    /// What is accepted without effect.
    fn notes(&mut self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.switch(fields::PROVISIONING) {
            notes.push("--provisioning has no effect: this connector only reads".to_owned());
        }
        let unknown = self.unknown_keys();
        if !unknown.is_empty() {
            notes.push(format!(
                "the settings file has keys that this connector doesn't know: {}",
                unknown.join(", ")
            ));
        }
        notes
    }
}

fn own_type(text: &str) -> Result<&'static str, String> {
    [GROUP, ROLE, USER]
        .into_iter()
        .find(|own| *own == text)
        .ok_or_else(|| "the types are group, role and user".to_owned())
}

/// Reads `type/id` or `type:id`, or the reference's `bid:r:type/id`.
fn resource_id(text: &str) -> Result<ResourceId, String> {
    let text = text.strip_prefix("bid:r:").unwrap_or(text);
    match text.split_once(['/', ':']) {
        Some((resource_type, id)) if !id.is_empty() => Ok(ResourceId {
            resource_type: own_type(resource_type)?.to_owned(),
            resource: id.to_owned(),
        }),
        _ => Err("a resource is given as type/id, such as role/admin".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::flags::{Action, parse};
    use secrecy::ExposeSecret;
    use time::macros::datetime;

    fn resolve(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Config, Problems> {
        let arguments = ["x"].iter().chain(arguments).map(Into::into);
        let Ok(Action::Run(flags)) = parse(arguments) else { panic!("not a run") };
        Config::resolve(&flags, |name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| value.into())
        })
    }

    /// With a token and these variables besides.
    fn with(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Config, Problems> {
        resolve(arguments, &[&[TOKEN], variables].concat())
    }

    fn file(config: &Config) -> Option<&str> {
        match &config.mode {
            Mode::OneShot { file, .. } => file.to_str(),
            Mode::Service(_) => None,
        }
    }

    fn service(config: Config) -> Service {
        let Mode::Service(service) = config.mode else { panic!("{config:?}") };
        service
    }

    const TOKEN: (&str, &str) = ("BATON_NORTHFLANK_API_TOKEN", "nf-1");
    const CREDENTIALS: [(&str, &str); 2] =
        [("BATON_CLIENT_ID", "a@b.test/c"), ("BATON_CLIENT_SECRET", "secret-token")];

    #[test]
    fn a_token_is_all_that_is_needed() {
        let config = resolve(&[], &[TOKEN]).unwrap();
        assert_eq!(file(&config), Some("sync.c1z"));
        assert_eq!(config.northflank.base_url.to_string(), "https://api.northflank.com");
        assert_eq!(config.northflank.token.expose_secret(), "nf-1");
        assert_eq!(config.northflank.request_timeout, Duration::from_mins(5));
        assert_eq!(config.sync.workers, AUTOMATIC_WORKERS);
        assert_eq!(config.sync.retention, Retention::Newest(2));
        assert_eq!((config.northflank.max_wait, config.sync.resume), (None, true));
        assert_eq!(config.log.level, LevelFilter::INFO);
        assert_eq!(config.sync.selection.depth, Depth::Full);
        assert!(config.telemetry.is_none());
        assert!(config.notes.is_empty());
    }

    #[test]
    fn a_flag_goes_before_its_variable_and_an_empty_variable_is_unset() {
        let variables = [("BATON_FILE", "variable.c1z"), ("BATON_LOG_FORMAT", "json")];
        let config = with(&["-f", "flag.c1z"], &variables).unwrap();
        assert_eq!(file(&config), Some("flag.c1z"));
        assert_eq!(config.log.format, LogFormat::Json);
        assert_eq!(file(&with(&[], &variables).unwrap()), Some("variable.c1z"));
        let config = with(&[], &[("BATON_FILE", ""), ("BATON_WORKERS", "")]).unwrap();
        assert_eq!(file(&config), Some("sync.c1z"));
    }

    #[test]
    fn a_variable_goes_before_the_file_and_the_file_before_the_default() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("settings.yml");
        let text = "northflank-api-token: nf-file\nfile: file.c1z\nworkers: 3\n\
                    sync-resource-types: [role, user]\nlog-levle: debug\n";
        std::fs::write(&path, text).unwrap();
        let path = ("BATON_CONFIG_PATH", path.to_str().unwrap());
        let config = resolve(&["--workers", "7"], &[path, ("BATON_FILE", "v.c1z")]).unwrap();
        assert_eq!(config.northflank.token.expose_secret(), "nf-file");
        assert_eq!(file(&config), Some("v.c1z"));
        assert_eq!(config.sync.workers.get(), 7);
        assert_eq!(config.sync.selection.resource_types, [ROLE, USER]);
        assert!(config.notes[0].contains("log-levle"), "{:?}", config.notes);
        let config = resolve(&[], &[path]).unwrap();
        assert_eq!((file(&config), config.sync.workers.get()), (Some("file.c1z"), 3));
    }

    #[test]
    fn a_settings_file_that_is_named_must_be_there_and_be_yaml() {
        for (path, said) in [("/none.yaml", "can't read /none.yaml"), ("/etc/hosts", ".yaml")] {
            let problems = with(&[], &[("BATON_CONFIG_PATH", path)]).unwrap_err().to_string();
            assert!(problems.contains(said), "{problems}");
        }
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
    fn no_debug_output_shows_a_secret() {
        let config = with(&["--northflank-api-token", "nf-hidden"], &CREDENTIALS).unwrap();
        let text = format!("{config:?}");
        assert!(!text.contains("nf-hidden") && !text.contains("secret-token"), "{text}");
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        let arguments = [
            "--workers",
            "many",
            "--log-level",
            "loud",
            "--northflank-base-url",
            "http://a.test",
            "--client-id",
            "a@b.test/c",
            "--max-wait",
            "soon",
            "--diff=xml",
            "--http-timeout-seconds",
            "1801",
            "--storage-engine",
            "pebble",
            "--sync-resource-types",
            "team",
            "--sync-resources",
            "role",
            "--health-check-port",
            "0",
        ];
        let problems = resolve(&arguments, &[("BATON_LOG_FORMAT", "xml")]).unwrap_err().to_string();
        for name in [
            "NORTHFLANK_API_TOKEN",
            "NORTHFLANK_BASE_URL",
            "WORKERS",
            "LOG_LEVEL",
            "LOG_FORMAT",
            "CLIENT_SECRET",
            "MAX_WAIT",
            "DIFF",
            "HTTP_TIMEOUT_SECONDS",
            "STORAGE_ENGINE",
            "SYNC_RESOURCE_TYPES",
            "SYNC_RESOURCES",
            "HEALTH_CHECK_PORT",
        ] {
            assert!(problems.contains(&format!("BATON_{name} (--")), "{name}: {problems}");
        }
    }

    #[test]
    fn workers_may_be_automatic_or_one_at_a_time() {
        let workers = |text| with(&["--workers", text], &[]).map(|config| config.sync.workers);
        assert_eq!(workers("-1"), Ok(AUTOMATIC_WORKERS));
        assert_eq!(workers("0"), Ok(NonZeroUsize::MIN));
        assert_eq!(workers("100").map(NonZeroUsize::get), Ok(100));
        assert!(workers("-2").is_err());
        assert!(workers("101").is_err());
    }

    #[test]
    fn retention_follows_the_variables_of_the_reference() {
        let retention =
            |name, value| with(&[], &[(name, value)]).map(|config| config.sync.retention);
        assert_eq!(retention("BATON_KEEP_SYNC_COUNT", "5"), Ok(Retention::Newest(5)));
        assert_eq!(retention("BATON_KEEP_SYNC_COUNT", "0"), Ok(Retention::Newest(2)));
        assert_eq!(retention("BATON_SKIP_CLEANUP", "true"), Ok(Retention::All));
        assert_eq!(retention("BATON_SKIP_CLEANUP", "no"), Ok(Retention::Newest(2)));
    }

    #[test]
    fn credentials_of_conductorone_make_it_a_service() {
        let plain = service(with(&[], &CREDENTIALS).unwrap());
        assert_eq!(plain.client_id, "a@b.test/c");
        assert_eq!(plain.client_secret.expose_secret(), "secret-token");
        assert_eq!(plain.task_concurrency.get(), 3);
        assert!(plain.health_check.is_none());
        let arguments = ["--health-check", "--health-check-port=9", "--task-concurrency", "100"];
        let full = service(with(&arguments, &CREDENTIALS).unwrap());
        assert_eq!(full.health_check, Some(SocketAddr::from(([127, 0, 0, 1], 9))));
        assert_eq!(full.task_concurrency.get(), 100);
    }

    #[test]
    fn one_credential_without_the_other_is_refused() {
        for half in CREDENTIALS {
            let problems = with(&[], &[half]).unwrap_err().to_string();
            assert!(problems.contains("service mode needs both"), "{problems}");
            assert!(!problems.contains("secret-token"), "{problems}");
        }
    }

    #[test]
    fn settings_of_the_other_mode_are_noted() {
        let notes = |arguments: &[&str], variables| with(arguments, variables).unwrap().notes;
        assert_eq!(notes(&["--skip-full-sync", "-p", "--exit-code"], &[]).len(), 3);
        assert_eq!(notes(&["--health-check"], &[]).len(), 0);
        assert_eq!(notes(&["--diff", "--max-wait=1h"], &CREDENTIALS).len(), 2);
    }

    #[test]
    fn a_diff_needs_two_syncs_of_everything() {
        assert!(with(&["--diff"], &[]).is_ok());
        assert!(with(&["--diff"], &[("BATON_KEEP_SYNC_COUNT", "1")]).is_err());
        for part in ["--skip-grants", "--sync-resource-types=role", "--sync-resources=role/a"] {
            assert!(with(&["--diff", part], &[]).is_err(), "{part}");
        }
    }

    #[test]
    fn a_part_of_the_organization_can_be_selected() {
        let arguments = ["--sync-resources", "role/admin,user:ada", "--skip-grants"];
        let bid = ("BATON_SYNC_RESOURCE_TYPES", "role user");
        let selection = with(&arguments, &[bid]).unwrap().sync.selection;
        assert_eq!(selection.depth, Depth::WithoutGrants);
        assert_eq!(selection.resource_types, [ROLE, USER]);
        let resources: Vec<_> = selection
            .resources
            .iter()
            .map(|id| (id.resource_type.as_str(), id.resource.as_str()))
            .collect();
        assert_eq!(resources, [(ROLE, "admin"), (USER, "ada")]);
        let bid = ["--sync-resources", "bid:r:group/g", "--skip-entitlements-and-grants"];
        let selection = with(&bid, &[]).unwrap().sync.selection;
        assert_eq!((selection.depth, selection.resources.len()), (Depth::ResourcesOnly, 1));
    }

    #[test]
    fn the_longest_wait_is_a_duration() {
        for (text, seconds) in [("90s", 90), ("20m", 1_200), ("2h", 7_200), ("1h30m", 5_400)] {
            let config = with(&["--max-wait", text], &[]).unwrap();
            assert_eq!(config.northflank.max_wait, Some(Duration::from_secs(seconds)));
        }
    }

    #[test]
    fn debug_logs_end_when_they_expire() {
        let level = |until| {
            let arguments = ["--log-level=debug", "--log-level-debug-expires-at", until];
            with(&arguments, &[]).map(|config| (config.log.level, config.log.debug_until))
        };
        let past = datetime!(2020-01-01 00:00 UTC);
        assert_eq!(level("2020-01-01T00:00:00Z"), Ok((LevelFilter::INFO, Some(past))));
        assert_eq!(level("2999-01-01T00:00:00Z").unwrap().0, LevelFilter::DEBUG);
        assert!(level("tomorrow").is_err());
    }

    #[test]
    fn the_collector_is_trusted_in_one_way() {
        let endpoint = ("BATON_OTEL_COLLECTOR_ENDPOINT", "collector.test:4317");
        let telemetry = |arguments: &[&str]| with(arguments, &[endpoint]).map(|it| it.telemetry);
        assert_eq!(telemetry(&[]).unwrap().unwrap().tls, CollectorTls::SystemRoots);
        let insecure = ["--otel-collector-endpoint-tls-insecure"];
        assert_eq!(telemetry(&insecure).unwrap().unwrap().tls, CollectorTls::Insecure);
        let pem = ["--otel-collector-endpoint-tls-cert", "PEM"];
        let authority = CollectorTls::Authority("PEM".into());
        assert_eq!(telemetry(&pem).unwrap().unwrap().tls, authority);
        assert!(telemetry(&[&pem[..], &insecure[..]].concat()).is_err());
        let off = ["--otel-tracing-disabled", "--otel-logging-disabled"];
        assert!(telemetry(&off).unwrap().is_none());
    }
}
