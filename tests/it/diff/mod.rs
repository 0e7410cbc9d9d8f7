//! What changed between two syncs.

mod changes;
mod conformance;
mod csv;
mod history;
mod hostile;
