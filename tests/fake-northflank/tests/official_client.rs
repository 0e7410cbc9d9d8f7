//! Northflank's own JavaScript client reads the fake, and finds the whole organization.
//!
//! Needs Node and `npm ci --prefix tests/js-client`, which `.ci/run` does.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use fake_northflank::{
    BothTypes, CursorStyle, DirectoryUser, FakeNorthflank, Options, Organization, Profile, Size,
};
use serde_json::Value;

/// What the client lists of an organization that is served by `options`.
fn list(organization: &Organization, options: Options) -> Value {
    let fake = FakeNorthflank::start(organization.clone(), options).unwrap();
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("../js-client");
    let output = Command::new("node")
        .current_dir(client)
        .args(["list.mjs", &fake.origin(), fake.token()])
        .output()
        .expect("node is needed; see .ci/run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn ids(rows: &Value) -> Vec<Option<&str>> {
    rows.as_array().unwrap().iter().map(|row| row["id"].as_str()).collect()
}

/// Everything that the organization holds is listed, once each, in its order.
fn check(organization: &Organization, options: Options) {
    let both_types = options.both_types;
    let listed = list(organization, options);
    let members = organization.members.iter().filter(|member| member.listed);
    let expected: Vec<_> = members.clone().map(|member| Some(member.id.as_str())).collect();
    assert_eq!(ids(&listed["members"]), expected);
    for (row, member) in listed["members"].as_array().unwrap().iter().zip(members) {
        assert_eq!(row["name"].as_str(), member.name.as_deref());
        assert_eq!(row["finalized"], member.finalized);
        assert_eq!(row["joinedAt"].as_str(), member.joined_at.as_deref());
        let emails = row["emails"].as_array().unwrap().iter();
        let emails: Vec<_> =
            emails.map(|email| (&email["address"], email["verified"] == true)).collect();
        let expected = member.emails.iter().map(|email| (email.address.as_str(), email.verified));
        assert!(
            emails.iter().map(|(address, known)| (address.as_str().unwrap(), *known)).eq(expected)
        );
    }

    let expected: Vec<_> = organization.roles.iter().map(|role| Some(role.id.as_str())).collect();
    assert_eq!(ids(&listed["roles"]), expected);
    for (row, role) in listed["roles"].as_array().unwrap().iter().zip(&organization.roles) {
        assert_eq!(row["name"], role.name.as_str());
        assert_eq!(row["restrictions"]["enabled"], role.restrictions.enabled);
        let linked = row["directoryGroups"].as_array().map_or(&[][..], Vec::as_slice);
        assert!(linked.iter().map(|id| id.as_str().unwrap()).eq(&role.directory_groups));
        let rows = listed["roleMembers"][&role.id].as_array().unwrap();
        let served: BTreeSet<_> = rows
            .iter()
            .map(|row| (row["id"].as_str().unwrap(), row["type"].as_str().unwrap()))
            .collect();
        assert_eq!(served.len(), rows.len(), "no row twice");
        let holders = organization.role_members(role);
        let expected: BTreeSet<_> = holders
            .iter()
            .flat_map(|holder| {
                let implicit =
                    holder.implicit && (!holder.explicit || both_types == BothTypes::TwoRows);
                let explicit = holder.explicit.then_some((holder.id, "explicit"));
                explicit.into_iter().chain(implicit.then_some((holder.id, "implicit")))
            })
            .collect();
        assert_eq!(served, expected, "{}", role.id);
    }

    let expected: Vec<_> =
        organization.groups.iter().map(|group| Some(group.id.as_str())).collect();
    assert_eq!(ids(&listed["groups"]), expected);
    for (row, group) in listed["groups"].as_array().unwrap().iter().zip(&organization.groups) {
        assert_eq!((&row["name"], &row["idpId"]), (&(*group.name).into(), &(*group.idp_id).into()));
        let expected: Vec<_> = group
            .users
            .iter()
            .map(|user| match user {
                DirectoryUser::Account(id) => Some(id.as_str()),
                DirectoryUser::Unprovisioned { .. } => None,
            })
            .collect();
        assert_eq!(ids(&listed["groupMembers"][&group.id]), expected, "{}", group.id);
    }
}

fn generated() -> Organization {
    let size = Size { members: 321, roles: 60, groups: 12, memberships: 2_500 };
    Organization::generate(5, size)
}

#[test]
#[ignore = "needs Node and tests/js-client/node_modules; .ci/run has both"]
fn the_official_client_lists_the_demos_organization() {
    for profile in [Profile::Lenient, Profile::Strict] {
        check(&Organization::demo(), Options { profile, ..Options::default() });
    }
}

#[test]
#[ignore = "needs Node and tests/js-client/node_modules; .ci/run has both"]
fn the_official_client_lists_an_organization_of_many_pages() {
    check(&generated(), Options::default());
    check(&generated(), Options { cursors: CursorStyle::Long, ..Options::default() });
    let both_types = BothTypes::TwoRows;
    check(&generated(), Options { both_types, chunked: true, gzip: false, ..Options::default() });
}
