//! What people read in every format.

use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

use crate::report::model::{AccountInfo, EntitlementInfo, ResourceInfo};

use super::grant_info::GrantInfo;

/// `1 grant`, `2 grants`.
pub(in crate::report) fn counted(count: usize, one: &str, several: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {several}") }
}

/// Its name and, where it says more, its id; with its type if it needs one.
pub(in crate::report) fn label_with_id(info: &ResourceInfo, with_type: bool) -> String {
    let reference = &info.reference;
    let name = if reference.display_name == reference.resource {
        reference.resource.clone()
    } else {
        format!("{} ({})", reference.display_name, reference.resource)
    };
    if with_type { format!("{} {name}", reference.resource_type) } else { name }
}

/// Whether an account can be used, and that somebody is in a team and not in the organization.
pub(super) fn standing(person: &AccountInfo) -> impl Iterator<Item = String> {
    let outsider = person.is_outsider.then(|| "not in the organization".to_owned());
    person.status.as_ref().map(ToString::to_string).into_iter().chain(outsider)
}

/// Status, standing, address and last login, as far as they are known, and what something is for.
pub(in crate::report) fn facts(info: &ResourceInfo) -> Vec<String> {
    let Some(person) = &info.person else { return vec!["not in the file".to_owned()] };
    let login = person.last_login.map(|time| format!("last login {} UTC", day(time)));
    let facts = standing(person).chain(person.email.clone()).chain(login);
    facts.chain(purpose(info)).collect()
}

/// What something is for, and where it applies, as far as that is known.
pub(in crate::report) fn purpose(info: &ResourceInfo) -> Vec<String> {
    let description = Some(info.description.clone()).filter(|text| !text.is_empty());
    let restrictions = info.restrictions.as_ref().map(ToString::to_string);
    let without_id = counted_without_id(info);
    description.into_iter().chain(restrictions).chain(without_id).collect()
}

/// How many hold it whom the file can't name, if any do.
pub(in crate::report) fn counted_without_id(info: &ResourceInfo) -> Option<String> {
    let count = info.holders_without_id?;
    Some(format!("held by {count} more without an id, who can't be named"))
}

/// Whether nothing says that an account can't be used.
pub(in crate::report) fn is_enabled(person: &AccountInfo) -> bool {
    person.status.as_ref().is_none_or(|status| status.word == Some("enabled"))
}

/// What is held: type and name of its resource, and the entitlement where it says more.
pub(in crate::report) fn what(grant: &GrantInfo) -> String {
    let called = grant.entitlement.label();
    match slug(grant) {
        Some(slug) => format!("{called}: {slug}"),
        None => called,
    }
}

/// The entitlement's name, unless it is just what roles and groups give.
pub(in crate::report) fn slug(grant: &GrantInfo) -> Option<&str> {
    entitlement_slug(&grant.entitlement)
}

/// The same of an entitlement.
pub(in crate::report) fn entitlement_slug(entitlement: &EntitlementInfo) -> Option<&str> {
    let slug = entitlement.slug.as_str();
    (!matches!(slug, "" | "assigned" | "member")).then_some(slug)
}

/// The day of a time, in UTC.
pub(in crate::report) fn day(time: OffsetDateTime) -> String {
    let day = format_description!("[year]-[month]-[day]");
    time.to_offset(UtcOffset::UTC).format(day).unwrap_or_default()
}
