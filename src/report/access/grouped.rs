//! Access in an order that people read: by person, or by what is held.

use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

use crate::report::model::{ResourceInfo, ResourceRef};

use super::access_report::AccessReport;
use super::error::Error;
use super::grant_info::GrantInfo;
use super::labels::counted;

/// All that was asked for, grouped.
pub(in crate::report) struct GroupedAccess {
    /// Whether groups are of people, or else of what is held.
    pub(in crate::report) by_person: bool,
    pub(in crate::report) parts: Vec<AccessGroup>,
    /// What of all that there is was asked for, if not all of it: `of role Owner`.
    narrowed_to: Option<String>,
    grants: usize,
    /// How many people, and how many others such as groups, hold them.
    people: usize,
    others: usize,
}

/// One person, role, group or other resource.
pub(in crate::report) struct AccessGroup {
    /// Who or what.
    pub(in crate::report) of: Rc<ResourceInfo>,
    /// What is held, or who holds it. May be nothing.
    pub(in crate::report) grants: Vec<GrantInfo>,
}

impl GroupedAccess {
    /// Reads and sorts it.
    pub(in crate::report) fn new(access: &AccessReport) -> Result<Self, Error> {
        let by_person = access.selection().is_by_person();
        let mut parts: BTreeMap<SortKey, AccessGroup> = BTreeMap::new();
        let mut grants = 0;
        let (mut people, mut others) = (HashSet::new(), HashSet::new());
        access.each_grant(|row| {
            let grant = row.grant;
            let resource = &grant.entitlement.resource;
            let of = if by_person { &grant.principal } else { resource };
            let part = parts
                .entry(sort_key(access, &of.reference))
                .or_insert_with(|| AccessGroup { of: of.clone(), grants: Vec::new() });
            part.grants.push(grant.clone());
            grants += 1;
            let is_person = access.traits().of(&grant.principal.reference.resource_type).user;
            let holders = if is_person { &mut people } else { &mut others };
            holders.insert(Rc::as_ptr(&grant.principal));
            Ok(())
        })?;
        access.each_resource(|info, _| {
            if access.traits().of(&info.reference.resource_type).user == by_person {
                parts
                    .entry(sort_key(access, &info.reference))
                    .or_insert_with(|| AccessGroup { of: info.clone(), grants: Vec::new() });
            }
            Ok(())
        })?;
        let mut parts: Vec<_> = parts.into_values().collect();
        for part in &mut parts {
            part.grants.sort_by_cached_key(|grant| {
                let other = if by_person { &grant.entitlement.resource } else { &grant.principal };
                (sort_key(access, &other.reference), grant.entitlement.slug.clone())
            });
        }
        let (people, others) = (people.len(), others.len());
        let narrowed_to = narrowed_to(access)?;
        Ok(Self { by_person, parts, narrowed_to, grants, people, others })
    }

    /// `words`, of what was asked for: `holds nothing`, or `holds nothing of role Owner`.
    pub(in crate::report) fn narrowed(&self, words: &str) -> String {
        let narrowed_to = self.narrowed_to.as_ref().map(|of| format!(" {of}"));
        format!("{words}{}", narrowed_to.unwrap_or_default())
    }

    /// How much it is, in a sentence.
    pub(in crate::report) fn summary(&self) -> String {
        let grants = counted(self.grants, "grant", "grants");
        let holders = [(self.people, "person", "people"), (self.others, "other", "others")];
        let holders: Vec<_> = holders
            .into_iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(count, one, several)| counted(count, one, several))
            .collect();
        let summary = if holders.is_empty() {
            grants
        } else {
            format!("{grants}, held by {}", holders.join(" and "))
        };
        let idle = self.parts.iter().filter(|part| part.grants.is_empty()).count();
        match (self.by_person, idle) {
            (_, 0) => summary,
            (true, 1) => self.narrowed(&format!("{summary}; 1 person holds nothing")),
            (true, _) => self.narrowed(&format!("{summary}; {idle} people hold nothing")),
            (false, _) => self.narrowed(&format!("{summary}; {idle} held by nobody")),
        }
    }
}

/// `of role Owner`, of a person; `through group On call`, of a role: somebody who holds none of
/// this may hold something else.
fn narrowed_to(access: &AccessReport) -> Result<Option<String>, Error> {
    let (roles, groups) = access.selection().narrowed_to();
    let called = |ids| Ok::<_, Error>(access.labels(ids)?.join(" or "));
    let (of, through) = (called(roles)?, called(groups)?);
    Ok(match (roles, groups) {
        ([], []) => None,
        (_, []) => Some(format!("of {of}")),
        ([], _) if access.selection().is_by_person() => Some(format!("of or through {through}")),
        ([], _) => Some(format!("through {through}")),
        _ => Some(format!("of {of} through {through}")),
    })
}

/// Where a resource stands: people first, then groups, roles and the rest; there by type and name.
pub(in crate::report) type SortKey = (u8, String, String, String);

pub(in crate::report) fn sort_key(access: &AccessReport, reference: &ResourceRef) -> SortKey {
    let traits = access.traits().of(&reference.resource_type);
    let order = match () {
        () if traits.user => 0,
        () if traits.group => 1,
        () if traits.role => 2,
        () => 3,
    };
    (
        order,
        reference.resource_type.clone(),
        reference.display_name.to_lowercase(),
        reference.resource.clone(),
    )
}
