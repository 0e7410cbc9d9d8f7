//! The binary serves as long as its standard input is open, and says why it ends.

use std::process::{Command, Stdio};

#[test]
fn the_end_of_standard_input_ends_it_and_what_a_connector_needs_is_there() {
    let directory = std::env::temp_dir().join(format!("fake-conductorone-{}", std::process::id()));
    let mut fake = Command::new(env!("CARGO_BIN_EXE_fake-conductorone"));
    let output = fake.arg("--directory").arg(&directory).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let variables = std::fs::read_to_string(directory.join("c1.env")).unwrap();
    let certificate = std::fs::read_to_string(directory.join("ca.pem")).unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    assert!(variables.contains("BATON_CLIENT_SECRET=secret-token:conductorone.com:v1:"));
    assert!(certificate.starts_with("-----BEGIN CERTIFICATE-----"));
    assert!(String::from_utf8_lossy(&output.stdout).contains("c1.env"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("standard input has ended"));
}
