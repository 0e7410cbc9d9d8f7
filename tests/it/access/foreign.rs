//! Files of other connectors, with what ours never has in them.

use std::path::Path;

use baton_northflank::baton::v2::grant_sources::GrantSource;
use baton_northflank::baton::v2::resource_type::Trait;
use baton_northflank::baton::v2::user_trait::{self, Email};
use baton_northflank::baton::v2::{
    Entitlement, Grant, GrantSources, Resource, ResourceType, UserTrait,
};
use baton_northflank::baton::{annotation, resource_key};
use prost::Message;
use prost_types::Timestamp;
use rusqlite::{Connection, params};
use serde_json::json;

use super::{access, id, json as told, printed};
use crate::harness::TestDir;
use crate::harness::exit_code;
use crate::harness::sync_file::pack;

/// A file with rows of one finished sync.
struct File {
    connection: Connection,
    scratch: tempfile::TempDir,
}

impl File {
    fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let connection = Connection::open(scratch.path().join("db")).unwrap();
        let common = "id integer primary key, external_id text not null, data blob not null,
                      sync_id text not null, discovered_at datetime not null";
        connection
            .execute_batch(&format!(
                "create table v1_resource_types ({common});
                 create table v1_resources ({common});
                 create table v1_entitlements ({common});
                 create table v1_grants ({common}, resource_type_id text not null,
                     resource_id text not null, entitlement_id text not null,
                     principal_resource_type_id text not null,
                     principal_resource_id text not null);
                 create table v1_sync_runs (sync_id text, ended_at datetime, sync_type text,
                     sync_token text);
                 insert into v1_sync_runs values ('s', '2026-11-24 08:00:00', 'full', '');"
            ))
            .unwrap();
        Self { connection, scratch }
    }

    fn row(&self, table: &str, id: &str, message: &impl Message) {
        let sql = format!(
            "insert into v1_{table} (external_id, data, sync_id, discovered_at)
             values (?1, ?2, 's', '2026-11-24')"
        );
        self.connection.execute(&sql, params![id, message.encode_to_vec()]).unwrap();
    }

    fn kind(&self, name: &str, of: Option<Trait>) {
        let kind = ResourceType {
            id: name.into(),
            traits: of.into_iter().map(Into::into).collect(),
            ..ResourceType::default()
        };
        self.row("resource_types", name, &kind);
    }

    fn resource(&self, kind: &str, name: &str, user: Option<&UserTrait>) {
        let resource = Resource {
            id: Some(id(kind, name)),
            display_name: name.to_uppercase(),
            annotations: user.map(annotation).into_iter().collect(),
            ..Resource::default()
        };
        self.row("resources", &resource_key(kind, name), &resource);
    }

    fn grant(&self, entitlement: (&str, &str, &str), principal: (&str, &str), through: &[&str]) {
        let (kind, name, slug) = entitlement;
        let entitlement = format!("{kind}:{name}:{slug}");
        let sources = through.iter().map(|id| ((*id).to_owned(), GrantSource { is_direct: true }));
        let grant = Grant {
            id: format!("{entitlement}:{}:{}", principal.0, principal.1),
            entitlement: Some(Entitlement {
                id: entitlement.clone(),
                slug: slug.into(),
                ..Entitlement::default()
            }),
            sources: (!through.is_empty()).then(|| GrantSources { sources: sources.collect() }),
            ..Grant::default()
        };
        self.connection
            .execute(
                "insert into v1_grants (external_id, data, sync_id, discovered_at,
                 resource_type_id, resource_id, entitlement_id, principal_resource_type_id,
                 principal_resource_id) values (?1, ?2, 's', '', ?3, ?4, ?5, ?6, ?7)",
                params![
                    grant.id,
                    grant.encode_to_vec(),
                    kind,
                    name,
                    entitlement,
                    principal.0,
                    principal.1
                ],
            )
            .unwrap();
    }

    fn save(self, path: &Path) {
        self.connection.close().unwrap();
        pack(&self.scratch.path().join("db"), path);
    }
}

/// Accounts in teams that hold sets of permissions, and an app that is neither.
fn room() -> TestDir {
    let file = File::new();
    file.kind("account", Some(Trait::User));
    file.kind("team", Some(Trait::Group));
    file.kind("permission_set", Some(Trait::Role));
    file.kind("app", None);
    let user = UserTrait {
        emails: vec![Email { address: "ann@x.test".into(), is_primary: true }],
        status: Some(user_trait::Status { status: 4, details: String::new() }),
        last_login: Some(Timestamp { seconds: 1_700_000_000, nanos: 0 }),
        ..UserTrait::default()
    };
    file.resource("account", "ann", Some(&user));
    file.resource("team", "red", None);
    file.resource("permission_set", "admin", None);
    file.resource("app", "wiki", None);
    file.grant(("team", "red", "maintainer"), ("account", "ann"), &[]);
    file.grant(("permission_set", "admin", "assigned"), ("team", "red"), &[]);
    file.grant(
        ("permission_set", "admin", "assigned"),
        ("account", "ann"),
        &["team:red:maintainer", "team:gone:member"],
    );
    // Rows of principals may be left out.
    file.grant(("app", "wiki", "reader"), ("account", "ghost"), &[]);
    file.grant(("app", "wiki", "writer"), ("account", "ann"), &[]);
    let room = TestDir::new();
    file.save(&room.file("sync.c1z"));
    room
}

#[test]
fn people_groups_and_roles_go_by_the_types_traits() {
    let room = room();
    let held = told(&room, &["--user", "ann"]);
    let ways: Vec<_> = held["grants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["entitlement"]["id"].as_str().unwrap(), it["how"].as_str().unwrap()))
        .collect();
    assert_eq!(
        ways,
        [
            ("team:red:maintainer", "member"),
            ("permission_set:admin:assigned", "through"),
            ("app:wiki:writer", "direct"),
        ]
    );
    assert_eq!(
        held["grants"][0]["principal"],
        json!({
            "resource_type": "account", "resource": "ann", "display_name": "ANN",
            "email": "ann@x.test", "status": "pending", "status_details": null,
            "last_login": "2023-11-14T22:13:20Z", "email_verified": null, "joined_at": null,
        })
    );
    assert_eq!(told(&room, &["--role", "admin"])["grants"].as_array().unwrap().len(), 2);
    assert_eq!(told(&room, &["--group", "red"])["grants"].as_array().unwrap().len(), 3);
    access(&room, &["--role", "wiki"])
        .expect_failure(exit_code::INVALID_ARGUMENT, &["no role \"wiki\""]);
}

#[test]
fn somebody_without_a_row_keeps_the_grants_and_is_called_by_id() {
    let room = room();
    let held = told(&room, &["--user", "ghost"]);
    assert_eq!(held["grants"][0]["principal"]["display_name"], "ghost");
    assert_eq!(held["grants"][0]["principal"]["status"], json!(null));
    let csv = printed(&room, &["--format", "csv", "--user", "ghost"]);
    assert!(csv.contains("\naccount,ghost,ghost,,,,app,wiki,WIKI,reader,direct,,"), "{csv}");
    let table = printed(&room, &["--user", "ghost"]);
    assert!(table.contains("ghost  not in the file\n  app WIKI: reader  direct"), "{table}");
}

#[test]
fn entitlements_are_told_by_name_and_what_is_gone_by_its_id() {
    let room = room();
    let table = printed(&room, &["--user", "ann"]);
    assert_eq!(
        table,
        "\
Access in sync.c1z (2026-11-24 08:00:00, local time where it was written)

ANN (ann)  pending · ann@x.test · last login 2023-11-14 UTC
  team RED: maintainer  member
  permission_set ADMIN  through team:gone:member and through team RED
  app WIKI: writer      direct

3 grants, held by 1 person
"
    );
    let page = printed(&room, &["--format", "html"]);
    for part in
        ["id=\"account/ghost\"", "no row in the file", ">pending<", "last login 2023-11-14 UTC"]
    {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn a_role_that_an_app_holds_is_held_and_a_status_is_told_as_what_it_is() {
    let file = File::new();
    file.kind("account", Some(Trait::User));
    file.kind("permission_set", Some(Trait::Role));
    file.kind("app", None);
    file.kind("token", None);
    let user = |status, details: &str| UserTrait {
        status: Some(user_trait::Status { status, details: details.into() }),
        ..UserTrait::default()
    };
    file.resource("account", "ann", Some(&user(0, "locked by the provider")));
    file.resource("account", "bob", Some(&user(1, "")));
    for role in ["admin", "deploy", "empty"] {
        file.resource("permission_set", role, None);
    }
    file.resource("app", "bot", None);
    file.grant(("permission_set", "admin", "assigned"), ("app", "bot"), &[]);
    file.grant(("permission_set", "deploy", "assigned"), ("token", "t1"), &[]);
    file.grant(("permission_set", "admin", "assigned"), ("account", "ghost"), &[]);
    let room = TestDir::new();
    file.save(&room.file("sync.c1z"));
    let page = printed(&room, &["--format", "html"]);
    let finding = |title: &str| {
        let part = page.split(&format!("<span>{title}</span>")).nth(1);
        part.map(|part| part.split("</ul>").next().unwrap().to_owned())
    };
    let nobody = finding("Roles that nobody holds").unwrap();
    assert!(nobody.contains("EMPTY"), "{nobody}");
    for held in ["ADMIN", "DEPLOY", "BOT", "t1"] {
        assert!(!nobody.contains(held), "{nobody}");
    }
    assert_eq!(finding("People outside the member list"), None);
    let unknown = finding("Accounts of unknown status").unwrap();
    assert!(unknown.contains("ANN") && unknown.contains("locked by the provider"), "{unknown}");
    let without = finding("People without a row in the file").unwrap();
    assert!(without.contains("ghost"), "{without}");
    // What holds something and is nobody's role stands apart.
    for count in ["<b>3</b> people", "<b>3</b> roles", "<b>2</b> others"] {
        assert!(page.contains(count), "{count}");
    }
    assert!(page.contains("Others that hold something"));
    assert!(page.contains("id=\"app/bot\""));
    let told = told(&room, &[]);
    let empty: Vec<_> = told["resources_without_holders"].as_array().unwrap().iter().collect();
    assert_eq!(empty.len(), 1);
    assert_eq!(empty[0]["resource"], "empty");
}

#[test]
fn somebody_who_holds_two_things_of_one_resource_is_pictured_as_one_holder() {
    let file = File::new();
    file.kind("account", Some(Trait::User));
    file.kind("app", None);
    file.resource("account", "ann", None);
    file.resource("app", "wiki", None);
    file.grant(("app", "wiki", "reader"), ("account", "ann"), &[]);
    file.grant(("app", "wiki", "writer"), ("account", "ann"), &[]);
    let room = TestDir::new();
    file.save(&room.file("sync.c1z"));
    let page = printed(&room, &["--format", "html"]);
    assert!(page.contains("aria-label=\"1 by hand\""), "{page}");
}
