//! What a sync file tells people: who has access to what and why, and what changed.
//!
//! | room | what it does |
//! | --- | --- |
//! | `model` | baton's nouns as a file tells of them: names, attributes, how a grant is held |
//! | `access` | who has what, as table, JSON, CSV or Markdown |
//! | `findings` | what is worth a look in it, one list with stable ids |
//! | `page` | the same as one page for a review |
//! | `review` | what of it breaks rules |
//! | `diff` | what changed between two syncs |
//!
//! For files of any connector: what is known of one stands in `model/profile_keys.rs`.

pub mod access;
pub mod diff;
pub mod findings;
pub mod model;
pub mod page;
pub mod review;
