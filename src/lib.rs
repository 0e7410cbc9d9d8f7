//! The library below the `baton-northflank` binary. No room knows a floor above its own.
//!
//! | floor | room | what lives there |
//! | --- | --- | --- |
//! | 4 | [`cli`] | flags, environment and file; what a person sees; exit codes |
//! | 4 | [`service`] | the daemon that ConductorOne drives |
//! | 3 | [`sync`] | one sync: validate, read, fold, expand, write; resume |
//! | 3 | [`diff`] | what changed between two syncs |
//! | 3 | [`access`] | who has access to what, and why |
//! | 3 | [`facts`] | what a sync file says, in words: names, facts, how something is held; below `diff` and `access` |
//! | 2 | [`journal`] | what has been read, as it came, safe on disk |
//! | 2 | [`northflank`] | the API: requests, pages, retries, rate budget, models |
//! | 2 | [`demo`] | a made-up organization, served as Northflank's API would |
//! | 2 | [`connector`] | Northflank's objects as baton's messages; no I/O |
//! | 2 | [`c1z`] | the sync file |
//! | 1 | [`baton`] | baton's messages, ids and annotations |
//! | 1 | `disk` | files, directories and locks that are this user's alone |
//! | 1 | [`work`] | the directory for what is unfinished, and its lock |
//! | 1 | `nearest` | what was probably meant by a text that names nothing |
//! | 1 | `causes` | an error and its causes as one line |
//!
//! Data flows one way: Northflank page → typed model → baton message → row → file.

pub mod access;
pub mod baton;
pub mod c1z;
mod causes;
pub mod cli;
pub mod connector;
pub mod demo;
pub mod diff;
mod disk;
pub mod facts;
pub mod journal;
mod nearest;
pub mod northflank;
pub mod service;
pub mod sync;
pub mod work;
