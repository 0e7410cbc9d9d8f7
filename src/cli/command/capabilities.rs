//! `capabilities`: what the connector can sync.

use clap::ArgMatches;
use prost::Name;
use prost_types::Any;
use serde::Serialize;

use crate::baton::v2::{
    Capability, ConnectorCapabilities, CredentialDetails, ResourceType, ResourceTypeCapability,
};
use crate::cli::exit::Failure;
use crate::cli::output;
use crate::config::{Field, Flags, SYNC_SECRETS, Variables};
use crate::connector::capabilities;

/// The subcommand.
pub(super) fn command() -> clap::Command {
    clap::Command::new("capabilities")
        .about("Print what the connector can sync, as JSON; needs no token")
        .args(crate::config::arguments(FIELDS))
}

/// The fields that say what there is to print.
const FIELDS: &[&Field] = &[SYNC_SECRETS];

/// What was typed.
pub(super) fn flags(arguments: &ArgMatches) -> Flags {
    Flags::from_matches(arguments, FIELDS)
}

/// Prints the capabilities in protobuf's JSON, as `baton_capabilities.json` holds them.
pub(super) fn print(flags: &Flags, variables: Variables<'_>) -> Result<(), Failure> {
    let capabilities = capabilities(crate::config::syncs_secrets(flags, variables)?);
    output::print(output::json(&CapabilitiesJson::of(&capabilities))?.as_bytes())
}

/// The message as an `Any` in [protobuf's JSON](https://protobuf.dev/programming-guides/json/):
/// fields by their numbers, and without those that are empty.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CapabilitiesJson<'message> {
    #[serde(rename = "@type")]
    type_url: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resource_type_capabilities: Vec<ResourceTypeCapabilityJson<'message>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    connector_capabilities: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential_details: Option<EmptyJson>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceTypeCapabilityJson<'message> {
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_type: Option<ResourceTypeJson<'message>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    capabilities: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<PermissionsJson<'message>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    opt_in_required: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceTypeJson<'message> {
    id: &'message str,
    display_name: &'message str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    traits: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    annotations: Vec<AnnotationJson<'message>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'message str,
}

/// An annotation without fields; a resource type has no others.
#[derive(Serialize)]
struct AnnotationJson<'message> {
    #[serde(rename = "@type")]
    type_url: &'message str,
}

#[derive(Serialize)]
struct PermissionsJson<'message> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    permissions: Vec<PermissionJson<'message>>,
}

#[derive(Serialize)]
struct PermissionJson<'message> {
    permission: &'message str,
}

#[derive(Serialize)]
struct EmptyJson {}

impl<'message> CapabilitiesJson<'message> {
    fn of(message: &'message ConnectorCapabilities) -> Self {
        let of_types = message.resource_type_capabilities.iter();
        Self {
            type_url: ConnectorCapabilities::type_url(),
            resource_type_capabilities: of_types.map(ResourceTypeCapabilityJson::of).collect(),
            connector_capabilities: names(message.connector_capabilities()),
            credential_details: message
                .credential_details
                .as_ref()
                .map(|CredentialDetails {}| EmptyJson {}),
        }
    }
}

impl<'message> ResourceTypeCapabilityJson<'message> {
    fn of(message: &'message ResourceTypeCapability) -> Self {
        Self {
            resource_type: message.resource_type.as_ref().map(ResourceTypeJson::of),
            capabilities: names(message.capabilities()),
            permissions: message.permissions.as_ref().map(|message| PermissionsJson {
                permissions: message
                    .permissions
                    .iter()
                    .map(|message| PermissionJson { permission: &message.permission })
                    .collect(),
            }),
            opt_in_required: message.opt_in_required,
        }
    }
}

impl<'message> ResourceTypeJson<'message> {
    fn of(message: &'message ResourceType) -> Self {
        let type_urls = message.annotations.iter().map(|Any { type_url, .. }| type_url);
        Self {
            id: &message.id,
            display_name: &message.display_name,
            traits: message.traits().map(|it| it.as_str_name()).collect(),
            annotations: type_urls.map(|type_url| AnnotationJson { type_url }).collect(),
            description: &message.description,
        }
    }
}

fn names(capabilities: impl Iterator<Item = Capability>) -> Vec<&'static str> {
    capabilities.map(|capability| capability.as_str_name()).collect()
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use prost_reflect::{DescriptorPool, DynamicMessage};

    use super::{CapabilitiesJson, capabilities, output};
    use crate::baton::{DESCRIPTORS, annotation};

    #[test]
    fn the_json_is_what_reflection_over_the_definitions_makes_of_the_message() {
        let message = capabilities(true);
        let any = DescriptorPool::decode(DESCRIPTORS)
            .unwrap()
            .get_message_by_name("google.protobuf.Any")
            .unwrap();
        let any =
            DynamicMessage::decode(any, annotation(&message).encode_to_vec().as_slice()).unwrap();
        assert_eq!(
            output::json(&CapabilitiesJson::of(&message)).unwrap(),
            output::json(&any).unwrap()
        );
    }
}
