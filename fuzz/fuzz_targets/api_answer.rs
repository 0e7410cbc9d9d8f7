//! Whatever Northflank answers, for whichever endpoint: it is a page or an error, and every
//! row of a page becomes a resource within baton's limits.
#![no_main]

use std::fmt::Debug;

use baton_northflank::baton::check_id;
use baton_northflank::baton::v2::Resource;
use baton_northflank::connector::{
    EntitlementSpec, GROUP_MEMBER, ROLE_ASSIGNED, ResourceContext, RowContent, entitlement, group,
    outside_user, role, unlisted_user, user,
};
use baton_northflank::northflank::{
    DirectoryGroup, DirectoryGroupMember, List, ListKind, ListRow, Member, Page, PageBody, Role,
    RoleMember, TeamMember,
};
use libfuzzer_sys::fuzz_target;
use prost::Message;

fuzz_target!(|body: &[u8]| {
    for member in rows::<Member>(body) {
        valid(&user(&member));
    }
    for row in rows::<Role>(body) {
        let resource = role(&row);
        valid(&resource);
        valid_entitlement(&ROLE_ASSIGNED, &resource);
    }
    for row in rows::<DirectoryGroup>(body) {
        let resource = group(&row);
        valid(&resource);
        valid_entitlement(&GROUP_MEMBER, &resource);
    }
    for row in rows::<RoleMember>(body) {
        valid(&unlisted_user(&row.id, row.name.as_ref(), &row.emails, row.last_login.as_ref()));
    }
    for row in rows::<DirectoryGroupMember>(body) {
        if let Some(id) = &row.id {
            valid(&unlisted_user(id, row.name.as_ref(), &row.emails, row.last_login.as_ref()));
        }
    }
    for TeamMember { id, name, emails, last_login, finalized } in rows::<TeamMember>(body) {
        if let Some(id) = &id {
            valid(&outside_user(id, name.as_ref(), &emails, last_login.as_ref(), &finalized));
        }
    }
    let of_team = |kind| List::of(kind, "core".into());
    for list in [
        List::only(ListKind::Teams),
        of_team(ListKind::TeamRoles),
        List::only(ListKind::Tokens),
        of_team(ListKind::TeamTokens),
    ] {
        let Ok(page) = Page::read(list, body, true, true) else { continue };
        let RowContent::Resources(rows) = RowContent::of(&page.list, page.rows) else { continue };
        for row in rows {
            let resource = row.resource(&ResourceContext::default());
            valid(&resource);
            if let Some(spec) = row.resource_type().entitlement {
                valid_entitlement(spec, &resource);
            }
        }
    }
});

fn rows<T: ListRow + Debug>(body: &[u8]) -> Vec<T> {
    match PageBody::<Vec<T>>::read(body) {
        Ok(told) => {
            // What is accepted is JSON, and says where it goes on if it does.
            let body: serde_json::Value = match serde_json::from_slice(body) {
                Ok(body) => body,
                // Half surrogates, or not UTF-8: accepted here, not by the plain reader.
                Err(_) => return told.rows,
            };
            let array = body["data"][T::KEY].as_array().expect("an array of rows");
            assert_eq!(told.rows.len(), array.len());
            let pagination = &body["pagination"];
            assert_eq!(pagination["hasNextPage"].as_bool(), told.more);
            let cursor = pagination["cursor"].as_str().filter(|cursor| !cursor.is_empty());
            assert_eq!(cursor, told.cursor.as_deref());
            told.rows
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            Vec::new()
        }
    }
}

fn valid(resource: &Resource) {
    let id = resource.id.as_ref().expect("an id");
    assert!(resource.display_name.len() <= 1024);
    assert!(resource.description.len() <= 2048);
    assert!(!resource.display_name.trim().is_empty() || id.resource.trim().is_empty());
    let encoded = resource.encode_to_vec();
    assert_eq!(Resource::decode(&*encoded).as_ref(), Ok(resource));
    // Whether an id can be used is decided elsewhere, and must always be decided.
    let _ = check_id(&id.resource);
}

fn valid_entitlement(spec: &EntitlementSpec, resource: &Resource) {
    let entitlement = entitlement(spec, resource);
    assert!(entitlement.display_name.len() <= 1024);
    assert!(entitlement.description.len() <= 2048);
}
