//! Settings: every one once, in a table; what was given as flags, as variables and in the
//! file; and the one valid configuration that comes out of them. Knows of no command.

mod certificates;
mod changes;
mod config;
mod field;
mod fields;
mod file;
mod flags;
mod log;
mod mode;
mod northflank;
mod problems;
mod proxy;
mod quote;
mod sync;
mod telemetry;
mod values;

#[cfg(test)]
mod tests;

pub(super) use certificates::Verifier;
pub(super) use changes::{AfterSync, DiffFormat};
pub(super) use config::{Config, health_check_address, northflank_settings};
pub(super) use field::{Export, Field, Group, Kind};
pub(super) use fields::{FIELDS, HEALTH_CHECK_BIND_ADDRESS, HEALTH_CHECK_PORT, NORTHFLANK_FIELDS};
pub(super) use flags::{Flags, arguments};
pub(super) use log::LogFormat;
pub(super) use mode::{Mode, Service};
pub(super) use problems::Problems;
pub(super) use quote::Secrets;
pub(super) use telemetry::{CollectorTls, Telemetry};
pub(super) use values::Variables;
