//! Writing: what was read becomes rows, with grants expanded.

use std::collections::{BTreeSet, HashSet};

use tokio_util::sync::CancellationToken;

use crate::baton::v2::{Grant, GrantExpandable, Resource};
use crate::c1z::Inserts;
use crate::connector::{GROUP, GrantBuilder, HeldThrough, ROLE, USER, entitlement, resource_types};
use crate::connector::{group, role};
use crate::northflank::{DirectoryGroup, Role, Text};

use super::snapshot::{MemberRef, Snapshot, WithMembers};
use super::{Error, Progress, SyncDepth, SyncSelection};

/// Writes what is selected of everything that was read, by type and id.
pub(super) fn write(
    access: &Snapshot,
    selection: &SyncSelection,
    rows: &mut Inserts<'_>,
    progress: &Progress,
    cancel: &CancellationToken,
) -> Result<(), Error> {
    RowWriter { access, selection, rows, progress, cancel }.write()
}

struct RowWriter<'sync, 'file> {
    access: &'sync Snapshot,
    selection: &'sync SyncSelection,
    rows: &'sync mut Inserts<'file>,
    progress: &'sync Progress,
    cancel: &'sync CancellationToken,
}

impl<'sync> RowWriter<'sync, '_> {
    fn write(&mut self) -> Result<(), Error> {
        let types = resource_types().into_iter().filter(|it| self.selection.has_type(&it.id));
        for resource_type in types {
            self.rows.resource_type(&resource_type)?;
        }
        let groups = self.selected(&self.access.groups, GROUP, |row| &row.id);
        let roles = self.selected(&self.access.roles, ROLE, |row| &row.id);
        self.resources(&groups, &roles)?;
        if self.selection.depth == SyncDepth::ResourcesOnly {
            return Ok(());
        }
        for held in &groups {
            self.rows.entitlement(&entitlement(&group(&held.row)))?;
        }
        for held in &roles {
            self.rows.entitlement(&entitlement(&role(&held.row)))?;
        }
        if self.selection.depth == SyncDepth::WithoutGrants {
            return Ok(());
        }
        for group in groups {
            self.grants_of_group(group)?;
        }
        for role in roles {
            self.grants_of_role(role)?;
        }
        Ok(())
    }

    /// The selected roles or groups, in the order of the ids of their entitlements.
    fn selected<'held, T>(
        &self,
        all: &'held [WithMembers<T>],
        resource_type: &str,
        id: impl Fn(&T) -> &Text,
    ) -> Vec<&'held WithMembers<T>> {
        let selected =
            |held: &&WithMembers<T>| self.selection.has_resource(resource_type, id(&held.row));
        let mut selected: Vec<_> = all.iter().filter(selected).collect();
        // Entitlement ids go on with a colon after the resource's id.
        selected.sort_by(|one, other| {
            let [one, other] = [one, other].map(|held| id(&held.row).bytes().chain([b':']));
            one.cmp(other)
        });
        selected
    }

    fn resources(
        &mut self,
        groups: &[&WithMembers<DirectoryGroup>],
        roles: &[&WithMembers<Role>],
    ) -> Result<(), Error> {
        let access = self.access;
        let mentioned = MentionedResources::by(self.selection, groups, roles);
        for held in &access.groups {
            let id = &held.row.id;
            if self.selection.has_resource(GROUP, id) || mentioned.groups.contains(id) {
                self.resource(&group(&held.row))?;
            }
        }
        for held in &access.roles {
            if self.selection.has_resource(ROLE, &held.row.id) {
                self.resource(&role(&held.row))?;
            }
        }
        if !self.selection.has_type(USER) {
            return Ok(());
        }
        let exists = access.exists();
        for person in access.people() {
            let id = access.id(person);
            if exists[person as usize]
                && (self.selection.has_resource(USER, id) || mentioned.people.contains(&person))
            {
                self.resource(&access.user(person)?)?;
            }
        }
        Ok(())
    }

    fn resource(&mut self, resource: &Resource) -> Result<(), Error> {
        self.rows.resource(resource)?;
        self.go_on()
    }

    fn go_on(&self) -> Result<(), Error> {
        if self.cancel.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }

    fn grant(&mut self, grant: &Grant, expansion: Option<&GrantExpandable>) -> Result<(), Error> {
        self.rows.grant(grant, expansion)?;
        self.progress.grants.add(1);
        self.go_on()
    }

    fn grants_of_group(&mut self, group: &WithMembers<DirectoryGroup>) -> Result<(), Error> {
        let entitled = GrantBuilder::new(GROUP, &group.row.id);
        for holder in &group.holders {
            self.grant(&entitled.membership(self.access.id(holder.person)), None)?;
        }
        Ok(())
    }

    /// Who holds the role according to Northflank holds it in the file, exactly: the role's
    /// own list says who, linked groups say through what. Without expansion those who hold it
    /// through a group are left to a reader that expands.
    fn grants_of_role(&mut self, role: &WithMembers<Role>) -> Result<(), Error> {
        let access = self.access;
        let entitled = GrantBuilder::new(ROLE, &role.row.id);
        let linked = self.linked_groups(role);
        for group in &linked {
            let (grant, expandable) = entitled.linked_group(&group.row.id);
            self.grant(&grant, Some(&expandable))?;
        }
        let mut sources: Vec<_> = linked
            .iter()
            .map(|group| (GrantBuilder::new(GROUP, &group.row.id), MergeWalk(&group.holders)))
            .collect();
        for MemberRef { person, holding } in &role.holders {
            let mut through: Vec<&GrantBuilder> = sources
                .iter_mut()
                .filter_map(|(group, walk)| walk.meets(*person).then_some(&*group))
                .collect();
            let how = match access.reported(*holding) {
                None => HeldThrough::Assignment,
                Some(_) if !through.is_empty() => HeldThrough::Groups,
                Some(reported) => HeldThrough::Unexplained(reported),
            };
            if !self.selection.expand {
                if how == HeldThrough::Groups {
                    continue;
                }
                through.clear();
            }
            self.grant(&entitled.user_grant(access.id(*person), how, &through), None)?;
        }
        Ok(())
    }

    /// The role's linked groups that exist, by id.
    fn linked_groups(&self, role: &WithMembers<Role>) -> Vec<&'sync WithMembers<DirectoryGroup>> {
        if !self.selection.has_type(GROUP) {
            return Vec::new();
        }
        let mut linked = Vec::new();
        for id in links(&role.row) {
            let Some(group) = find(&self.access.groups, id) else {
                tracing::warn!(
                    role = %role.row.id,
                    group = %id,
                    "the role is linked to a directory group that Northflank doesn't list; \
                     its members keep the role, without saying through which group"
                );
                continue;
            };
            let mut walk = MergeWalk(&role.holders);
            let not_holding = group.holders.iter().filter(|it| !walk.meets(it.person)).count();
            if not_holding > 0 {
                tracing::warn!(
                    role = %role.row.id,
                    group = %id,
                    count = not_holding,
                    "members of a linked group that Northflank doesn't report as holders of the \
                     role are not given it"
                );
            }
            linked.push(group);
        }
        linked
    }
}

/// The ids of a role's linked groups, each once, by id.
fn links(role: &Role) -> BTreeSet<&Text> {
    role.directory_groups.iter().collect()
}

fn find<'held>(
    groups: &'held [WithMembers<DirectoryGroup>],
    id: &Text,
) -> Option<&'held WithMembers<DirectoryGroup>> {
    let place = groups.binary_search_by(|group| group.row.id.cmp(id));
    place.ok().map(|place| &groups[place])
}

/// Meets holders in order with somebody else's.
struct MergeWalk<'held>(&'held [MemberRef]);

impl MergeWalk<'_> {
    /// Whether `person`, who comes after those asked for before, is there.
    fn meets(&mut self, person: u32) -> bool {
        let before = self.0.partition_point(|holder| holder.person < person);
        self.0 = &self.0[before..];
        self.0.first().is_some_and(|holder| holder.person == person)
    }
}

/// Who holds something of the selected resources, where those are only some: no grant may name
/// a resource that the file lacks.
#[derive(Default)]
struct MentionedResources<'access> {
    people: HashSet<u32>,
    groups: BTreeSet<&'access Text>,
}

impl<'access> MentionedResources<'access> {
    fn by(
        selection: &SyncSelection,
        groups: &[&'access WithMembers<DirectoryGroup>],
        roles: &[&'access WithMembers<Role>],
    ) -> Self {
        if !selection.is_partial() || selection.depth != SyncDepth::Full {
            return Self::default();
        }
        let of_groups = groups.iter().flat_map(|group| &group.holders);
        let of_roles = roles.iter().flat_map(|role| &role.holders);
        Self {
            people: of_groups.chain(of_roles).map(|holder| holder.person).collect(),
            groups: roles.iter().flat_map(|role| &role.row.directory_groups).collect(),
        }
    }
}
