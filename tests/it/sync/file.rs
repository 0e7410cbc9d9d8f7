//! A whole sync through the real binary: what the file holds is what the fake API served.

use std::fs;

use crate::harness::exit_code;
use crate::harness::sync_file::{SyncFile, change, pack};
use crate::harness::trial::unlisted;
use crate::harness::{Connector, TestDir, expected};
use fake_northflank::{
    Action, BothTypes, CursorStyle, DirectoryUser, Emails, Endpoint, FakeNorthflank, Group, Member,
    Options, Organization, Owner, PagingAnchor, Permissions, Profile, Role, Rule, Schema, Size,
    Times, Token, Whoami,
};
use prost::Message;
use serde_json::{Value, json};

fn medium() -> Organization {
    let size = Size { members: 730, roles: 23, groups: 17, memberships: 4_000 };
    Organization::generate(11, size)
}

fn member(id: &str) -> Member {
    Member {
        id: id.into(),
        name: Some(format!("The {id}")),
        emails: Vec::new(),
        joined_at: None,
        last_login: None,
        finalized: true,
        listed: true,
    }
}

fn role(id: &str, groups: &[&str], explicit: &[&str]) -> Role {
    Role {
        id: id.into(),
        name: id.to_uppercase(),
        directory_groups: groups.iter().map(|id| (*id).into()).collect(),
        explicit: explicit.iter().map(|id| (*id).into()).collect(),
        created_at: "2025-02-01T12:00:00.000Z".into(),
        updated_at: "2025-02-01T12:00:00.000Z".into(),
        ..Role::default()
    }
}

fn group(id: &str, accounts: &[&str]) -> Group {
    Group {
        id: id.into(),
        name: id.to_uppercase(),
        idp_id: format!("00g{id}"),
        created_at: "2025-02-01T12:00:00.000Z".into(),
        updated_at: "2025-02-01T12:00:00.000Z".into(),
        users: accounts.iter().map(|id| DirectoryUser::Account((*id).into())).collect(),
    }
}

/// Syncs what `options` serve, and checks resources and grants against the organization.
fn check(organization: &Organization, options: Options) -> (TestDir, SyncFile) {
    let fake = FakeNorthflank::start(organization.clone(), options).unwrap();
    let room = TestDir::new();
    room.connector_to(&fake).run().expect_success();
    fake.assert_no_violations();
    assert_eq!(room.names(), ["sync.c1z"], "nothing is left behind");
    let file = SyncFile::open(&room.file("sync.c1z"));
    assert_eq!(file.resource_keys(), expected::resources(organization));
    assert_eq!(file.grants(), expected::grants(organization));
    (room, file)
}

#[test]
fn the_file_holds_exactly_what_was_served() {
    for profile in [Profile::Lenient, Profile::Strict] {
        check(&medium(), Options { profile, ..Options::default() });
        check(&Organization::demo(), Options { profile, ..Options::default() });
    }
}

#[test]
fn an_empty_organization_is_a_true_file_without_rows() {
    let (_room, file) = check(&Organization::default(), Options::default());
    assert_eq!(file.column("select external_id from v1_resource_types"), ["group", "role", "user"]);
}

#[test]
fn every_way_of_paging_gives_the_same_rows() {
    for cursors in [CursorStyle::UrlSafe, CursorStyle::Hostile, CursorStyle::Long] {
        check(&medium(), Options { cursors, ..Options::default() });
    }
    let last_full_page_says_more = true;
    for anchor in [PagingAnchor::Offset, PagingAnchor::Key] {
        check(&medium(), Options { anchor, last_full_page_says_more, ..Options::default() });
    }
    check(&medium(), Options { chunked: true, gzip: false, ..Options::default() });
}

#[test]
fn somebody_explicit_and_implicit_has_both_sources_however_it_is_served() {
    let organization = Organization {
        members: ["ada", "bob", "cyd"].map(member).to_vec(),
        roles: vec![role("core", &["g1", "g2"], &["ada", "bob"])],
        groups: vec![group("g1", &["ada", "cyd"]), group("g2", &["cyd"])],
        ..Organization::default()
    };
    for both_types in [BothTypes::ExplicitWins, BothTypes::TwoRows] {
        let (_room, file) = check(&organization, Options { both_types, ..Options::default() });
        let grants = file.grants();
        let sources = |user| {
            let grant = &grants[&format!("role:core:assigned:user:{user}")];
            grant.sources.iter().map(String::as_str).collect::<Vec<_>>()
        };
        assert_eq!(sources("ada"), ["group:g1:member", "role:core:assigned"]);
        assert_eq!(sources("bob"), [""; 0]);
        assert_eq!(sources("cyd"), ["group:g1:member", "group:g2:member"]);
    }
}

#[test]
fn every_documented_or_hinted_form_of_the_answers_is_survived() {
    let schemas = [
        Schema { minimal: true, ..Schema::default() },
        Schema { extra_fields: true, float_count: true, ..Schema::default() },
        Schema { half_surrogates: true, times: Times::Invalid, ..Schema::default() },
        Schema { times: Times::Offset, emails: Emails::Mixed, ..Schema::default() },
        Schema { emails: Emails::Objects, ..Schema::default() },
        Schema { emails: Emails::Strings, ..Schema::default() },
        Schema { emails: Emails::Empty, ..Schema::default() },
        Schema { emails: Emails::Null, ..Schema::default() },
        Schema { emails: Emails::WithoutAddress, ..Schema::default() },
    ];
    for schema in schemas {
        check(&medium(), Options { schema, ..Options::default() });
    }
}

#[test]
fn when_every_optional_field_is_null_nothing_but_the_links_is_lost() {
    let fake = FakeNorthflank::start(
        medium(),
        Options { schema: Schema { nulls: true, ..Schema::default() }, ..Options::default() },
    )
    .unwrap();
    let room = TestDir::new();
    room.connector_to(&fake).run().expect_success();
    let file = SyncFile::open(&room.file("sync.c1z"));
    // Without `directoryGroups` nobody can tell why somebody is implicit.
    let mut unlinked = medium();
    for index in 0..unlinked.roles.len() {
        let role = &unlinked.roles[index];
        let members = unlinked.role_members(role);
        let only_implicit = members.iter().filter(|row| !row.explicit);
        let unexplained = only_implicit.map(|row| row.id.to_owned()).collect();
        unlinked.roles[index].unexplained = unexplained;
        unlinked.roles[index].directory_groups.clear();
    }
    assert_eq!(file.grants(), expected::grants(&unlinked));
    assert_eq!(file.resource_keys(), expected::resources(&unlinked));
}

#[test]
fn a_membership_of_an_unknown_type_keeps_the_role_and_says_its_type() {
    let organization = Organization {
        members: ["ada", "bob"].map(member).to_vec(),
        roles: vec![role("core", &["g1"], &["ada", "bob"])],
        groups: vec![group("g1", &["bob"])],
        ..Organization::default()
    };
    let schema = Schema { unknown_values: true, ..Schema::default() };
    let fake =
        FakeNorthflank::start(organization, Options { schema, ..Options::default() }).unwrap();
    let room = TestDir::new();
    room.connector_to(&fake).run().expect_success();
    let grants = SyncFile::open(&room.file("sync.c1z")).grants();
    let ada = &grants["role:core:assigned:user:ada"];
    assert_eq!(ada.annotations, ["GrantImmutable", "GrantMetadata"]);
    let bob = &grants["role:core:assigned:user:bob"];
    assert_eq!(bob.sources.iter().collect::<Vec<_>>(), ["group:g1:member"]);
}

#[test]
fn somebody_outside_the_member_list_becomes_a_user_without_status() {
    let mut organization = Organization {
        members: ["ada", "zed", "yan"].map(member).to_vec(),
        roles: vec![role("core", &[], &["ada", "zed"])],
        groups: vec![group("g1", &["yan", "zed"])],
        ..Organization::default()
    };
    organization.members[1].listed = false;
    organization.members[2].listed = false;
    let (_room, file) = check(&organization, Options::default());
    for id in ["user:zed", "user:yan"] {
        let user = &file.resources()[id];
        assert_eq!(user.display_name, format!("The {}", &id[5..]));
        let status = user.status.as_ref().unwrap();
        assert_eq!((status.status, &*status.details), (0, "not in the organization's member list"));
    }
}

#[test]
fn implicit_members_that_no_group_explains_keep_the_role() {
    let mut organization = Organization {
        members: ["ada", "bob"].map(member).to_vec(),
        // A linked group that the group list lacks, as after a race or a bug.
        roles: vec![role("core", &["gone"], &[])],
        groups: Vec::new(),
        ..Organization::default()
    };
    organization.roles[0].unexplained = vec!["bob".into()];
    let fake = FakeNorthflank::start(organization.clone(), Options::default()).unwrap();
    let room = TestDir::new();
    let run = room.connector_to(&fake).run().expect_success();
    let warning = "linked to a directory group that Northflank doesn't list";
    assert_eq!(run.stderr().matches(warning).count(), 1, "{}", run.stderr());
    let file = SyncFile::open(&room.file("sync.c1z"));
    assert_eq!(file.grants(), expected::grants(&organization));
    let data: Vec<u8> =
        file.connection.query_row("select data from v1_grants", [], |row| row.get(0)).unwrap();
    let grant = baton_northflank::baton::v2::Grant::decode(&*data).unwrap();
    let metadata = grant.annotations.iter().find(|any| any.type_url.ends_with("GrantMetadata"));
    let metadata = baton_northflank::baton::v2::GrantMetadata::decode(&*metadata.unwrap().value);
    let metadata = format!("{:?}", metadata.unwrap());
    assert!(metadata.contains("membership") && metadata.contains("implicit"), "{metadata}");
}

#[test]
fn a_linked_groups_member_whom_the_role_does_not_report_is_not_given_it() {
    let organization = Organization {
        members: ["ada", "bob"].map(member).to_vec(),
        roles: vec![role("core", &["g1"], &[])],
        groups: vec![group("g1", &["ada"])],
        ..Organization::default()
    };
    // Bob joins the group after the role's members have been read.
    let fake = FakeNorthflank::start(organization, Options::default()).unwrap();
    let join = |organization: &mut Organization| {
        organization.groups[0].users.push(DirectoryUser::Account("bob".into()));
    };
    let members = r#"{"data":{"members":[{"id":"ada","type":"implicit"}]},
        "pagination":{"hasNextPage":false,"count":1}}"#;
    fake.script(Rule::every(Endpoint::RoleMembers, Action::json(200, members)));
    fake.mutate(join);
    let room = TestDir::new();
    let run = room.connector_to(&fake).run().expect_success();
    assert!(run.stderr().contains("doesn't report as holders"), "{}", run.stderr());
    let grants = SyncFile::open(&room.file("sync.c1z")).grants();
    assert!(grants.contains_key("group:g1:member:user:bob"));
    assert!(grants.contains_key("role:core:assigned:user:ada"));
    assert!(!grants.contains_key("role:core:assigned:user:bob"));
}

#[test]
fn roles_and_groups_deleted_meanwhile_are_dropped_whole() {
    let people: Vec<String> = (0..250).map(|number| format!("user-{number:03}")).collect();
    let ids: Vec<&str> = people.iter().map(String::as_str).collect();
    let mut organization = Organization {
        members: ids[..200].iter().map(|id| member(id)).collect(),
        roles: vec![
            role("kept", &["g-kept", "g-gone"], &ids[..120]),
            // Some of its holders are known from nowhere else.
            role("gone", &[], &ids[100..250]),
        ],
        groups: vec![group("g-kept", &ids[..3]), group("g-gone", &ids[2..5])],
        ..Organization::default()
    };
    let fake = FakeNorthflank::start(organization.clone(), Options::default()).unwrap();
    // The role answers one page, then it is gone; the group is gone at once.
    let not_found = || Action::json(404, r#"{"error":{"status":404,"message":"gone"}}"#);
    fake.script(Rule::every(Endpoint::RoleMembers, not_found()).of("gone").after(1));
    fake.script(Rule::every(Endpoint::GroupMembers, not_found()).of("g-gone"));
    // Both lists are read whole by then.
    fake.script(Rule::every(Endpoint::Roles, unlisted("roles", "gone")).after(1));
    fake.script(Rule::every(Endpoint::Groups, unlisted("directoryGroups", "g-gone")).after(1));
    let room = TestDir::new();
    let run = room.connector_to(&fake).run().expect_success();
    for name in ["the role gone was deleted", "the directory group g-gone was deleted"] {
        assert_eq!(run.stderr().matches(name).count(), 1, "{}", run.stderr());
    }
    let file = SyncFile::open(&room.file("sync.c1z"));
    // What is left is as if they had never been, but for implicit members of the role, whom
    // Northflank reports and the vanished group no longer explains.
    organization.roles.truncate(1);
    organization.groups.truncate(1);
    organization.members.retain(|member| member.listed);
    let kept = &mut organization.roles[0];
    kept.unexplained = ids[2..5].iter().map(|id| (*id).to_owned()).collect();
    assert_eq!(file.grants(), expected::grants(&organization));
    assert_eq!(file.resource_keys(), expected::resources(&organization));
}

#[test]
fn rows_that_come_twice_count_once() {
    let mut organization = medium();
    organization.members.extend_from_within(..150);
    organization.roles.extend_from_within(..3);
    let fake = FakeNorthflank::start(organization, Options::default()).unwrap();
    let room = TestDir::new();
    room.connector_to(&fake).run().expect_success();
    let file = SyncFile::open(&room.file("sync.c1z"));
    assert_eq!(file.grants(), expected::grants(&medium()));
    assert_eq!(file.resource_keys(), expected::resources(&medium()));
}

#[test]
fn two_syncs_of_an_unchanged_organization_hold_equal_bytes_in_the_same_order() {
    let room = TestDir::new();
    let fake = FakeNorthflank::start(medium(), Options::default()).unwrap();
    for workers in ["0", "17"] {
        let run = room.connector_to(&fake).arguments(["--workers", workers]).run();
        run.expect_success();
    }
    let file = SyncFile::open(&room.file("sync.c1z"));
    let syncs = file.syncs();
    assert_eq!(syncs.len(), 2);
    for table in ["resource_types", "resources", "entitlements", "grants"] {
        let rows = |sync: &str| -> Vec<(String, Vec<u8>)> {
            let sql =
                format!("select external_id, data from v1_{table} where sync_id = ?1 order by id");
            let mut statement = file.connection.prepare(&sql).unwrap();
            let rows = statement.query_map([sync], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            rows.map(Result::unwrap).collect()
        };
        let (first, second) = (rows(&syncs[0]), rows(&syncs[1]));
        assert!(!first.is_empty());
        assert!(first == second, "{table}");
        let type_of = |id: &str| id.split(':').next().unwrap().to_owned();
        let sorted = first.is_sorted_by_key(|(id, _)| (type_of(id), id.clone()));
        assert!(sorted, "{table} is sorted by type, then by id");
    }
}

#[test]
fn the_sync_before_is_kept_and_older_ones_go() {
    let room = TestDir::new();
    let fake = FakeNorthflank::start(Organization::demo(), Options::default()).unwrap();
    let mut all = Vec::new();
    for _ in 0..3 {
        room.connector_to(&fake).run().expect_success();
        let syncs = SyncFile::open(&room.file("sync.c1z")).syncs();
        all.push(syncs.last().unwrap().clone());
        assert_eq!(syncs, all[all.len().saturating_sub(2)..]);
    }
    room.connector_to(&fake).variable("BATON_SKIP_CLEANUP", "true").run().expect_success();
    let file = SyncFile::open(&room.file("sync.c1z"));
    assert_eq!(file.syncs().len(), 3);
    for table in ["resource_types", "resources", "entitlements", "grants"] {
        let sql = format!("select distinct sync_id from v1_{table}");
        assert_eq!(file.column(&sql).len(), 3, "{table}");
    }
}

#[test]
fn the_new_sync_is_the_newest_even_if_the_clock_was_set_back() {
    let room = TestDir::new();
    let fake = FakeNorthflank::start(Organization::demo(), Options::default()).unwrap();
    let path = room.file("sync.c1z");
    room.connector_to(&fake).run().expect_success();
    let old = SyncFile::open(&path).syncs();
    change(&path, "update v1_sync_runs set ended_at = '2999-01-01 00:00:00'");
    room.connector_to(&fake).run().expect_success();
    let syncs = SyncFile::open(&path).syncs();
    assert_eq!(syncs[0], old[0]);
    assert_eq!(syncs.len(), 2);
}

#[test]
fn a_new_sync_is_the_newest_whatever_the_one_before_says_of_its_end_or_nothing_is_read_for_it() {
    let fake = FakeNorthflank::start(Organization::demo(), Options::default()).unwrap();
    for (end, can_be_followed) in [
        ("'2099-01-01 00:00:00.123456789'", true),
        ("'2020-01-01T00:00:00+14:00'", true),
        ("'2020-02-31 25:00:00'", true),
        ("''", true),
        ("1800000000", true),
        ("9.9e99", true),
        ("'9999-12-31 23:59:59'", true),
        ("'yesterday'", false),
        ("'2099-01-01T00:00:00Z'", false),
        ("'2099-01-01 00:00:00+02:00'", false),
        ("'2099-01-01 00:00:00 UTC'", false),
        ("'2099-02-31 00:00:00'", false),
        ("'9999-12-31 23:59:59.999999999'", false),
        ("'99999-01-01 00:00:00'", false),
        ("cast('2020-01-01 00:00:00' as blob)", false),
    ] {
        let room = TestDir::new();
        let path = room.file("sync.c1z");
        room.connector_to(&fake).run().expect_success();
        let old = SyncFile::open(&path).syncs();
        change(&path, &format!("update v1_sync_runs set ended_at = {end}"));
        let before = (fs::read(&path).unwrap(), fake.requests());
        let run = room.connector_to(&fake).run();
        if can_be_followed {
            run.expect_success();
            let newest = SyncFile::open(&path).syncs();
            assert_ne!(newest.last(), old.first(), "{end}");
            assert_eq!(newest.len(), 2, "{end}");
            continue;
        }
        let parts = ["sync.c1z holds the sync ", &old[0], "no later end", "move the file away"];
        run.expect_failure(exit_code::INVALID_ARGUMENT, &parts);
        assert!(fs::read(&path).unwrap() == before.0, "{end}");
        assert_eq!(room.names(), ["sync.c1z"], "{end}");
        assert!(fake.requests() <= before.1 + 4, "nothing but the validation has been read");
        // One that isn't kept hides nothing.
        let alone = room.connector_to(&fake).variable("BATON_KEEP_SYNC_COUNT", "1");
        alone.run().expect_success();
        assert_ne!(SyncFile::open(&path).syncs(), old, "{end}");
    }
}

#[test]
fn an_end_that_is_no_text_is_found_out_before_anything_is_read() {
    let fake = FakeNorthflank::start(Organization::demo(), Options::default()).unwrap();
    let room = TestDir::new();
    let path = room.file("sync.c1z");
    room.connector_to(&fake).run().expect_success();
    change(&path, "update v1_sync_runs set ended_at = x'ff'");
    let before = (fs::read(&path).unwrap(), fake.requests());
    room.connector_to(&fake)
        .run()
        .expect_failure(exit_code::INVALID_ARGUMENT, &["sync.c1z is damaged"]);
    assert!(fs::read(&path).unwrap() == before.0);
    assert_eq!(fake.requests(), before.1 + 4, "nothing but the validation");
}

#[test]
fn a_file_whose_last_writer_kept_a_write_ahead_log_is_read_and_added_to() {
    let fake = FakeNorthflank::start(Organization::demo(), Options::default()).unwrap();
    let room = TestDir::new();
    let path = room.file("sync.c1z");
    room.connector_to(&fake).run().expect_success();
    change(&path, "pragma journal_mode = wal");
    let reader = room.connector().variable("TMPDIR", room.path());
    let run = reader.arguments(["access", "sync.c1z"]).run();
    assert_eq!(run.code(), Some(0), "{}", run.stderr());
    room.connector_to(&fake).run().expect_success();
    assert_eq!(SyncFile::open(&path).syncs().len(), 2);
    assert_eq!(room.names(), ["sync.c1z"]);
}

#[test]
fn the_run_says_what_it_holds() {
    let (_room, file) = check(&Organization::demo(), Options::default());
    let run: (String, String, String, i64, i64, String) = file
        .connection
        .query_row(
            "select sync_id, sync_type, sync_token, supports_diff, grants_backfilled, stats
             from v1_sync_runs",
            [],
            |row| {
                let (id, kind, token) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok((id, kind, token, row.get(3)?, row.get(4)?, row.get(5)?))
            },
        )
        .unwrap();
    let (sync_id, sync_type, token, supports_diff, backfilled, stats) = run;
    assert!(sync_id.len() == 27 && sync_id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert_eq!(sync_type, "full");
    let mut token: Value = serde_json::from_str(&token).unwrap();
    let keys = token["profile_keys"].take();
    let users =
        ["email", "email_verified", "finalized", "id", "joined_at", "last_login_at", "name"];
    assert_eq!((&keys["user"], keys.as_object().unwrap().len()), (&json!(users), 3));
    let said = json!({
        "version": 1, "connector": "baton-northflank", "profile_keys": null,
        "organization": {"slug": "acme", "uid": "65a4f0c2d9b8e7163f5a0a01"},
    });
    assert_eq!(token, said);
    assert_eq!((supports_diff, backfilled), (1, 1));
    let stats: serde_json::Value = serde_json::from_str(&stats).unwrap();
    let expected = serde_json::json!({
        "resource_types": 3, "resources": 35, "entitlements": 11, "grants": 55, "assets": 0,
        "resources_by_resource_type": {"group": 5, "role": 6, "user": 24},
        "entitlements_by_resource_type": {"group": 5, "role": 6},
        "grants_by_resource_type": {"group": 18, "role": 37},
    });
    assert_eq!(stats, expected);
    // What merges a later sync of one group into this one finds the edges by it.
    let edges = "select external_id from v1_grants where needs_expansion = 1";
    let expandable = "select external_id from v1_grants where expansion is not null";
    let edges = file.column(edges);
    assert!(!edges.is_empty());
    assert_eq!(edges, file.column(expandable));
}

#[test]
fn the_file_has_every_table_and_index_of_the_format_and_nothing_else() {
    let (_room, file) = check(&Organization::demo(), Options::default());
    let tables = file.column("select name from sqlite_master where type = 'table' order by name");
    assert_eq!(
        tables,
        [
            "v1_assets",
            "v1_connector_sessions",
            "v1_entitlements",
            "v1_grants",
            "v1_resource_types",
            "v1_resources",
            "v1_sync_runs"
        ]
    );
    let on = |index: &str| {
        let sql = format!("select coalesce(name, '') from pragma_index_info('{index}')");
        file.column(&sql).join(",")
    };
    for (index, columns) in [
        ("idx_resource_types_external_sync_v1", "external_id,sync_id"),
        ("idx_resources_resource_type_id_v1", "resource_type_id"),
        ("idx_resources_external_sync_v1", "parent_resource_type_id,parent_resource_id"),
        ("idx_resources_parent_resource_id_v1", "external_id,sync_id"),
        ("idx_entitlements_resource_id_v1", "resource_type_id,resource_id"),
        ("idx_entitlements_external_sync_v1", "external_id,sync_id"),
        ("idx_grants_resource_type_id_resource_id_v1", "resource_type_id,resource_id"),
        ("idx_grants_principal_id_v1", "principal_resource_type_id,principal_resource_id"),
        (
            "idx_grants_entitlement_id_principal_id_v1",
            "entitlement_id,principal_resource_type_id,principal_resource_id",
        ),
        ("idx_grants_external_sync_v1", "external_id,sync_id"),
        ("idx_grants_entitlement_sync_grant_v1", "entitlement_id,sync_id,id"),
        ("idx_grants_sync_expansion_v1", "sync_id"),
        ("idx_grants_sync_needs_expansion_v1", "sync_id"),
        ("idx_assets_external_sync_v1", "external_id,sync_id"),
        ("idx_session_store_sync_key_v1", "sync_id,key"),
        ("idx_sync_runs_sync_id_v1", "sync_id"),
    ] {
        assert_eq!(on(index), columns, "{index}");
    }
    let indexes = file.column("select name from sqlite_master where type = 'index'");
    assert_eq!(indexes.len(), 16, "{indexes:?}");
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let (room, _file) = check(&Organization::demo(), Options::default());
    let mode = fs::metadata(room.file("sync.c1z")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_stays_one_and_its_file_is_replaced() {
    let fake = FakeNorthflank::start(Organization::demo(), Options::default()).unwrap();
    let room = TestDir::new();
    fs::create_dir(room.file("data")).unwrap();
    fs::write(room.file("data/real.c1z"), b"").unwrap();
    std::os::unix::fs::symlink("data/real.c1z", room.file("sync.c1z")).unwrap();
    room.connector_to(&fake).run().expect_success();
    assert!(room.file("sync.c1z").is_symlink());
    assert_eq!(SyncFile::open(&room.file("data/real.c1z")).syncs().len(), 1);
}

#[test]
fn syncs_of_older_files_with_fewer_columns_are_kept() {
    let fake = FakeNorthflank::start(Organization::demo(), Options::default()).unwrap();
    let room = TestDir::new();
    let path = room.file("sync.c1z");
    room.connector_to(&fake).run().expect_success();
    change(
        &path,
        "alter table v1_sync_runs drop column stats;
         alter table v1_sync_runs drop column ingest_invariant_mode;
         drop table v1_connector_sessions;
         drop index idx_grants_sync_expansion_v1;
         drop index idx_grants_sync_needs_expansion_v1;
         alter table v1_grants drop column needs_expansion",
    );
    room.connector_to(&fake).run().expect_success();
    let file = SyncFile::open(&path);
    assert_eq!(file.syncs().len(), 2);
    assert_eq!(file.grants(), expected::grants(&Organization::demo()));
}

#[test]
fn a_damaged_or_another_connectors_file_is_refused_and_left_alone() {
    let fake = FakeNorthflank::start(Organization::demo(), Options::default()).unwrap();
    let room = TestDir::new();
    let path = room.file("sync.c1z");
    let good = {
        room.connector_to(&fake).run().expect_success();
        fs::read(&path).unwrap()
    };
    let truncated = good[..good.len() / 2].to_vec();
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle..middle + 16].fill(0x5a);
    let other = {
        change(&path, "update v1_resource_types set external_id = 'app' where id = 1");
        fs::read(&path).unwrap()
    };
    let empty_database = {
        fs::write(room.file("empty.db"), b"").unwrap();
        pack(&room.file("empty.db"), &path);
        fs::remove_file(room.file("empty.db")).unwrap();
        fs::read(&path).unwrap()
    };
    for (content, part) in [
        (truncated, "is damaged"),
        (flipped, "is damaged"),
        (b"C1ZF\0not zstd".to_vec(), "is damaged"),
        (b"C1ZF\0".to_vec(), "is damaged"),
        (empty_database, "no table v1_sync_runs"),
        (other, "another connector (resource types: app)"),
    ] {
        fs::write(&path, &content).unwrap();
        let before = fake.requests();
        room.connector_to(&fake)
            .run()
            .expect_failure(exit_code::INVALID_ARGUMENT, &["sync.c1z", part]);
        assert!(fake.requests() <= before + 4, "nothing but the validation has been read");
        assert!(fs::read(&path).unwrap() == content, "{part}");
        assert_eq!(room.names(), ["sync.c1z"]);
    }
}

#[test]
fn another_organizations_file_is_refused_and_left_alone() {
    let fake = FakeNorthflank::start(Organization::demo(), Options::default()).unwrap();
    let token_of = |slug: &str, uid: &str| {
        let owner = Owner { slug: slug.into(), uid: uid.into() };
        fake.add_token(Token { owner, ..Token::new(Permissions::ALL) })
    };
    let room = TestDir::new();
    let sync =
        |token: &str| room.connector_to(&fake).variable("BATON_NORTHFLANK_API_TOKEN", token).run();
    let requests = || fake.requests();
    let (uid, other_uid) = ("65a4f0c2d9b8e7163f5a0a01", "65a4f0c2d9b8e7163f5a0a02");
    sync(&token_of("acme", uid)).expect_success();
    // The slug has changed: it is the same one.
    sync(&token_of("acme-freight", uid)).expect_success();
    for (slug, uid, named) in
        [("acme", other_uid, "acme (65a4f0c2d9b8e7163f5a0a02)"), ("other", "", "is of other;")]
    {
        let content = fs::read(room.file("sync.c1z")).unwrap();
        let before = requests();
        sync(&token_of(slug, uid)).expect_failure(
            exit_code::INVALID_ARGUMENT,
            &["sync.c1z holds syncs of the organization acme", named, "name another file"],
        );
        assert_eq!(requests() - before, 4, "nothing but the validation has been read");
        assert!(fs::read(room.file("sync.c1z")).unwrap() == content);
        assert_eq!(room.names(), ["sync.c1z"]);
    }
    // Where nothing is known of one of them, nobody can tell.
    let said = |sql: &str| change(&room.file("sync.c1z"), sql);
    said("update v1_sync_runs set sync_token = json_remove(sync_token, '$.organization')");
    sync(&token_of("other", other_uid)).expect_success();
}

#[test]
fn a_file_says_whose_access_it_tells_of() {
    let organization = |whoami: Whoami| -> Value {
        let options = Options { whoami, ..Options::default() };
        let fake = FakeNorthflank::start(Organization::demo(), options).unwrap();
        let room = TestDir::new();
        room.connector_to(&fake).run().expect_success();
        let json = |arguments: &[&str]| -> Value {
            let run = room.connector().arguments(arguments).run();
            assert_eq!((run.code(), run.stderr()), (Some(0), ""));
            serde_json::from_str(run.stdout()).unwrap()
        };
        let told = json(&["access", "--format", "json"])["organization"].take();
        assert_eq!(json(&["syncs", "--format", "json"])["syncs"][0]["organization"], told);
        let diff = json(&["diff", "sync.c1z", "sync.c1z", "--format", "json"]);
        assert_eq!((&diff["old"]["organization"], &diff["new"]["organization"]), (&told, &told));
        told
    };
    let acme = json!({"slug": "acme", "uid": "65a4f0c2d9b8e7163f5a0a01"});
    assert_eq!(organization(Whoami::Known), acme);
    assert_eq!(organization(Whoami::Absent), Value::Null);
    assert_eq!(organization(Whoami::Odd), Value::Null);
}

#[test]
fn a_full_disk_leaves_the_old_file_untouched_and_nothing_half_written() {
    let fake = FakeNorthflank::start(medium(), Options::default()).unwrap();
    let room = TestDir::new();
    let path = room.file("sync.c1z");
    room.connector_to(&fake).run().expect_success();
    let old = fs::read(&path).unwrap();
    // A limit on the size of files fails writes where a full disk would: at 64 KiB before
    // anything is read, at 4.5 MiB while the new database grows.
    for (blocks, kept, part) in [
        ("128", &["sync.c1z"][..], "no space left"),
        ("9000", &["sync.c1z", "sync.c1z.work"], "see to its space"),
    ] {
        let run = limited(room.connector_to(&fake), blocks, "").run();
        run.expect_failure(exit_code::UNKNOWN, &[part]);
        assert!(fs::read(&path).unwrap() == old);
        assert_eq!(room.names(), kept, "what was read is kept");
    }
    room.connector_to(&fake).run().expect_success();
    assert_eq!(room.names(), ["sync.c1z"]);
    let run = limited(room.connector(), "128", "diff sync.c1z").run();
    run.expect_failure(exit_code::UNKNOWN, &["no space left"]);
}

/// The connector with these arguments under a limit on the size of files, in blocks of 512
/// bytes.
fn limited(mut connector: Connector, blocks: &str, arguments: &str) -> Connector {
    let program = connector.0.get_program().to_owned();
    let mut shell = std::process::Command::new("/bin/sh");
    shell.env_clear();
    shell.envs(connector.0.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.current_dir(connector.0.get_current_dir().unwrap());
    connector.0 = shell;
    let script = format!("ulimit -f {blocks}; exec \"$0\" {arguments}");
    connector.arguments(["-c".into(), script.into(), program])
}

#[test]
fn a_second_run_into_the_same_file_waits_for_nobody_and_says_so() {
    let fake = FakeNorthflank::start(
        medium(),
        Options { latency: std::time::Duration::from_millis(100), ..Options::default() },
    )
    .unwrap();
    let room = TestDir::new();
    let mut first = room.connector_to(&fake).spawn();
    while !room.file("sync.c1z.work/lock").exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    room.connector_to(&fake)
        .run()
        .expect_failure(exit_code::UNAVAILABLE, &["another run is writing"]);
    assert!(first.wait().unwrap().success());
    assert_eq!(SyncFile::open(&room.file("sync.c1z")).grants(), expected::grants(&medium()));
}
