//! What people, programs and ConductorOne see of the connector, asked of the real binary: a
//! module for each behaviour.
//!
//! One crate, so that it is linked once and that tests which wait do so side by side.

mod access;
mod architecture;
#[cfg(target_os = "linux")]
mod chaos;
mod command_line;
#[cfg(unix)]
mod demo;
mod describe;
mod diff;
mod documents;
mod exit_codes;
mod harness;
#[cfg(target_os = "linux")]
mod output;
#[cfg(target_os = "linux")]
mod pipelines;
#[cfg(target_os = "linux")]
mod release;
mod review;
mod secrets;
mod service;
mod sync;
mod telemetry;
mod terminal;
mod text;
