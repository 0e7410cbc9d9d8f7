//! How baton's JSON must show resources and grants, worked out from the organization.

use std::collections::{BTreeMap, BTreeSet};

use fake_northflank::{DirectoryUser, Group, Member, Mode, Organization, Role};
use serde_json::{Map, Value, json};

use super::expected::{self, ExpectedGrant};

/// All resources by key, as protobuf's JSON has them.
pub fn resources(organization: &Organization) -> BTreeMap<String, Value> {
    let groups = organization.groups.iter().map(|it| (format!("group:{}", it.id), group(it)));
    let roles = organization.roles.iter().map(|it| (format!("role:{}", it.id), role(it)));
    expected::resources(organization)
        .into_iter()
        .filter_map(|key| {
            let id = key.strip_prefix("user:")?.to_owned();
            let member = organization.members.iter().find(|member| member.id == id);
            Some((key, user(&id, member)))
        })
        .chain(groups)
        .chain(roles)
        .collect()
}

fn user(id: &str, member: Option<&Member>) -> Value {
    let listed = member.is_some_and(|member| member.listed);
    let emails = member.map_or(&[][..], |member| &member.emails);
    let primary = emails.iter().find(|email| email.verified).or(emails.first());
    let name = member.and_then(|member| member.name.as_deref());
    let joined_at = member.filter(|_| listed).and_then(|member| member.joined_at.as_deref());
    let finalized = member.filter(|_| listed).map(|member| member.finalized);
    // Roles and groups tell it as well, of whoever isn't listed.
    let last_login = member.and_then(|member| member.last_login.as_deref());
    let mut profile = present([
        ("id", Some(id.into())),
        ("name", name.map(Value::from)),
        ("email", primary.map(|email| email.address.as_str().into())),
        ("finalized", finalized.map(Value::from)),
        ("joined_at", joined_at.map(Value::from)),
        ("last_login_at", last_login.map(Value::from)),
    ]);
    // Directory groups tell addresses without saying whether they are verified.
    if let (Some(primary), true) = (primary, listed) {
        profile.insert("email_verified".into(), primary.verified.into());
    }
    let (enabled, details) = match finalized {
        Some(true) => (Some("ENABLED"), None),
        Some(false) => (Some("DISABLED"), Some("account set-up not finished")),
        None => (None, Some("not in the organization's member list")),
    };
    // An unspecified status is zero, which protobuf's JSON leaves out.
    let status = |prefix: &str| {
        let status = enabled.map(|status| format!("{prefix}{status}").into());
        Value::Object(present([("status", status), ("details", details.map(Value::from))]))
    };
    let shown_emails: Vec<Value> = emails
        .iter()
        .map(|email| {
            let is_primary = Some(email) == primary;
            let is_primary = is_primary.then_some(Value::Bool(true));
            Value::Object(present([
                ("address", Some(email.address.as_str().into())),
                ("isPrimary", is_primary),
            ]))
        })
        .collect();
    let created_at = joined_at.map(without_trailing_zeros);
    let user_trait = Value::Object(present([
        ("@type", Some("type.googleapis.com/c1.connector.v2.UserTrait".into())),
        ("emails", (!shown_emails.is_empty()).then_some(Value::Array(shown_emails))),
        ("status", Some(status("STATUS_"))),
        ("profile", Some(profile.clone().into())),
        ("accountType", Some("ACCOUNT_TYPE_HUMAN".into())),
        ("login", Some(id.into())),
        ("createdAt", created_at.clone()),
        ("lastLogin", last_login.map(without_trailing_zeros)),
    ]));
    let display_name = name.or(emails.first().map(|email| email.address.as_str())).unwrap_or(id);
    Value::Object(present([
        ("id", Some(json!({"resourceType": "user", "resource": id}))),
        ("displayName", Some(display_name.into())),
        ("annotations", Some(json!([user_trait]))),
        ("profile", Some(profile.into())),
        ("status", Some(status("RESOURCE_STATUS_"))),
        ("createdAt", created_at),
    ]))
}

fn group(group: &Group) -> Value {
    let profile = json!({
        "id": group.id,
        "name": group.name,
        "idp_id": group.idp_id,
        "created_at": group.created_at,
        "updated_at": group.updated_at,
    });
    json!({
        "id": {"resourceType": "group", "resource": group.id},
        "displayName": group.name,
        "annotations": [
            {"@type": "type.googleapis.com/c1.connector.v2.GroupTrait", "profile": profile}
        ],
        "profile": profile,
        "createdAt": without_trailing_zeros(&group.created_at),
    })
}

fn role(role: &Role) -> Value {
    let set = |ids: &[String]| ids.iter().cloned().collect::<BTreeSet<_>>();
    let mut teams = role.restrictions.teams.clone();
    teams.sort_by(|one, other| one.id.cmp(&other.id));
    let teams: Vec<Value> = teams
        .iter()
        .map(|team| {
            let projects = team.projects.as_ref();
            let mode = projects.map(|projects| match projects.mode {
                Mode::In => "in".into(),
                Mode::NotIn => "notIn".into(),
            });
            Value::Object(present([
                ("id", Some(team.id.as_str().into())),
                ("project_mode", mode),
                ("projects", projects.map(|projects| json!(set(&projects.ids)))),
            ]))
        })
        .collect();
    let linked = set(&role.directory_groups);
    let profile = Value::Object(present([
        ("id", Some(role.id.as_str().into())),
        ("name", Some(role.name.as_str().into())),
        ("restricted", Some(role.restrictions.enabled.into())),
        ("teams", (!teams.is_empty()).then_some(Value::Array(teams))),
        ("directory_groups", (!linked.is_empty()).then(|| json!(linked))),
        ("created_at", Some(role.created_at.as_str().into())),
        ("updated_at", Some(role.updated_at.as_str().into())),
    ]));
    let role_trait =
        json!({"@type": "type.googleapis.com/c1.connector.v2.RoleTrait", "profile": profile});
    Value::Object(present([
        ("id", Some(json!({"resourceType": "role", "resource": role.id}))),
        ("displayName", Some(role.name.as_str().into())),
        ("description", role.description.as_deref().map(Value::from)),
        ("annotations", Some(json!([role_trait]))),
        ("profile", Some(profile)),
        ("createdAt", Some(without_trailing_zeros(&role.created_at))),
    ]))
}

/// The resource types by id.
pub fn resource_types() -> BTreeMap<String, Value> {
    let user = json!({
        "id": "user",
        "displayName": "User",
        "traits": ["TRAIT_USER"],
        "annotations": [
            {"@type": "type.googleapis.com/c1.connector.v2.SkipEntitlementsAndGrants"}
        ],
    });
    let group = json!({"id": "group", "displayName": "Group", "traits": ["TRAIT_GROUP"]});
    let role = json!({"id": "role", "displayName": "Role", "traits": ["TRAIT_ROLE"]});
    [("group", group), ("role", role), ("user", user)]
        .into_iter()
        .map(|(id, resource_type)| (id.to_owned(), resource_type))
        .collect()
}

/// All entitlements by id.
pub fn entitlements(organization: &Organization) -> BTreeMap<String, Value> {
    let resource_types = resource_types();
    let (user, group) = (&resource_types["user"], &resource_types["group"]);
    let groups = organization.groups.iter().map(|it| {
        let id = format!("group:{}:member", it.id);
        let entitlement = json!({
            "resource": {"id": {"resourceType": "group", "resource": it.id}},
            "id": id,
            "displayName": format!("{} group member", it.name),
            "description": format!(
                "Is a member of the directory group {}, through the identity provider", it.name
            ),
            "grantableTo": [user],
            "annotations": [
                {"@type": "type.googleapis.com/c1.connector.v2.EntitlementImmutable"}
            ],
            "purpose": "PURPOSE_VALUE_ASSIGNMENT",
            "slug": "member",
        });
        (id, entitlement)
    });
    let roles = organization.roles.iter().map(|it| {
        let id = format!("role:{}:assigned", it.id);
        let entitlement = json!({
            "resource": {"id": {"resourceType": "role", "resource": it.id}},
            "id": id,
            "displayName": format!("{} role", it.name),
            "description": format!("Holds the role {} in the Northflank organization", it.name),
            "grantableTo": [user, group],
            "purpose": "PURPOSE_VALUE_ASSIGNMENT",
            "slug": "assigned",
        });
        (id, entitlement)
    });
    groups.chain(roles).collect()
}

/// All grants by id.
pub fn grants(organization: &Organization) -> BTreeMap<String, Value> {
    expected::grants(organization)
        .into_iter()
        .map(|(id, it)| (id.clone(), grant(&id, &it)))
        .collect()
}

fn grant(id: &str, grant: &ExpectedGrant) -> Value {
    let annotations: Vec<Value> = grant
        .annotations
        .iter()
        .map(|name| {
            let mut annotation =
                json!({"@type": format!("type.googleapis.com/c1.connector.v2.{name}")});
            if *name == "GrantMetadata" {
                annotation["metadata"] = json!({"membership": "implicit"});
            }
            annotation
        })
        .collect();
    let sources: BTreeMap<_, _> =
        grant.sources.iter().map(|source| (source, json!({"isDirect": true}))).collect();
    let (principal_type, principal) = &grant.principal;
    let parts: Vec<&str> = grant.entitlement.split(':').collect();
    Value::Object(present([
        (
            "entitlement",
            Some(json!({
                "resource": {"id": {"resourceType": parts[0], "resource": parts[1]}},
                "id": grant.entitlement,
            })),
        ),
        ("principal", Some(json!({"id": {"resourceType": principal_type, "resource": principal}}))),
        ("id", Some(id.into())),
        ("annotations", (!annotations.is_empty()).then_some(Value::Array(annotations))),
        ("sources", (!sources.is_empty()).then(|| json!({"sources": sources}))),
    ]))
}

/// The entitlements that a user holds, directly or through a group.
pub fn held_by(organization: &Organization, user: &str) -> BTreeSet<String> {
    let grants = expected::grants(organization);
    let principal = ("user".to_owned(), user.to_owned());
    let held = grants.into_values().filter(|grant| grant.principal == principal);
    held.map(|grant| grant.entitlement).collect()
}

/// Somebody with an account in most groups: a good one to look at.
pub fn busiest_user(organization: &Organization) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for group in &organization.groups {
        for user in &group.users {
            if let DirectoryUser::Account(id) = user {
                *counts.entry(id).or_default() += 1;
            }
        }
    }
    let busiest = counts.into_iter().max_by_key(|(_, count)| *count);
    busiest.expect("a group with somebody in it").0.to_owned()
}

fn present<const N: usize>(fields: [(&str, Option<Value>); N]) -> Map<String, Value> {
    fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

/// Protobuf's JSON writes times with no more digits than they need, in threes.
fn without_trailing_zeros(time: &str) -> Value {
    time.replace(".000Z", "Z").into()
}
