//! What an id stands for that may be of several kinds.

use super::access_report::AccessReport;
use super::error::Error;
use super::filter::{FilterSearch, TypedId};
use super::filter_kind::FilterKind;

/// The resources that `text` names, of any of these kinds: by id, by type and id, by an e-mail
/// address, or by a name that nothing else of them has.
pub(in crate::report) fn find_any(
    access: &AccessReport,
    kinds: &[FilterKind],
    text: &str,
) -> Result<Vec<TypedId>, Error> {
    let search = |kind| FilterSearch { sync: access.sync(), kinds: access.kinds(), kind };
    let mut found: Vec<TypedId> = Vec::new();
    for kind in kinds {
        for id in search(*kind).find_by_id(text)? {
            if !found.contains(&id) {
                found.push(id);
            }
        }
    }
    if !found.is_empty() {
        return Ok(found);
    }
    let mut unknown = None;
    for kind in kinds {
        match search(*kind).look_around(text) {
            Ok(named) => found.extend(named),
            Err(Error::Unknown { file, kind, text, near }) => {
                let is_nearer = !near.is_empty() || unknown.is_none();
                if is_nearer {
                    unknown = Some(Error::Unknown { file, kind, text, near });
                }
            }
            Err(other) => return Err(other),
        }
    }
    match (&found[..], unknown, kinds) {
        ([], Some(unknown), _) => Err(unknown),
        ([_, _, ..], _, [kind, ..]) => {
            let file = access.sync().sync().file.clone();
            let ids = found.into_iter().map(|(kind, id)| format!("{kind}:{id}")).collect();
            Err(Error::Ambiguous { file, kind: *kind, text: text.to_owned(), ids })
        }
        _ => Ok(found),
    }
}

/// What `text` names: of these kinds as above, or whatever has that type and id.
pub(in crate::report) fn find_resource(
    access: &AccessReport,
    kinds: &[FilterKind],
    text: &str,
) -> Result<Vec<TypedId>, Error> {
    let kind = FilterKind::User;
    let search = FilterSearch { sync: access.sync(), kinds: access.kinds(), kind };
    for (at, _) in text.match_indices([':', '/']) {
        let (resource_type, id) = (&text[..at], &text[at + 1..]);
        if search.is_there(resource_type, id)? {
            return Ok(vec![(resource_type.to_owned(), id.to_owned())]);
        }
    }
    find_any(access, kinds, text)
}
