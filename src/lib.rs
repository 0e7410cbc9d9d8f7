//! The library below the `baton-northflank` binary. No room knows a floor above its own.
//!
//! | floor | room | what lives there |
//! | --- | --- | --- |
//! | 4 | [`cli`] | commands, what a person sees, exit codes |
//! | 4 | `config` | flags, environment and file as one valid configuration |
//! | 4 | [`service`] | the daemon that ConductorOne drives |
//! | 3 | [`sync`] | one sync: preflight, read, snapshot, expand, write; resume |
//! | 3 | [`report`] | what a sync file tells people: access, changes |
//! | 2 | [`northflank`] | the API: requests, pages, retries, rate limit, models |
//! | 2 | [`demo`] | a made-up organization, served as Northflank's API would |
//! | 2 | [`connector`] | Northflank's objects as baton's messages; no I/O |
//! | 2 | [`c1z`] | the sync file |
//! | 1 | [`work_dir`] | the directory for what is unfinished: its lock, its journal |
//! | 1 | [`baton`] | baton's messages, ids and annotations |
//! | 1 | `private_fs` | files, directories and locks that are this user's alone |
//! | 1 | `suggest` | what was probably meant by a text that names nothing |
//! | 1 | `digest` | SHA-256, and bytes as hex digits |
//! | 1 | `error_chain` | an error and its causes as one line |
//! | 1 | [`exit_code`] | the number that a process ends with |
//!
//! Data flows one way: Northflank page → typed model → baton message → row → file.

#![cfg_attr(not(test), warn(clippy::disallowed_macros, clippy::disallowed_methods))]

pub mod baton;
pub mod c1z;
pub mod cli;
mod config;
pub mod connector;
pub mod demo;
mod digest;
mod error_chain;
pub mod exit_code;
pub mod northflank;
mod private_fs;
pub mod report;
pub mod service;
mod suggest;
pub mod sync;
pub mod work_dir;
