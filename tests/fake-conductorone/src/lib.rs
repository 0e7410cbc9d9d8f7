//! A fake ConductorOne on loopback, for tests: the platform that drives self-hosted
//! connectors, with TLS, token endpoint and `BatonService` on one port.
//!
//! - [`Options`]: how it is served.
//! - [`Standalone`]: the server as a program of its own, which hands out syncs by itself.
//! - [`FakeConductorOne`]: the server, with what a test needs to do (hand out tasks, cancel
//!   them, script faults, go down) and to see (uploads, outcomes, calls, violations).
//!
//! What it checks is told in `docs/service-protocol.md`.

mod check;
mod connection;
mod platform;
mod script;
mod service;
mod standalone;
mod state;
mod token;

/// The messages, generated from the connector's `.proto` files.
#[allow(unreachable_pub, clippy::all, clippy::pedantic)]
mod protocol {
    include!(concat!(env!("OUT_DIR"), "/protocol.rs"));
}

pub use platform::{FakeConductorOne, Options};
pub use protocol::c1::connector::v2;
pub use protocol::c1::connectorapi::baton::v1 as api;
pub use script::{Fault, Method, Outage, Rule};
pub use standalone::Standalone;
pub use state::{Call, Ending, Upload};
pub use tonic::Code;
