//! The facts that a message tells, by name.

use std::collections::BTreeMap;

use prost_types::value::Kind;
use prost_types::{Struct, Value};

use crate::baton::find;
use crate::baton::v2::{
    Entitlement, Grant, GrantImmutable, GrantMetadata, GroupTrait, Resource, RoleTrait, UserTrait,
};

use super::account::AccountStatus;
use super::restrictions::RestrictionText;

/// Facts by name.
pub type Attributes = BTreeMap<String, String>;

/// The fact that says in words where a role applies.
pub const RESTRICTIONS: &str = "restrictions";

/// What of a role's profile it says.
pub const IN_RESTRICTIONS: [&str; 2] = ["profile.restricted", "profile.teams"];

/// Name, status, profile and the like. Files of former years have some of them only in the
/// resource's trait.
pub fn of_resource(resource: &Resource) -> Attributes {
    let mut facts = Attributes::new();
    let user: Option<UserTrait> = find(&resource.annotations);
    add(&mut facts, "name", &resource.display_name);
    add(&mut facts, "description", &resource.description);
    if let Some(parent) = &resource.parent_resource_id {
        add(&mut facts, "parent", &format!("{}:{}", parent.resource_type, parent.resource));
    }
    if let Some(status) = AccountStatus::of(resource, user.as_ref()) {
        add(&mut facts, "status", &status.to_string());
    }
    let group = || find::<GroupTrait>(&resource.annotations).and_then(|group| group.profile);
    let role = || find::<RoleTrait>(&resource.annotations).and_then(|role| role.profile);
    let profile = resource.profile.clone();
    let profile = profile.or_else(|| user.as_ref().and_then(|user| user.profile.clone()));
    if let Some(profile) = profile.or_else(group).or_else(role) {
        add_struct(&mut facts, "profile", &profile);
    }
    if let Some(restrictions) = RestrictionText::of(resource) {
        add(&mut facts, RESTRICTIONS, &restrictions.to_string());
    }
    if let Some(user) = user {
        add(&mut facts, "login", &user.login);
        let addresses: Vec<_> = user.emails.into_iter().map(|email| email.address).collect();
        add(&mut facts, "emails", &addresses.join(", "));
    }
    facts
}

/// What the entitlement is called.
pub fn of_entitlement(entitlement: &Entitlement) -> Attributes {
    let mut facts = Attributes::new();
    add(&mut facts, "name", &entitlement.display_name);
    add(&mut facts, "description", &entitlement.description);
    add(&mut facts, "slug", &entitlement.slug);
    let types: Vec<_> = entitlement.grantable_to.iter().map(|kind| kind.id.as_str()).collect();
    add(&mut facts, "grantable to", &types.join(", "));
    facts
}

/// How it is held, and whether it can be taken away here.
pub fn of_grant(grant: &Grant, how: String) -> Attributes {
    let mut facts = Attributes::from([("held".to_owned(), how)]);
    let immutable = find::<GrantImmutable>(&grant.annotations).is_some();
    add(&mut facts, "immutable", if immutable { "yes" } else { "no" });
    if let Some(metadata) = find::<GrantMetadata>(&grant.annotations) {
        add_struct(&mut facts, "metadata", &metadata.metadata.unwrap_or_default());
    }
    facts
}

fn add(facts: &mut Attributes, name: &str, value: &str) {
    if !value.is_empty() {
        facts.insert(name.to_owned(), value.to_owned());
    }
}

fn add_struct(facts: &mut Attributes, prefix: &str, value: &Struct) {
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

#[cfg(test)]
mod tests {
    use super::{Attributes, of_resource, text};
    use crate::baton::v2::user_trait::{self, Email};
    use crate::baton::v2::{Resource, Status, UserTrait};
    use crate::baton::{Profile, annotation};
    use prost_types::Value;
    use prost_types::value::Kind;

    fn facts(pairs: &[(&str, &str)]) -> Attributes {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn facts_are_found_in_the_trait_where_the_resource_lacks_them() {
        let profile = Profile::new().text("team", Some("red")).build();
        let user = UserTrait {
            emails: vec![Email { address: "a@b.test".into(), is_primary: true }],
            status: Some(user_trait::Status { status: 2, details: "left".into() }),
            profile: Some(profile.clone()),
            login: "ann".into(),
            ..UserTrait::default()
        };
        let old = Resource {
            display_name: "Ann".into(),
            annotations: vec![annotation(&user)],
            ..Resource::default()
        };
        let expected = facts(&[
            ("name", "Ann"),
            ("emails", "a@b.test"),
            ("login", "ann"),
            ("profile.team", "red"),
            ("status", "disabled (left)"),
        ]);
        assert_eq!(of_resource(&old), expected);
        let new = Resource {
            profile: Some(profile),
            status: Some(Status { status: 2, details: "left".into() }),
            ..old
        };
        assert_eq!(of_resource(&new), expected);
    }

    #[test]
    fn numbers_read_as_people_write_them() {
        let number = |number| text(&Value { kind: Some(Kind::NumberValue(number)) });
        assert_eq!(number(2.0), "2");
        assert_eq!(number(-3.5), "-3.5");
        assert_eq!(number(1e300), "1e+300");
    }
}
