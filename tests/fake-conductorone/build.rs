//! Compiles the connector's `.proto` files, for the other side.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=../../proto");
    let service = "../../proto/c1/connectorapi/baton/v1/baton.proto";
    let server = tonic_prost_build::configure().build_client(false).build_transport(false);
    prost_build::Config::new()
        .include_file("protocol.rs")
        .service_generator(server.service_generator())
        .compile_fds(protox::compile([service], ["../../proto"])?)?;
    Ok(())
}
