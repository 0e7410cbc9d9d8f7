//! The configuration: everything that a run needs to know, made of settings from flags,
//! variables and file.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use crate::northflank::{BaseUrl, ClientSettings};
use crate::private_fs;
use crate::sync::{SyncOptions, SyncSelection};

use super::certificates::{self, Verifier};
use super::field::Field;
use super::fields;
use super::flags::Flags;
use super::log::{self, LogConfig};
use super::northflank;
use super::problems::Problems;
use super::proxy;
use super::run_mode::{self, RunMode};
use super::sync;
use super::telemetry::{self, CollectorTls, TelemetryConfig};
use super::values::{Values, Variables};

/// Everything that a run needs to know, valid.
#[derive(Debug)]
pub(crate) struct Config {
    /// Whether to sync once or to serve ConductorOne.
    pub(crate) mode: RunMode,
    /// How to reach Northflank.
    pub(crate) northflank: ClientSettings,
    /// What to sync, and how.
    pub(crate) sync: SyncOptions,
    /// How much to log, and how.
    pub(crate) log: LogConfig,
    /// Where to send traces and logs, if anywhere.
    pub(crate) telemetry: Option<TelemetryConfig>,
    /// What is accepted but without effect, for the log.
    pub(crate) notes: Vec<String>,
}

impl Config {
    /// Resolves flags, variables, file and defaults; reports all problems at once.
    pub(crate) fn resolve(flags: &Flags, variables: Variables<'_>) -> Result<Self, Problems> {
        Self::of(Values::new(flags, variables))
    }

    /// Resolves flags alone and defaults: variables and file are another's.
    pub(crate) fn of_flags(flags: &Flags) -> Result<Self, Problems> {
        Self::of(Values::of_flags(flags))
    }

    fn of(mut values: Values<'_>) -> Result<Self, Problems> {
        let mut northflank = northflank::settings(&mut values);
        let sync = sync::options(&mut values);
        let log = log::log(&mut values);
        let telemetry = telemetry::telemetry(&mut values);
        check_storage_engine(&mut values);
        let mut notes = notes(&mut values);
        let mode = run_mode::mode(&mut values, &sync, &mut notes);
        if let (Some(RunMode::OneShot { file, .. }), Some(log)) = (&mode, &log) {
            check_logs(&mut values, log, file);
        }
        let verifier = network(&mut values, northflank.as_ref(), mode.as_ref(), telemetry.as_ref());
        if let Some(northflank) = &mut northflank {
            northflank.verifier = verifier;
            if let Some(RunMode::Service { .. }) = &mode {
                // It limits all waits of a process together, which a daemon's life would use up.
                northflank.max_wait = None;
            }
        }
        let config = match (mode, northflank, log) {
            (Some(mode), Some(northflank), Some(log)) => {
                Some(Self { mode, northflank, sync, log, telemetry, notes })
            }
            _ => None,
        };
        values.finish(config)
    }
}

/// How to reach Northflank and what part of the organization is synced, for whoever needs to know
/// no more.
pub(crate) fn northflank_settings(
    flags: &Flags,
    variables: Variables<'_>,
) -> Result<(ClientSettings, SyncSelection), Problems> {
    let mut values = Values::new(flags, variables);
    let mut settings = northflank::settings(&mut values);
    let verifier = network(&mut values, settings.as_ref(), None, None);
    if let Some(settings) = &mut settings {
        settings.verifier = verifier;
    }
    let selection = sync::selection(&mut values);
    values.finish(settings.map(|settings| (settings, selection)))
}

/// Whether secrets are synced.
pub(crate) fn syncs_secrets(flags: &Flags, variables: Variables<'_>) -> Result<bool, Problems> {
    let mut values = Values::new(flags, variables);
    let syncs_secrets = values.switch(fields::SYNC_SECRETS);
    values.finish(Some(syncs_secrets))
}

/// The way to others must be usable as the environment has it. Returns what verifies those whom
/// TLS leads to, if it leads to anybody.
fn network(
    values: &mut Values<'_>,
    northflank: Option<&ClientSettings>,
    mode: Option<&RunMode>,
    telemetry: Option<&TelemetryConfig>,
) -> Option<Verifier> {
    let base_url = northflank.map_or(BaseUrl::DEFAULT.to_owned(), |it| it.base_url.to_string());
    let service = match mode {
        Some(RunMode::Service { settings, .. }) => Some(settings),
        Some(RunMode::OneShot { .. }) | None => None,
    };
    let mut by_proxy = Vec::new();
    // Nobody's proxy leads to this machine.
    if northflank.is_none_or(|it| !it.base_url.is_loopback()) {
        by_proxy.push(base_url.clone());
    }
    if let Some(service) = service {
        let host = service.api_host.as_ref().unwrap_or(service.client_id.host());
        by_proxy.push(format!("https://{}", host.as_str()));
    }
    proxy::check(values, &by_proxy, service.is_some());
    let named = certificates::from_variables(values);
    let has_tls = base_url.starts_with("https:")
        || service.is_some()
        || telemetry.is_some_and(|it| it.tls == CollectorTls::SystemRoots);
    if has_tls && !values.has_problems() { certificates::verifier(values, named) } else { None }
}

/// Where the health check server of a service with these settings listens.
pub(crate) fn health_check_address(
    flags: &Flags,
    variables: Variables<'_>,
) -> Result<SocketAddr, Problems> {
    let mut values = Values::new(flags, variables);
    let address = run_mode::health_check_address(&mut values);
    values.finish(address)
}

/// What is added to the end of a sync file makes it one that nobody can read.
fn check_logs(values: &mut Values<'_>, log: &LogConfig, file: &Path) {
    let place = |path: &Path| {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = || fs::canonicalize(parent.unwrap_or(Path::new("."))).ok();
        let path_of_none = || Some(parent()?.join(path.file_name()?));
        fs::canonicalize(path).ok().or_else(path_of_none)
    };
    let target = place(file);
    if target.is_some() && log.paths.iter().any(|path| place(path) == target) {
        let (log, file) = (fields::LOG_PATH.both_names(), fields::FILE.name);
        values.problem(format!("{log} names the sync file itself (--{file}); name another"));
    }
}

/// The one kind of file that is written here can be asked for.
fn check_storage_engine(values: &mut Values<'_>) {
    values.parsed(fields::STORAGE_ENGINE, |engine| match engine {
        "sqlite" => Ok(()),
        "pebble" => Err("this connector writes sqlite files only, which every reader of \
                         sync files accepts; leave it out"
            .to_owned()),
        _ => Err("it can be sqlite".to_owned()),
    });
}

/// What every Go connector takes and this one has no use for, with the reason.
const WITHOUT_EFFECT: [(&Field, &str); 6] = [
    (fields::PROVISIONING, "this connector only reads"),
    (fields::TICKETING, "this connector has no tickets"),
    (fields::PARALLEL_SYNC, "lists are read side by side anyway; --workers says how many"),
    (fields::KEEP_PREVIOUS_SYNC_C1Z, "each sync reads everything anew"),
    (fields::AUTH_METHOD, "the API token is the only method"),
    (fields::SESSION_STORE_MAXIMUM_SIZE, "this connector has no session store"),
];

/// What is accepted without effect.
fn notes(values: &mut Values<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    for (field, why) in WITHOUT_EFFECT {
        if values.is_set(field) {
            notes.push(format!("--{} has no effect: {why}", field.name));
        }
    }
    if let Some(unknown) = values.unknown_keys() {
        notes.push(format!(
            "the settings file has keys that this connector doesn't know: {unknown}"
        ));
    }
    let file = values.settings_file().to_owned();
    if values.has_secret_in_file() && private_fs::may_be_read_by_others(&file) {
        notes.push(format!(
            "others on this machine may read {}, which holds a secret; chmod 600 keeps it",
            file.display()
        ));
    }
    let token_file = values.text_if_given(fields::API_TOKEN_FILE);
    if let Some(path) = token_file.filter(|path| private_fs::may_be_read_by_others(Path::new(path)))
    {
        notes.push(format!(
            "others on this machine may read the token in {path}; chmod 400 keeps it, or \
             defaultMode in a volume of Kubernetes"
        ));
    }
    notes
}
