//! What to sync, and how.

use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::baton::v2::ResourceId;
use crate::c1z::Retention;
use crate::connector::{OptIn, RESOURCE_TYPES, ResourceTypeSpec};
use crate::sync::{SyncDepth, SyncOptions, SyncSelection};

use super::fields;
use super::values::Values;

/// Lists read side by side unless told otherwise. Northflank allows 1000 requests an hour by
/// default, which eight workers at 100 ms a request use up in some 13 seconds: more of them
/// would not finish a large organization sooner, only press the API harder.
pub(super) const AUTOMATIC_WORKERS: NonZeroUsize = NonZeroUsize::new(8).unwrap();

/// How to sync.
pub(super) fn options(values: &mut Values<'_>) -> SyncOptions {
    let resume = !values.switch(fields::NO_RESUME);
    let workers = workers(values);
    let retention = retention(values);
    let selection = Arc::new(selection(values));
    SyncOptions { workers, retention, selection, resume, for_task: None, leave_out_unknown: false }
}

fn workers(values: &mut Values<'_>) -> NonZeroUsize {
    let workers = values.number::<isize>(fields::WORKERS).map(usize::try_from);
    match workers {
        Some(Ok(number)) => NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN),
        // What isn't understood has been noted, and nothing is synced.
        Some(Err(_)) | None => AUTOMATIC_WORKERS,
    }
}

/// How many syncs to keep. As in the reference, none count as unsaid; what isn't understood is
/// a mistake, because it would remove what somebody meant to keep.
fn retention(values: &mut Values<'_>) -> Retention {
    let keeps_all = values.truth("BATON_SKIP_CLEANUP");
    match values.count("BATON_KEEP_SYNC_COUNT") {
        _ if keeps_all => Retention::All,
        Some(count @ 1..) => Retention::Newest(count),
        Some(0) | None => Retention::DEFAULT,
    }
}

/// What to sync, and what to leave out.
pub(super) fn selection(values: &mut Values<'_>) -> SyncSelection {
    let resources_only = values.switch(fields::SKIP_ENTITLEMENTS_AND_GRANTS);
    let without_grants = values.switch(fields::SKIP_GRANTS);
    let depth = match (resources_only, without_grants) {
        (true, _) => SyncDepth::ResourcesOnly,
        (false, true) => SyncDepth::WithoutGrants,
        (false, false) => SyncDepth::Full,
    };
    let teams = values.switch(fields::SYNC_TEAMS);
    let secrets = values.switch(fields::SYNC_SECRETS);
    // No type has a blank, so that blanks separate them wherever they stand.
    let resource_types = values.list(fields::SYNC_RESOURCE_TYPES, |text| {
        let ids = text.split_whitespace().map(|text| own_type(text, secrets).map(|own| own.id));
        ids.collect::<Result<Vec<_>, _>>()
    });
    let resource_types = resource_types.concat();
    let selection =
        SyncSelection { depth, resource_types, teams, secrets, ..SyncSelection::default() };
    let resources = values.list(fields::SYNC_RESOURCES, |text| {
        let id = resource_id(text, secrets)?;
        let is_left_out = !selection.resource_types.is_empty()
            && !selection.types().any(|own| *own.id == *id.resource_type);
        if is_left_out {
            let (types, left_out) = (fields::SYNC_RESOURCE_TYPES.name, id.resource_type);
            return Err(format!("--{types} leaves out all of type {left_out}: name it there too"));
        }
        Ok(id)
    });
    SyncSelection { resources, ..selection }
}

/// The type of this name, if `secrets` don't have to be asked for besides.
fn own_type(text: &str, secrets: bool) -> Result<&'static ResourceTypeSpec, String> {
    let may_be_named = |own: &&&ResourceTypeSpec| secrets || own.opt_in != Some(OptIn::Secrets);
    let own = RESOURCE_TYPES.iter().find(|own| own.id.eq_ignore_ascii_case(text));
    match own {
        Some(own) if may_be_named(&own) => Ok(own),
        Some(own) => Err(format!("{} is synced only with --{}", own.id, fields::SYNC_SECRETS.name)),
        None => {
            let types: Vec<_> =
                RESOURCE_TYPES.iter().filter(may_be_named).map(|own| own.id).collect();
            let (last, others) = types.split_last().unwrap_or((&"", &[]));
            Err(format!("the types are {} and {last}", others.join(", ")))
        }
    }
}

/// Reads `type/id` or `type:id`, or the Go SDK's `bid:r:type/id`.
fn resource_id(text: &str, secrets: bool) -> Result<ResourceId, String> {
    let text = text.strip_prefix("bid:r:").unwrap_or(text);
    match text.split_once(['/', ':']) {
        Some((resource_type, id)) if !id.is_empty() => {
            let own = own_type(resource_type, secrets)?;
            let is_below = own.lists.iter().any(|kind| kind.parent().is_some());
            let parts = id.split_once('/').filter(|(of, own)| !of.is_empty() && !own.is_empty());
            if is_below && parts.is_none() {
                let example = format!("{}/core-infra/admin", own.id);
                return Err(format!(
                    "what belongs to a team is given with its team, such as {example}"
                ));
            }
            Ok(ResourceId { resource_type: own.id.to_owned(), resource: id.to_owned() })
        }
        _ => Err("a resource is given as type/id, such as role/admin".to_owned()),
    }
}
