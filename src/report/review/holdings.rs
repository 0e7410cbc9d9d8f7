//! Who holds what, a million times over: each grant in a few bytes, by what is held.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::baton::resource_key;
use crate::report::access::{GrantInfo, HeldVia, TypedId};
use crate::report::model::{EntitlementInfo, ResourceInfo};

/// Everything that is held.
#[derive(Default)]
pub(super) struct HoldingIndex {
    /// Who holds something.
    pub(super) principals: Vec<Principal>,
    pub(super) entitlements: Vec<Rc<EntitlementInfo>>,
    pub(super) paths: Vec<Rc<HeldVia>>,
    /// What is held.
    pub(super) resources: Vec<HeldResource>,
    principal_numbers: HashMap<*const ResourceInfo, u32>,
    entitlement_numbers: HashMap<*const EntitlementInfo, (u32, u32)>,
    path_numbers: HashMap<*const HeldVia, u32>,
    principal_keys: HashMap<String, u32>,
    resource_keys: HashMap<String, u32>,
}

/// Who holds something.
pub(super) struct Principal {
    pub(super) of: Rc<ResourceInfo>,
    /// Whether it is a group, which stands for its members and holds nothing itself.
    pub(super) is_group: bool,
    /// Whether it is a user: a person, or another account.
    pub(super) is_user: bool,
}

/// Something that is held, and each of its grants.
pub(super) struct HeldResource {
    pub(super) of: Rc<ResourceInfo>,
    /// Of those who count as holders: everybody but groups. By who, and there by entitlement.
    holders: Vec<Holding>,
    /// Of groups, for their members.
    groups: Vec<Holding>,
}

/// A grant: places of who, of what and of how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Holding {
    pub(super) principal: u32,
    pub(super) entitlement: u32,
    pub(super) path: u32,
}

/// What the type of a principal is.
#[derive(Debug, Clone, Copy)]
pub(super) struct PrincipalType {
    pub(super) is_group: bool,
    pub(super) is_user: bool,
}

impl HoldingIndex {
    /// Adds a grant. What a principal is `type_of` tells, once for each.
    pub(super) fn add(&mut self, grant: &GrantInfo, type_of: impl FnOnce(&str) -> PrincipalType) {
        let principal = self.principal(&grant.principal, type_of);
        let (entitlement, resource) = self.entitlement(&grant.entitlement);
        let paths = &mut self.paths;
        let path = *self.path_numbers.entry(Rc::as_ptr(&grant.path)).or_insert_with(|| {
            paths.push(grant.path.clone());
            number(paths.len())
        });
        let holding = Holding { principal, entitlement, path };
        let is_group = self.principal_at(principal).is_group;
        let resource = &mut self.resources[resource as usize];
        let holdings = if is_group { &mut resource.groups } else { &mut resource.holders };
        holdings.push(holding);
    }

    /// Puts everything in order, when all grants are there.
    pub(super) fn sort(&mut self) {
        for resource in &mut self.resources {
            resource.holders.sort_unstable();
        }
    }

    fn principal(
        &mut self,
        of: &Rc<ResourceInfo>,
        type_of: impl FnOnce(&str) -> PrincipalType,
    ) -> u32 {
        if let Some(place) = self.principal_numbers.get(&Rc::as_ptr(of)) {
            return *place;
        }
        let PrincipalType { is_group, is_user } = type_of(&of.reference.resource_type);
        self.principals.push(Principal { of: of.clone(), is_group, is_user });
        let place = number(self.principals.len());
        self.principal_numbers.insert(Rc::as_ptr(of), place);
        self.principal_keys.insert(of.reference.key(), place);
        place
    }

    fn entitlement(&mut self, entitlement: &Rc<EntitlementInfo>) -> (u32, u32) {
        if let Some(places) = self.entitlement_numbers.get(&Rc::as_ptr(entitlement)) {
            return *places;
        }
        self.entitlements.push(entitlement.clone());
        let resources = &mut self.resources;
        let resource =
            *self.resource_keys.entry(entitlement.resource.reference.key()).or_insert_with(|| {
                let of = entitlement.resource.clone();
                resources.push(HeldResource { of, holders: Vec::new(), groups: Vec::new() });
                number(resources.len())
            });
        let places = (number(self.entitlements.len()), resource);
        self.entitlement_numbers.insert(Rc::as_ptr(entitlement), places);
        places
    }

    /// The grants of the resource of this type and id, if there are any.
    pub(super) fn resource(&self, resource_type: &str, id: &str) -> Option<&HeldResource> {
        let place = self.resource_keys.get(&resource_key(resource_type, id))?;
        Some(&self.resources[*place as usize])
    }

    /// The place of the principal of this type and id, if it holds anything.
    pub(super) fn principal_place(&self, resource_type: &str, id: &str) -> Option<u32> {
        self.principal_keys.get(&resource_key(resource_type, id)).copied()
    }

    /// A principal by its place.
    pub(super) fn principal_at(&self, place: u32) -> &Principal {
        &self.principals[place as usize]
    }

    /// The grants of those who count as holders, of all these resources, by who.
    pub(super) fn holders(&self, resources: &[TypedId]) -> Cow<'_, [Holding]> {
        let found = || resources.iter().filter_map(|(kind, id)| self.resource(kind, id));
        if let [_] | [] = resources {
            return found().next().map_or(&[][..], |resource| &resource.holders).into();
        }
        let mut all: Vec<_> =
            found().flat_map(|resource| resource.holders.iter().copied()).collect();
        all.sort_unstable();
        all.into()
    }

    /// A group that holds this resource and of whose members some don't, and none does through
    /// anything: its grants aren't expanded.
    pub(super) fn unexpanded(&self, resource_type: &str, id: &str) -> Option<&Rc<ResourceInfo>> {
        let HeldResource { holders, groups, .. } = self.resource(resource_type, id)?;
        let is_through =
            |holding: &Holding| !self.paths[holding.path as usize].through().is_empty();
        let holds = |member: &u32| {
            holders.binary_search_by_key(member, |holding| holding.principal).is_ok()
        };
        groups.iter().map(|holding| &self.principal_at(holding.principal).of).find(|group| {
            let members = self.members(group);
            let is_expanded =
                |holding: &Holding| members.contains(&holding.principal) && is_through(holding);
            !members.iter().all(holds) && !holders.iter().any(is_expanded)
        })
    }

    /// Everybody who is in a group, or in one that is in it.
    fn members(&self, group: &ResourceInfo) -> HashSet<u32> {
        let (mut members, mut seen) = (HashSet::new(), HashSet::new());
        let mut next = vec![group];
        while let Some(group) = next.pop() {
            let reference = &group.reference;
            let Some(found) = self.resource(&reference.resource_type, &reference.resource) else {
                continue;
            };
            if seen.insert(Rc::as_ptr(&found.of)) {
                members.extend(found.holders.iter().map(|holding| holding.principal));
                let inner = found.groups.iter().map(|holding| holding.principal);
                next.extend(inner.map(|place| &*self.principal_at(place).of));
            }
        }
        members
    }
}

impl HeldResource {
    /// The grants of those who count as holders.
    pub(super) fn holders(&self) -> &[Holding] {
        &self.holders
    }

    /// Whether anybody holds it but groups for their members.
    pub(super) fn is_held(&self, index: &HoldingIndex) -> bool {
        let mut all = self.holders.iter().chain(&self.groups);
        all.any(|holding| !index.paths[holding.path as usize].is_link())
    }
}

/// The place of what has just been added. A file of more than four billion rows is refused
/// before.
fn number(length: usize) -> u32 {
    u32::try_from(length.saturating_sub(1)).unwrap_or(u32::MAX)
}
