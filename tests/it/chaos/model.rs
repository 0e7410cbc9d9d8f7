//! What a sync file must hold, by the organization that is served and by what was asked for.
//! Knows no pages, no order, and nothing of how the connector works.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use fake_northflank::Organization;

use super::settings::{Depth, Selection};
use crate::harness::expected::{self, ExpectedGrant};
use crate::harness::sync_file::SyncFile;

/// The rows of a sync.
#[derive(Debug)]
struct Rows {
    types: BTreeSet<String>,
    /// What the lists of members, roles and groups have.
    listed: BTreeSet<String>,
    /// These, and whoever holds something.
    resources: BTreeSet<String>,
    entitlements: BTreeSet<String>,
    grants: BTreeMap<String, ExpectedGrant>,
}

impl Rows {
    /// What a sync of `selection` holds of `organization`.
    fn of(organization: &Organization, selection: &Selection) -> Self {
        let Selection { depth, types, resources } = selection;
        let has_type = |of: &str| types.is_empty() || types.contains(of);
        let is_selected = |of: &'static str, id: &str| {
            has_type(of) && (resources.is_empty() || resources.contains(&(of, id.to_owned())))
        };
        let known = if has_type("group") { organization } else { &unlinked(organization) };
        let groups = known.groups.iter().map(|group| group.id.as_str());
        let groups: BTreeSet<&str> = groups.filter(|id| is_selected("group", id)).collect();
        let roles = known.roles.iter().filter(|role| is_selected("role", &role.id));
        let roles: Vec<_> = roles.collect();

        let member = groups.iter().map(|id| format!("group:{id}:member"));
        let assigned = roles.iter().map(|role| format!("role:{}:assigned", role.id));
        let entitlements: BTreeSet<String> = member.chain(assigned).collect();
        let mut grants = expected::grants(known);
        grants.retain(|_, grant| {
            *depth == Depth::Everything
                && entitlements.contains(&grant.entitlement)
                && has_type(&grant.principal.0)
        });

        let listed = known.members.iter().filter(|member| member.listed);
        let listed = listed.map(|member| member.id.as_str());
        let listed: BTreeSet<String> = listed
            .filter(|id| is_selected("user", id))
            .map(|id| format!("user:{id}"))
            .chain(groups.iter().map(|id| format!("group:{id}")))
            .chain(roles.iter().map(|role| format!("role:{}", role.id)))
            .collect();
        // Whoever holds something is there.
        let mut all = listed.clone();
        let holders = grants.values().map(|grant| &grant.principal);
        all.extend(holders.map(|(of, id)| format!("{of}:{id}")));
        // A role says which groups it is linked to, even where nobody's grants are asked for.
        Self {
            types: ["group", "role", "user"]
                .into_iter()
                .filter(|of| has_type(of))
                .map(str::to_owned)
                .collect(),
            listed,
            resources: all,
            entitlements: if *depth == Depth::ResourcesOnly {
                BTreeSet::new()
            } else {
                entitlements
            },
            grants,
        }
    }

    /// The users among those who hold an entitlement.
    fn held_by_users(&self, entitlement: &str) -> BTreeSet<String> {
        let held = self.grants.values().filter(|grant| grant.entitlement == entitlement);
        let users = held.filter(|grant| grant.principal.0 == "user");
        users.map(|grant| grant.principal.1.clone()).collect()
    }

    /// The rows of a file's newest sync.
    fn read(file: &SyncFile) -> Self {
        let rows = |table: &str| {
            file.column(&format!(
                "select external_id from v1_{table} where sync_id =
                 (select sync_id from v1_sync_runs order by ended_at desc limit 1)"
            ))
        };
        let read = Self {
            types: rows("resource_types").into_iter().collect(),
            listed: BTreeSet::new(),
            resources: file.resource_keys(),
            entitlements: rows("entitlements").into_iter().collect(),
            grants: file.grants(),
        };
        assert_eq!(rows("resource_types").len(), read.types.len(), "a type stands there twice");
        assert_eq!(rows("resources").len(), read.resources.len(), "a resource stands there twice");
        assert_eq!(rows("entitlements").len(), read.entitlements.len(), "an entitlement twice");
        assert_eq!(rows("grants").len(), read.grants.len(), "a grant stands there twice");
        read
    }
}

/// Whoever holds an entitlement, one whole reading of the list said so.
fn assert_read_whole(entitlement: &str, found: &Rows, states: &[Rows]) {
    let users = found.held_by_users(entitlement);
    let of = |rows: &Rows| rows.held_by_users(entitlement);
    // Only states that had it could be read; a deletion may come in between.
    let readings = states.windows(2).chain(states.iter().map(std::slice::from_ref));
    let is_told = readings
        .filter(|reading| reading.iter().any(|rows| rows.entitlements.contains(entitlement)));
    let mut is_told = is_told.map(|reading| {
        let having = reading.iter().filter(|rows| rows.entitlements.contains(entitlement));
        let sets: Vec<_> = having.map(of).collect();
        let (always, ever) = always_and_ever(sets.iter());
        always.is_subset(&users) && users.is_subset(&ever)
    });
    assert!(
        is_told.any(|is_told| is_told),
        "{entitlement} is held by {users:?}, which no reading of it said; in the states {:?}",
        states.iter().map(of).collect::<Vec<_>>()
    );
}

/// What is in all of these sets, and what is in any.
fn always_and_ever<'sets>(
    mut sets: impl Iterator<Item = &'sets BTreeSet<String>>,
) -> (BTreeSet<String>, BTreeSet<String>) {
    let first = sets.next().unwrap();
    sets.fold((first.clone(), first.clone()), |(always, ever), next| (&always & next, &ever | next))
}

/// The organization for whoever doesn't ask for groups: nobody can tell through which of them
/// somebody holds a role.
fn unlinked(organization: &Organization) -> Organization {
    let mut unlinked = organization.clone();
    for (role, linked) in unlinked.roles.iter_mut().zip(&organization.roles) {
        let holders = organization.role_members(linked);
        let implicit = holders.iter().filter(|holder| !holder.explicit);
        role.unexplained = implicit.map(|holder| holder.id.to_owned()).collect();
        role.directory_groups.clear();
    }
    unlinked
}

/// What the newest sync of a file must hold.
#[derive(Debug, Clone)]
pub(super) struct Truth {
    /// The organization as it was served, one state after the other, to this run and to those that
    /// it may go on from. Who holds a role or is in a group is told by one whole reading of its
    /// list, in one of these states or while one became the next.
    pub(super) states: Vec<Organization>,
    /// The first of them that this run may have seen. Members, roles and groups are read anew by
    /// each run: what is in all of them since is in the file, and what is in none of them is not.
    pub(super) since: usize,
    pub(super) selection: Selection,
}

impl Truth {
    pub(super) fn assert_holds(&self, path: &Path) {
        let file = SyncFile::open(path);
        let found = Rows::read(&file);
        let states: Vec<_> =
            self.states.iter().map(|state| Rows::of(state, &self.selection)).collect();
        let seen = &states[self.since..];
        let among = |what: &str, found: &BTreeSet<String>, of: fn(&Rows) -> &BTreeSet<String>| {
            let (always, ever) = always_and_ever(seen.iter().map(of));
            let missing: Vec<_> = always.difference(found).collect();
            let invented: Vec<_> = found.difference(&ever).collect();
            assert!(
                missing.is_empty() && invented.is_empty(),
                "{what}: missing {missing:?}, invented {invented:?}"
            );
        };
        let holders: BTreeSet<String> = found
            .grants
            .values()
            .map(|grant| format!("{}:{}", grant.principal.0, grant.principal.1))
            .collect();
        // Whoever holds something is there; who doesn't is listed.
        let unheld: BTreeSet<String> = found.resources.difference(&holders).cloned().collect();
        let (always, _) = always_and_ever(seen.iter().map(|rows| &rows.listed));
        let listed = &always | &unheld;
        among("listed resources", &listed, |rows| &rows.listed);
        let missing: Vec<_> = always.difference(&found.resources).collect();
        assert!(missing.is_empty(), "listed resources: missing {missing:?}");
        among("types", &found.types, |rows| &rows.types);
        among("entitlements", &found.entitlements, |rows| &rows.entitlements);
        let entitlements = found.entitlements.iter();
        for entitlement in entitlements.filter(|_| self.selection.depth == Depth::Everything) {
            assert_read_whole(entitlement, &found, &states);
        }
        for (id, grant) in &states[0].grants {
            if states.iter().all(|rows| rows.grants.get(id) == Some(grant)) {
                assert_eq!(&found.grants[id], grant, "{id}");
            }
        }
        // Nothing dangles.
        for (id, grant) in &found.grants {
            assert!(found.entitlements.contains(&grant.entitlement), "{id} of no entitlement");
            let (of, principal) = &grant.principal;
            assert!(found.resources.contains(&format!("{of}:{principal}")), "{id} to nobody");
        }
        self.assert_counted(&file, &found);
    }

    /// The sync says of itself what it is and how much it holds.
    fn assert_counted(&self, file: &SyncFile, found: &Rows) {
        let newest = "from v1_sync_runs order by ended_at desc limit 1";
        let kind = file.column(&format!("select sync_type {newest}"));
        let expected = match (&self.selection, self.selection.resources.is_empty()) {
            (_, false) => "partial",
            (Selection { depth: Depth::ResourcesOnly, .. }, _) => "resources_only",
            _ => "full",
        };
        assert_eq!(kind, [expected]);
        let stats = file.column(&format!("select stats {newest}"));
        let stats: serde_json::Value = serde_json::from_str(&stats[0]).unwrap();
        assert_eq!(stats["resources"], found.resources.len());
        assert_eq!(stats["entitlements"], found.entitlements.len());
        assert_eq!(stats["grants"], found.grants.len());
    }
}
