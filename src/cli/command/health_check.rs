//! `health-check`: asks a service on this machine how it is.

use std::time::Duration;

use clap::{Arg, ArgMatches, value_parser};

use crate::cli::exit::Failure;
use crate::config::{Field, Flags, HEALTH_CHECK_BIND_ADDRESS, HEALTH_CHECK_PORT, Variables};
use crate::service;

/// The fields that say where the service listens.
const FIELDS: [&Field; 2] = [HEALTH_CHECK_PORT, HEALTH_CHECK_BIND_ADDRESS];

/// What a running service is to be asked, and where.
pub(crate) struct HealthCheckArgs {
    /// `health`, `ready` or `live`.
    endpoint: String,
    /// Time for the answer.
    timeout: Duration,
    /// Where it listens.
    flags: Flags,
}

/// The subcommand.
pub(super) fn command() -> clap::Command {
    clap::Command::new("health-check")
        .about("Ask a service on this machine how it is; exit with 0 if it is well")
        .arg(
            Arg::new("endpoint")
                .long("endpoint")
                .value_name("ENDPOINT")
                .default_value("health")
                .value_parser(["health", "ready", "live"])
                .help("What to ask for"),
        )
        .arg(
            Arg::new("timeout")
                .long("timeout")
                .value_name("SECONDS")
                .default_value("5")
                .value_parser(value_parser!(u64).range(1..=300))
                .help("Time for the answer"),
        )
        .args(crate::config::arguments(&FIELDS))
}

impl HealthCheckArgs {
    /// What was typed.
    pub(super) fn from_matches(arguments: &ArgMatches) -> Self {
        Self {
            endpoint: arguments.get_one::<String>("endpoint").cloned().unwrap_or_default(),
            timeout: Duration::from_secs(arguments.get_one("timeout").copied().unwrap_or_default()),
            flags: Flags::from_matches(arguments, &FIELDS),
        }
    }

    pub(super) fn probe(&self, variables: Variables<'_>) -> Result<(), Failure> {
        let address = crate::config::health_check_address(&self.flags, variables)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let asking = service::probe(address, &self.endpoint, self.timeout);
        Ok(runtime.map_err(Failure::Runtime)?.block_on(asking)?)
    }
}
