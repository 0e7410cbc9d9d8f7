//! Service mode, driven by a fake ConductorOne.

mod faults;
mod file_system;
mod health;
mod outages;
mod proxy;
mod reference;
mod session;
mod soak;
mod sync;
mod undelivered;
