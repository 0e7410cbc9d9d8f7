//! baton-sdk's compactor merges a later sync of a single group or role into a full sync, as
//! ConductorOne does after a targeted sync: who is new in a group gets the group's roles.

use std::collections::HashSet;
use std::path::PathBuf;

use fake_northflank::{DirectoryUser, FakeNorthflank, Options, Organization, Role, Size};

use crate::harness::TestDir;
use crate::harness::reader::{compacted, rows};

fn organization() -> Organization {
    let size = Size { members: 120, roles: 12, groups: 6, memberships: 600 };
    Organization::generate(5, size)
}

/// A group that roles are linked to.
fn linked_group(organization: &Organization) -> String {
    let linked = organization.roles.iter().find_map(|role| role.directory_groups.first());
    linked.unwrap().clone()
}

/// Somebody who holds nothing that the group gives.
fn newcomer(organization: &Organization, group: &str) -> String {
    let is_linked = |role: &&Role| role.directory_groups.iter().any(|linked| linked == group);
    let linked = organization.roles.iter().filter(is_linked);
    let held: HashSet<&str> =
        linked.flat_map(|role| organization.role_members(role)).map(|member| member.id).collect();
    let newcomer = organization.members.iter().find(|member| !held.contains(&*member.id));
    newcomer.unwrap().id.clone()
}

#[test]
#[ignore = "needs Go; .ci/run has it"]
fn a_newcomer_of_a_group_synced_by_itself_gets_the_groups_roles() {
    let mut changed = organization();
    let group = linked_group(&changed);
    let newcomer = newcomer(&changed, &group);
    let in_group = changed.groups.iter_mut().find(|other| other.id == group).unwrap();
    in_group.users.push(DirectoryUser::Account(newcomer.clone()));
    let linked = changed.roles.iter().filter(|role| role.directory_groups.contains(&group));
    let gained: Vec<_> =
        linked.map(|role| format!("role:{}:assigned:user:{newcomer}", role.id)).collect();
    assert!(!gained.is_empty());
    check(&organization(), &changed, &[], &format!("group/{group}"), &gained);
}

#[test]
#[ignore = "needs Go; .ci/run has it"]
fn a_link_of_a_role_synced_by_itself_brings_the_groups_members() {
    let mut changed = organization();
    let group = linked_group(&changed);
    let member = changed.groups.iter().find(|other| other.id == group).unwrap().accounts().next();
    let member = member.unwrap().to_owned();
    let role = changed
        .roles
        .iter_mut()
        .find(|role| !role.directory_groups.contains(&group) && !role.explicit.contains(&member));
    let role = role.unwrap();
    role.directory_groups.push(group.clone());
    let gained = [
        format!("role:{}:assigned:group:{group}", role.id),
        format!("role:{}:assigned:user:{member}", role.id),
    ];
    let role = role.id.clone();
    check(&organization(), &changed, &[], &format!("role/{role}"), &gained);
}

#[test]
#[ignore = "needs Go; .ci/run has it"]
fn whoever_joins_a_team_synced_by_itself_is_in_it() {
    let before = organization().with_teams(3, 2);
    let mut changed = before.clone();
    changed.teams[1].members.push(DirectoryUser::Account("outsider-0".to_owned()));
    let gained = ["team:team-1:member:user:outsider-0".to_owned()];
    check(&before, &changed, &["--sync-teams"], "team/team-1", &gained);
    let mut changed = before.clone();
    changed.teams[1].roles[0].holders.push(DirectoryUser::Account("outsider-0".to_owned()));
    let gained = ["team-role:team-1/owner:assigned:user:outsider-0".to_owned()];
    check(&before, &changed, &["--sync-teams"], "team-role/team-1/owner", &gained);
}

/// A full sync of `before` merged with one of only `resource` after a change must hold what a full
/// sync after the change does, `gained` among it.
fn check(
    before: &Organization,
    changed: &Organization,
    besides: &[&str],
    resource: &str,
    gained: &[String],
) {
    let fake = FakeNorthflank::start(before.clone(), Options::default()).unwrap();
    let room = TestDir::new();
    let sync = |name: &str, selection: &[&str]| -> PathBuf {
        let file = room.file(name);
        let arguments = [&["--file", name], besides, selection].concat();
        room.connector_to(&fake).arguments(arguments).run().expect_success();
        file
    };
    let before = sync("before.c1z", &[]);
    let now = changed.clone();
    fake.mutate(move |served| served.clone_from(&now));
    let only = sync("only.c1z", &["--sync-resources", resource]);
    let after = sync("after.c1z", &[]);

    let expected = rows(&after);
    for id in gained {
        assert!(expected.contains_key(id) && !rows(&before).contains_key(id), "{id}");
    }
    for engine in ["sqlite", "pebble"] {
        let merged = rows(&compacted(engine, room.path(), &[&before, &only]));
        for (id, row) in &expected {
            assert_eq!(merged.get(id), Some(row), "{engine}: {id}");
        }
        assert_eq!(merged.len(), expected.len(), "{engine}");
    }
}
