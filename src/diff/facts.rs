//! The facts that a message tells, by name, so that two of them can be compared in words.

use std::collections::BTreeMap;

use prost::{Message, Name};
use prost_types::value::Kind;
use prost_types::{Any, Struct, Value};

use crate::baton::v2::{
    Entitlement, Grant, GrantImmutable, GrantMetadata, GroupTrait, Resource, RoleTrait, UserTrait,
};

use super::Change;

/// Facts by name.
pub(super) type Facts = BTreeMap<String, String>;

/// The facts that differ, by name.
pub(super) fn changed(old: &Facts, new: &Facts) -> Vec<Change> {
    let names: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| Change {
            fact: name.clone(),
            old: old.get(name).cloned(),
            new: new.get(name).cloned(),
        })
        .collect()
}

/// Name, status, profile and the like. Files of former years have some of them only in the
/// resource's trait.
pub(super) fn of_resource(resource: &Resource) -> Facts {
    let mut facts = Facts::new();
    let user: Option<UserTrait> = find(&resource.annotations);
    add(&mut facts, "name", &resource.display_name);
    add(&mut facts, "description", &resource.description);
    if let Some(parent) = &resource.parent_resource_id {
        add(&mut facts, "parent", &format!("{}:{}", parent.resource_type, parent.resource));
    }
    let status = match (&resource.status, user.as_ref().and_then(|user| user.status.as_ref())) {
        (Some(status), _) => Some((status.status, status.details.as_str())),
        (None, Some(status)) => Some((status.status, status.details.as_str())),
        (None, None) => None,
    };
    if let Some((status, details)) = status {
        add(&mut facts, "status", &in_words(status, details));
    }
    let group = || find::<GroupTrait>(&resource.annotations).and_then(|group| group.profile);
    let role = || find::<RoleTrait>(&resource.annotations).and_then(|role| role.profile);
    let profile = resource.profile.clone();
    let profile = profile.or_else(|| user.as_ref().and_then(|user| user.profile.clone()));
    if let Some(profile) = profile.or_else(group).or_else(role) {
        add_struct(&mut facts, "profile", &profile);
    }
    if let Some(user) = user {
        add(&mut facts, "login", &user.login);
        let addresses: Vec<_> = user.emails.into_iter().map(|email| email.address).collect();
        add(&mut facts, "emails", &addresses.join(", "));
    }
    facts
}

/// What the entitlement is called.
pub(super) fn of_entitlement(entitlement: &Entitlement) -> Facts {
    let mut facts = Facts::new();
    add(&mut facts, "name", &entitlement.display_name);
    add(&mut facts, "description", &entitlement.description);
    add(&mut facts, "slug", &entitlement.slug);
    let types: Vec<_> = entitlement.grantable_to.iter().map(|kind| kind.id.as_str()).collect();
    add(&mut facts, "grantable to", &types.join(", "));
    facts
}

/// How it is held, and whether it can be taken away here.
pub(super) fn of_grant(grant: &Grant, how: String) -> Facts {
    let mut facts = Facts::from([("held".to_owned(), how)]);
    let immutable = find::<GrantImmutable>(&grant.annotations).is_some();
    add(&mut facts, "immutable", if immutable { "yes" } else { "no" });
    if let Some(metadata) = find::<GrantMetadata>(&grant.annotations) {
        add_struct(&mut facts, "metadata", &metadata.metadata.unwrap_or_default());
    }
    facts
}

/// The source system's own word for a membership that nothing explains.
pub(super) fn membership(grant: &Grant) -> Option<String> {
    let metadata = find::<GrantMetadata>(&grant.annotations)?.metadata?;
    match metadata.fields.get("membership")?.kind.as_ref()? {
        Kind::StringValue(word) => Some(word.clone()),
        _ => None,
    }
}

fn find<M: Message + Name + Default>(annotations: &[Any]) -> Option<M> {
    let found = annotations.iter().find(|any| any.type_url == M::type_url())?;
    M::decode(&*found.value).ok()
}

fn add(facts: &mut Facts, name: &str, value: &str) {
    if !value.is_empty() {
        facts.insert(name.to_owned(), value.to_owned());
    }
}

fn add_struct(facts: &mut Facts, prefix: &str, value: &Struct) {
    for (key, value) in &value.fields {
        add(facts, &format!("{prefix}.{key}"), &text(value));
    }
}

fn text(value: &Value) -> String {
    match &value.kind {
        Some(Kind::StringValue(text)) => text.clone(),
        _ => json(value).to_string(),
    }
}

fn json(value: &Value) -> serde_json::Value {
    match &value.kind {
        None | Some(Kind::NullValue(_)) => serde_json::Value::Null,
        Some(Kind::BoolValue(flag)) => (*flag).into(),
        Some(Kind::NumberValue(number)) => {
            // A struct knows no whole numbers; people do.
            let whole = format!("{number:.0}").parse::<i64>();
            match whole {
                Ok(whole) if number.fract() == 0.0 => whole.into(),
                _ => (*number).into(),
            }
        }
        Some(Kind::StringValue(text)) => text.as_str().into(),
        Some(Kind::ListValue(list)) => list.values.iter().map(json).collect(),
        Some(Kind::StructValue(fields)) => {
            fields.fields.iter().map(|(key, value)| (key.clone(), json(value))).collect()
        }
    }
}

fn in_words(status: i32, details: &str) -> String {
    let status = match status {
        1 => "enabled",
        2 => "disabled",
        3 => "deleted",
        _ => "unknown",
    };
    if details.is_empty() { status.to_owned() } else { format!("{status} ({details})") }
}
