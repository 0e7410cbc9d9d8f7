//! `capabilities`: what the connector can sync.

use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};

use crate::baton::{DESCRIPTORS, annotation};
use crate::cli::exit::Failure;
use crate::cli::output;
use crate::connector::capabilities;

/// The subcommand.
pub(super) fn command() -> clap::Command {
    clap::Command::new("capabilities")
        .about("Print what the connector can sync, as JSON; needs no token")
}

/// Prints the capabilities in protobuf's JSON, as `baton_capabilities.json` holds them.
pub(super) fn print() -> Result<(), Failure> {
    let any = annotation(&capabilities()).encode_to_vec();
    // Reflection knows how JSON names fields and enums, and what an `Any` looks like in it.
    let capabilities = DescriptorPool::decode(DESCRIPTORS)
        .ok()
        .and_then(|pool| pool.get_message_by_name("google.protobuf.Any"))
        .and_then(|descriptor| DynamicMessage::decode(descriptor, any.as_slice()).ok());
    output::print(output::json(&capabilities)?.as_bytes())
}
