//! What a sync file must hold, by the organization that is served and by what was asked for.
//! Knows no pages, no order, and nothing of how the connector works.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use fake_northflank::Organization;

use super::settings::{Depth, Selection};
use crate::harness::expected::{self, ExpectedGrant};
use crate::harness::sync_file::SyncFile;

/// Keys of what teams have, by its type and the team's id.
type BelowTeams = BTreeMap<(&'static str, String), BTreeSet<String>>;

/// The rows of a sync.
#[derive(Debug)]
struct Rows {
    types: BTreeSet<String>,
    /// What the lists of members, roles, groups, teams and the organization's own tokens have.
    listed: BTreeSet<String>,
    /// What the lists of each team have.
    below: BelowTeams,
    /// These, and whoever holds something.
    resources: BTreeSet<String>,
    entitlements: BTreeSet<String>,
    grants: BTreeMap<String, ExpectedGrant>,
}

impl Rows {
    /// What a sync of `selection` holds of `organization`.
    fn of(organization: &Organization, selection: &Selection) -> Self {
        let Selection { depth, resources, .. } = selection;
        let has_type = |of: &str| selection.has_type(of);
        let is_selected = |of: &'static str, id: &str| {
            has_type(of) && (resources.is_empty() || resources.contains(&(of, id.to_owned())))
        };
        let known = if has_type("group") { organization } else { &unlinked(organization) };
        let groups = known.groups.iter().map(|group| group.id.as_str());
        let groups: BTreeSet<&str> = groups.filter(|id| is_selected("group", id)).collect();
        let roles = known.roles.iter().filter(|role| is_selected("role", &role.id));
        let roles: Vec<_> = roles.collect();
        let teams = known.teams.iter().map(|team| team.id.as_str());
        let teams: BTreeSet<&str> = teams.filter(|id| is_selected("team", id)).collect();
        let (below, tokens) = Self::below_teams(known, &is_selected);

        let member = groups.iter().map(|id| format!("group:{id}:member"));
        let assigned = roles.iter().map(|role| format!("role:{}:assigned", role.id));
        let of_teams = teams.iter().map(|id| format!("team:{id}:member"));
        let team_roles = below.values().flatten().filter(|key| key.starts_with("team-role:"));
        let of_team_roles = team_roles.map(|key| format!("{key}:assigned"));
        let entitlements: BTreeSet<String> =
            member.chain(assigned).chain(of_teams).chain(of_team_roles).collect();
        let mut grants = expected::grants_with_teams(known);
        grants.retain(|_, grant| {
            *depth == Depth::Everything
                && entitlements.contains(&grant.entitlement)
                && has_type(&grant.principal.0)
        });

        let listed = known.members.iter().filter(|member| member.listed);
        let listed = listed.map(|member| member.id.as_str());
        // What something belongs to that is asked for is there, where teams are at all.
        let parents = below.iter().filter(|(_, keys)| has_type("team") && !keys.is_empty());
        let listed: BTreeSet<String> = listed
            .filter(|id| is_selected("user", id))
            .map(|id| format!("user:{id}"))
            .chain(groups.iter().map(|id| format!("group:{id}")))
            .chain(roles.iter().map(|role| format!("role:{}", role.id)))
            .chain(teams.iter().map(|id| format!("team:{id}")))
            .chain(parents.map(|((_, team), _)| format!("team:{team}")))
            .chain(tokens)
            .collect();
        // Whoever holds something is there.
        let mut all = listed.clone();
        let holders = grants.values().map(|grant| &grant.principal);
        all.extend(holders.map(|(of, id)| format!("{of}:{id}")));
        // A role says which groups it is linked to, even where nobody's grants are asked for.
        let types = ["api-token", "group", "role", "team", "team-role", "user"];
        Self {
            types: types.into_iter().filter(|of| has_type(of)).map(str::to_owned).collect(),
            listed,
            below,
            resources: all,
            entitlements: if *depth == Depth::ResourcesOnly {
                BTreeSet::new()
            } else {
                entitlements
            },
            grants,
        }
    }

    /// The keys of what is selected of the roles and API tokens of each team, and of the
    /// organization's own tokens.
    fn below_teams(
        organization: &Organization,
        is_selected: &impl Fn(&'static str, &str) -> bool,
    ) -> (BelowTeams, Vec<String>) {
        let mut below = BelowTeams::new();
        for team in &organization.teams {
            let roles = team.roles.iter().map(|role| format!("{}/{}", team.id, role.id));
            let roles = roles.filter(|id| is_selected("team-role", id));
            let roles = roles.map(|id| format!("team-role:{id}")).collect();
            below.insert(("team-role", team.id.clone()), roles);
            below.insert(("api-token", team.id.clone()), BTreeSet::new());
        }
        let mut own = Vec::new();
        for key in expected::tokens(organization) {
            let id = key.strip_prefix("api-token:").unwrap();
            if !is_selected("api-token", id) {
                continue;
            }
            let (owner, _) = id.split_once('/').unwrap();
            match below.get_mut(&("api-token", owner.to_owned())) {
                Some(of_team) => drop(of_team.insert(key)),
                None => own.push(key),
            }
        }
        (below, own)
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
        let resources = file.resource_keys();
        let mut below = BelowTeams::new();
        for (team, key) in resources.iter().filter_map(|key| Some((team_of(key)?, key))) {
            below.entry(team).or_default().insert(key.clone());
        }
        let read = Self {
            types: rows("resource_types").into_iter().collect(),
            listed: BTreeSet::new(),
            below,
            resources,
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

/// The type and team of what belongs to a team.
fn team_of(key: &str) -> Option<(&'static str, String)> {
    let (of, id) = key.split_once(':')?;
    let of = ["team-role", "api-token"].into_iter().find(|it| *it == of)?;
    let (team, _) = id.split_once('/')?;
    (team != "@organization").then(|| (of, team.to_owned()))
}

/// What a team has, one whole reading of its list said so, but for what is gone by now.
fn assert_list_read_whole(
    list: &(&'static str, String),
    found: &Rows,
    states: &[Rows],
    seen: &[Rows],
) {
    let none = BTreeSet::new();
    let of = |rows: &Rows| rows.below.get(list).unwrap_or(&none).clone();
    let found = of(found);
    let (still, _) = always_and_ever(seen.iter().map(of).collect::<Vec<_>>().iter());
    let readings = states.windows(2).chain(states.iter().map(std::slice::from_ref));
    let mut is_told = readings.map(|reading| {
        let having = reading.iter().filter(|rows| rows.below.contains_key(list));
        let sets: Vec<_> = having.map(of).collect();
        if sets.is_empty() {
            return false;
        }
        let (always, ever) = always_and_ever(sets.iter());
        (&always & &still).is_subset(&found) && found.is_subset(&ever)
    });
    assert!(
        is_told.any(|is_told| is_told),
        "{list:?} has {found:?}, which no reading of it said; in the states {:?}",
        states.iter().map(of).collect::<Vec<_>>()
    );
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
    /// The first of them that this run may have seen. Members, roles, groups, teams and the
    /// organization's own tokens are read anew by each run: what is in all of them since is in the
    /// file, and what is in none of them is not.
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
        // Whoever holds something is there, or made it; who doesn't is listed.
        let creators = self.creators();
        let is_told_elsewhere = |key: &String| {
            holders.contains(key) || team_of(key).is_some() || creators.contains(key)
        };
        let unheld = found.resources.iter().filter(|key| !is_told_elsewhere(key));
        let unheld: BTreeSet<String> = unheld.cloned().collect();
        let (always, _) = always_and_ever(seen.iter().map(|rows| &rows.listed));
        let listed = &always | &unheld;
        among("listed resources", &listed, |rows| &rows.listed);
        let missing: Vec<_> = always.difference(&found.resources).collect();
        assert!(missing.is_empty(), "listed resources: missing {missing:?}");
        among("types", &found.types, |rows| &rows.types);
        for list in states.iter().flat_map(|rows| rows.below.keys()).chain(found.below.keys()) {
            assert_list_read_whole(list, &found, &states, seen);
        }
        self.assert_entitled(&found, seen);
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
        let parents = "select distinct parent_resource_type_id || ':' || parent_resource_id
            from v1_resources where parent_resource_id is not null and sync_id =
            (select sync_id from v1_sync_runs order by ended_at desc limit 1)";
        for parent in file.column(parents) {
            assert!(found.resources.contains(&parent), "{parent}, which something belongs to");
        }
        for (id, grant) in &found.grants {
            assert!(found.entitlements.contains(&grant.entitlement), "{id} of no entitlement");
            let (of, principal) = &grant.principal;
            assert!(found.resources.contains(&format!("{of}:{principal}")), "{id} to nobody");
        }
        self.assert_counted(&file, &found);
    }

    /// Each resource that gives something says so, and no other.
    fn assert_entitled(&self, found: &Rows, seen: &[Rows]) {
        let of_team_roles = |of: &BTreeSet<String>| -> [BTreeSet<String>; 2] {
            let (theirs, others) = of.iter().cloned().partition(|it| it.starts_with("team-role:"));
            [theirs, others]
        };
        let [theirs, others] = of_team_roles(&found.entitlements);
        let sets = seen.iter().map(|rows| of_team_roles(&rows.entitlements)[1].clone());
        let (always, ever) = always_and_ever(sets.collect::<Vec<_>>().iter());
        assert!(
            always.is_subset(&others) && others.is_subset(&ever),
            "entitlements: {others:?}, of {always:?} to {ever:?}"
        );
        let roles = found.below.values().flatten().filter(|key| key.starts_with("team-role:"));
        let roles = roles.filter(|_| self.selection.depth != Depth::ResourcesOnly);
        assert_eq!(theirs, roles.map(|key| format!("{key}:assigned")).collect());
    }

    /// Whoever may have made a token: where only some resources are asked for, they come with it.
    fn creators(&self) -> BTreeSet<String> {
        if self.selection.resources.is_empty() || !self.selection.secrets {
            return BTreeSet::new();
        }
        let members = self.states.iter().flat_map(|state| &state.members);
        let owning = members.filter(|member| member.emails.iter().any(|email| email.verified));
        owning.map(|member| format!("user:{}", member.id)).collect()
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
