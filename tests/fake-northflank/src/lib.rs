//! A fake Northflank API on loopback, for tests, the demo and benches.
//!
//! - [`Organization`]: the world that is served: built by hand, generated from a seed in any
//!   size, or the demo's.
//! - [`Options`]: how it is served where the real API's behaviour is unknown or varies.
//! - [`FakeNorthflank`]: the server, with what a test needs to see (journal, violations) and
//!   to do (tokens, clock, scripted answers and faults, changes while a sync runs).
//!
//! What it imitates is told in `docs/northflank-api.md`; Northflank's own clients for JavaScript
//! and Python read it in `tests/official_clients.rs`.

mod answer;
mod cursor;
mod delivery;
mod demo;
mod encoding;
mod generate;
mod journal;
mod odd;
mod options;
mod organization;
mod render;
mod route;
mod script;
mod server;
mod state;
mod token;

pub use answer::Answer;
pub use delivery::Delivery;
pub use encoding::Encoding;
pub use generate::Size;
pub use journal::Request;
pub use options::{
    BothTypes, CursorStyle, DeniedAs, Emails, Options, PagingAnchor, Profile, RateHeaders, Schema,
    Times, Whoami, Word,
};
pub use organization::{
    ApiToken, DirectoryUser, Email, Group, Member, Mode, Organization, Projects, RestrictedTeam,
    Restrictions, Role, RoleMember, Team, TeamRole,
};
pub use route::Endpoint;
pub use script::{Action, Rule};
pub use server::FakeNorthflank;
pub use token::{Owner, Permissions, Token};
