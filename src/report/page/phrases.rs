//! What other formats say as well, with each name isolated: on a page a name that runs from right
//! to left turns around what stands beside it.

use crate::report::access::GrantInfo;
use crate::report::access::slug;
use crate::report::model::{EntitlementInfo, isolated};

/// How something is held: `direct and through group Engineering`.
pub(in crate::report) fn way(held: &GrantInfo) -> String {
    held.way.in_words_with(called)
}

/// What is held, and how.
pub(in crate::report) fn what_and_how(held: &GrantInfo) -> String {
    let what = called(&held.given);
    let what =
        slug(held).map_or_else(|| what.clone(), |slug| format!("{what}: {}", isolated(slug)));
    format!("{what}: {}", way(held))
}

/// How something is held, with the entitlement where it says more.
pub(in crate::report) fn slug_and_way(held: &GrantInfo) -> String {
    match slug(held) {
        Some(slug) => format!("{}, {}", isolated(slug), way(held)),
        None => way(held),
    }
}

fn called(given: &EntitlementInfo) -> String {
    let resource = &given.resource.named;
    if resource.resource_type.is_empty() {
        isolated(&given.id).into_owned()
    } else {
        format!("{} {}", isolated(&resource.resource_type), isolated(&resource.distinct_name()))
    }
}
