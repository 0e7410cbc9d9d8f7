//! Writing: what was read becomes rows, with grants expanded.

use std::collections::{BTreeSet, HashMap, HashSet};

use tokio_util::sync::CancellationToken;

use crate::baton::v2::{Grant, GrantExpandable, Resource};
use crate::c1z::Inserts;
use crate::connector::{
    GROUP, GROUP_MEMBER, GrantBuilder, HeldThrough, RESOURCE_TYPES, ResourceContext, USER,
    entitlement,
};
use crate::northflank::Text;

use super::snapshot::{MemberRef, Snapshot, WithMembers};
use super::{Error, Progress, SyncDepth, SyncSelection};

/// Writes what is selected of everything that was read, by type and id.
pub(super) fn write(
    snapshot: &Snapshot,
    selection: &SyncSelection,
    rows: &mut Inserts<'_>,
    progress: &Progress,
    cancel: &CancellationToken,
) -> Result<(), Error> {
    let creators = creators(snapshot, selection)?;
    RowWriter { snapshot, selection, creators, rows, progress, cancel }.write()
}

struct RowWriter<'sync, 'file> {
    snapshot: &'sync Snapshot,
    selection: &'sync SyncSelection,
    creators: Creators,
    rows: &'sync mut Inserts<'file>,
    progress: &'sync Progress,
    cancel: &'sync CancellationToken,
}

impl<'sync> RowWriter<'sync, '_> {
    fn write(&mut self) -> Result<(), Error> {
        for spec in self.selection.types() {
            self.rows.resource_type(&spec.message())?;
        }
        let selected = self.selected();
        self.resources(&selected)?;
        if self.selection.depth == SyncDepth::ResourcesOnly {
            return Ok(());
        }
        for container in &selected {
            if let Some(spec) = container.row.resource_type().entitlement {
                self.rows.entitlement(&entitlement(spec, &self.resource_of(container)))?;
            }
        }
        if self.selection.depth == SyncDepth::WithoutGrants {
            return Ok(());
        }
        for container in selected {
            self.grants(container)?;
        }
        Ok(())
    }

    /// What is selected of all that people are in, in the order of the ids of their entitlements.
    fn selected(&self) -> Vec<&'sync WithMembers> {
        let is_selected =
            |it: &&WithMembers| self.selection.has_resource(it.resource_type(), it.row.id());
        let mut selected: Vec<_> = self.snapshot.containers().iter().filter(is_selected).collect();
        // Entitlement ids go on with a colon after the resource's id.
        selected.sort_by(|one, other| {
            let [one, other] =
                [one, other].map(|it| (it.resource_type(), it.row.id().bytes().chain([b':'])));
            one.0.cmp(other.0).then_with(|| one.1.cmp(other.1))
        });
        selected
    }

    fn resources(&mut self, selected: &[&WithMembers]) -> Result<(), Error> {
        let snapshot = self.snapshot;
        let mentioned = MentionedResources::by(self.selection, selected, &self.creators);
        for spec in RESOURCE_TYPES {
            for container in snapshot.containers_of(spec.id) {
                let id = container.row.id();
                let is_mentioned = mentioned.containers.contains(&(spec.id, id));
                if self.selection.has_resource(spec.id, id) || is_mentioned {
                    self.resource(&self.resource_of(container))?;
                }
            }
            if spec.id != USER || !self.selection.has_type(spec.id) {
                continue;
            }
            let exists = snapshot.exists();
            for person in snapshot.people().filter(|person| exists[*person as usize]) {
                let is_mentioned = mentioned.people.contains(&person);
                if self.selection.has_resource(spec.id, snapshot.id(person)) || is_mentioned {
                    self.resource(&snapshot.user(person)?)?;
                }
            }
        }
        Ok(())
    }

    /// It as a resource, with what other lists tell of it.
    fn resource_of(&self, container: &WithMembers) -> Resource {
        let parent = container.row.parent();
        let is_synced = |(resource_type, _): &(&str, &Text)| self.selection.has_type(resource_type);
        let row = parent.and_then(|(resource_type, id)| self.snapshot.container(resource_type, id));
        let creator = self.creators.of(container).map(|person| self.snapshot.id(person));
        container.row.resource(&ResourceContext {
            parent_name: row.and_then(|it| it.row.name()).and_then(Text::filled),
            has_parent: parent.as_ref().is_some_and(is_synced),
            members_without_id: container.without_id,
            creator,
        })
    }

    fn resource(&mut self, resource: &Resource) -> Result<(), Error> {
        self.rows.resource(resource)?;
        self.check_cancelled()
    }

    fn check_cancelled(&self) -> Result<(), Error> {
        if self.cancel.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }

    fn grant(&mut self, grant: &Grant, expansion: Option<&GrantExpandable>) -> Result<(), Error> {
        self.rows.grant(grant, expansion)?;
        self.progress.grants.add(1);
        self.check_cancelled()
    }

    /// Who holds a role according to Northflank holds it in the file, exactly: the role's own list
    /// says who, linked groups say through what. Without expansion those who hold it through a
    /// group are left to a reader that expands.
    fn grants(&mut self, container: &WithMembers) -> Result<(), Error> {
        let snapshot = self.snapshot;
        let Some(spec) = container.row.resource_type().entitlement else { return Ok(()) };
        let builder = GrantBuilder::new(spec, container.row.id());
        let linked = self.linked_groups(container);
        for group in &linked {
            let (grant, expandable) = builder.linked_group(group.row.id());
            self.grant(&grant, Some(&expandable))?;
        }
        let mut sources: Vec<_> = linked
            .iter()
            .map(|group| {
                (GrantBuilder::new(&GROUP_MEMBER, group.row.id()), MergeWalk(&group.holders))
            })
            .collect();
        for MemberRef { person, holding } in &container.holders {
            let mut through: Vec<&GrantBuilder> = sources
                .iter_mut()
                .filter_map(|(group, walk)| walk.meets(*person).then_some(&*group))
                .collect();
            let how = match snapshot.reported(*holding) {
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
            self.grant(&builder.user_grant(snapshot.id(*person), how, &through), None)?;
        }
        Ok(())
    }

    /// The linked groups that exist, by id.
    fn linked_groups(&self, container: &WithMembers) -> Vec<&'sync WithMembers> {
        if !self.selection.has_type(GROUP) {
            return Vec::new();
        }
        let role = container.row.id();
        let mut linked = Vec::new();
        let ids: BTreeSet<_> = container.row.linked_groups().iter().collect();
        for id in ids {
            let Some(group) = self.snapshot.container(GROUP, id) else {
                tracing::warn!(
                    role = %role,
                    group = %id,
                    "the role is linked to a directory group that Northflank doesn't list; \
                     its members keep the role, without saying through which group"
                );
                continue;
            };
            let mut walk = MergeWalk(&container.holders);
            let not_holding = group.holders.iter().filter(|it| !walk.meets(it.person)).count();
            if not_holding > 0 {
                tracing::warn!(
                    role = %role,
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

/// What the selected resources name, where those are only some: no row may name a resource that
/// the file lacks.
#[derive(Default)]
struct MentionedResources<'sync> {
    /// Who holds something of them, or made it.
    people: HashSet<u32>,
    /// Linked groups, and what they belong to, by type and id.
    containers: HashSet<(&'static str, &'sync Text)>,
}

impl<'sync> MentionedResources<'sync> {
    fn by(selection: &SyncSelection, selected: &[&'sync WithMembers], creators: &Creators) -> Self {
        if !selection.is_partial() {
            return Self::default();
        }
        let creators = selected.iter().filter_map(|it| creators.of(it));
        let parents = selected.iter().filter_map(|it| it.row.parent());
        let mut mentioned = Self {
            people: creators.collect(),
            containers: parents.filter(|(id, _)| selection.has_type(id)).collect(),
        };
        if selection.depth == SyncDepth::Full {
            let holders = selected.iter().flat_map(|it| &it.holders);
            mentioned.people.extend(holders.map(|holder| holder.person));
            let groups = selected.iter().flat_map(|it| it.row.linked_groups());
            mentioned.containers.extend(groups.map(|id| (GROUP, id)));
        }
        mentioned
    }
}

/// The users who made something, by their addresses in lower case; none whose address several
/// have.
struct Creators(HashMap<String, Option<u32>>);

impl Creators {
    /// Who made something.
    fn of(&self, made: &WithMembers) -> Option<u32> {
        *self.0.get(&made.row.creator_email()?.to_lowercase())?
    }
}

/// Who made what is selected, as far as users are synced and exactly one has shown to own the
/// address.
fn creators(snapshot: &Snapshot, selection: &SyncSelection) -> Result<Creators, Error> {
    let made = snapshot
        .containers()
        .iter()
        .filter(|it| selection.has_resource(it.resource_type(), it.row.id()));
    let wanted: HashSet<_> =
        made.filter_map(|it| it.row.creator_email()).map(str::to_lowercase).collect();
    let mut creators = HashMap::new();
    if wanted.is_empty() || !selection.has_type(USER) {
        return Ok(Creators(creators));
    }
    let exists = snapshot.exists();
    for person in snapshot.people().filter(|person| exists[*person as usize]) {
        let addresses: HashSet<_> = snapshot.verified_addresses(person)?.collect();
        for address in addresses.into_iter().filter(|address| wanted.contains(address)) {
            let others = creators.contains_key(&address);
            creators.insert(address, (!others).then_some(person));
        }
    }
    Ok(Creators(creators))
}
