//! What other formats say as well, with each name isolated: on a page a name that runs from right
//! to left turns around what stands beside it.

use crate::report::access::GrantInfo;
use crate::report::access::slug;
use crate::report::model::{EntitlementInfo, isolated};

/// How something is held: `direct and through group Engineering`.
pub(in crate::report) fn path_in_words(grant: &GrantInfo) -> String {
    grant.path.in_words_with(isolated_label)
}

/// What is held, and how.
pub(in crate::report) fn label_and_path(grant: &GrantInfo) -> String {
    let what = isolated_label(&grant.entitlement);
    let what =
        slug(grant).map_or_else(|| what.clone(), |slug| format!("{what}: {}", isolated(slug)));
    format!("{what}: {}", path_in_words(grant))
}

/// How something is held, with the entitlement where it says more.
pub(in crate::report) fn slug_and_path(grant: &GrantInfo) -> String {
    match slug(grant) {
        Some(slug) => format!("{}, {}", isolated(slug), path_in_words(grant)),
        None => path_in_words(grant),
    }
}

fn isolated_label(entitlement: &EntitlementInfo) -> String {
    let resource = &entitlement.resource.reference;
    if resource.resource_type.is_empty() {
        isolated(&entitlement.id).into_owned()
    } else {
        format!("{} {}", isolated(&resource.resource_type), isolated(&resource.distinct_name()))
    }
}
