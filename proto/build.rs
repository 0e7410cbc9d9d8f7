//! Compiles the `.proto` files with protox, so that no `protoc` is needed.

use prost::Message;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = [
        "proto/c1/connector/v2/resource.proto",
        "proto/c1/connector/v2/trait.proto",
        "proto/c1/connector/v2/entitlement.proto",
        "proto/c1/connector/v2/grant.proto",
        "proto/c1/connector/v2/annotation.proto",
        "proto/c1/connector/v2/connector.proto",
    ];
    println!("cargo::rerun-if-changed=proto");
    let descriptors = protox::compile(files, ["proto"])?;
    // For JSON, which is written by reflection.
    let path = std::path::Path::new(&std::env::var("OUT_DIR")?).join("descriptors.binpb");
    std::fs::write(path, descriptors.encode_to_vec())?;
    prost_build::Config::new()
        // Sorted maps make the encoding deterministic: diffs of sync files compare bytes.
        .btree_map(["."])
        .enable_type_names()
        .type_name_domain(["."], "type.googleapis.com")
        .compile_fds(descriptors)?;
    Ok(())
}
