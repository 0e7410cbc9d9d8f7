//! What the connector says of itself: its name, what it syncs, and which permissions that
//! takes.

use super::resource_type::ResourceTypeSpec;
use super::resource_types::RESOURCE_TYPES;
use crate::baton::v2::{
    Capability, CapabilityPermission, CapabilityPermissions, ConnectorCapabilities,
    ConnectorMetadata, CredentialDetails, ResourceTypeCapability,
};

/// The name of what is synced, as people know it.
pub const DISPLAY_NAME: &str = "Northflank";

/// What no sync tells, for whoever relies on one.
pub const NOT_READ: &str = "Teams, their roles and tokens are not read: whoever is only in a team \
                            of Northflank's stands neither here nor in the file. Northflank's API \
                            doesn't tell who owns the organization, who signs in with a second \
                            factor, and who is invited and hasn't come yet.";

/// Name, description and capabilities.
pub fn metadata() -> ConnectorMetadata {
    ConnectorMetadata {
        display_name: DISPLAY_NAME.to_owned(),
        description: "Syncs the members, roles and directory groups of a Northflank \
                      organization, and who is in each role and group"
            .to_owned(),
        capabilities: Some(capabilities()),
    }
}

/// What can be done with each resource type: reading only.
pub fn capabilities() -> ConnectorCapabilities {
    ConnectorCapabilities {
        resource_type_capabilities: RESOURCE_TYPES.into_iter().map(capability).collect(),
        connector_capabilities: vec![Capability::Sync.into()],
        credential_details: Some(CredentialDetails {}),
    }
}

fn capability(spec: &ResourceTypeSpec) -> ResourceTypeCapability {
    let permissions = spec.permissions().into_iter();
    let permissions =
        permissions.map(|permission| CapabilityPermission { permission: permission.to_owned() });
    ResourceTypeCapability {
        permissions: Some(CapabilityPermissions { permissions: permissions.collect() }),
        capabilities: vec![Capability::Sync.into()],
        resource_type: Some(spec.message()),
    }
}

#[cfg(test)]
mod tests {
    use super::metadata;
    use crate::northflank::{READ_MEMBERS, READ_ROLES};

    #[test]
    fn every_resource_type_says_what_it_takes_to_read_it() {
        let capabilities = metadata().capabilities.unwrap();
        assert_eq!(capabilities.connector_capabilities, [2]);
        assert!(capabilities.credential_details.is_some());
        let types: Vec<_> = capabilities
            .resource_type_capabilities
            .iter()
            .map(|capability| {
                assert_eq!(capability.capabilities, [2]);
                let permissions = capability.permissions.as_ref().unwrap();
                let permissions = permissions.permissions.iter();
                (
                    capability.resource_type.as_ref().unwrap().id.as_str(),
                    permissions.map(|permission| permission.permission.as_str()).collect(),
                )
            })
            .collect();
        let expected: [(&str, Vec<&str>); 3] = [
            ("group", vec![READ_MEMBERS, READ_ROLES]),
            ("role", vec![READ_ROLES]),
            ("user", vec![READ_MEMBERS]),
        ];
        assert_eq!(types, expected);
    }
}
