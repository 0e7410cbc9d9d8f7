//! What the process is for: one sync, or serving ConductorOne.

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};

use crate::c1z::Retention;
use crate::service::ServiceSettings;
use crate::sync::{SyncOptions, SyncSelection};

use super::diff_after_sync::DiffAfterSync;
use super::field::Field;
use super::fields;
use super::values::Values;

/// What the process is for.
#[derive(Debug)]
pub(crate) enum RunMode {
    /// Syncs into one file and ends.
    OneShot {
        /// The sync file.
        file: PathBuf,
        /// How to show what changed since the file's previous sync, if at all.
        diff: Option<DiffAfterSync>,
    },
    /// Syncs on ConductorOne's request until it is told to stop.
    Service {
        /// How to serve it.
        settings: Box<ServiceSettings>,
        /// The client secret as it was given, for whoever has to keep it out of a text.
        given_secret: SecretString,
    },
}

/// Service mode if there are credentials of ConductorOne; both, or else none.
pub(super) fn mode(
    values: &mut Values<'_>,
    sync: &SyncOptions,
    notes: &mut Vec<String>,
) -> Option<RunMode> {
    let client_id = values.text(fields::CLIENT_ID);
    let client_secret = values.secret(fields::CLIENT_SECRET);
    let has_secret = values.is_given(fields::CLIENT_SECRET);
    let task_concurrency = values.number(fields::TASK_CONCURRENCY).and_then(NonZeroUsize::new);
    let scratch = values.parsed(fields::C1Z_TEMP_DIR, |path| {
        let path = PathBuf::from(path);
        if path.is_dir() { Ok(path) } else { Err("there is no such directory".to_owned()) }
    });
    let skip_full_sync = values.switch(fields::SKIP_FULL_SYNC);
    let health_check = values.switch(fields::HEALTH_CHECK);
    let health_check_address = health_check_address(values);
    let metrics = values.parsed(fields::METRICS_ADDRESS, |text| {
        let address = text.parse::<SocketAddr>().ok().filter(|address| address.port() != 0);
        address.ok_or_else(|| {
            "it takes an IP address and a port, such as 127.0.0.1:9090 or 0.0.0.0:9090".to_owned()
        })
    });
    check_credentials_left_empty(values);
    let diff = values
        .parsed(fields::DIFF, |format| format.parse().map_err(|problem: &str| problem.to_owned()));
    let exit_code = values.switch(fields::EXIT_CODE);
    let require_baseline = values.switch(fields::REQUIRE_BASELINE);
    let file = values.parsed(fields::FILE, path_of_a_file);
    match (client_id, has_secret) {
        (None, false) => {
            let why = "applies to service mode only";
            notes.extend(without_effect(values, &FOR_SERVICE, why));
            notes.extend(variables_without_effect(values, SURROUNDING_VARIABLES, why));
            let diff = diff.map(|format| DiffAfterSync { format, exit_code, require_baseline });
            if diff.is_some() {
                check_diff(values, sync);
            }
            let of_diff = [("exit-code", exit_code), ("require-baseline", require_baseline)];
            for (name, _) in of_diff.iter().filter(|(_, is_set)| *is_set && diff.is_none()) {
                notes.push(format!("--{name} has no effect without --diff"));
            }
            Some(RunMode::OneShot { file: file?, diff })
        }
        (Some(client_id), true) => {
            let why = "does not apply to service mode";
            notes.extend(without_effect(values, &FOR_ONE_SYNC, why));
            let kept = ["BATON_KEEP_SYNC_COUNT", "BATON_SKIP_CLEANUP"];
            notes.extend(variables_without_effect(values, kept, why));
            let given_secret = client_secret?;
            let [id, secret] = [fields::CLIENT_ID, fields::CLIENT_SECRET].map(Field::both_names);
            let client_id = understood(values, &id, &client_id);
            #[expect(clippy::disallowed_methods, reason = "understood here")]
            let client_secret = understood(values, &secret, given_secret.expose_secret());
            let api_host = values
                .filled("BATON_C1_API_HOST")
                .and_then(|host| understood(values, "BATON_C1_API_HOST", &host));
            let host_id = values.filled("BATON_HOST_ID").unwrap_or_default();
            let scratch = scratch.or_else(|| values.filled("BATON_TMPDIR").map(Into::into));
            let settings = ServiceSettings {
                client_id: client_id?,
                client_secret: client_secret?,
                api_host,
                host_id,
                task_concurrency: task_concurrency?,
                skip_full_sync,
                scratch,
                health_check: if health_check { Some(health_check_address?) } else { None },
                metrics,
            };
            Some(RunMode::Service { settings: Box::new(settings), given_secret })
        }
        (client_id, _) => {
            let (given, missing) = match client_id {
                Some(_) => (fields::CLIENT_ID, fields::CLIENT_SECRET),
                None => (fields::CLIENT_SECRET, fields::CLIENT_ID),
            };
            values.problem(format!(
                "{} is set without {}; service mode needs both",
                given.both_names(),
                missing.both_names()
            ));
            None
        }
    }
}

/// The longest path that systems take, in bytes.
const LONGEST_PATH: usize = 4_096;

/// Where a file of this machine may be.
fn path_of_a_file(text: &str) -> Result<PathBuf, String> {
    let in_scheme = |char: char| char.is_ascii_alphanumeric() || "+-.".contains(char);
    let is_url = text
        .split_once("://")
        .is_some_and(|(scheme, _)| !scheme.is_empty() && scheme.chars().all(in_scheme));
    if text.is_empty() {
        Err("it can't be blank".to_owned())
    } else if is_url {
        Err("it is a URL; sync into a file of this machine and copy that, by aws s3 cp for \
             example"
            .to_owned())
    } else if text.len() > LONGEST_PATH {
        Err("it is longer than a path can be".to_owned())
    } else {
        Ok(text.into())
    }
}

/// Settings that only a service heeds. Those of the health check are not among them: it is
/// switched on in the container image, for both modes.
const FOR_SERVICE: [&Field; 4] = [
    fields::TASK_CONCURRENCY,
    fields::SKIP_FULL_SYNC,
    fields::C1Z_TEMP_DIR,
    fields::METRICS_ADDRESS,
];

/// What stands around a service only: these fields and variables.
const SURROUNDINGS: [&Field; 7] = [
    fields::TASK_CONCURRENCY,
    fields::SKIP_FULL_SYNC,
    fields::C1Z_TEMP_DIR,
    fields::METRICS_ADDRESS,
    fields::HEALTH_CHECK,
    fields::HEALTH_CHECK_PORT,
    fields::HEALTH_CHECK_BIND_ADDRESS,
];
const SURROUNDING_VARIABLES: [&str; 2] = ["BATON_HOST_ID", "BATON_C1_API_HOST"];

/// Credentials that are there without anything in them, where a service is meant to run: a copied
/// example that was not filled in. A sync into a file would end well, be started again by whatever
/// watches over a service, and so use up the customer's requests.
fn check_credentials_left_empty(values: &mut Values<'_>) {
    let credentials = [fields::CLIENT_ID, fields::CLIENT_SECRET];
    if credentials.iter().any(|field| values.is_given(field))
        || !credentials.iter().any(|field| values.is_left_empty(field))
    {
        return;
    }
    let fields = SURROUNDINGS.iter().filter(|field| values.is_set(field));
    let mut set: Vec<_> = fields.map(|field| field.variable()).collect();
    let variables = SURROUNDING_VARIABLES.iter().filter(|name| values.variable(name).is_some());
    set.extend(variables.map(|name| (*name).to_owned()));
    if let Some(around) = set.first() {
        let [id, secret] = credentials.map(Field::both_names);
        values.problem(format!(
            "{id} and {secret} are empty, but {around} is set, which is for a service: fill both \
             in, or take both out to sync once into a file"
        ));
    }
}

/// Settings that only a sync into a file heeds. ConductorOne says what a task syncs; the types
/// that this connector is limited to hold for both.
const FOR_ONE_SYNC: [&Field; 8] = [
    fields::FILE,
    fields::DIFF,
    fields::EXIT_CODE,
    fields::REQUIRE_BASELINE,
    fields::MAX_WAIT,
    fields::SYNC_RESOURCES,
    fields::SKIP_ENTITLEMENTS_AND_GRANTS,
    fields::SKIP_GRANTS,
];

/// A note on each of `fields` that is set.
fn without_effect(values: &mut Values<'_>, fields: &[&Field], why: &str) -> Vec<String> {
    let set = fields.iter().filter(|field| values.is_set(field));
    set.map(|field| format!("--{} {why}", field.name)).collect()
}

/// The same of variables that are no field's.
fn variables_without_effect(values: &mut Values<'_>, names: [&str; 2], why: &str) -> Vec<String> {
    let set = names.into_iter().filter(|name| values.variable(name).is_some());
    set.map(|name| format!("{name} {why}")).collect()
}

/// What ConductorOne gave, understood. No problem quotes it.
fn understood<T: FromStr<Err: Display>>(
    values: &mut Values<'_>,
    name: &str,
    text: &str,
) -> Option<T> {
    let understood = text.parse();
    understood.map_err(|error| values.problem(format!("{name} {error}"))).ok()
}

/// A diff after the sync needs the whole organization, and the sync before it.
fn check_diff(values: &mut Values<'_>, sync: &SyncOptions) {
    if sync.retention == Retention::Newest(1) {
        values.problem(
            "--diff needs the file's sync before, but BATON_KEEP_SYNC_COUNT is 1; let it be \
             2 or more"
                .to_owned(),
        );
    }
    let SyncSelection { teams, secrets, .. } = *sync.selection;
    if *sync.selection != (SyncSelection { teams, secrets, ..SyncSelection::default() }) {
        values.problem(
            "--diff needs a sync of everything; what --sync-resource-types, \
             --sync-resources and --skip-… leave out would look removed"
                .to_owned(),
        );
    }
}

/// Where the health check server listens.
pub(super) fn health_check_address(values: &mut Values<'_>) -> Option<SocketAddr> {
    let port = health_check_port(values);
    let address = values.parsed(fields::HEALTH_CHECK_BIND_ADDRESS, |text| match text {
        "localhost" => Ok(IpAddr::from(Ipv4Addr::LOCALHOST)),
        text => text
            .parse()
            .map_err(|_| "it takes an IP address such as 127.0.0.1 or 0.0.0.0".to_owned()),
    });
    Some(SocketAddr::new(address?, port?))
}

/// Its port. Kubernetes sets the same variable to an address, for a service called
/// `baton-health-check`: whoever reads the message has set nothing.
fn health_check_port(values: &mut Values<'_>) -> Option<u16> {
    let is_link = |text: &str| {
        ["tcp://", "udp://", "sctp://"].iter().any(|protocol| text.starts_with(protocol))
    };
    let is_from_kubernetes =
        values.parsed(fields::HEALTH_CHECK_PORT, |text| Ok(is_link(text))).unwrap_or_default();
    if is_from_kubernetes {
        values.problem(format!(
            "{} holds a service's address, which Kubernetes sets for a service named \
             baton-health-check; set enableServiceLinks to false in the pod, or this to a port",
            fields::HEALTH_CHECK_PORT.both_names(),
        ));
        return None;
    }
    values.number(fields::HEALTH_CHECK_PORT)
}
