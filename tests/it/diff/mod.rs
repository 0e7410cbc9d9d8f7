//! What changed between two syncs.

mod changes;
mod conformance;
