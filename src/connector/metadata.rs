//! What the connector says of itself: its name, what it syncs, and which permissions that
//! takes.

use super::api_token::API_TOKEN;
use super::resource_type::{OptIn, ResourceTypeSpec};
use super::resource_types::RESOURCE_TYPES;
use super::team::TEAM;
use super::team_role::TEAM_ROLE;
use crate::baton::v2::{
    Capability, CapabilityPermission, CapabilityPermissions, ConnectorCapabilities,
    ConnectorMetadata, CredentialDetails, ResourceTypeCapability,
};

/// The name of what is synced, as people know it.
pub const DISPLAY_NAME: &str = "Northflank";

/// What no sync tells, behind what only some tell.
macro_rules! not_told {
    ($not_read:literal) => {
        concat!(
            $not_read,
            "Northflank's API doesn't tell who owns the organization, who signs in with a second \
             factor, and who is invited and hasn't come yet."
        )
    };
}

/// What a sync doesn't tell that has these types besides those of everything, for whoever relies
/// on it.
pub fn not_read(types: &[String]) -> &'static str {
    let has = |wanted: &str| types.iter().any(|it| it == wanted);
    match (has(TEAM), has(TEAM_ROLE), has(API_TOKEN)) {
        (_, true, true) => not_told!(""),
        (_, true, false) => not_told!("API tokens are not read. "),
        (true, false, _) => not_told!(
            "The roles of teams are not read: who holds one stands neither here nor in the file. "
        ),
        (false, false, true) => not_told!(
            "Teams and their roles are not read: whoever is only in a team of Northflank's stands \
             neither here nor in the file. "
        ),
        (false, false, false) => not_told!(
            "Teams, their roles and tokens are not read: whoever is only in a team of Northflank's \
             stands neither here nor in the file. "
        ),
    }
}

/// Name, description and capabilities.
pub fn metadata(with_secrets: bool) -> ConnectorMetadata {
    ConnectorMetadata {
        display_name: DISPLAY_NAME.to_owned(),
        description: "Syncs the members, roles and directory groups of a Northflank \
                      organization, and who is in each role and group"
            .to_owned(),
        capabilities: Some(capabilities(with_secrets)),
    }
}

/// What can be done with each resource type: reading only. Those of secrets are told of where
/// somebody asks for secrets.
pub fn capabilities(with_secrets: bool) -> ConnectorCapabilities {
    let is_told = |spec: &&ResourceTypeSpec| with_secrets || spec.opt_in != Some(OptIn::Secrets);
    let types = RESOURCE_TYPES.into_iter().filter(is_told);
    ConnectorCapabilities {
        resource_type_capabilities: types.map(capability).collect(),
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
        opt_in_required: spec.has_to_be_named(),
    }
}

#[cfg(test)]
mod tests {
    use super::metadata;
    use crate::northflank::{
        READ_MEMBERS, READ_ROLES, READ_TEAM_MEMBERS, READ_TEAM_ROLES, READ_TEAMS, READ_TOKENS,
    };

    /// Each type with whether it has to be asked for, and its permissions.
    fn types(with_secrets: bool) -> Vec<(String, bool, Vec<String>)> {
        let capabilities = metadata(with_secrets).capabilities.unwrap();
        assert_eq!(capabilities.connector_capabilities, [2]);
        assert!(capabilities.credential_details.is_some());
        let types = capabilities.resource_type_capabilities.into_iter().map(|capability| {
            assert_eq!(capability.capabilities, [2]);
            let resource_type = capability.resource_type.unwrap();
            let urls = resource_type.annotations.iter().map(|annotation| &annotation.type_url);
            let opt_in = "type.googleapis.com/c1.connector.v2.OptInRequired";
            assert_eq!(urls.filter(|url| *url == opt_in).count() == 1, capability.opt_in_required);
            let permissions = capability.permissions.unwrap().permissions.into_iter();
            let permissions = permissions.map(|permission| permission.permission).collect();
            (resource_type.id, capability.opt_in_required, permissions)
        });
        types.collect()
    }

    #[test]
    fn every_resource_type_says_what_it_takes_to_read_it_and_whether_it_has_to_be_asked_for() {
        let expected: [(&str, bool, &[&str]); 5] = [
            ("group", false, &[READ_MEMBERS, READ_ROLES]),
            ("role", false, &[READ_ROLES]),
            ("team", true, &[READ_TEAM_MEMBERS, READ_TEAMS]),
            ("team-role", true, &[READ_TEAM_ROLES, READ_TEAMS]),
            ("user", false, &[READ_MEMBERS]),
        ];
        let expected = expected.map(|(id, opt_in, permissions)| {
            (id.to_owned(), opt_in, permissions.iter().map(|it| (*it).to_owned()).collect())
        });
        assert_eq!(types(false), expected);
        let secrets = types(true);
        assert_eq!(secrets[1..], expected);
        let tokens = ("api-token".to_owned(), false, vec![READ_TOKENS.into(), READ_TEAMS.into()]);
        assert_eq!(secrets[0], tokens);
    }
}
