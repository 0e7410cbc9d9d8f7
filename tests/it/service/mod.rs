//! Service mode, driven by a fake ConductorOne.

mod faults;
mod file_system;
mod health;
mod logs;
mod metrics;
mod outages;
mod proxy;
mod reference;
mod session;
mod soak;
mod standalone;
mod sync;
mod token_file;
mod undelivered;
