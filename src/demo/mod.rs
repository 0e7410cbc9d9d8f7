//! Marlow Freight, a made-up logistics company that runs on Northflank: served on loopback as
//! Northflank's API would, for whoever has no organization at hand.
//!
//! - `organization.json`: who is in it, what they hold, and their rows as Northflank tells them.
//!   The tests' fake API serves it as well.
//! - `review.yaml`: rules of who may hold what there, of which some are broken: [`RULES`].
//! - [`DemoDay`]: what becomes of it.
//! - [`DemoServer`]: the API, for as long as somebody has it.

mod answer;
mod organization;
mod server;

pub use organization::{DemoDay, NAME};
pub use server::{DemoServer, TOKEN};

/// Rules for the organization, of which some are broken.
pub const RULES: &str = include_str!("review.yaml");
