//! Settings: every one once, in a table; what was given as flags, as variables and in the
//! file; and the one valid configuration that comes out of them. Knows of no command.

mod certificates;
mod diff_after_sync;
mod field;
mod fields;
mod flags;
mod log;
mod northflank;
mod problems;
mod proxy;
mod redact;
mod resolve;
mod run_mode;
mod settings_file;
mod sync;
mod telemetry;
mod values;

#[cfg(test)]
mod tests;

pub(crate) use certificates::Verifier;
pub(crate) use diff_after_sync::{DiffAfterSync, DiffFormat};
pub(crate) use field::{Field, FieldKind, HelpGroup, SchemaExport};
pub(crate) use fields::{
    FIELDS, HEALTH_CHECK_BIND_ADDRESS, HEALTH_CHECK_PORT, NORTHFLANK_FIELDS, SELECTION_FIELDS,
    SYNC_SECRETS,
};
pub(crate) use flags::{Flags, arguments};
pub(crate) use log::LogFormat;
pub(crate) use problems::Problems;
pub(crate) use redact::Secrets;
pub(crate) use resolve::{Config, health_check_address, northflank_settings, syncs_secrets};
pub(crate) use run_mode::RunMode;
pub(crate) use telemetry::{CollectorTls, TelemetryConfig};
pub(crate) use values::Variables;
