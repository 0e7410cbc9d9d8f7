//! Compiles the `.proto` files with protox, so that no `protoc` is needed, and notes the
//! compiler's version, which ConductorOne is told.

use std::process::Command;

use prost::Message;
use prost_build::Config;

/// What sync files hold, and what the connector says of itself.
const MESSAGES: [&str; 7] = [
    "proto/c1/connector/v2/resource.proto",
    "proto/c1/connector/v2/trait.proto",
    "proto/c1/connector/v2/entitlement.proto",
    "proto/c1/connector/v2/grant.proto",
    "proto/c1/connector/v2/annotation.proto",
    "proto/c1/connector/v2/connector.proto",
    "proto/google/rpc/status.proto",
];

/// What a self-hosted connector speaks with ConductorOne.
const SERVICE: &str = "proto/c1/connectorapi/baton/v1/baton.proto";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto");
    let descriptors = protox::compile(MESSAGES, ["proto"])?;
    // For tests, which hold JSON to what reflection makes of it.
    let path = std::path::Path::new(&std::env::var("OUT_DIR")?).join("descriptors.binpb");
    std::fs::write(path, descriptors.encode_to_vec())?;
    config().compile_fds(descriptors)?;
    let client = tonic_prost_build::configure().build_server(false).build_transport(false);
    config()
        .extern_path(".c1.connector.v2", "crate::baton::v2")
        .extern_path(".google.rpc", "crate::baton::rpc")
        .service_generator(client.service_generator())
        .compile_fds(protox::compile([SERVICE], ["proto"])?)?;

    let compiler = Command::new(std::env::var("RUSTC")?).arg("--version").output()?;
    println!("cargo::rustc-env=RUSTC_VERSION={}", String::from_utf8(compiler.stdout)?.trim());
    Ok(())
}

fn config() -> Config {
    let mut config = Config::new();
    config
        // Sorted maps make the encoding deterministic: diffs of sync files compare bytes.
        .btree_map(["."])
        .enable_type_names()
        .type_name_domain(["."], "type.googleapis.com");
    config
}
