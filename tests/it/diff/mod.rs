//! What changed between two syncs.

mod changes;
mod conformance;
mod hostile;
