//! The library below the `baton-northflank` binary; see each room for what lives there.
//!
//! Data flows one way: Northflank page → typed model → baton message → row → file.

pub mod baton;
pub mod c1z;
mod causes;
pub mod cli;
pub mod connector;
pub mod diff;
pub mod northflank;
pub mod service;
pub mod sync;
